"""Features on one scale: logarithm, then normal scores by 16 knots, with tails that never end."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .schema import FEATURES, UNITS

KNOTS = 16
_QUANTILES = (0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.995, 0.999, 1)
# Knots are at least so far apart, in units of the natural logarithm: less is noise, and steep.
WIDTH_FLOOR = 0.05
_GREATEST_LEVEL = 3.5
# More than any feature can be; keeps the arithmetic of 32 bits finite.
GREATEST = 1e30


@dataclass(frozen=True)
class Normaliser:
    """Between the least and the greatest value that was learnt, a monotone line of pieces; beyond, a logarithm.

    `core` is the place between them, about normally distributed; `tail` how far a value is beyond them, in units of the
    natural logarithm. A hundred times the greatest is 4.6 beyond it: plain quantiles would call both the same.
    """

    knots: np.ndarray  # [FEATURES, KNOTS], ascending
    levels: np.ndarray  # [FEATURES, KNOTS], not descending
    low: np.ndarray  # [FEATURES]
    high: np.ndarray  # [FEATURES]

    @classmethod
    def fit(cls, features: np.ndarray) -> "Normaliser":
        """Learns from rows."""
        logs = logarithm(features)
        fitted = [_fit_one(np.sort(logs[:, i])) for i in range(FEATURES)]
        knots, levels, low, high = (np.array(part, dtype=np.float32) for part in zip(*fitted, strict=True))
        return cls(knots, levels, low, high)

    def core(self, features: np.ndarray) -> np.ndarray:
        """The place between least and greatest, in float64 (reference)."""
        logs = logarithm(features)
        return np.stack([np.interp(logs[:, i], self.knots[i], self.levels[i]) for i in range(FEATURES)], axis=1)

    def tail(self, features: np.ndarray) -> np.ndarray:
        """How far beyond them (reference)."""
        logs = logarithm(features)
        return np.maximum(logs - self.high, 0) + np.maximum(self.low - logs, 0)

    def value_at(self, feature: int, level: float) -> np.float32:
        """The raw value whose core is the level."""
        log = np.interp(level, self.levels[feature], self.knots[feature])
        return np.float32(np.expm1(log) / UNITS[feature])


def logarithm(features: np.ndarray) -> np.ndarray:
    """log(1 + x), x in the units of the schema (reference)."""
    return np.log1p(np.clip(features.astype(np.float64), 0, GREATEST) * UNITS)


def _fit_one(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    count = len(logs)
    candidates = np.unique(np.quantile(logs, _QUANTILES, method="nearest"))
    kept = [candidates[0]]
    for candidate in candidates[1:]:
        if candidate - kept[-1] >= WIDTH_FLOOR:
            kept.append(candidate)
    if kept[-1] < logs[-1] and len(kept) > 1:
        kept[-1] = logs[-1]
    knots = np.array(kept)
    # Mid-ranks: what is mostly zero has its zero in the middle, not at the end.
    below = np.searchsorted(logs, knots, side="left")
    to = np.searchsorted(logs, knots, side="right")
    ranks = np.clip((below + to) / 2 / count, 0.5 / count, 1 - 0.5 / count)
    normal = NormalDist()
    levels = np.clip([normal.inv_cdf(float(rank)) for rank in ranks], -_GREATEST_LEVEL, _GREATEST_LEVEL)
    more = KNOTS - len(knots)
    low, high = knots[0], knots[-1]
    # What is left over lies beyond the greatest and adds nothing.
    knots = np.concatenate([knots, high + WIDTH_FLOOR * np.arange(1, more + 1)])
    levels = np.concatenate([levels, np.full(more, levels[-1])])
    return knots, levels, low, high
