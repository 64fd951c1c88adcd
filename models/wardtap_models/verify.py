"""The same questions that the daemon asks before it takes a model."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx

from . import ModelError, signing
from .artifact import GREATEST_BYTES, metadata, read_manifest
from .rows import Rows
from .runtime import Scores, run
from .schema import FEATURES, JOINED, SCHEMA, SHA256

_GOLDEN_RELATIVE = 1e-4
_GREATEST_RATE = 0.05
_DOMAINS = ("", "ai.onnx.ml")


def verify(path: Path, trusted: list[str], rows: Rows | None = None) -> list[str]:
    """Returns what was found right, a line each. Raises ModelError for the first thing that is wrong."""
    try:
        size = path.stat().st_size
        if size > GREATEST_BYTES:
            raise ModelError(f"{path} has {size} bytes, more than {GREATEST_BYTES}")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"can't read {path}: {error.strerror}") from error
    found = [_manifest(path, data, trusted)]
    model = _parse(path, data)
    found += [_signature(model), _metadata(model), _golden(model)]
    if rows is not None:
        found.append(_rate(model, rows))
    return found


def _manifest(path: Path, data: bytes, trusted: list[str]) -> str:
    manifest = read_manifest(path)
    if manifest.get("schema") != SCHEMA:
        raise ModelError(f"the manifest is of schema {manifest.get('schema')}, not {SCHEMA}")
    if manifest.get("sha256") != hashlib.sha256(data).hexdigest():
        raise ModelError(f"{path} is not the file that its manifest describes: the SHA-256 differs")
    key = signing.check(manifest, trusted)
    return f"manifest: SHA-256 is right; {f'signed by {key}' if key else 'not signed'}"


def _parse(path: Path, data: bytes) -> onnx.ModelProto:
    try:
        model = onnx.load_model_from_string(data)
        if any(c.data_location == onnx.TensorProto.EXTERNAL for c in model.graph.initializer):
            raise ModelError(f"{path} keeps data in another file: a model is one file")
        onnx.checker.check_model(model)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"{path} is no ONNX model: {str(error).splitlines()[0]}") from error
    return model


def _signature(model: onnx.ModelProto) -> str:
    def shapes(values) -> dict[str, tuple[int, int, int]]:
        found = {}
        for value in values:
            tensor = value.type.tensor_type
            dims = tensor.shape.dim
            found[value.name] = (tensor.elem_type, len(dims), dims[1].dim_value if len(dims) > 1 else 0)
        return found

    real = onnx.TensorProto.FLOAT
    wanted_in = {"features": (real, 2, FEATURES)}
    wanted_out = {"score": (real, 1, 0), "p": (real, 1, 0), "contrib": (real, 2, FEATURES)}
    if shapes(model.graph.input) != wanted_in:
        raise ModelError(f"input must be features, float32 [n, {FEATURES}], and nothing else")
    if shapes(model.graph.output) != wanted_out:
        raise ModelError(f"outputs must be score [n], p [n] and contrib [n, {FEATURES}], float32")
    if strange := {node.domain for node in model.graph.node if node.domain not in _DOMAINS}:
        raise ModelError(f"operations of other domains: {', '.join(sorted(strange))}")
    return "input and outputs are the contract's"


def _metadata(model: onnx.ModelProto) -> str:
    entries = metadata(model)
    for name, value in (("schema", SCHEMA), ("features", JOINED), ("features_sha256", SHA256)):
        if entries.get(f"wardtap.{name}") != value:
            raise ModelError(f"wardtap.{name} is not that of {SCHEMA}: it was trained on other features")
    names = ("trainer", "training_sha256", "rows", "window", "p_floor", "golden", "recorded_rate", "versions", "seed")
    if missing := [name for name in names if f"wardtap.{name}" not in entries]:
        raise ModelError(f"metadata lacks {', '.join(missing)}")
    return f"schema {SCHEMA}, trained by {entries['wardtap.trainer']} on {entries['wardtap.rows']} rows"


def _golden(model: onnx.ModelProto) -> str:
    golden = json.loads(metadata(model)["wardtap.golden"])
    features = np.array(golden["features"], dtype=np.float32).reshape(-1, FEATURES)
    if not len(features):
        raise ModelError("there are no golden rows")
    scores = _finite(run(model, features))
    for name in ("score", "p"):
        wanted, got = np.array(golden[name]), getattr(scores, name)
        wrong = np.abs(got - wanted) > _GOLDEN_RELATIVE * np.maximum(np.abs(wanted), 1e-9)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ModelError(f"golden row {row}: {name} is {got[row]:.6g}, not {wanted[row]:.6g}: the graph was changed")
    return f"{len(features)} golden rows are as recorded"


def _rate(model: onnx.ModelProto, rows: Rows) -> str:
    rate = float((_finite(run(model, rows.normal().features)).p <= 0.001).mean())
    if rate > _GREATEST_RATE:
        raise ModelError(f"it calls {rate:.1%} of the flows strange at p <= 0.001: it is calibrated for another site")
    return f"p <= 0.001 of {rate:.4%} of {len(rows.normal())} flows"


def _finite(scores: Scores) -> Scores:
    if not all(np.isfinite(part).all() for part in scores):
        raise ModelError("scores are not finite")
    if not ((scores.p > 0) & (scores.p <= 1)).all():
        raise ModelError("p-values are not in (0, 1]")
    return scores
