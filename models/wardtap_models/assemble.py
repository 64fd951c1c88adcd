"""The one graph: raw features in, score, p-value and contributions out."""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .conformal import Table
from .forest import Forest
from .normalise import GREATEST, Normaliser
from .schema import FEATURES, UNITS
from .trainers import OPSET, Autoencoder

# ONNX Runtime 1.17 reads both.
IR_VERSION = 8
ML_OPSET = 3
# What is repeated better than this, in standard deviations, is repeated well enough.
RESIDUAL_FLOOR = 0.1


@dataclass(frozen=True)
class Parts:
    """What was learnt."""

    normaliser: Normaliser
    autoencoder: Autoencoder
    forest: Forest
    residuals: np.ndarray  # float32 [FEATURES]; usual residual of each feature
    surprise_scale: float  # spread of the mean surprise
    forest_scale: float  # spread of the forest's strangeness
    table: Table

    def surprise(self, features: np.ndarray) -> np.ndarray:
        """log(1 + squared residual) of each feature (reference)."""
        core = self.normaliser.core(features)
        residual = np.abs(core - self.autoencoder.repeat(core)) + self.normaliser.tail(features)
        return np.log1p((residual / self.residuals.astype(np.float64)) ** 2)

    def reference(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Score, p and contributions in float64, without ONNX."""
        surprise = self.surprise(features)
        score = surprise.mean(axis=1) / self.surprise_scale
        score += self.forest.strangeness(features) / self.forest_scale
        total = np.maximum(surprise.sum(axis=1), 1e-6)
        return score, self.table.p(score), surprise * (score / total)[:, None]


class _Builder:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value) -> str:
        kind = np.asarray(value).dtype
        kind = np.int64 if kind.kind == "i" else np.float32
        self.constants[name] = numpy_helper.from_array(np.asarray(value, dtype=kind), name)
        return name

    def op(self, kind: str, target: str, *sources: str, **attributes) -> str:
        self.nodes.append(helper.make_node(kind, list(sources), [target], name=target, **attributes))
        return target

    def insert(self, graph: onnx.GraphProto, source: str, target: str, prefix: str) -> str:
        """Takes another graph in, its names made its own."""
        names = {"": "", graph.input[0].name: source, graph.output[0].name: target}

        def own(name: str) -> str:
            return names.setdefault(name, f"{prefix}{len(names)}")

        for constant in graph.initializer:
            copy = onnx.TensorProto()
            copy.CopyFrom(constant)
            copy.name = own(constant.name)
            self.constants[copy.name] = copy
        for node in graph.node:
            copy = helper.make_node(node.op_type, [own(n) for n in node.input], [own(n) for n in node.output])
            copy.attribute.extend(node.attribute)
            copy.name = copy.output[0]
            self.nodes.append(copy)
        return target


def assemble(parts: Parts) -> onnx.ModelProto:
    """Builds the model, without metadata."""
    b = _Builder()
    core, tail = _normalise(b, parts.normaliser)
    repeated = b.insert(parts.autoencoder.graph(), core, "repeated", "autoencoder_")
    surprise = _surprise(b, parts, core, repeated, tail)
    score = _score(b, parts, surprise)
    _share_out(b, surprise, score)
    _p_value(b, parts.table, score)
    rows = "rows"
    outputs = [("score", [rows]), ("p", [rows]), ("contrib", [rows, FEATURES])]
    graph = helper.make_graph(
        b.nodes,
        "wardtap",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [rows, FEATURES])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
        list(b.constants.values()),
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="wardtap")
    onnx.checker.check_model(model, full_check=True)
    return model


def _normalise(b: _Builder, n: Normaliser) -> tuple[str, str]:
    bounded = b.op("Clip", "bounded", "features", b.constant("zero", 0.0), b.constant("greatest", GREATEST))
    scaled = b.op("Mul", "scaled", bounded, b.constant("units", UNITS))
    log = b.op("Log", "log", b.op("Add", "plus_one", scaled, b.constant("one", 1.0)))
    # Each piece between two knots adds its rise, as far as the value has come in it. All terms are small: a sum of
    # rectified lines would cancel.
    widths = np.diff(n.knots, axis=1)
    pieces = b.op("Unsqueeze", "log_of_pieces", log, b.constant("second_axis", [1]))
    into = b.op("Sub", "into_piece", pieces, b.constant("knots", n.knots[:, :-1].T))
    part = b.op("Mul", "part_unbounded", into, b.constant("per_width", (1 / widths).T))
    part = b.op("Clip", "part", part, "zero", "one")
    rise = b.op("Mul", "rise", part, b.constant("rises", np.diff(n.levels, axis=1).T))
    risen = b.op("ReduceSum", "risen", rise, "second_axis", keepdims=0)
    core = b.op("Add", "core", risen, b.constant("lowest_level", n.levels[:, 0]))
    over = b.op("Relu", "over", b.op("Sub", "from_high", log, b.constant("high", n.high)))
    under = b.op("Relu", "under", b.op("Sub", "from_low", b.constant("low", n.low), log))
    return core, b.op("Add", "tail", over, under)


def _surprise(b: _Builder, parts: Parts, core: str, repeated: str, tail: str) -> str:
    difference = b.op("Abs", "difference", b.op("Sub", "signed_difference", core, repeated))
    residual = b.op("Add", "residual", difference, tail)
    scaled = b.op("Mul", "residual_scaled", residual, b.constant("per_residual", 1 / parts.residuals))
    squared = b.op("Mul", "squared", scaled, scaled)
    return b.op("Log", "surprise", b.op("Add", "squared_plus_one", squared, "one"))


def _score(b: _Builder, parts: Parts, surprise: str) -> str:
    b.nodes.append(parts.forest.node("features", "depth"))
    ln2 = b.constant("minus_ln_2", -np.log(2))
    strange = b.op("Exp", "strangeness", b.op("Mul", "depth_scaled", "depth", ln2))
    strange = b.op("Mul", "strangeness_scaled", strange, b.constant("per_forest_scale", 1 / parts.forest_scale))
    b.op("ReduceSum", "surprise_sum", surprise, "second_axis", keepdims=1)
    per = b.constant("per_surprise_scale", 1 / (FEATURES * parts.surprise_scale))
    mean = b.op("Mul", "surprise_scaled", "surprise_sum", per)
    return b.op("Add", "score_column", mean, strange)


def _share_out(b: _Builder, surprise: str, score: str) -> None:
    """The forest's part is shared out as the autoencoder's is."""
    total = b.op("Max", "surprise_total", "surprise_sum", b.constant("least_total", 1e-6))
    b.op("Mul", "contrib", surprise, b.op("Div", "score_per_surprise", score, total))


def _p_value(b: _Builder, table: Table, score: str) -> None:
    below = b.op("Less", "below_bound", score, b.constant("bounds", table.bounds))
    below = b.op("Cast", "below", below, to=TensorProto.FLOAT)
    steps = b.op("MatMul", "steps_above", below, b.constant("steps", table.steps[:, None]))
    p = b.op("Min", "p_column", b.op("Add", "p_unbounded", steps, b.constant("p_floor", table.floor)), "one")
    b.op("Squeeze", "p", p, "second_axis")
    b.op("Squeeze", "score", score, "second_axis")
