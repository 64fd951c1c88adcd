"""The model of windows: how unusual five minutes of a device are.

It reads what `evaluation windows` wrote of simulated hospitals: the surprise of each window in each measure. An autoencoder
learns which surprises of ordinary windows come together; what it can't repeat is unusual. The score adds how rare that is to
how rare the sum of the great surprises is, both as powers of ten among ordinary windows.
"""

import hashlib
import json
import math
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.neural_network import MLPRegressor

from . import ModelError
from .artifact import replace_file, rfc3339, write_manifest

SCHEMA = "windows-v1"
_OPSET = 13
_IR_VERSION = 8
_HIDDEN = (24, 8, 24)
# A surprise counts as far as it is above one in a thousand.
_COUNTS = 3.0
# What the autoencoder's part weighs.
_WEIGHT = 0.5
# Windows of each hospital: as many at random, and the most unusual ones.
_AT_RANDOM = 60_000
_MOST_UNUSUAL = 15_000
_KNOTS = 24
_GOLDEN = 12
_BUDGETS = (1, 2, 5, 10, 20, 50, 100)
_HOURS = 3600
_DAY = 86_400
_BUCKETS = 128


@dataclass(frozen=True)
class Windows:
    """Windows of a hospital."""

    measures: list[str]
    begin: np.ndarray  # int64 [n]; seconds since 1970
    device: np.ndarray  # int32 [n]; numbers of devices
    counts: np.ndarray  # bool [n]; after the learning week
    attacked: np.ndarray  # bool [n]; a part of an attack
    surprises: np.ndarray  # float32 [n, measures]
    first_day: np.ndarray  # int64 [measures, buckets]; windows of the first day, by the bucket of each value but nought
    first_windows: int  # how many windows the first day has

    @property
    def ordinary(self) -> np.ndarray:
        """Windows to learn from."""
        return self.counts & ~self.attacked


def read(path: Path) -> Windows:
    """Reads a file of `evaluation windows`."""
    try:
        with path.open(encoding="ascii") as file:
            names = file.readline().strip().split(",")
            columns = [at for at, name in enumerate(names) if name.endswith("_surprise")]
            values = [names.index(names[at].removesuffix("_surprise")) for at in columns]
            fixed = [names.index(name) for name in ("begin", "device", "counts", "does", "suffers")]
            first_day, first_windows, end = np.zeros((len(columns), _BUCKETS), dtype="i8"), 0, None
            begin, device, counts, attacked, rows = [], [], [], [], []
            numbers: dict[str, int] = {}
            for line in file:
                cells = line.rstrip("\n").split(",")
                begin.append(int(cells[fixed[0]]))
                device.append(numbers.setdefault(cells[fixed[1]], len(numbers)))
                counts.append(cells[fixed[2]] == "1")
                attacked.append(bool(cells[fixed[3]] or cells[fixed[4]]))
                rows.append(np.array([cells[at] for at in columns], dtype="f4"))
                end = end or begin[0] + _DAY
                if begin[-1] < end:
                    first_windows += 1
                    _count(first_day, [float(cells[at]) for at in values])
    except OSError as error:
        raise ModelError(f"can't read {path}: {error.strerror}") from error
    except (ValueError, IndexError) as error:
        raise ModelError(f"{path} was not written by `evaluation windows`: {error}") from error
    if not rows or not columns:
        raise ModelError(f"{path} has no windows")
    return Windows(
        [names[at].removesuffix("_surprise") for at in columns],
        np.array(begin),
        np.array(device),
        np.array(counts),
        np.array(attacked),
        np.stack(rows),
        first_day,
        first_windows,
    )


def _count(buckets: np.ndarray, values: list[float]) -> None:
    """Counts each value but nought in its bucket, a third of an octave as in `history.rs`."""
    for measure, value in enumerate(values):
        if value > 0:
            buckets[measure, min(int(math.log2(value + 1) * 3 + 0.5), _BUCKETS - 1)] += 1


def prior(hospitals: list[Windows]) -> dict:
    """What windows of the first day of a sensor are like: for a site that has none of its own."""
    counts = np.sum([one.first_day for one in hospitals], axis=0)
    found = np.argwhere(counts > 0)
    return {
        "windows": int(sum(one.first_windows for one in hospitals)),
        "counts": [[int(measure), int(bucket), int(counts[measure, bucket])] for measure, bucket in found],
    }


def train(hospitals: Iterable[Windows], others: Iterable[Windows], seed: int) -> onnx.ModelProto:
    """Learns from ordinary windows of hospitals; `others` say which score a budget of false alerts needs."""
    hospitals = list(hospitals)
    rng = np.random.default_rng(seed)
    learnt, everything, measures = [], [], None
    for one in hospitals:
        if measures not in (None, one.measures):
            raise ModelError("the files have different measures")
        measures = one.measures
        ordinary = one.surprises[one.ordinary]
        everything.append(ordinary)
        unusual = np.argsort(-np.maximum(ordinary - 2, 0).sum(axis=1), kind="stable")[:_MOST_UNUSUAL]
        at_random = rng.choice(len(ordinary), min(_AT_RANDOM, len(ordinary)), replace=False)
        learnt.append(ordinary[np.union1d(at_random, unusual)])
    if measures is None:
        raise ModelError("there is nothing to learn from")
    rows, ordinary = np.concatenate(learnt), np.concatenate(everything)
    network = MLPRegressor(hidden_layer_sizes=_HIDDEN, max_iter=40, random_state=seed, early_stopping=True).fit(rows, rows)
    layers = list(zip(network.coefs_, network.intercepts_, strict=True))
    error = ((repeat(layers, ordinary) - ordinary) ** 2).sum(axis=1)
    sums = np.maximum(ordinary - _COUNTS, 0).sum(axis=1)
    model = assemble(len(measures), layers, rarity(sums), rarity(error))
    golden = np.concatenate([rows[np.linspace(0, len(rows) - 1, _GOLDEN).astype(int)], np.full((1, len(measures)), 6.0)])
    golden = golden.astype("f4")
    score, _ = run(model, golden)
    helper.set_model_props(
        model,
        {
            "wardtap.schema": SCHEMA,
            "wardtap.measures": ",".join(measures),
            "wardtap.rows": str(len(rows)),
            "wardtap.training_sha256": hashlib.sha256(rows.astype("<f4").tobytes()).hexdigest(),
            "wardtap.prior": json.dumps(prior(hospitals)),
            "wardtap.thresholds": json.dumps(thresholds(model, list(others))),
            "wardtap.golden": json.dumps({"surprises": golden.tolist(), "score": score.astype(float).tolist()}),
            "wardtap.seed": str(seed),
        },
    )
    return model


def repeat(layers: list[tuple[np.ndarray, np.ndarray]], rows: np.ndarray) -> np.ndarray:
    """What the autoencoder makes of rows (reference of the graph)."""
    value = rows.astype(np.float64)
    for number, (weights, bias) in enumerate(layers):
        value = value @ weights + bias
        if number < len(layers) - 1:
            value = np.maximum(value, 0)
    return value


def rarity(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Knots of a value and its rarity: the negative decimal logarithm of the share of windows with at least this value."""
    values = np.sort(values.astype(np.float64))
    shares = np.geomspace(0.5, 3 / len(values), _KNOTS)
    knots = values[np.minimum((len(values) * (1 - shares)).astype(int), len(values) - 1)]
    keep = np.flatnonzero(np.diff(knots, prepend=-np.inf) > 1e-6)
    return knots[keep], -np.log10(shares[keep])


def assemble(
    measures: int,
    layers: list[tuple[np.ndarray, np.ndarray]],
    by_sum: tuple[np.ndarray, np.ndarray],
    by_error: tuple[np.ndarray, np.ndarray],
) -> onnx.ModelProto:
    """The graph: surprises in, score and each measure's part of it out."""
    nodes, constants = [], []

    def constant(name: str, value: np.ndarray | float | list) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value, dtype="f4"), name))
        return name

    def node(operator: str, inputs: list[str], output: str, **attributes: int) -> str:
        nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def total(name: str, output: str) -> str:
        constants.append(numpy_helper.from_array(np.array([1], dtype="i8"), f"{output}_axis"))
        return node("ReduceSum", [name, f"{output}_axis"], output, keepdims=1)

    def rarity_of(name: str, knots: tuple[np.ndarray, np.ndarray], output: str) -> str:
        # Piecewise linear: a change of slope at each knot, nought up to the first one. Beyond the last it goes on.
        starts, heights = knots
        slopes = np.diff(np.concatenate([[0.0], heights[1:]])) / np.diff(starts)
        changes = np.diff(np.concatenate([[0.0], slopes]))
        beyond = node("Relu", [node("Sub", [name, constant(f"{output}_at", [starts[:-1]])], f"{output}_off")], f"{output}_up")
        return node("MatMul", [beyond, constant(f"{output}_slopes", changes.reshape(-1, 1))], output)

    value = "surprises"
    for number, (weights, bias) in enumerate(layers):
        product = node("MatMul", [value, constant(f"weights{number}", weights)], f"product{number}")
        value = node("Add", [product, constant(f"bias{number}", bias)], f"layer{number}")
        if number < len(layers) - 1:
            value = node("Relu", [value], f"active{number}")
    residual = node("Sub", ["surprises", value], "residual")
    squares = node("Mul", [residual, residual], "squares")
    error = total(squares, "error")
    excess = node("Relu", [node("Sub", ["surprises", constant("counts", _COUNTS)], "above")], "excess")
    summed = total(excess, "summed")
    sum_part = rarity_of(summed, by_sum, "sum_rarity")
    error_part = node("Mul", [rarity_of(error, by_error, "error_rarity"), constant("weight", _WEIGHT)], "error_part")
    score = node("Add", [sum_part, error_part], "scores")
    constants.append(numpy_helper.from_array(np.array([1], dtype="i8"), "columns"))
    node("Squeeze", [score, "columns"], "score")
    least = constant("least", 1e-6)

    def shared(parts: str, whole: str, amount: str, output: str) -> str:
        ratio = node("Div", [parts, node("Max", [whole, least], f"{output}_whole")], f"{output}_ratio")
        return node("Mul", [ratio, amount], output)

    node(
        "Add",
        [shared(excess, summed, sum_part, "sum_shares"), shared(squares, error, error_part, "error_shares")],
        "contrib",
    )
    graph = helper.make_graph(
        nodes,
        SCHEMA,
        [helper.make_tensor_value_info("surprises", TensorProto.FLOAT, ["rows", measures])],
        [
            helper.make_tensor_value_info("score", TensorProto.FLOAT, ["rows"]),
            helper.make_tensor_value_info("contrib", TensorProto.FLOAT, ["rows", measures]),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    return model


def run(model: onnx.ModelProto, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score and parts of it, of each row."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    parts = [session.run(["score", "contrib"], {"surprises": part.astype("f4")}) for part in _batches(rows)]
    return np.concatenate([score for score, _ in parts]), np.concatenate([share for _, share in parts])


def thresholds(model: onnx.ModelProto, hospitals: list[Windows]) -> list[tuple[float, float]]:
    """For each budget, the mean of the scores from which on ordinary windows give so many hours of devices a day."""
    needed = {budget: [] for budget in _BUDGETS}
    for one in hospitals:
        score, _ = run(model, one.surprises[one.ordinary])
        hours = one.begin[one.ordinary] // _HOURS
        devices = one.device[one.ordinary]
        best: dict[tuple[int, int], float] = {}
        for key, value in zip(zip(devices.tolist(), hours.tolist(), strict=True), score.tolist(), strict=True):
            if value > best.get(key, 0.0):
                best[key] = value
        ranked = np.sort(np.array(list(best.values())))[::-1]
        days = (hours.max() - hours.min() + 1) / 24
        for budget in _BUDGETS:
            allowed = budget * days * len(np.unique(devices)) / 1000
            needed[budget].append(float(ranked[min(int(allowed), len(ranked) - 1)]))
    return [(budget, round(float(np.mean(values)), 3)) for budget, values in needed.items()]


def save(model: onnx.ModelProto, path: Path) -> None:
    """Writes the model and its manifest."""
    data = model.SerializeToString(deterministic=True)
    replace_file(path, data)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    write_manifest(
        path,
        {
            "schema": SCHEMA,
            "file": path.name,
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "created": rfc3339(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())) * 10**9),
            "trainer": "sklearn",
            "seed": properties["wardtap.seed"],
            "training_sha256": properties["wardtap.training_sha256"],
        },
    )


def _batches(rows: np.ndarray) -> Iterable[np.ndarray]:
    return (rows[at : at + 8192] for at in range(0, len(rows), 8192))
