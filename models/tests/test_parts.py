"""Each part by itself, against the library or the definition that it comes from."""

import re
from pathlib import Path

import numpy as np
import pytest

from wardtap_models import ModelError, forest, schema, split, synthetic
from wardtap_models.conformal import Table
from wardtap_models.normalise import Normaliser


def test_names_are_those_of_the_sensor():
    source = Path(__file__).parents[2] / "sensor/analysis/src/model/features.rs"
    text = source.read_text()
    block = re.search(r"pub const NAMES: .*?= \[(.*?)\];", text, re.DOTALL).group(1)
    assert tuple(re.findall(r'"(\w+)"', block)) == schema.NAMES
    assert f'SCHEMA: &str = "{schema.SCHEMA}"' in text
    assert len(schema.NAMES) == schema.FEATURES == 46


def test_normalised_features_are_monotone():
    features = synthetic.rows(3000, seed=1).features
    normaliser = Normaliser.fit(features)
    for column in range(schema.FEATURES):
        ordered = np.sort(features, axis=0)
        core = normaliser.core(ordered)[:, column]
        assert (np.diff(core) >= 0).all()
        assert np.abs(core).max() <= 3.5
        assert normaliser.tail(ordered)[:, column].max() < 1e-6


def test_a_feature_that_never_changes_is_fine():
    features = np.tile(synthetic.rows(1, seed=1).features, (2000, 1))
    normaliser = Normaliser.fit(features)
    assert np.isfinite(normaliser.core(features)).all()
    assert (np.diff(normaliser.knots, axis=1) > 0).all()
    assert (normaliser.tail(features * 2 + 1) > 0).all()


def test_thresholds_come_back_to_raw_values():
    features = synthetic.rows(3000, seed=1).features
    normaliser = Normaliser.fit(features)
    core = normaliser.core(features)
    grown = forest.fit(core, normaliser, seed=1)
    from sklearn.ensemble import IsolationForest

    samples = min(forest.SAMPLES, len(core))
    same = IsolationForest(n_estimators=forest.TREES, max_samples=samples, random_state=1).fit(core.astype(np.float32))
    expected = -same.score_samples(core.astype(np.float32))
    np.testing.assert_allclose(grown.strangeness(features), expected, atol=0.01)
    assert np.median(np.abs(grown.strangeness(features) - expected)) < 1e-5


def test_a_table_is_the_definition_at_its_calibration_scores():
    scores = np.random.default_rng(1).exponential(size=500)
    table = Table.fit(scores)
    p = table.p(np.append(scores, scores.max() * 2))
    exact = [(1 + (scores >= one).sum()) / 501 for one in scores]
    assert (p[:-1] >= np.array(exact) - 1e-6).all()
    top = np.argsort(scores)[-30:]
    np.testing.assert_allclose(p[top], np.array(exact)[top], rtol=1e-5)
    assert p[-1] == pytest.approx(1 / 501)


def test_a_table_of_equal_scores_calls_them_ordinary():
    table = Table.fit(np.full(1000, 2.0) * (1 + 1e-8 * np.arange(1000)))
    assert (table.p(np.array([1.0, 2.0, 2.0000001])) == 1).all()
    assert table.p(np.array([2.1])) == pytest.approx(1 / 1001)


def test_parts_are_apart_in_time_and_by_device():
    rows = synthetic.rows(10_000, seed=2, attacks=50)
    parts = split.by_time(rows, 0.6, 0.2, 0.2, seed=1)
    assert parts.train.time_ns.max() < parts.calibrate.time_ns.min()
    assert parts.calibrate.time_ns.max() < min(parts.test.time_ns.min(), parts.test_held_out.time_ns.min())
    known = set(parts.train.client) | set(parts.calibrate.client) | set(parts.test.client)
    assert len(parts.test_held_out) > 0
    assert not known & set(parts.test_held_out.client)
    assert set(parts.test.label) | set(parts.test_held_out.label) == {"", *synthetic.ATTACKS}
    assert set(parts.train.label) == set(parts.calibrate.label) == {""}


def test_too_few_rows_are_refused():
    with pytest.raises(ModelError, match="rows for training, at least 1000"):
        split.by_time(synthetic.rows(500, seed=1), 0.6, 0.2, 0, seed=1)
    with pytest.raises(ModelError, match="rows for calibration, at least 1000"):
        split.by_time(synthetic.rows(2000, seed=1), 0.8, 0.2, 0, seed=1)


def test_a_busy_service_does_not_push_others_out():
    rows = synthetic.rows(20_000, seed=1)
    sampled = split.sample(rows, 5_000)
    assert len(sampled) <= 5_000
    counts = np.unique(sampled.port, return_counts=True)[1]
    assert counts.min() >= 900
    assert (np.diff(sampled.time_ns) >= 0).all()
    assert len(split.sample(rows, 100_000)) == len(rows)


def test_benign_cases_join_the_calibration_and_attacks_do_not():
    parts = split.by_time(synthetic.rows(6_000, seed=3), 0.6, 0.2, 0.1, seed=1)
    others = synthetic.rows(500, seed=4, attacks=20)
    joined = parts.calibrated_with(others)
    assert len(joined.calibrate) == len(parts.calibrate) + len(others.normal())
    assert (np.diff(joined.calibrate.time_ns) >= 0).all()
    assert joined.train is parts.train
