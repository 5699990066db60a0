from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from engine import metrics


def test_decisions_agree_with_a_case_counted_by_hand() -> None:
    predicted = np.array([True, True, True, False, False])
    actual = np.array([True, True, False, True, False])
    found = metrics.decision(predicted, actual)
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 / 3)


def test_decisions_agree_with_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    predicted, actual = generator.random((2, 300)) < 0.4
    found = metrics.decision(predicted, actual)
    assert found.accuracy == pytest.approx(reference.accuracy_score(actual, predicted))
    assert found.precision == pytest.approx(reference.precision_score(actual, predicted))
    assert found.recall == pytest.approx(reference.recall_score(actual, predicted))
    assert found.f1 == pytest.approx(reference.f1_score(actual, predicted))


def test_saying_no_to_everything_earns_no_precision() -> None:
    found = metrics.decision(np.zeros(4, bool), np.array([True, False, True, False]))
    assert (found.precision, found.recall, found.f1) == (0, 0, 0)
    assert found.accuracy == 0.5


def test_ranks_look_at_the_best_relevant_candidate() -> None:
    scores = np.array([[0.9, 0.5, 0.7], [0.1, 0.2, 0.3]], np.float32)
    relevant = np.array([[False, True, True], [True, False, False]])
    assert metrics.best_ranks(scores, relevant).tolist() == [1, 2]


def test_equal_scores_earn_nothing() -> None:
    scores = np.zeros((3, 10), np.float32)
    relevant = np.eye(3, 10, dtype=bool)
    assert metrics.best_ranks(scores, relevant).tolist() == [9, 9, 9]
    assert metrics.recall_at(metrics.best_ranks(scores, relevant), 5) == 0


def test_recall_counts_ranks_below_k() -> None:
    assert metrics.recall_at(np.array([0, 4, 5, 9]), 5) == 0.5


def test_the_area_under_the_curve_agrees_with_scikit_learn_with_ties() -> None:
    generator = np.random.default_rng(2)
    scores = generator.integers(0, 8, 400).astype(np.float32)
    actual = generator.random(400) < 0.3
    expected = reference.roc_auc_score(actual, scores)
    assert metrics.auc(scores, actual) == pytest.approx(expected)


def test_the_area_under_the_curve_needs_both_kinds_of_pairs() -> None:
    with pytest.raises(ValueError, match="both"):
        metrics.auc(np.ones(3, np.float32), np.ones(3, bool))


def test_calibration_error_is_the_gap_between_saying_and_being() -> None:
    said = np.full(100, 0.9, np.float32)
    actual = np.arange(100) < 60
    assert metrics.expected_calibration_error(said, actual, bins=1) == pytest.approx(0.3, abs=1e-6)


def test_honest_probabilities_have_a_small_calibration_error() -> None:
    generator = np.random.default_rng(3)
    said = generator.random(20_000).astype(np.float32)
    actual = generator.random(20_000) < said
    assert metrics.expected_calibration_error(said, actual) < 0.02


def test_intervals_hold_the_mean_and_repeat() -> None:
    values = np.random.default_rng(4).normal(5, 1, 400)
    low, high = metrics.bootstrap_interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.2)
    assert metrics.bootstrap_interval(values) == (low, high)
