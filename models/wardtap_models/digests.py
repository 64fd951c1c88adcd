"""Which rows a model has learnt from: a digest of 64 bits each, so that a test can prove that it is none of them."""

import hashlib
from pathlib import Path

import numpy as np

from . import ModelError
from .artifact import replace_file
from .rows import Rows

_MAGIC = b"wardtap digests v1\n"


def of(rows: Rows) -> np.ndarray:
    """The digest of each row: of all its features, its time, client, server, port and protocol (BLAKE2b)."""
    data = rows.features.astype("<f4")
    digests = np.empty(len(rows), dtype="<u8")
    identity = zip(rows.time_ns, rows.client, rows.server, rows.port, rows.protocol, strict=True)
    for i, who in enumerate(identity):
        digest = hashlib.blake2b(",".join(map(str, who)).encode(), digest_size=8)
        digest.update(data[i].tobytes())
        digests[i] = int.from_bytes(digest.digest(), "little")
    return digests


def write(path: Path, parts: list[Rows]) -> int:
    """Writes the digests of the rows that a model learnt from; returns how many there are."""
    found = np.unique(np.concatenate([of(rows) for rows in parts]))
    replace_file(path, _MAGIC + found.astype("<u8").tobytes())
    return len(found)


def read(path: Path) -> np.ndarray:
    """Reads them, ascending."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"can't read {path}: {error.strerror}") from error
    if not data.startswith(_MAGIC) or (len(data) - len(_MAGIC)) % 8:
        raise ModelError(f"{path} holds no digests, or not all: `train` writes it")
    return np.frombuffer(data, dtype="<u8", offset=len(_MAGIC))


def leaked(known: np.ndarray, rows: Rows) -> np.ndarray:
    """The indices of the rows that are among them."""
    return np.flatnonzero(np.isin(of(rows), known))
