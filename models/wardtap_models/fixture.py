"""Small models for tests: good ones, and one for each way in which a model can be bad."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from . import signing, synthetic
from .artifact import describe, golden, manifest, metadata, replace_file, save, set_metadata, write_manifest
from .assemble import assemble
from .rows import write
from .schema import NAMES
from .split import by_time
from .trainers import trainer
from .training import Settings, learn

_ROWS = 6_000
_OVERSIZED = 33 * 1024 * 1024


def make(folder: Path, keras: bool) -> list[Path]:
    """Makes them all; returns the models' paths. Each bad one has a manifest with its true hash, so that only its own fault can
    be why it is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    good = small("sklearn")
    made = [_save(good, folder / "good.onnx")]
    if keras:
        made.append(_save(small("keras"), folder / "keras.onnx"))
    other = small("sklearn", seed=2)
    made.append(_save(other, folder / "other.onnx"))
    for name, spoil in _BAD.items():
        path = folder / f"{name}.onnx"
        spoil(_copy(good), path)
        write_manifest(path, manifest(path, metadata(good)))
        made.append(path)
    made += _signed(good, folder)
    write(folder / "rows.csv", synthetic.rows(500, seed=7, attacks=20))
    return made


def small(name: str, seed: int = 1) -> onnx.ModelProto:
    """A model of a few made-up rows."""
    parts = by_time(synthetic.rows(_ROWS, seed), train=0.6, calibrate=0.4, held_out=0.0, seed=seed)
    library = trainer(name)
    learnt = learn(library, parts.train, parts.calibrate, Settings(seed=seed, epochs=8))
    model = assemble(learnt)
    describe(model, parts.train, parts.calibrate, name, library.versions(), seed)
    return model


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _save(model: onnx.ModelProto, path: Path) -> Path:
    save(model, path)
    return path


def _write(model: onnx.ModelProto, path: Path) -> None:
    replace_file(path, model.SerializeToString(deterministic=True))


def _constant(model: onnx.ModelProto, name: str) -> onnx.TensorProto:
    return next(constant for constant in model.graph.initializer if constant.name == name)


def _set(model: onnx.ModelProto, name: str, value: np.ndarray) -> None:
    _constant(model, name).CopyFrom(numpy_helper.from_array(value, name))


def _truncated(model: onnx.ModelProto, path: Path) -> None:
    data = model.SerializeToString(deterministic=True)
    replace_file(path, data[: len(data) * 2 // 3])


def _wrong_features(model: onnx.ModelProto, path: Path) -> None:
    """Says that it was trained on another order of features."""
    names = [NAMES[1], NAMES[0], *NAMES[2:]]
    set_metadata(model, features=",".join(names))
    _write(model, path)


def _altered_weight(model: onnx.ModelProto, path: Path) -> None:
    """One number in the graph is another; the golden scores are those of before."""
    name = next(c.name for c in model.graph.initializer if c.name.startswith("autoencoder_") and len(c.dims) == 2)
    weights = numpy_helper.to_array(_constant(model, name)).copy()
    weights[0, 0] += 1.0
    _set(model, name, weights)
    _write(model, path)


def _miscalibrated(model: onnx.ModelProto, path: Path) -> None:
    """Calls everything rare. It is right about its golden rows, and only flows show it."""
    steps = numpy_helper.to_array(_constant(model, "steps"))
    _set(model, "steps", steps * np.float32(1e-6))
    rows = np.array(json.loads(metadata(model)["wardtap.golden"])["features"], dtype=np.float32)
    set_metadata(model, golden=json.dumps(golden(model, rows)))
    _write(model, path)


def _missing_output(model: onnx.ModelProto, path: Path) -> None:
    del model.graph.output[2]
    _write(model, path)


def _external_data(model: onnx.ModelProto, path: Path) -> None:
    """Keeps a tensor in another file."""
    data = path.with_suffix(".data")
    data.unlink(missing_ok=True)
    onnx.save_model(
        model, path, save_as_external_data=True, all_tensors_to_one_file=True, location=data.name, size_threshold=0
    )


def _oversized(model: onnx.ModelProto, path: Path) -> None:
    set_metadata(model, padding="x" * _OVERSIZED)
    _write(model, path)


def _nan_scores(model: onnx.ModelProto, path: Path) -> None:
    """Has no score for flows with more than 500 bytes of answer. Its golden rows have fewer."""
    node = next(node for node in model.graph.node if "score" in node.output)
    node.output[0] = "score_before"
    at = NAMES.index("in_bytes")
    constants = {"in_bytes": np.array(at, np.int64), "much": np.float32(500), "not_a_number": np.float32("nan")}
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items())
    model.graph.node.extend(
        [
            helper.make_node("Gather", ["features", "in_bytes"], ["in_bytes_of"], axis=1),
            helper.make_node("Greater", ["in_bytes_of", "much"], ["is_much"]),
            helper.make_node("Where", ["is_much", "not_a_number", "score_before"], ["score"]),
        ]
    )
    rows = np.array(json.loads(metadata(model)["wardtap.golden"])["features"], dtype=np.float32)
    set_metadata(model, golden=json.dumps(golden(model, rows[rows[:, at] <= 500])))
    _write(model, path)


def _wrong_shape(model: onnx.ModelProto, path: Path) -> None:
    """Takes two features more."""
    model.graph.input[0].CopyFrom(
        helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", len(NAMES) + 2])
    )
    _write(model, path)


_BAD: dict[str, Callable[[onnx.ModelProto, Path], None]] = {
    "truncated": _truncated,
    "wrong-features": _wrong_features,
    "wrong-shape": _wrong_shape,
    "altered-weight": _altered_weight,
    "miscalibrated": _miscalibrated,
    "missing-output": _missing_output,
    "external-data": _external_data,
    "oversized": _oversized,
    "nan-scores": _nan_scores,
}


def _signed(model: onnx.ModelProto, folder: Path) -> list[Path]:
    """A signed model, one whose manifest was changed afterwards, one whose file was."""
    key_file = folder / "signing.key"
    key_file.unlink(missing_ok=True)
    public = signing.keygen(key_file)
    (folder / "signing.pub").write_text(public + "\n")
    signed, forged, swapped = (folder / f"{name}.onnx" for name in ("signed", "forged", "wrong-hash"))
    for path in (signed, forged, swapped):
        save(model, path)
        signing.sign(path, key_file)
    content = json.loads(forged.with_suffix(".manifest.json").read_text())
    write_manifest(forged, content | {"created": "2020-01-01T00:00:00Z"})
    other = _copy(model)
    set_metadata(other, seed="2")
    _write(other, swapped)
    return [signed, forged, swapped]
