"""What a person can get wrong: the message says what, where, and nothing is left behind."""

import numpy as np
import pytest

from wardtap_models import synthetic
from wardtap_models.cli import main
from wardtap_models.rows import read, write
from wardtap_models.schema import NAMES


def changed(csv, tmp_path, change):
    lines = csv.read_text().splitlines()
    change(lines)
    path = tmp_path / "changed.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def set_field(line: int, column: str, text: str):
    def change(lines):
        fields = lines[line - 1].split(",")
        fields[lines[0].split(",").index(column)] = text
        lines[line - 1] = ",".join(fields)

    return change


def drop_column(lines):
    at = lines[0].split(",").index("in_bytes")
    lines[:] = [",".join(f for i, f in enumerate(line.split(",")) if i != at) for line in lines]


def swap_columns(lines):
    lines[0] = lines[0].replace("out_packets,out_bytes", "out_bytes,out_packets")


def swap_days(lines):
    lines[1], lines[-1] = lines[-1], lines[1]


def few(lines):
    del lines[300:]


def cut(lines):
    lines[9] = lines[9][:60]


BAD = {
    "missing column": (drop_column, ":1: missing columns in_bytes"),
    "wrong order": (swap_columns, ":1: column 7 is out_bytes, not out_packets"),
    "NaN": (set_field(20, "out_bytes", "NaN"), ":20: out_bytes is NaN"),
    "infinite": (set_field(20, "out_bytes", "1e300"), ":20: out_bytes is 1e300"),
    "negative": (set_field(20, "duration_s", "-1"), ":20: duration_s is -1"),
    "text": (set_field(30, "in_payload", "many"), ":30: in_payload is 'many', not a number"),
    "no time": (set_field(31, "time_ns", "today"), ":31: time_ns, server_port and protocol are integers"),
    "time goes back": (swap_days, "the time goes back by"),
    "few rows": (few, "rows for training, at least 1000 are needed"),
    "cut line": (cut, ":10: "),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_rows_are_refused(csv, tmp_path, capsys, kind):
    change, message = BAD[kind]
    out = tmp_path / "model.onnx"
    out.write_bytes(b"the old one")
    assert main(["train", str(changed(csv, tmp_path, change)), "--out", str(out), "--epochs", "1"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error
    assert "Traceback" not in error
    assert out.read_bytes() == b"the old one"
    assert {path.name for path in tmp_path.iterdir()} == {"changed.csv", "model.onnx"}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["train"],
        ["train", "x.csv", "--out", "m.onnx", "--trainer", "torch"],
        ["train", "x.csv", "--out", "m.onnx", "--split", "0.9,0.5"],
        ["train", "x.csv", "--out", "m.onnx", "--split", "half"],
        ["train", "x.csv", "--out", "m.onnx", "--hold-out", "1"],
        ["train", "x.csv", "--out", "m.onnx", "--epochs", "0"],
    ],
)
def test_wrong_usage_exits_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_files_that_are_not_there(tmp_path, capsys):
    for arguments in (
        ["train", "none.csv", "--out", str(tmp_path / "m.onnx")],
        ["train", "none.csv", "--out", str(tmp_path / "m.bin")],
        ["evaluate", "none.onnx", "none.csv"],
        ["verify", str(tmp_path / "none.onnx")],
        ["card", "none.onnx"],
        ["leakage", "none.digests", "none.csv"],
        ["sign", "none.onnx", "--key", "none.key"],
    ):
        assert main(arguments) == 1
        assert capsys.readouterr().err.startswith("error: ")


def test_an_empty_file_is_said_to_be_empty(csv, tmp_path, capsys):
    path = changed(csv, tmp_path, lambda lines: lines.__delitem__(slice(1, None)))
    assert main(["train", str(path), "--out", str(tmp_path / "m.onnx")]) == 1
    assert "has no rows" in capsys.readouterr().err


def test_what_is_written_is_read_back(tmp_path):
    rows = synthetic.rows(300, seed=9, attacks=10)
    path = tmp_path / "rows.csv"
    write(path, rows)
    again = read(path)
    assert (again.features == rows.features).all()
    for name in ("time_ns", "client", "server", "port", "protocol", "label"):
        assert (getattr(again, name) == getattr(rows, name)).all(), name


def test_a_little_disorder_is_put_in_order(csv, tmp_path):
    def swap(lines):
        lines[5], lines[6] = lines[6], lines[5]

    rows = read(changed(csv, tmp_path, swap))
    assert (np.diff(rows.time_ns) >= 0).all()


def test_further_columns_are_skipped(csv, tmp_path):
    def more(lines):
        lines[:] = [line + (",note" if i == 0 else ",x") for i, line in enumerate(lines)]

    assert len(read(changed(csv, tmp_path, more))) == len(read(csv))
    assert len(NAMES) == 46
