from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from engine.calibration import (
    Calibration,
    fit_calibration,
    probability_above,
    probability_of,
)
from engine.metrics import expected_calibration_error
from engine.types import BoolArray, FloatArray


def sample(scale: float, bias: float, count: int = 20_000) -> tuple[FloatArray, BoolArray]:
    """Logits, and truth drawn with the probability sigmoid(scale * logit + bias)."""
    generator = np.random.default_rng(1)
    logits = generator.normal(0.5, 2.0, count).astype(np.float32)
    chance = 1 / (1 + np.exp(-(scale * logits.astype(np.float64) + bias)))
    return logits, generator.random(count) < chance


@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=30),
    st.floats(0.01, 100),
    st.floats(-100, 100),
)
def test_probabilities_are_between_0_and_1_and_grow_with_the_logit(
    values: list[float], scale: float, bias: float
) -> None:
    logits = np.sort(np.array(values, dtype=np.float32))
    with np.errstate(all="raise", under="ignore"):
        found = Calibration(scale, bias, 0.5).probability(logits)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    assert (np.diff(found) >= 0).all()


def test_huge_logits_give_0_and_1_without_overflow() -> None:
    with np.errstate(all="raise", under="ignore"):
        found = Calibration(1.0, 0.0, 0.5).probability(np.array([-1e4, 0, 1e4], np.float32))
    assert found.tolist() == [0.0, 0.5, 1.0]


def test_the_probability_is_the_logistic_function_of_scale_and_bias() -> None:
    logits = np.array([-2.0, 0.0, 1.5], np.float32)
    wanted = 1 / (1 + np.exp(-(0.7 * logits - 0.3)))
    np.testing.assert_allclose(Calibration(0.7, -0.3, 0.5).probability(logits), wanted, rtol=1e-6)


@pytest.mark.parametrize(("scale", "bias"), [(0.7, -0.4), (1.0, 0.0), (2.5, 1.0), (0.05, 0.2)])
def test_fitting_finds_the_parameters_that_made_the_sample(scale: float, bias: float) -> None:
    fitted = fit_calibration(*sample(scale, bias))
    assert fitted.scale == pytest.approx(scale, abs=0.08)
    assert fitted.bias == pytest.approx(bias, abs=0.08)
    assert fitted.threshold == 0.5


def test_fitting_agrees_with_logistic_regression() -> None:
    logits, actual = sample(0.8, -0.5)
    fitted = fit_calibration(logits, actual)
    theirs = LogisticRegression(C=1e9, tol=1e-10).fit(logits[:, None].astype(np.float64), actual)
    # Smoothed targets move the answer by about one part in the number of pairs.
    assert fitted.scale == pytest.approx(float(theirs.coef_[0, 0]), abs=1e-2)
    assert fitted.bias == pytest.approx(float(theirs.intercept_[0]), abs=1e-2)


def test_fitted_probabilities_are_as_frequent_as_they_say() -> None:
    logits, actual = sample(0.4, 0.8)
    off = expected_calibration_error(Calibration(1.0, 0.0, 0.5).probability(logits), actual)
    fitted = expected_calibration_error(fit_calibration(logits, actual).probability(logits), actual)
    assert fitted < 0.02 < off


def test_pairs_that_separate_fully_still_give_finite_parameters() -> None:
    logits = np.array([-3, -2, -1, 1, 2, 3], np.float32)
    fitted = fit_calibration(logits, logits > 0)
    assert np.isfinite([fitted.scale, fitted.bias]).all()
    assert fitted.scale > 0
    assert ((fitted.probability(logits) >= 0.5) == (logits > 0)).all()


@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0, 1e3])
def test_fitting_does_not_mind_the_size_of_logits(size: float) -> None:
    logits, actual = sample(0.8, -0.5)
    plain, scaled = fit_calibration(logits, actual), fit_calibration(logits * size, actual)
    np.testing.assert_allclose(
        scaled.probability((logits * size).astype(np.float32)),
        plain.probability(logits),
        atol=1e-4,
    )


def test_heavy_tails_do_not_throw_the_fit_off() -> None:
    logits, actual = sample(0.8, -0.5, count=500)
    logits[:3], actual[:3] = (800, -900, 1000), (True, False, True)
    fitted = fit_calibration(logits, actual)
    theirs = LogisticRegression(C=1e9, tol=1e-10).fit(logits[:, None].astype(np.float64), actual)
    assert fitted.scale == pytest.approx(float(theirs.coef_[0, 0]), abs=0.1)
    assert fitted.bias == pytest.approx(float(theirs.intercept_[0]), abs=0.1)


@pytest.mark.parametrize("truth", [True, False])
def test_one_kind_of_pair_alone_is_refused(truth: bool) -> None:
    with pytest.raises(ValueError, match="both matching and wrong pairs"):
        fit_calibration(np.array([1, 2], np.float32), np.array([truth, truth]))


def test_the_probability_above_is_the_smallest_that_is_larger() -> None:
    log_odds = np.array([-3.0, 0.0, 50.0, np.inf, -np.inf], dtype=np.float32)
    above = probability_above(log_odds)
    assert (above > probability_of(log_odds)).all()
    assert above[1] == pytest.approx(0.5, abs=1e-6)
    assert above[2] == pytest.approx(1, abs=1e-6)
    assert above[3] == 2
    assert above[4] < 1e-30
