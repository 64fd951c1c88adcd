"""Autoencoders, from two libraries, behind one interface."""

import logging
import os
import warnings
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from . import ModelError
from .schema import FEATURES

HIDDEN = (24, 8, 24)
OPSET = 17
BATCH = 256


class Autoencoder(Protocol):
    """Something that learnt to repeat normal rows."""

    def graph(self) -> onnx.GraphProto:
        """A graph of one input and one output, float32 [n, FEATURES] both, in operations of the default domain."""
        ...

    def repeat(self, core: np.ndarray) -> np.ndarray:
        """What it makes of rows, computed by its own library (reference)."""
        ...


class Trainer(Protocol):
    """Makes an autoencoder."""

    name: str

    def fit(self, core: np.ndarray, seed: int, epochs: int) -> Autoencoder:
        """Learns from normalised rows. The same rows and seed give the same autoencoder on the same machine."""
        ...

    def versions(self) -> dict[str, str]:
        """The libraries that it uses."""
        ...


def trainer(name: str) -> Trainer:
    """The trainer of that name."""
    if name == "sklearn":
        return Sklearn()
    if name == "keras":
        return Keras()
    raise ModelError(f"there is no trainer {name}: sklearn and keras there are")


@dataclass(frozen=True)
class Layers:
    """Layers of tanh, the last one linear."""

    weights: list[np.ndarray]  # float32 [in, out]
    biases: list[np.ndarray]  # float32 [out]

    def graph(self) -> onnx.GraphProto:
        nodes, initialisers = [], []
        source = "x"
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            initialisers += [numpy_helper.from_array(weight, f"w{i}"), numpy_helper.from_array(bias, f"b{i}")]
            last = i == len(self.weights) - 1
            nodes.append(helper.make_node("Gemm", [source, f"w{i}", f"b{i}"], ["y" if last else f"g{i}"]))
            if not last:
                nodes.append(helper.make_node("Tanh", [f"g{i}"], [f"t{i}"]))
                source = f"t{i}"
        shape = ["n", FEATURES]
        return helper.make_graph(
            nodes,
            "autoencoder",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
            initialisers,
        )

    def repeat(self, core: np.ndarray) -> np.ndarray:
        value = core.astype(np.float64)
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            value = value @ weight.astype(np.float64) + bias
            if i < len(self.weights) - 1:
                value = np.tanh(value)
        return value


class Sklearn:
    """scikit-learn's MLPRegressor."""

    name = "sklearn"

    def fit(self, core: np.ndarray, seed: int, epochs: int) -> Layers:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor
        from threadpoolctl import threadpool_limits

        network = MLPRegressor(
            hidden_layer_sizes=HIDDEN, activation="tanh", batch_size=min(BATCH, len(core)), max_iter=epochs, random_state=seed, tol=1e-5
        )
        # Sums depend on how many threads share them.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            network.fit(core, core)
        return Layers(
            [weight.astype(np.float32) for weight in network.coefs_],
            [bias.astype(np.float32) for bias in network.intercepts_],
        )

    def versions(self) -> dict[str, str]:
        import sklearn

        return {"scikit-learn": sklearn.__version__}


class Keras:
    """TensorFlow's Keras, by way of tf2onnx."""

    name = "keras"

    def fit(self, core: np.ndarray, seed: int, epochs: int) -> "KerasAutoencoder":
        keras, tensorflow, _ = self._libraries()
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        tensorflow.config.experimental.enable_op_determinism()
        layers = [keras.layers.Input((FEATURES,))]
        layers += [keras.layers.Dense(width, activation="tanh") for width in HIDDEN]
        layers.append(keras.layers.Dense(FEATURES))
        model = keras.Sequential(layers)
        model.compile(optimizer="adam", loss="mse")
        rows = core.astype(np.float32)
        model.fit(rows, rows, batch_size=min(BATCH, len(rows)), epochs=epochs, verbose=0)
        return KerasAutoencoder(model)

    def versions(self) -> dict[str, str]:
        keras, tensorflow, tf2onnx = self._libraries()
        return {"keras": keras.__version__, "tensorflow": tensorflow.__version__, "tf2onnx": tf2onnx.__version__}

    @staticmethod
    def _libraries():
        # Read when it is first imported.
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        try:
            import keras
            import tensorflow
            import tf2onnx
        except ImportError as error:
            raise ModelError(
                f"the trainer keras needs TensorFlow: pip install --require-hashes -r requirements-keras.txt ({error})"
            ) from error
        tensorflow.get_logger().setLevel(logging.ERROR)
        logging.getLogger("tf2onnx").setLevel(logging.ERROR)
        try:
            tensorflow.config.threading.set_intra_op_parallelism_threads(1)
            tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            # It is running already, with what it was given.
            pass
        return keras, tensorflow, tf2onnx


class KerasAutoencoder:
    """Any Keras model of FEATURES inputs and outputs."""

    def __init__(self, model) -> None:
        self._model = model

    def graph(self) -> onnx.GraphProto:
        import tensorflow
        import tf2onnx

        signature = [tensorflow.TensorSpec([None, FEATURES], tensorflow.float32, name="x")]
        function = tensorflow.function(lambda x: self._model(x, training=False), input_signature=signature)
        converted, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
        return converted.graph

    def repeat(self, core: np.ndarray) -> np.ndarray:
        return self._model.predict(core.astype(np.float32), batch_size=1024, verbose=0).astype(np.float64)
