"""A model's files: the graph with its metadata, and the manifest beside it."""

import hashlib
import json
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from . import ModelError, __version__
from .rows import Rows
from .runtime import run
from .schema import FEATURES, JOINED, SCHEMA, SHA256

# What the daemon reads at most.
GREATEST_BYTES = 32 * 1024 * 1024
RECORDED_P = 0.001
_GOLDEN_ROWS = 12


def describe(
    model: onnx.ModelProto, train: Rows, calibrate: Rows, trainer: str, versions: dict[str, str], seed: int
) -> None:
    """Writes into the model where it comes from and what it must say of a few rows."""
    rate = float((run(model, calibrate.features).p <= RECORDED_P).mean())
    window = {"train": _window(train), "calibrate": _window(calibrate)}
    helper.set_model_props(
        model,
        {
            "wardtap.schema": SCHEMA,
            "wardtap.features": JOINED,
            "wardtap.features_sha256": SHA256,
            "wardtap.trainer": trainer,
            "wardtap.training_sha256": hashlib.sha256(train.features.astype("<f4").tobytes()).hexdigest(),
            "wardtap.rows": json.dumps({"train": len(train), "calibrate": len(calibrate)}),
            "wardtap.window": json.dumps(window),
            "wardtap.p_floor": repr(1 / (len(calibrate) + 1)),
            "wardtap.golden": json.dumps(golden(model, golden_rows(train.features, calibrate.features))),
            "wardtap.recorded_rate": repr(rate),
            "wardtap.versions": json.dumps(_versions() | versions, sort_keys=True),
            "wardtap.seed": str(seed),
        },
    )


def golden_rows(train: np.ndarray, calibrate: np.ndarray) -> np.ndarray:
    """A few ordinary rows and four extreme ones: zeros, the greatest, a hundred times that, the least."""
    ordinary = calibrate[np.linspace(0, len(calibrate) - 1, _GOLDEN_ROWS).astype(int)]
    most = train.max(axis=0)
    return np.concatenate([ordinary, np.stack([np.zeros(FEATURES), most, most * 100, train.min(axis=0)])]).astype("f4")


def golden(model: onnx.ModelProto, rows: np.ndarray) -> dict[str, list]:
    """What the model says of the rows."""
    scores = run(model, rows)
    numbers = [[float(value) for value in row] for row in rows.astype("f4")]
    return {"features": numbers, "score": scores.score.astype(float).tolist(), "p": scores.p.astype(float).tolist()}


def metadata(model: onnx.ModelProto) -> dict[str, str]:
    """What it says about itself."""
    return {entry.key: entry.value for entry in model.metadata_props}


def set_metadata(model: onnx.ModelProto, **changed: str) -> None:
    """Changes entries, named without their prefix."""
    entries = metadata(model) | {f"wardtap.{name}": value for name, value in changed.items()}
    helper.set_model_props(model, entries)


def save(model: onnx.ModelProto, path: Path) -> None:
    """Writes the model and its manifest."""
    data = model.SerializeToString(deterministic=True)
    if len(data) > GREATEST_BYTES:
        raise ModelError(f"the model has {len(data)} bytes, the daemon reads at most {GREATEST_BYTES}")
    replace_file(path, data)
    write_manifest(path, manifest(path, metadata(model)))


def manifest(path: Path, entries: dict[str, str]) -> dict[str, str | int]:
    """The manifest of a file as it is."""
    data = path.read_bytes()
    return {
        "schema": SCHEMA,
        "file": path.name,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "created": rfc3339(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())) * 10**9),
        "trainer": entries.get("wardtap.trainer", "unknown"),
        "seed": entries.get("wardtap.seed", "unknown"),
        "training_sha256": entries.get("wardtap.training_sha256", "unknown"),
    }


def manifest_path(model: Path) -> Path:
    """Where a model's manifest lies."""
    return model.with_suffix(".manifest.json")


def write_manifest(model: Path, content: dict) -> None:
    """Writes the manifest beside the model."""
    replace_file(manifest_path(model), (json.dumps(content, indent=2, sort_keys=True) + "\n").encode())


def read_manifest(model: Path) -> dict:
    """Reads it."""
    path = manifest_path(model)
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelError(f"can't read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} is not a JSON object")
    return content


def replace_file(path: Path, data: bytes) -> None:
    """Writes a file under another name first: what was there stays whole until the new one is."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ModelError(f"can't write {path}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def rfc3339(time_ns: int) -> str:
    """A time as text, whole seconds."""
    return datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _window(rows: Rows) -> list[str]:
    return [rfc3339(int(rows.time_ns[0])), rfc3339(int(rows.time_ns[-1]))]


def _versions() -> dict[str, str]:
    return {
        "wardtap-models": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
