"""Rows for tests and fixtures: made-up services with made-up amounts. No model that people use learns from them."""

import numpy as np

from .rows import Rows
from .schema import FEATURES, NAMES

# Server, port, protocol, share of flows, packets, bytes a packet, seconds, flags of the protocol.
_SERVICES = (
    ("10.0.0.53", 53, 17, 0.35, 1.2, 90, 0.02, ("is_udp", "is_system_port")),
    ("10.0.1.10", 2575, 6, 0.25, 8, 300, 0.2, ("is_tcp", "is_hl7")),
    ("10.0.1.20", 104, 6, 0.15, 400, 1200, 8.0, ("is_tcp", "is_dicom", "is_system_port")),
    ("10.0.1.30", 443, 6, 0.20, 30, 600, 3.0, ("is_tcp", "is_tls", "is_system_port")),
    ("10.0.1.40", 445, 6, 0.05, 100, 900, 20.0, ("is_tcp", "is_system_port")),
)
_DAY_NS = 86_400 * 10**9
_BEGIN_NS = 1_767_225_600 * 10**9  # 2026-01-01T00:00:00Z
ATTACKS = ("scan", "exfiltration", "tunnel")


def rows(count: int, seed: int, days: float = 7.0, attacks: int = 0) -> Rows:
    """So many rows over so many days; so many of each attack among them, labelled, in the last third."""
    random = np.random.default_rng(seed)
    service = random.choice(len(_SERVICES), size=count, p=[one[3] for one in _SERVICES])
    time_ns = _BEGIN_NS + np.sort(random.integers(0, int(days * _DAY_NS), count))
    features = np.zeros((count, FEATURES), dtype=np.float64)
    for number, one in enumerate(_SERVICES):
        which = np.flatnonzero(service == number)
        features[which] = _features(random, len(which), *one[4:])
    clients = np.array([f"10.0.2.{i}" for i in range(1, 41)])
    made = Rows(
        time_ns.astype(np.int64),
        clients[random.integers(0, len(clients), count)],
        np.array([one[0] for one in _SERVICES])[service],
        np.array([one[1] for one in _SERVICES])[service],
        np.array([one[2] for one in _SERVICES])[service],
        features.astype(np.float32),
    )
    return _with_attacks(random, made, attacks) if attacks else made


def _features(random, count: int, packets: float, size: float, seconds: float, flags) -> np.ndarray:
    made = np.zeros((count, FEATURES))
    at = {name: i for i, name in enumerate(NAMES)}
    busy = random.lognormal(0, 0.6, count)
    duration = seconds * busy * random.lognormal(0, 0.3, count)
    made[:, at["duration_s"]] = duration
    for side, part in (("out", 1.0), ("in", random.uniform(0.5, 1.5, count))):
        number = np.maximum(np.round(packets * busy * part), 1)
        mean = np.clip(size * random.lognormal(0, 0.2, count), 40, 1500)
        made[:, at[f"{side}_packets"]] = number
        made[:, at[f"{side}_bytes"]] = np.round(number * mean)
        made[:, at[f"{side}_payload"]] = np.round(number * np.maximum(mean - 40, 0))
        made[:, at[f"{side}_length_mean"]] = mean
        made[:, at[f"{side}_length_sd"]] = np.where(number > 1, mean * random.uniform(0.1, 0.5, count), 0)
        made[:, at[f"{side}_length_max"]] = np.round(np.minimum(mean * 1.8, 1500))
        gap = np.where(number > 1, duration / number, 0)
        made[:, at[f"{side}_interval_mean_s"]] = gap
        made[:, at[f"{side}_interval_sd_s"]] = gap * random.uniform(0.2, 1.0, count)
        made[:, at[f"{side}_interval_max_s"]] = gap * random.uniform(1, 4, count)
        made[:, at[f"{side}_small_share"]] = np.where(mean < 128, 1.0, random.uniform(0, 0.3, count))
        made[:, at[f"{side}_large_share"]] = np.where(mean > 1024, random.uniform(0.5, 1, count), 0.0)
        made[:, at[f"{side}_fast_share"]] = np.where(gap < 0.001, 1.0, random.uniform(0, 0.6, count))
        if "is_tcp" in flags:
            made[:, at[f"{side}_push"]] = np.round(number / 2)
            made[:, at[f"{side}_syn"]] = 1
            made[:, at[f"{side}_fin"]] = 1
    for flag in (*flags, "is_answered"):
        made[:, at[flag]] = 1
    return made


def _with_attacks(random, normal: Rows, each: int) -> Rows:
    kinds = {
        "scan": _features(random, each, 1, 44, 0.0005, ("is_tcp", "is_system_port")),
        "exfiltration": _features(random, each, 80_000, 1400, 900, ("is_tcp", "is_tls", "is_system_port")),
        "tunnel": _features(random, each, 4_000, 230, 600, ("is_udp", "is_system_port")),
    }
    begin, end = int(normal.time_ns[0]), int(normal.time_ns[-1])
    count = each * len(kinds)
    time_ns = random.integers(begin + (end - begin) * 9 // 10, end, count)
    attack = Rows(
        time_ns.astype(np.int64),
        np.full(count, "10.0.2.99"),
        np.full(count, "198.51.100.7"),
        np.full(count, 443),
        np.full(count, 6),
        np.concatenate([kinds[name] for name in ATTACKS]).astype(np.float32),
        np.repeat(np.array(ATTACKS), each),
    )
    both = Rows(
        *(
            np.concatenate([getattr(normal, name), getattr(attack, name)])
            for name in ("time_ns", "client", "server", "port", "protocol", "features")
        ),
        np.concatenate([np.full(len(normal), ""), attack.label]),
    )
    return both.take(np.argsort(both.time_ns, kind="stable"))
