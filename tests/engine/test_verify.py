from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from engine import caption_bank
from engine.captions import read_sidecars
from engine.errors import CaptionEmpty, TooFewPhotos
from engine.matcher import Matcher
from engine.types import Pair
from engine.verify import verify
from tests.fixtures import photos as made
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher

CAPTIONS = ["A red circle on blue ground .", "绿色背景上的白色方块。"]
COLOURS = ("red", "green", "blue")


@pytest.fixture
def colours(tmp_path: Path) -> list[Path]:
    return [
        coloured_photo(tmp_path / "colours" / f"{number:02}.png", COLOURS[number % 3])
        for number in range(12)
    ]


def fake() -> Matcher:
    return cast(Matcher, FakeMatcher())


def test_pairs_are_verified_in_their_order(
    exact_matcher: Matcher, scenes: list[Path], tmp_path: Path
) -> None:
    missing = tmp_path / "gone.jpg"
    pairs = [
        Pair(scenes[1], CAPTIONS[0]), Pair(missing, CAPTIONS[1]), Pair(scenes[0], CAPTIONS[1]),
        Pair(scenes[1], CAPTIONS[1]), Pair(scenes[1], CAPTIONS[0]),
    ]  # fmt: skip
    rows = list(verify(exact_matcher, pairs))
    assert [(row.photo, row.caption) for row in rows] == [(p.photo, p.caption) for p in pairs]
    assert "no such file" in (rows[1].error or "")
    assert rows[0] == rows[4]
    for row, expected in zip(
        (rows[0], rows[3]), exact_matcher.match([scenes[1]], CAPTIONS), strict=True
    ):
        assert row.probability == pytest.approx(expected.probability, abs=1e-3)
        assert row.threshold == exact_matcher.threshold


def test_a_mismatch_is_told_what_fits_better(colours: list[Path]) -> None:
    pairs = [Pair(colours[0], "red"), Pair(colours[1], "blue"), Pair(colours[1], "green"),
             Pair(colours[2], "nothing of it")]  # fmt: skip
    rows = list(verify(fake(), pairs))
    assert [row.match for row in rows] == [True, False, True, False]
    assert [row.better_caption for row in rows] == [None, "green", None, "blue"]
    assert rows[1].better_probability == pytest.approx(0.88, abs=0.01)
    assert rows[0].better_probability is None


def test_where_nothing_of_the_set_is_better_nothing_is_named(colours: list[Path]) -> None:
    (row,) = verify(fake(), [Pair(colours[0], "green")])
    assert (row.match, row.better_caption) == (False, None)


def test_a_great_many_captions_are_encoded_as_they_are_needed(
    exact_matcher: Matcher, scenes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [Pair(photo, f"a {word} square") for photo, word in zip(
        scenes, ("red", "green", "blue", "white", "black", "a", "b", "c", "d", "e"), strict=True
    )]  # fmt: skip
    kept = list(verify(exact_matcher, pairs, threshold=0.9))
    monkeypatch.setattr(caption_bank, "KEPT", 3)
    again = list(verify(exact_matcher, pairs, threshold=0.9))
    assert [row.better_caption for row in again] == [row.better_caption for row in kept]
    for one, other in zip(kept, again, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-3)


def test_sidecars_that_lack_or_mislead_are_found(colours: list[Path], tmp_path: Path) -> None:
    for number, photo in enumerate(colours[:-1]):
        words = f"something {COLOURS[(number if number != 4 else 5) % 3]}"
        photo.with_suffix(".txt").write_text(words, encoding="utf-8")
    rows = list(verify(fake(), read_sidecars(tmp_path, colours)))
    assert [row.photo for row in rows] == colours
    assert [number for number, row in enumerate(rows) if row.match is False] == [4]
    assert rows[4].better_caption == "something green"
    assert rows[-1].caption is None
    assert "11.txt" in (rows[-1].error or "")


def test_false_alarms_set_the_threshold_by_pairs_that_do_not_belong_together(
    colours: list[Path],
) -> None:
    pairs = [Pair(photo, f"{COLOURS[n % 3]} {n}") for n, photo in enumerate(colours)]
    pairs[4] = Pair(colours[4], "blue 4")
    # A third of all captions fit each photo, so that one in two is far from too few.
    rows = list(verify(fake(), pairs, false_alarms=2))
    assert len({row.threshold for row in rows}) == 1
    assert [number for number, row in enumerate(rows) if not row.match] == [4]
    assert "green" in (rows[4].better_caption or "")
    assert rows == list(verify(fake(), pairs, false_alarms=2))
    # One in ten is: a caption of the same colour does as well as its own.
    assert not any(row.match for row in verify(fake(), pairs, false_alarms=10))
    with pytest.raises(TooFewPhotos):
        verify(fake(), pairs, false_alarms=1000)


def test_photos_are_found_beside_the_list_and_keep_their_names(
    matcher: Matcher, tmp_path: Path
) -> None:
    made.save(made.noise(), tmp_path / "pictures" / "a.jpg")
    (row,) = verify(matcher, [Pair(Path("pictures/a.jpg"), CAPTIONS[0])], beside=tmp_path)
    assert row.photo == Path("pictures/a.jpg")
    assert row.error is None


def test_photos_are_found_in_the_current_folder_too(
    matcher: Matcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.save(made.noise(), tmp_path / "here" / "a.jpg")
    monkeypatch.chdir(tmp_path / "here")
    (row,) = verify(matcher, [Pair(Path("a.jpg"), CAPTIONS[0])], beside=tmp_path / "elsewhere")
    assert row.error is None


def test_cancelling_keeps_what_is_done_in_its_order(colours: list[Path]) -> None:
    seen: list[int] = []
    # The first photo comes up again at the end.
    pairs = [Pair(photo, "red") for photo in [*colours, colours[0]]]
    rows = list(
        verify(
            fake(), pairs, progress=lambda done, _: seen.append(done), cancelled=lambda: bool(seen)
        )
    )
    assert [row.photo for row in rows] == [*colours[:4], colours[0]]


def test_pairs_without_any_caption_are_refused(matcher: Matcher, tmp_path: Path) -> None:
    with pytest.raises(CaptionEmpty):
        verify(matcher, [Pair(tmp_path / "a.jpg", None)])
