"""The graph says what the libraries that trained it say, and what the contract with the daemon asks for."""

import json

import numpy as np
import onnx
import pytest

from wardtap_models import artifact, synthetic
from wardtap_models.runtime import run, session
from wardtap_models.schema import FEATURES, NAMES


def test_scores_equal_the_reference_on_4096_rows(made):
    score, p, contrib = made.parts.reference(made.unseen.features)
    got = run(made.model, made.unseen.features)
    assert len(score) == 4096
    np.testing.assert_allclose(got.score, score, rtol=1e-5)
    np.testing.assert_allclose(got.contrib, contrib, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(got.p, p, rtol=1e-4)


def test_scores_equal_the_reference_on_extreme_rows(made):
    random = np.random.default_rng(1)
    most = made.train.features.max(axis=0)
    rows = np.stack([np.zeros(FEATURES), most, most * 100, most * 1e6, np.full(FEATURES, 3e38)])
    rows = np.concatenate([rows, most * 10 ** random.uniform(-6, 6, (200, FEATURES))]).astype(np.float32)
    got = run(made.model, rows)
    assert all(np.isfinite(part).all() for part in got)
    np.testing.assert_allclose(got.score, made.parts.reference(rows)[0], rtol=1e-5)


def test_a_hundred_times_the_greatest_is_stranger_than_the_greatest(made):
    most = made.train.features.max(axis=0)
    score = run(made.model, np.stack([most, most * 10, most * 100])).score
    assert score[0] < score[1] < score[2]


@pytest.mark.parametrize("name", ["out_bytes", "in_bytes", "duration_s", "out_packets", "in_interval_max_s"])
def test_no_single_feature_saturates(made, name):
    at = NAMES.index(name)
    rows = np.repeat(made.unseen.features[:1], 4, axis=0)
    rows[:, at] = made.train.features[:, at].max() * np.array([1, 10, 100, 10_000])
    got = run(made.model, rows)
    assert (np.diff(got.score) > 0).all()
    assert got.contrib[3].argmax() == at


def test_contributions_are_shares_of_the_score(made):
    got = run(made.model, made.unseen.features)
    assert (got.contrib >= 0).all()
    np.testing.assert_allclose(got.contrib.sum(axis=1), got.score, rtol=1e-4)


def test_p_values_are_those_of_the_calibration_rows(made):
    scores = run(made.model, made.calibrate.features)
    floor = 1 / (len(made.calibrate) + 1)
    assert made.parts.table.floor == floor
    assert scores.p.min() >= np.float32(floor) and scores.p.max() <= 1
    # Exact where it matters, never too small elsewhere.
    at_least = (scores.score[None, :] >= scores.score[:, None]).sum(axis=1)
    exact = (1 + at_least) / (len(made.calibrate) + 1)
    assert (scores.p >= exact * (1 - 1e-4)).all()
    rare = at_least <= 50
    np.testing.assert_allclose(scores.p[rare], exact[rare], rtol=0.02, atol=1.5 * floor)


def test_p_values_hold_for_rows_that_were_not_seen(made):
    p = run(made.model, made.unseen.features).p
    # 4,096 rows: three standard deviations.
    assert (p <= 0.01).mean() < 0.01 + 3 * np.sqrt(0.01 / 4096) + 0.005
    assert (p <= 0.1).mean() < 0.13


def test_attacks_have_small_p_values(made):
    rows = synthetic.rows(1000, seed=6, attacks=100)
    p = run(made.model, rows.features).p
    for name in synthetic.ATTACKS:
        assert (p[rows.label == name] <= 0.01).mean() > 0.9, name


def test_a_batch_is_its_rows(made):
    rows = made.unseen.features[:64]
    opened = session(made.model)
    together = run(opened, rows)
    alone = [run(opened, row[None]) for row in rows]
    np.testing.assert_allclose(together.score, np.concatenate([one.score for one in alone]), rtol=1e-5)
    assert run(opened, rows[:0]).score.shape == (0,)


def test_the_graph_is_plain(made):
    assert {node.domain for node in made.model.graph.node} <= {"", "ai.onnx.ml"}
    assert sum(node.op_type == "TreeEnsembleRegressor" for node in made.model.graph.node) == 1
    assert made.model.ir_version <= 9
    assert {entry.domain: entry.version for entry in made.model.opset_import} == {"": 17, "ai.onnx.ml": 3}
    assert made.model.ByteSize() < 1 << 20
    assert all(tensor.data_location != onnx.TensorProto.EXTERNAL for tensor in made.model.graph.initializer)


def test_golden_rows_are_ordinary_and_extreme(made):
    rows = artifact.golden_rows(made.train.features, made.calibrate.features)
    golden = artifact.golden(made.model, rows)
    assert len(golden["score"]) == len(golden["p"]) == 16
    features = np.array(golden["features"], dtype=np.float32)
    assert (features[12] == 0).all()
    np.testing.assert_allclose(features[14], made.train.features.max(axis=0) * 100, rtol=1e-6)
    again = run(made.model, np.array(json.loads(json.dumps(golden))["features"], dtype=np.float32))
    assert (again.score.astype(float) == golden["score"]).all()
