"""Learns everything that a model consists of."""

from dataclasses import dataclass, replace

import numpy as np

from . import forest
from .assemble import RESIDUAL_FLOOR, Parts, assemble
from .conformal import Table
from .normalise import Normaliser
from .rows import Rows
from .runtime import run
from .split import sample
from .trainers import Trainer


@dataclass(frozen=True)
class Settings:
    """How to learn."""

    seed: int = 1
    epochs: int = 40
    most_rows: int = 100_000  # that the parts learn from, sampled evenly by service


def learn(trainer: Trainer, train: Rows, calibrate: Rows, settings: Settings) -> Parts:
    """Fits the parts on the training rows, and the p-values on the calibration rows, which nothing else sees."""
    rows = sample(train, settings.most_rows).features
    # The ends are those of all rows: what was seen in training is not beyond what was seen.
    normaliser = Normaliser.fit(np.concatenate([rows, _ends(train.features)]))
    core = normaliser.core(rows)
    autoencoder = trainer.fit(core, settings.seed, settings.epochs)
    residual = core - autoencoder.repeat(core)
    residuals = np.maximum(np.sqrt((residual**2).mean(axis=0)), RESIDUAL_FLOOR).astype(np.float32)
    grown = forest.fit(core, normaliser, settings.seed)
    parts = Parts(normaliser, autoencoder, grown, residuals, 1.0, 1.0, Table.empty())
    parts = replace(
        parts,
        surprise_scale=_spread(parts.surprise(rows).mean(axis=1)),
        forest_scale=_spread(grown.strangeness(rows)),
    )
    return replace(parts, table=Table.fit(run(assemble(parts), calibrate.features).score))


def _ends(features: np.ndarray) -> np.ndarray:
    return np.stack([features.min(axis=0), features.max(axis=0)])


def _spread(values: np.ndarray) -> float:
    return max(float(values.std()), 0.01)
