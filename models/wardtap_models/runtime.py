"""Runs a graph in ONNX Runtime, as the daemon does: one thread."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime

_BATCH = 4096


class Scores(NamedTuple):
    """What a model says of rows."""

    score: np.ndarray  # [n]
    p: np.ndarray  # [n]
    contrib: np.ndarray  # [n, FEATURES]


def session(model: onnx.ModelProto | Path) -> onnxruntime.InferenceSession:
    """A session of one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    source = str(model) if isinstance(model, Path) else model.SerializeToString(deterministic=True)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def run(model: onnx.ModelProto | Path | onnxruntime.InferenceSession, features: np.ndarray) -> Scores:
    """Scores rows, in batches."""
    if not isinstance(model, onnxruntime.InferenceSession):
        model = session(model)
    parts = [
        model.run(list(Scores._fields), {"features": np.ascontiguousarray(features[at : at + _BATCH], dtype=np.float32)})
        for at in range(0, max(len(features), 1), _BATCH)
    ]
    return Scores(*(np.concatenate(column) for column in zip(*parts, strict=True)))
