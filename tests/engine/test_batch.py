from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from engine import batch as module
from engine.batch import SHORTLIST, BatchOptions, batch
from engine.captions import as_captions
from engine.errors import CaptionEmpty, TooFewPhotos, TooManyPairs
from engine.matcher import Matcher
from engine.types import BatchRow, Caption, Mode
from tests.fixtures import photos as made
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher

CAPTIONS = as_captions(["A red circle on blue ground .", "绿色背景上的白色方块。", "ground"])
MANY = as_captions(
    f"A {colour} {shape}" for colour in ("red", "green", "blue", "white", "black")
    for shape in ("circle", "square")
)  # fmt: skip
EXACT = BatchOptions(exact=True)
ALL = BatchOptions(mode=Mode.ALL)
ASSIGN = BatchOptions(mode=Mode.ASSIGN)


@pytest.fixture
def colours(tmp_path: Path) -> list[Path]:
    """red, green and red again."""
    return [
        coloured_photo(tmp_path / f"{number}.png", colour)
        for number, colour in enumerate(("red", "green", "red"))
    ]


def fake() -> Matcher:
    return cast(Matcher, FakeMatcher())


def test_each_photo_gets_its_best_caption(exact_matcher: Matcher, scenes: list[Path]) -> None:
    rows = list(batch(exact_matcher, scenes, CAPTIONS))
    assert [row.photo for row in rows] == scenes
    texts = [caption.text for caption in CAPTIONS]
    for row in rows:
        scores = {m.caption: m.probability or 0 for m in exact_matcher.match([row.photo], texts)}
        ordered = sorted(scores, key=lambda text: -scores[text])
        assert scores[row.caption or ""] == pytest.approx(scores[ordered[0]], abs=1e-3)
        assert row.rank == 1
        assert row.threshold == exact_matcher.threshold
        assert row.match == ((row.probability or 0) >= exact_matcher.threshold)
        assert row.runner_up in scores
        assert (row.margin or 0) >= 0


def test_a_photo_that_nothing_fits_does_not_match_its_best_caption(colours: list[Path]) -> None:
    rows = list(batch(fake(), colours, as_captions(["something blue", "something green"])))
    assert [row.match for row in rows] == [False, True, False]
    assert [row.caption for row in rows] == ["something blue", "something green", "something blue"]


def test_captions_that_score_the_same_come_in_the_order_given(colours: list[Path]) -> None:
    words = as_captions(["a red pen", "a blue pen", "a red cup", "red", "a blue cup"])
    rows = list(batch(fake(), colours[:1], words, ALL))
    assert [row.caption for row in rows] == ["a red pen", "a red cup", "red", "a blue pen",
                                             "a blue cup"]  # fmt: skip


def test_few_captions_make_the_shortlist_exact(matcher: Matcher, scenes: list[Path]) -> None:
    assert len(CAPTIONS) <= SHORTLIST
    assert list(batch(matcher, scenes, CAPTIONS)) == list(batch(matcher, scenes, CAPTIONS, EXACT))


def test_exact_looks_at_captions_beyond_the_shortlist(matcher: Matcher, scenes: list[Path]) -> None:
    assert len(MANY) > SHORTLIST
    every = list(batch(matcher, scenes, MANY, ALL))
    assert [row for row in every if row.rank == 1] == list(batch(matcher, scenes, MANY, EXACT))


def test_every_caption_is_ranked_best_first(matcher: Matcher, scenes: list[Path]) -> None:
    rows = list(batch(matcher, scenes[:2], MANY, ALL))
    assert len(rows) == 2 * len(MANY)
    for photo in scenes[:2]:
        own = [row for row in rows if row.photo == photo]
        assert [row.rank for row in own] == list(range(1, len(MANY) + 1))
        assert {row.caption for row in own} == {caption.text for caption in MANY}
        values = [row.probability or 0 for row in own]
        assert values == sorted(values, reverse=True)


def test_an_assignment_gives_no_caption_twice(matcher: Matcher, scenes: list[Path]) -> None:
    rows = list(batch(matcher, scenes, MANY[:4], ASSIGN))
    assert [row.photo for row in rows] == scenes
    given = [row for row in rows if row.caption]
    assert sorted(row.caption or "" for row in given) == sorted(c.text for c in MANY[:4])
    for row in given:
        assert row.rank == 1
        assert row.runner_up not in (None, row.caption)
        assert row.rival not in (None, row.photo)
    for row in rows:
        if row.caption is None:
            assert (row.match, row.probability, row.failure) == (False, None, None)


def test_an_assignment_tells_contested_captions_by_their_margin(colours: list[Path]) -> None:
    rows = list(batch(fake(), colours, as_captions(["red", "green", "blue"]), ASSIGN))
    by_caption = {row.caption: row for row in rows}
    # Green has one photo and no rival; of the two red photos either could have had "red".
    assert by_caption["green"].margin == pytest.approx(6)
    assert by_caption["green"].match
    assert by_caption["red"].margin == 0
    assert by_caption["red"].rival in (colours[0], colours[2])
    assert by_caption["blue"].margin == pytest.approx(-6)
    assert not by_caption["blue"].match


def test_the_threshold_can_be_set_by_hand(matcher: Matcher, scenes: list[Path]) -> None:
    never = list(batch(matcher, scenes, CAPTIONS, BatchOptions(threshold=1.0)))
    always = list(batch(matcher, scenes, CAPTIONS, BatchOptions(threshold=0.0)))
    assert not any(row.match for row in never)
    assert all(row.match for row in always)
    assert [row.caption for row in never] == [row.caption for row in always]


def test_the_threshold_can_follow_from_false_alarms(matcher: Matcher, scenes: list[Path]) -> None:
    rows = list(batch(matcher, scenes, MANY, BatchOptions(Mode.ALL, false_alarms=4)))
    thresholds = {row.caption: row.threshold for row in rows}
    assert len(set(thresholds.values())) > 1
    for row in rows:
        assert row.threshold == thresholds[row.caption]
        assert row.match == ((row.probability or 0) >= (row.threshold or 0))
    with pytest.raises(TooFewPhotos, match="once in 11"):
        batch(matcher, scenes, MANY, BatchOptions(false_alarms=11))


@pytest.mark.parametrize("options", [BatchOptions(), ALL, ASSIGN, BatchOptions(false_alarms=2)])
def test_a_bad_photo_has_a_row_with_its_error(
    matcher: Matcher, scenes: list[Path], tmp_path: Path, options: BatchOptions
) -> None:
    empty = tmp_path / "empty.jpg"
    empty.touch()
    rows = list(batch(matcher, [scenes[0], empty, scenes[1]], CAPTIONS, options))
    assert [row.photo for row in rows if row.rank in (None, 1)] == [scenes[0], empty, scenes[1]]
    (failed,) = [row for row in rows if row.failure]
    assert failed == BatchRow(empty, failure=failed.failure)
    assert "0 bytes" in (failed.error or "")


@pytest.mark.parametrize("options", [BatchOptions(), ASSIGN])
def test_a_folder_of_bad_photos_only_is_reported(
    matcher: Matcher, tmp_path: Path, options: BatchOptions
) -> None:
    bad = [made.truncated(tmp_path / f"{number}.jpg") for number in range(3)]
    rows = list(batch(matcher, bad, CAPTIONS, options))
    assert [row.photo for row in rows] == bad
    assert all(row.failure for row in rows)


@pytest.mark.parametrize(
    "options", [BatchOptions(), ALL, ASSIGN, BatchOptions(false_alarms=3, exact=True)]
)
def test_a_second_run_gives_the_same_rows(
    matcher: Matcher, scenes: list[Path], options: BatchOptions
) -> None:
    assert list(batch(matcher, scenes, MANY, options)) == list(
        batch(matcher, scenes, MANY, options)
    )


def test_progress_ends_at_the_total(matcher: Matcher, scenes: list[Path]) -> None:
    seen: list[tuple[int, int]] = []
    list(batch(matcher, scenes, CAPTIONS, progress=lambda done, total: seen.append((done, total))))
    assert seen[-1] == (len(scenes), len(scenes))


@pytest.mark.parametrize("options", [BatchOptions(), ASSIGN])
def test_cancelling_keeps_what_is_done(
    matcher: Matcher, tmp_path: Path, options: BatchOptions
) -> None:
    photos = made.folder_of(tmp_path / "many", 3 * matcher.batch_size)
    seen: list[int] = []
    rows = batch(
        matcher, photos, CAPTIONS, options,
        progress=lambda done, _: seen.append(done), cancelled=lambda: bool(seen),
    )  # fmt: skip
    assert [row.photo for row in rows] == photos[: matcher.batch_size]


def test_what_would_stop_a_batch_is_found_before_a_photo_is_read(
    matcher: Matcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = [Path("none.jpg")] * 1000
    with pytest.raises(CaptionEmpty):
        batch(matcher, nowhere, [*CAPTIONS, Caption(" ", "blank")])
    monkeypatch.setattr(module, "MOST_PAIRS", 2999)
    with pytest.raises(TooManyPairs, match="1,000 photos with 3 captions are 3,000 pairs"):
        batch(matcher, nowhere, CAPTIONS, ASSIGN)
    with pytest.raises(TooManyPairs):
        batch(matcher, nowhere, CAPTIONS, BatchOptions(false_alarms=5))


class _Photos(FakeMatcher):
    """Has pixels for any name: folders far larger than a test could write."""

    batch_size = 250

    def prepare(self, photo: Path) -> np.ndarray:
        shade = int(photo.stem) % 7 / 7
        return np.full((3, 2, 2), shade, dtype=np.float32) * np.array(
            [[[1.0]], [[0.5]], [[0.2]]], dtype=np.float32
        )


def test_memory_does_not_grow_with_the_folder() -> None:
    captions = as_captions(f"red {number}" for number in range(20))

    def peak(photos: int) -> int:
        names = [Path(f"{number}.jpg") for number in range(photos)]
        rows: Iterator[BatchRow] = batch(cast(Matcher, _Photos()), names, captions, ALL)
        tracemalloc.start()
        assert sum(1 for _ in rows) == photos * len(captions)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(1000)  # what is imported or kept the first time is not the folder's
    assert peak(4000) < 1.3 * peak(1000)
