from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from engine.confidence import SearchConfidence, fit_search_confidence, search_features
from engine.types import BoolArray

# The z alone decides, at 2.
BY_Z = SearchConfidence((1.0, 0.0, 0.0), -2.0, 0.5)


def sample(count: int = 4000) -> tuple[NDArray[np.float64], BoolArray]:
    """Features, and truth drawn from a rule in which the number of photos speaks against a fit."""
    generator = np.random.default_rng(5)
    features = np.column_stack(
        (
            generator.normal(4, 1, count),
            generator.normal(1, 2, count),
            np.log(generator.integers(30, 1000, count)),
        )
    )
    chance = 1 / (1 + np.exp(-(features @ [1.5, 0.8, -0.7] - 3.0)))
    return features, generator.random(count) < chance


def test_features_agree_with_a_case_worked_out_by_hand() -> None:
    similarity = np.array([[0.1, 0.7, 0.3, 0.2]], np.float32)
    reference = np.array([[0.0, 0.2]], np.float32)  # mean 0.1, deviation 0.1
    log_odds = np.array([[-1.0, 2.5]])
    found = search_features(similarity, reference, log_odds)
    np.testing.assert_allclose(found, [[6.0, 2.5, np.log(4)]], rtol=1e-6)


def test_queries_are_told_apart_when_many_come_at_once() -> None:
    generator = np.random.default_rng(0)
    similarity, reference = generator.random((5, 40)), generator.random((5, 60))
    log_odds = generator.normal(size=(5, 8))
    together = search_features(similarity, reference, log_odds)
    apart = [
        search_features(similarity[n : n + 1], reference[n : n + 1], log_odds[n : n + 1])[0]
        for n in range(5)
    ]
    np.testing.assert_allclose(together, apart)


def test_a_folder_of_one_kind_does_not_hide_what_fits_all_of_it() -> None:
    reference = np.random.default_rng(1).normal(0.1, 0.05, (1, 500)).astype(np.float32)
    beaches = np.random.default_rng(2).normal(0.5, 0.02, (1, 100)).astype(np.float32)
    found = search_features(beaches, reference, np.zeros((1, 1)))
    # Within the folder the best stands out by two or three of its own deviations.
    assert found[0, 0] > 7


def test_a_reference_that_says_nothing_gives_finite_features() -> None:
    found = search_features(
        np.ones((1, 3), np.float32), np.ones((1, 9), np.float32), np.zeros((1, 1))
    )
    assert np.isfinite(found).all()
    assert found[0, 0] == pytest.approx(0)


def test_the_probability_is_the_logistic_function_of_the_weighted_features() -> None:
    rule = SearchConfidence((0.5, -1.0, 2.0), 0.25, 0.5)
    features = np.array([[1.0, 2.0, 0.5], [0.0, 0.0, 0.0]])
    wanted = 1 / (1 + np.exp(-np.array([0.5 - 2.0 + 1.0 + 0.25, 0.25])))
    np.testing.assert_allclose(rule.probability(features), wanted)


def test_a_search_is_confident_from_the_threshold_on() -> None:
    features = np.array([[1.99, 9.0, 9.0], [2.0, 0.0, 0.0], [2.01, -9.0, 9.0]])
    assert BY_Z.confident(features).tolist() == [False, True, True]


def test_a_rule_survives_being_written_as_json_and_read() -> None:
    rule = SearchConfidence((0.1, 1 / 3, -2.0), 0.7, float(np.nextafter(0.3, 1)))
    assert SearchConfidence.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


@pytest.mark.parametrize(
    "change",
    [{"weights": [1.0, 2.0]}, {"bias": float("nan")}, {"weights": 3}, {"more": 1}],
)
def test_values_that_are_no_rule_are_refused(change: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        SearchConfidence.from_dict(BY_Z.to_dict() | change)


def test_fitting_agrees_with_logistic_regression() -> None:
    features, fits = sample()
    fitted = fit_search_confidence(features, fits, 0.1)
    theirs = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(features, fits)
    np.testing.assert_allclose(fitted.weights, theirs.coef_[0], atol=1e-2)
    assert fitted.bias == pytest.approx(float(theirs.intercept_[0]), abs=0.05)
    np.testing.assert_allclose(
        fitted.probability(features), theirs.predict_proba(features)[:, 1], atol=2e-3
    )


def test_fitting_finds_that_more_photos_need_a_better_best() -> None:
    fitted = fit_search_confidence(*sample(), 0.1)
    few, many = np.array([[5.0, 2.0, np.log(30)]]), np.array([[5.0, 2.0, np.log(1000)]])
    assert fitted.probability(few) > fitted.probability(many)


@pytest.mark.parametrize("most", [0.0, 0.01, 0.1, 0.29, 0.5])
def test_no_more_false_alarms_than_allowed_and_not_many_fewer(most: float) -> None:
    features, fits = sample(1000)
    fitted = fit_search_confidence(features, fits, most)
    alarms = int(fitted.confident(features[~fits]).sum())
    # No two of these have the same probability, so the allowance is used up.
    assert alarms == int(most * int((~fits).sum()) + 1e-9)


def test_any_lower_threshold_raises_a_false_alarm_too_many() -> None:
    features, fits = sample(500)
    fitted = fit_search_confidence(features, fits, 0.1)
    lower = SearchConfidence(
        fitted.weights, fitted.bias, float(np.nextafter(fitted.threshold, -np.inf))
    )
    assert np.mean(lower.confident(features[~fits])) > 0.1


def test_tied_queries_are_refused_together_when_they_are_too_many() -> None:
    z = np.array([1.0, 3.0, 3.0, 3.0, 2.0, 5.0, 5.0, 4.0])
    fits = np.array([False] * 5 + [True] * 3)
    features = np.column_stack((z, np.zeros(8), np.full(8, 4.0)))
    # One in five may pass, but the three at the top are alike.
    fitted = fit_search_confidence(features, fits, 0.2)
    assert fitted.confident(features).tolist() == [False] * 5 + [True] * 3
    # Three in five may pass: those.
    fitted = fit_search_confidence(features, fits, 0.6)
    assert fitted.confident(features).tolist() == [False, True, True, True, False] + [True] * 3


def test_when_all_false_alarms_are_allowed_everything_is_shown() -> None:
    features, fits = sample(200)
    assert fit_search_confidence(features, fits, 1.0).confident(features).all()


def test_queries_that_separate_fully_still_give_finite_weights() -> None:
    features = np.column_stack((np.r_[np.zeros(20), np.full(20, 9.0)], np.zeros(40), np.ones(40)))
    fits = np.arange(40) >= 20
    fitted = fit_search_confidence(features, fits, 0.0)
    assert np.isfinite([*fitted.weights, fitted.bias]).all()
    assert fitted.weights[1:] == (0.0, 0.0)
    assert (fitted.confident(features) == fits).all()


@pytest.mark.parametrize("truth", [True, False])
def test_one_kind_of_query_alone_is_refused(truth: bool) -> None:
    with pytest.raises(ValueError, match="both"):
        fit_search_confidence(np.zeros((4, 3)), np.full(4, truth), 0.1)
