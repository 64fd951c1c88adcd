"""The features of a flow, as the sensor exports them (`sensor/analysis/src/model/features.rs`)."""

import hashlib

import numpy as np

SCHEMA = "flow-v1"


def _half(side: str) -> list[str]:
    names = (
        "packets bytes payload length_mean length_sd length_max interval_mean_s interval_sd_s interval_max_s "
        "retransmissions push syn fin rst small_share large_share fast_share slow_share"
    )
    return [f"{side}_{name}" for name in names.split()]


NAMES: tuple[str, ...] = (
    "duration_s",
    *_half("out"),
    *_half("in"),
    *"is_tcp is_udp is_icmp is_dicom is_hl7 is_tls is_system_port is_answered is_reset".split(),
)
FEATURES = len(NAMES)
JOINED = ",".join(NAMES)
SHA256 = hashlib.sha256(JOINED.encode()).hexdigest()

# Whose flow it is. Nothing is learnt from these: they order, split, balance and tell rows apart.
IDENTITY: tuple[str, ...] = ("time_ns", "client", "server", "server_port", "protocol")


def _unit(name: str) -> float:
    if name.endswith("_s"):
        return 1e6
    if name.endswith("_share"):
        return 100.0
    return 1.0


# Before the logarithm times are in microseconds and shares in percent: log(1 + x) is linear below one.
UNITS = np.array([_unit(name) for name in NAMES], dtype=np.float32)
