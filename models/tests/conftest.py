"""What the tests share: rows, and models that are made once."""

from dataclasses import dataclass
from pathlib import Path

import onnx
import pytest

from wardtap_models import fixture, synthetic
from wardtap_models.assemble import Parts, assemble
from wardtap_models.cli import main
from wardtap_models.rows import Rows, write
from wardtap_models.split import by_time
from wardtap_models.trainers import trainer
from wardtap_models.training import Settings, learn


@dataclass
class Made:
    """A model, what it was made of, and rows that it has not seen."""

    parts: Parts
    model: onnx.ModelProto
    train: Rows
    calibrate: Rows
    unseen: Rows


def make(name: str) -> Made:
    split = by_time(synthetic.rows(10_000, seed=3), train=0.6, calibrate=0.4, held_out=0.0, seed=3)
    parts = learn(trainer(name), split.train, split.calibrate, Settings(seed=3, epochs=8))
    return Made(parts, assemble(parts), split.train, split.calibrate, synthetic.rows(4096, seed=4))


@pytest.fixture(scope="session")
def sklearn_model() -> Made:
    return make("sklearn")


@pytest.fixture(scope="session")
def keras_model() -> Made:
    pytest.importorskip("tensorflow", reason="needs requirements-keras.txt")
    return make("keras")


@pytest.fixture(params=["sklearn", "keras"])
def made(request) -> Made:
    """A model of each trainer."""
    return request.getfixturevalue(f"{request.param}_model")


@pytest.fixture(scope="session")
def csv(tmp_path_factory) -> Path:
    """A file of 6,000 rows, with labelled attacks near its end."""
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    write(path, synthetic.rows(6_000, seed=5, attacks=30))
    return path


@pytest.fixture(scope="session")
def trained(csv, tmp_path_factory) -> Path:
    """A model that the command line made of it."""
    path = tmp_path_factory.mktemp("trained") / "small.onnx"
    assert main(["train", str(csv), "--out", str(path), "--epochs", "5"]) == 0
    return path


@pytest.fixture(scope="session")
def fixtures(tmp_path_factory) -> Path:
    """The good and bad models that tests of the daemon use."""
    folder = tmp_path_factory.mktemp("fixtures")
    fixture.make(folder, keras=False)
    return folder
