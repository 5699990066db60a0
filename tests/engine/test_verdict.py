from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calibration import Calibration
from engine.verdict import UNSURE, Verdict, verdict

shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.0, Verdict.NO_MATCH),
        (0.33, Verdict.NO_MATCH),
        (0.34, Verdict.UNSURE),
        (0.5, Verdict.UNSURE),
        (0.66, Verdict.UNSURE),
        (0.67, Verdict.MATCH),
        (1.0, Verdict.MATCH),
    ],
)
def test_between_a_third_and_two_thirds_the_answer_is_unsure(
    probability: float, said: Verdict
) -> None:
    assert verdict(probability, 0.5) is said


def test_the_threshold_decides_also_where_it_is_far_from_one_half() -> None:
    assert verdict(0.7, 0.9) is Verdict.UNSURE
    assert verdict(0.2, 0.9) is Verdict.NO_MATCH
    assert verdict(0.95, 0.9) is Verdict.MATCH
    assert verdict(0.2, 0.1) is Verdict.UNSURE
    assert verdict(0.05, 0.1) is Verdict.NO_MATCH
    # What nothing may reach.
    assert verdict(1.0, 2.0) is Verdict.UNSURE


def test_of_a_model_that_is_not_calibrated_no_answer_is_called_unsure() -> None:
    assert verdict(0.55, 0.5, calibrated=False) is Verdict.MATCH
    assert verdict(0.45, 0.5, calibrated=False) is Verdict.NO_MATCH


@given(probability=shares, threshold=shares)
def test_what_is_called_sure_never_contradicts_the_threshold(
    probability: float, threshold: float
) -> None:
    said = verdict(probability, threshold)
    if said is not Verdict.UNSURE:
        assert (said is Verdict.MATCH) == (probability >= threshold)


def test_of_calibrated_pairs_called_unsure_a_third_or_more_are_decided_wrongly() -> None:
    generator = np.random.default_rng(5)
    logits = generator.normal(0, 3, 200_000).astype(np.float32)
    probability = Calibration(1.0, 0.0, 0.5).probability(logits)
    right = generator.random(len(probability)) < probability
    said = np.array([verdict(p, 0.5) for p in probability.tolist()])
    wrong = (probability >= 0.5) != right
    assert wrong[said == Verdict.UNSURE].mean() >= UNSURE
    assert wrong[said == Verdict.MATCH].mean() < UNSURE
    assert wrong[said == Verdict.NO_MATCH].mean() < UNSURE
