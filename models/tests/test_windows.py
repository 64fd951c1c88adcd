"""The model of windows: its graph says what its parts say, and what it repeats well is ordinary."""

import json

import numpy as np
import onnx
import pytest

from wardtap_models import ModelError, windows
from wardtap_models.cli import main

MEASURES = ["flows", "bytes_out", "refused", "new_peers"]


def rows(count: int, seed: int) -> np.ndarray:
    """Connections and bytes rise together; the others are rare."""
    random = np.random.default_rng(seed)
    busy = random.exponential(0.5, count)
    rare = random.exponential(0.3, (count, 2)) * (random.random((count, 2)) < 0.05)
    return np.column_stack([busy, busy + random.normal(0, 0.05, count), rare]).clip(0, 6).astype("f4")


def write(path, surprises: np.ndarray, devices: int = 20):
    names = ",".join(f"{name},{name}_raw,{name}_surprise" for name in MEASURES)
    lines = [f"begin,device,counts,does,suffers,windows,{names}"]
    for number, row in enumerate(surprises):
        cells = ",".join(f"1,{value:.3f},{value:.3f}" for value in row)
        begin = 300 * (number // devices)
        lines.append(f"{begin},10.0.0.{number % devices},1,,,500,{cells}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")
    return [write(folder / f"{seed}.csv", rows(8_000, seed)) for seed in (1, 2)]


@pytest.fixture(scope="module")
def model(files) -> onnx.ModelProto:
    return windows.train([windows.read(files[0])], [windows.read(files[1])], seed=1)


def test_shares_add_up_to_the_score(model):
    score, shares = windows.run(model, rows(500, 3) * 2)
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), score, rtol=1e-3, atol=1e-3)


def test_what_does_not_come_together_is_more_unusual(model):
    together = [2.5, 2.5, 0, 0]
    alone = [2.5, 0, 0, 0]
    many = [5, 5, 5, 5]
    score, shares = windows.run(model, np.array([together, alone, many], dtype="f4"))
    assert score[0] < score[1] < score[2]
    assert shares[1].argmax() in (0, 1)


def test_more_budget_needs_less_score(model):
    entries = {entry.key: entry.value for entry in model.metadata_props}
    table = json.loads(entries["wardtap.thresholds"])
    scores = [score for _, score in table]
    assert scores == sorted(scores, reverse=True)
    assert entries["wardtap.measures"].split(",") == MEASURES


def test_the_command_writes_model_and_manifest(files, tmp_path):
    out = tmp_path / "windows.onnx"
    assert main(["windows", str(files[0]), "--needed", str(files[1]), "--out", str(out)]) == 0
    manifest = json.loads((tmp_path / "windows.manifest.json").read_text())
    assert manifest["schema"] == "windows-v1"
    assert manifest["bytes"] == out.stat().st_size


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "flows.csv"
    path.write_text("time_ns,client\n1,2\n")
    with pytest.raises(ModelError, match="was not written by"):
        windows.read(path)


def test_the_prior_counts_windows_of_the_first_day_in_buckets_of_a_third_of_an_octave(files, model):
    properties = {entry.key: entry.value for entry in model.metadata_props}
    prior = json.loads(properties["wardtap.prior"])
    day = 288 * 20
    assert prior["windows"] == day
    # Each value is one: the third bucket.
    assert prior["counts"] == [[measure, 3, day] for measure in range(len(MEASURES))]
