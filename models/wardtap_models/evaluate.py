"""How well single flows are told apart. Alerts are made of more than that: `cargo xtask evaluate` measures those."""

import ipaddress
from dataclasses import dataclass

import numpy as np

from .rows import Rows
from .runtime import Scores

THRESHOLDS = (0.01, 0.001, 0.0001)
_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True)
class Rate:
    """Flows that are called strange at a p-value, though nothing is known against them."""

    threshold: float
    share: float
    per_day_per_1000_devices: float


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` prints and the card says."""

    rows: int
    days: float
    devices: int
    rates: list[Rate]
    recall: dict[str, dict[float, float]]  # class, threshold: share of its flows
    counts: dict[str, int]
    auc: float | None

    def lines(self) -> list[str]:
        """As Markdown."""
        text = [
            f"{self.rows} flows of {self.devices} devices in {self.days:.2f} days.",
            "",
            "| p at most | share of flows without a label | a day per 1,000 devices |",
            "| --- | --- | --- |",
        ]
        text += [f"| {r.threshold:g} | {r.share:.5f} | {r.per_day_per_1000_devices:.0f} |" for r in self.rates]
        if self.recall:
            text += ["", "| class | flows |" + "".join(f" p <= {t:g} |" for t in THRESHOLDS), "| --- " * 5 + "|"]
            for name, shares in self.recall.items():
                cells = "".join(f" {shares[t]:.3f} |" for t in THRESHOLDS)
                text.append(f"| {name} | {self.counts[name]} |{cells}")
        if self.auc is not None:
            text += ["", f"(Area under the curve of single flows: {self.auc:.4f}.)"]
        return text


def evaluate(rows: Rows, scores: Scores, devices: int | None = None) -> Evaluation:
    """Compares scores with labels; rows without one are taken for normal."""
    label = np.full(len(rows), "") if rows.label is None else rows.label
    normal = label == ""
    days = max(int(rows.time_ns[-1]) - int(rows.time_ns[0]), 1) / _DAY_NS
    devices = devices or site_devices(rows.normal())
    rates = []
    for threshold in THRESHOLDS:
        strange = int((scores.p[normal] <= threshold).sum())
        rates.append(
            Rate(threshold, strange / max(int(normal.sum()), 1), strange / days / devices * 1000 if devices else 0.0)
        )
    classes = sorted(set(label[~normal].tolist()))
    recall = {
        name: {threshold: float((scores.p[label == name] <= threshold).mean()) for threshold in THRESHOLDS}
        for name in classes
    }
    counts = {name: int((label == name).sum()) for name in classes}
    both = classes and normal.any()
    auc = _auc(scores.score[normal], scores.score[~normal]) if both else None
    return Evaluation(len(rows), days, devices, rates, recall, counts, auc)


def site_devices(rows: Rows) -> int:
    """How many private addresses there are; those of labelled attacks may be made up."""

    def private(address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return parsed.is_private and not parsed.is_multicast

    return sum(private(address) for address in np.union1d(rows.client, rows.server))


def _auc(normal: np.ndarray, strange: np.ndarray) -> float:
    """The chance that an attack's flow scores higher than a normal one; ties are half."""
    ordered = np.sort(normal)
    below = np.searchsorted(ordered, strange, "left")
    to = np.searchsorted(ordered, strange, "right")
    return float((below + to).mean() / 2 / len(normal))
