"""Percentages of a model that nobody calibrated are said to be no probabilities."""

from __future__ import annotations

from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from desktop.i18n import Translator, load_translators
from desktop.moves import Moves
from desktop.thumbnails import Thumbnails
from desktop.ui import match, search_results
from desktop.workbench import Search, Workbench
from engine.paths import resources_dir
from engine.query import Query
from engine.types import Match, SearchHit, SearchResult
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher


@pytest.fixture(params=["en", "zh-CN"])
def t(request: pytest.FixtureRequest) -> Translator:
    return load_translators(resources_dir() / "locales")[request.param]


def bench_of(folder: Path, *, calibrated: bool) -> Workbench:
    matcher = FakeMatcher()
    matcher.calibrated = calibrated
    moves = Moves()
    bench = SimpleNamespace(
        matcher=SimpleNamespace(get=lambda: matcher),
        thumbnails=Thumbnails(folder, moves.where),
        moves=moves,
        uploads=folder / "uploads",
    )
    return cast(Workbench, bench)


def found(photo: Path, confident: bool | None) -> Search:
    hit = SearchHit(photo, 0.7, 0.3, None, False)
    query = Query(words="a dog")
    result = SearchResult(query, confident, [hit], [], 1, 0, [], 0)
    return Search("photos", photo.parent, None, query, 20, result)


def test_matches_say_what_their_percentages_are(tmp_path: Path, t: Translator) -> None:
    photo = coloured_photo(tmp_path / "a.png", "red")
    matches = [Match(photo, "a dog", 0.7, 1.0, True)]
    for calibrated in (True, False):
        bench = bench_of(tmp_path, calibrated=calibrated)
        drawn = match.results(matches, bench.matcher.get(), bench, t)
        assert (escape(t("match.uncalibrated")) in drawn) == (not calibrated)
        assert (escape(t("match.meaning")) in drawn) == calibrated


def test_a_search_that_nobody_can_judge_says_so(tmp_path: Path, t: Translator) -> None:
    photo = coloured_photo(tmp_path / "a.png", "red")
    bench = bench_of(tmp_path, calibrated=False)
    drawn = search_results.gallery(found(photo, None), bench, t)
    assert escape(t("search.not_judged")) in drawn
    assert escape(t("match.uncalibrated")) in drawn
    assert "a.png" in drawn
    judged = search_results.gallery(found(photo, True), bench_of(tmp_path, calibrated=True), t)
    assert escape(t("search.not_judged")) not in judged
    assert escape(t("match.meaning")) in judged
