"""What lies on disk: made twice the same, found out when changed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wardtap_models import signing, synthetic
from wardtap_models.artifact import metadata, read_manifest
from wardtap_models.cli import _load, main
from wardtap_models.rows import read, write


def train_apart(trainer: str, csv: Path, out: Path) -> bytes:
    """In a process of its own, as people do."""
    command = [sys.executable, "-m", "wardtap_models", "train", str(csv), "--out", str(out)]
    command += ["--trainer", trainer, "--epochs", "2", "--seed", "5"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out.read_bytes()


@pytest.mark.parametrize("trainer", ["sklearn", "keras"])
def test_the_same_rows_and_seed_make_the_same_bytes(trainer, csv, tmp_path):
    if trainer == "keras":
        pytest.importorskip("tensorflow", reason="needs requirements-keras.txt")
    first = train_apart(trainer, csv, tmp_path / "a" / "m.onnx")
    assert first == train_apart(trainer, csv, tmp_path / "b" / "m.onnx")


def test_another_seed_makes_another_model(fixtures):
    assert (fixtures / "good.onnx").read_bytes() != (fixtures / "other.onnx").read_bytes()


def test_a_model_has_its_manifest_card_and_digests(trained):
    names = {path.name for path in trained.parent.iterdir()}
    assert names == {"small.onnx", "small.manifest.json", "small.card.md", "small.digests"}
    entries = metadata(_load(trained))
    card = trained.with_suffix(".card.md").read_text()
    assert entries["wardtap.training_sha256"] in card
    assert "held out" in card and "| scan |" in card
    rows = json.loads(entries["wardtap.rows"])
    assert float(entries["wardtap.p_floor"]) == 1 / (rows["calibrate"] + 1)
    assert 0 <= float(entries["wardtap.recorded_rate"]) <= 0.001


def test_a_good_model_is_verified(trained, csv, fixtures, capsys):
    assert main(["verify", str(trained), "--rows", str(csv)]) == 0
    assert "16 golden rows are as recorded" in capsys.readouterr().out
    for name in ("good", "other", "signed"):
        assert main(["verify", str(fixtures / f"{name}.onnx"), "--rows", str(fixtures / "rows.csv")]) == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("truncated", "is no ONNX model"),
        ("wrong-features", "it was trained on other features"),
        ("wrong-shape", "input must be features"),
        ("altered-weight", "the graph was changed"),
        ("miscalibrated", "calibrated for another site"),
        ("missing-output", "outputs must be"),
        ("external-data", "keeps data in another file"),
        ("oversized", "more than 33554432"),
        ("nan-scores", "scores are not finite"),
        ("forged", "signature is wrong"),
        ("wrong-hash", "the SHA-256 differs"),
    ],
)
def test_each_bad_model_is_refused_for_its_own_fault(fixtures, capsys, name, message):
    assert main(["verify", str(fixtures / f"{name}.onnx"), "--rows", str(fixtures / "rows.csv")]) == 1
    assert message in capsys.readouterr().err


def test_signatures(fixtures, trained, tmp_path, capsys):
    public = (fixtures / "signing.pub").read_text().strip()
    signed = str(fixtures / "signed.onnx")
    assert main(["verify", signed, "--trusted", public]) == 0
    assert main(["verify", signed, "--trusted", "00" * 32]) == 1
    assert "not among the trusted keys" in capsys.readouterr().err
    assert main(["verify", str(trained), "--trusted", public]) == 1
    assert "is not signed" in capsys.readouterr().err
    key = tmp_path / "my.key"
    assert main(["keygen", str(key)]) == 0
    assert key.stat().st_mode & 0o777 == 0o600
    assert main(["keygen", str(key)]) == 1
    assert "never overwritten" in capsys.readouterr().err


def test_what_is_signed_is_without_spaces_and_sorted():
    assert signing.canonical({"b": 1, "a": "x", "signature": "00"}) == b'{"a":"x","b":1}'


def test_no_test_row_was_learnt(trained, csv, tmp_path, capsys):
    rows = read(csv)
    digests = str(trained.with_suffix(".digests"))
    # 0.6 + 0.2 of the time: what came after has not been seen.
    later = rows.take(rows.time_ns > np.quantile(rows.time_ns, 0.85))
    test = tmp_path / "test.csv"
    write(test, later)
    assert main(["leakage", digests, str(test)]) == 0
    assert f"none of {len(later)} rows" in capsys.readouterr().out

    learnt = rows.take(np.flatnonzero(rows.client == later.client[0])[:1])
    both = later.take(np.arange(len(later)))
    planted = tmp_path / "planted.csv"
    for name in ("time_ns", "client", "server", "port", "protocol", "features"):
        getattr(both, name)[0] = getattr(learnt, name)[0]
    write(planted, both)
    assert main(["leakage", digests, str(planted)]) == 1
    assert "1 of" in capsys.readouterr().err


def test_equal_flows_at_another_time_are_other_rows(trained, csv, tmp_path):
    rows = read(csv)
    moved = rows.take(np.arange(200))
    moved.time_ns[:] += 1
    path = tmp_path / "moved.csv"
    write(path, moved)
    assert main(["leakage", str(trained.with_suffix(".digests")), str(path)]) == 0


def test_cut_digests_are_refused(trained, csv, tmp_path, capsys):
    cut = tmp_path / "cut.digests"
    cut.write_bytes(trained.with_suffix(".digests").read_bytes()[:-3])
    assert main(["leakage", str(cut), str(csv)]) == 1
    assert "not all" in capsys.readouterr().err


def test_evaluation_counts_by_class(trained, csv, capsys):
    assert main(["evaluate", str(trained), str(csv), "--devices", "1000"]) == 0
    out = capsys.readouterr().out
    for name in synthetic.ATTACKS:
        assert f"| {name} | 30 |" in out
    assert "of 1000 devices" in out


def test_a_card_can_be_written_again(trained, csv):
    assert main(["card", str(trained), "--rows", str(csv), "--source", "Made-up rows."]) == 0
    card = trained.with_suffix(".card.md").read_text()
    assert "Made-up rows." in card and f"## On {csv.name}" in card
    assert read_manifest(trained)["file"] == "small.onnx"
