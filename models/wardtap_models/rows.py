"""Rows of features, read from what `wardtap export features` writes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from . import ModelError
from .schema import FEATURES, IDENTITY, NAMES

# A flow is reported after its last packet, so a file is not in strict order. What is farther apart was not written by one export.
DISORDER_NS = 2 * 3600 * 10**9
_CHUNK = 50_000
_LABELS_OF_NORMAL = ("", "benign", "normal")


@dataclass(frozen=True)
class Rows:
    """Rows in the order of their times."""

    time_ns: np.ndarray  # int64 [n]
    client: np.ndarray  # str [n]
    server: np.ndarray  # str [n]
    port: np.ndarray  # int64 [n]
    protocol: np.ndarray  # int64 [n]
    features: np.ndarray  # float32 [n, FEATURES]
    label: np.ndarray | None = None  # str [n]; "" is normal

    def __len__(self) -> int:
        return len(self.time_ns)

    def take(self, which: np.ndarray) -> "Rows":
        """The rows at the indices, or where the mask is true."""
        label = None if self.label is None else self.label[which]
        return Rows(
            self.time_ns[which],
            self.client[which],
            self.server[which],
            self.port[which],
            self.protocol[which],
            self.features[which],
            label,
        )

    def joined(self, others: "Rows") -> "Rows":
        """Both, without labels, in the order of their times."""
        mine, theirs = self.without_label(), others.without_label()
        names = ("time_ns", "client", "server", "port", "protocol", "features")
        both = Rows(*(np.concatenate([getattr(mine, name), getattr(theirs, name)]) for name in names))
        return both.take(np.argsort(both.time_ns, kind="stable"))

    def normal(self) -> "Rows":
        """Those that are not labelled as an attack."""
        return self if self.label is None else self.take(self.label == "")

    def without_label(self) -> "Rows":
        """The same rows, as the sensor sees them."""
        return replace(self, label=None)


def read(path: Path) -> Rows:
    """Reads a CSV file.

    Raises ModelError, with file and line, where the header is not the schema's, a value is not a finite number of at
    least 0, or times go back by more than two hours.
    """
    try:
        file = path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise ModelError(f"can't read {path}: {error.strerror}") from error
    with file:
        label_at = _check_header(path, file.readline())
        chunks = []
        first = 2
        while lines := list(islice(file, _CHUNK)):
            chunks.append(_chunk(path, first, lines, label_at))
            first += len(lines)
    if not chunks:
        raise ModelError(f"{path} has no rows: let the sensor see traffic, then export again")
    columns = [np.concatenate(column) for column in zip(*chunks, strict=True)]
    time_ns, client, server, port, protocol, features, label = columns
    _check_order(path, time_ns)
    if label_at is None:
        label = None
    else:
        label = np.where(np.isin(label, _LABELS_OF_NORMAL), "", label)
    order = np.argsort(time_ns, kind="stable")
    return Rows(time_ns, client, server, port, protocol, features, label).take(order)


def _check_header(path: Path, line: str) -> int | None:
    """Compares the header with the schema; returns where the label is, if anywhere."""
    names = line.strip().split(",")
    wanted = [*IDENTITY, *NAMES]
    if missing := [name for name in wanted if name not in names]:
        raise ModelError(f"{path}:1: missing columns {', '.join(missing)}: export again with this version of wardtap")
    if names[: len(wanted)] != wanted:
        at = next(i for i, name in enumerate(wanted) if names[i] != name)
        raise ModelError(f"{path}:1: column {at + 1} is {names[at]}, not {wanted[at]}: the order is part of the schema")
    return names.index("label", len(wanted)) if "label" in names[len(wanted) :] else None


def _chunk(path: Path, first: int, lines: list[str], label_at: int | None) -> tuple[np.ndarray, ...]:
    fields = [line.rstrip("\r\n").split(",") for line in lines]
    ids = len(IDENTITY)
    columns = ids + FEATURES
    wanted = columns if label_at is None else label_at + 1
    for i, row in enumerate(fields):
        if len(row) < wanted:
            raise ModelError(f"{path}:{first + i}: {len(row)} columns, not {wanted}: the line is cut")
    numbers = []
    for i, row in enumerate(fields):
        try:
            numbers.append((int(row[0]), int(row[3]), int(row[4])))
        except ValueError as error:
            raise ModelError(f"{path}:{first + i}: time_ns, server_port and protocol are integers: {error}") from error
    try:
        features = np.array([row[ids:columns] for row in fields], dtype=np.float64)
    except ValueError:
        features = _slowly(path, first, fields)
    with np.errstate(over="ignore"):
        features = features.astype(np.float32)
    bad = ~(np.isfinite(features) & (features >= 0))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        text = fields[row][ids + column]
        raise ModelError(f"{path}:{first + row}: {NAMES[column]} is {text}, not a finite number of at least 0")
    time_ns, port, protocol = np.array(numbers, dtype=np.int64).T
    label = [row[label_at].strip() if label_at is not None else "" for row in fields]
    return (
        time_ns,
        np.array([row[1] for row in fields]),
        np.array([row[2] for row in fields]),
        port,
        protocol,
        features,
        np.array(label),
    )


def _slowly(path: Path, first: int, fields: list[list[str]]) -> np.ndarray:
    """Finds the value that is not a number."""
    for i, row in enumerate(fields):
        for name, text in zip(NAMES, row[len(IDENTITY) :], strict=False):
            try:
                float(text)
            except ValueError as error:
                raise ModelError(f"{path}:{first + i}: {name} is {text!r}, not a number") from error
    raise ModelError(f"{path}:{first}: not numbers")


def _check_order(path: Path, time_ns: np.ndarray) -> None:
    newest = np.maximum.accumulate(time_ns)
    late = np.flatnonzero(newest - time_ns > DISORDER_NS)
    if len(late):
        hours = (newest[late[0]] - time_ns[late[0]]) / 3.6e12
        raise ModelError(
            f"{path}:{late[0] + 2}: the time goes back by {hours:.1f} h: rows are in the order of their times; "
            "a file that was sorted or joined otherwise can't be split by time"
        )


def write(path: Path, rows: Rows) -> None:
    """Writes rows as the sensor does, with their labels, if they have some."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for line in _lines(rows):
            file.write(line + "\n")


def _lines(rows: Rows) -> Iterator[str]:
    label = () if rows.label is None else ("label",)
    yield ",".join((*IDENTITY, *NAMES, *label))
    for i in range(len(rows)):
        fields = [str(rows.time_ns[i]), rows.client[i], rows.server[i], str(rows.port[i]), str(rows.protocol[i])]
        fields += [np.format_float_positional(value, trim="-") for value in rows.features[i]]
        if rows.label is not None:
            fields.append(rows.label[i])
        yield ",".join(fields)
