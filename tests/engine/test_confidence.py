from __future__ import annotations

import json

import numpy as np
import pytest

from engine.confidence import SearchConfidence, fit_search_confidence, language_of
from engine.types import FloatArray

RULE = SearchConfidence({"en": 0.25, "zh": 0.3}, 0.05)


def best_of(sizes: tuple[int, ...], level: float, growth: float) -> dict[int, FloatArray]:
    """Best similarities of 400 queries in libraries whose best photos grow along a line."""
    spread = np.random.default_rng(3).normal(0, 0.05, 400)
    return {size: (level + growth * np.log(size) + spread).astype(np.float32) for size in sizes}


@pytest.mark.parametrize(
    ("text", "language"),
    [("a dog", "en"), ("雪地里的狗", "zh"), ("iPhone 照片", "zh"), ("", "en"), ("été 2019", "en")],
)
def test_the_language_of_a_query_is_told_by_its_letters(text: str, language: str) -> None:
    assert language_of(text) == language


def test_more_photos_ask_for_a_better_best() -> None:
    assert RULE.least("en", 1) == pytest.approx(0.25)
    assert RULE.least("en", 1000) == pytest.approx(0.25 + 0.05 * np.log(1000))


def test_each_language_has_a_level_and_others_the_highest() -> None:
    assert RULE.least("zh", 10) - RULE.least("en", 10) == pytest.approx(0.05)
    assert RULE.least("fr", 10) == RULE.least("zh", 10)


def test_a_search_is_confident_from_the_least_similarity_on() -> None:
    least = np.float32(RULE.least("en", 20))
    best = np.array([np.nextafter(least, 0), np.nextafter(least, 1)], np.float32)
    assert RULE.confident(best, "en", 20).tolist() == [False, True]


def test_a_rule_survives_being_written_as_json_and_read() -> None:
    assert SearchConfidence.from_dict(json.loads(json.dumps(RULE.to_dict()))) == RULE


@pytest.mark.parametrize(
    "values",
    [
        {"base": {}, "growth": 0.1},
        {"base": {"en": float("nan")}, "growth": 0.1},
        {"base": {"en": 0.1}, "growth": float("inf")},
        {"base": {"en": "high"}, "growth": 0.1},
        {"base": 3, "growth": 0.1},
    ],
)
def test_values_that_are_no_rule_are_refused(values: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        SearchConfidence.from_dict(values)


def test_fitting_finds_the_line_that_was_drawn() -> None:
    sizes = (30, 100, 300, 1000)
    unfit = {"en": best_of(sizes, 0.2, 0.03), "zh": best_of(sizes, 0.26, 0.03)}
    rule = fit_search_confidence(unfit, 0.5)
    assert rule.growth == pytest.approx(0.03, abs=1e-4)
    assert rule.base["en"] == pytest.approx(0.2, abs=0.01)
    assert rule.base["zh"] - rule.base["en"] == pytest.approx(0.06, abs=1e-4)


@pytest.mark.parametrize("most", [0.01, 0.03, 0.2])
@pytest.mark.parametrize("size", [30, 300, 10_000])
def test_false_alarms_stay_where_they_are_allowed_in_libraries_of_any_size(
    most: float, size: int
) -> None:
    rule = fit_search_confidence({"en": best_of((30, 100, 300, 1000), 0.2, 0.03)}, most)
    shown = rule.confident(best_of((size,), 0.2, 0.03)[size], "en", size)
    assert float(shown.mean()) == pytest.approx(most, abs=0.0051)


def test_libraries_of_one_size_do_not_tell_how_the_best_grows() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        fit_search_confidence({"en": best_of((100,), 0.2, 0.03)}, 0.05)
