"""Who learns from what: by time, never shuffled, and some devices not at all."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from . import ModelError
from .rows import Rows

# With fewer, a p-value of 0.001 can't be told.
LEAST_CALIBRATION = 1_000
LEAST_TRAINING = 1_000
# One part in so many of all flows makes a device a hub: a monitor of the network, a forwarder of names.
_HUB = 50


@dataclass(frozen=True)
class Split:
    """The parts, in the order of time."""

    train: Rows
    calibrate: Rows
    test: Rows  # Of the same devices, later.
    test_held_out: Rows  # Of devices that no other part has, later too.

    def calibrated_with(self, rows: Rows) -> "Split":
        """With these rows in the calibration too, unless they are attacks; what is strange then is stranger than they are."""
        return replace(self, calibrate=self.calibrate.joined(rows.normal()))


def by_time(rows: Rows, train: float, calibrate: float, held_out: float, seed: int) -> Split:
    """Splits at shares of the time that the rows span.

    Rows of one time are on one side. A device is held out by a hash of its address and the seed, so it is the same one
    in each file; those that mostly serve others or open more than a fiftieth of all flows are not, since whole kinds of
    flows would go with them. Attacks that are labelled are for the test only.
    """
    begin, end = int(rows.time_ns[0]), int(rows.time_ns[-1])
    span = end - begin
    to_calibrate = begin + int(span * train)
    to_test = begin + int(span * (train + calibrate))
    strange = _held_out(rows, held_out, seed)
    time_ns = rows.time_ns
    whole = train + calibrate >= 1.0
    is_test = np.zeros(len(rows), dtype=bool) if whole else time_ns >= to_test
    known = rows.take(~strange & ~is_test).normal()
    parts = Split(
        train=known.take(known.time_ns < to_calibrate),
        calibrate=known.take(known.time_ns >= to_calibrate),
        test=rows.take(is_test & ~strange),
        test_held_out=rows.take(is_test & strange),
    )
    for name, part, least in (
        ("training", parts.train, LEAST_TRAINING),
        ("calibration", parts.calibrate, LEAST_CALIBRATION),
    ):
        if len(part) < least:
            raise ModelError(f"{len(part)} rows for {name}, at least {least} are needed: export more of the time")
    return parts


def _held_out(rows: Rows, share: float, seed: int) -> np.ndarray:
    """True where either end is held out."""
    if share <= 0:
        return np.zeros(len(rows), dtype=bool)
    names, ends = np.unique(np.concatenate([rows.client, rows.server]), return_inverse=True)
    client, server = np.split(ends, 2)
    opened = np.bincount(client, minlength=len(names))
    hub = max(len(rows) // _HUB, 3 * len(rows) // len(names))
    asks = (opened > np.bincount(server, minlength=len(names))) & (opened <= hub)

    def draw(name: str) -> float:
        digest = hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    out = asks & np.array([draw(str(name)) < share for name in names])
    return out[client] | out[server]


def sample(rows: Rows, most: int) -> Rows:
    """At most so many rows, spread over time, no service with more than its fair part.

    A few services make most of the flows. The rest of the hospital has to be learnt as well.
    """
    key = np.char.add(np.char.add(rows.server, " "), rows.port.astype(str))
    _, service, counts = np.unique(key, return_inverse=True, return_counts=True)
    fair = _fair(counts, most)
    kept = []
    order = np.argsort(service, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    for start, count in zip(starts, counts, strict=True):
        own = order[start : start + count]
        if count > fair:
            own = own[np.linspace(0, count - 1, fair).astype(np.int64)]
        kept.append(own)
    which = np.sort(np.concatenate(kept))
    if len(which) > most:
        which = which[np.linspace(0, len(which) - 1, most).astype(np.int64)]
    return rows.take(which)


def _fair(counts: np.ndarray, most: int) -> int:
    """The greatest part of one service with which all together are not more than asked for."""
    low, high = 1, int(counts.max())
    while low < high:
        middle = (low + high + 1) // 2
        if np.minimum(counts, middle).sum() <= most:
            low = middle
        else:
            high = middle - 1
    return low
