"""From scores to p-values: the share of calibration rows that are at least as strange (Vovk, Gammerman, Shafer 2005).

p = (1 + number of calibration scores that are at least the score) / (1 + number of calibration rows). The table keeps some ranks only,
all of the strangest and ever fewer below; in between p is rounded up, never down.
"""

from dataclasses import dataclass

import numpy as np

_ALL_OF = 64
_RATIO = 1.06
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Table:
    """p is `floor` plus the steps of all bounds that the score is below."""

    bounds: np.ndarray  # float32 [m], ascending
    steps: np.ndarray  # float32 [m]
    floor: float

    @classmethod
    def fit(cls, scores: np.ndarray) -> "Table":
        """Learns from the scores of calibration rows."""
        scores = np.sort(np.asarray(scores, dtype=np.float64))
        count = len(scores)
        # Equal rows differ by rounding, according to their place in a batch: a bound never parts them.
        first = np.flatnonzero(np.diff(scores, prepend=-np.inf) > _ROUNDING * np.abs(scores))
        values = scores[first]
        at_least = count - first  # Calibration scores that are at least this one.
        kept = [len(values) - 1]
        for i in range(len(values) - 2, -1, -1):
            if at_least[i] <= _ALL_OF or at_least[i] >= at_least[kept[-1]] * _RATIO:
                kept.append(i)
        kept = kept[::-1]
        # A bound lies between two scores, so that no rounding moves a calibration row over it.
        below = [scores[first[i] - 1] if i > 0 else values[i] * 0.99 for i in kept]
        bounds = [(low + values[i]) / 2 for low, i in zip(below, kept, strict=True)]
        bounds.append(scores[-1] * (1 + 1e-4))
        p = [1.0, *((1 + at_least[i]) / (count + 1) for i in kept), 1 / (count + 1)]
        steps = -np.diff(p)
        return cls(np.array(bounds, dtype=np.float32), steps.astype(np.float32), 1 / (count + 1))

    @classmethod
    def empty(cls) -> "Table":
        """Knows nothing: p is 1."""
        return cls(np.zeros(1, dtype=np.float32), np.zeros(1, dtype=np.float32), 1.0)

    def p(self, scores: np.ndarray) -> np.ndarray:
        """p-values (reference)."""
        below = np.asarray(scores)[:, None] < self.bounds
        return np.minimum(self.floor + below.astype(np.float64) @ self.steps.astype(np.float64), 1.0)
