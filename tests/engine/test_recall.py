from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from engine.batch import batch
from engine.captions import as_captions
from engine.index import Library
from engine.matcher import Matcher
from engine.photos import find_photos
from engine.recall import recalled
from engine.sqlite_file import WriterLock
from engine.types import BatchRow, Pair, VerifyRow
from engine.verify import verify
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher, WatchedMatcher

CAPTIONS = as_captions(["something red", "something green", "something blue"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eleven photos, red, green and blue in turn: more than two batches."""
    for number in range(11):
        colour = ("red", "lime", "blue")[number % 3]
        coloured_photo(tmp_path / "photos" / f"{number:02}.png", colour)
    return tmp_path / "photos"


@pytest.fixture
def indexed(folder: Path) -> Path:
    with closing(Library.open_or_create(folder)) as library:
        library.index(folder, cast(Matcher, FakeMatcher()))
    return folder


@pytest.fixture
def matcher() -> WatchedMatcher:
    return WatchedMatcher()


def rows_of(matcher: WatchedMatcher, folder: Path) -> list[BatchRow]:
    with recalled(folder, matcher.model_id) as known:
        return list(batch(cast(Matcher, matcher), find_photos(folder), CAPTIONS, known=known))


def verified(
    matcher: WatchedMatcher, photos: list[Path], folder: Path, beside: Path | None = None
) -> list[VerifyRow]:
    pairs = [Pair(photo, "something red") for photo in photos]
    with recalled(folder, matcher.model_id) as known:
        return list(verify(cast(Matcher, matcher), pairs, beside=beside, known=known))


def answers(rows: list[BatchRow]) -> list[tuple[str, str | None, bool | None]]:
    return [(row.photo.name, row.caption, row.match) for row in rows]


def test_photos_of_a_library_are_matched_without_being_read(
    matcher: WatchedMatcher, indexed: Path
) -> None:
    rows = rows_of(matcher, indexed)
    assert matcher.read == []
    assert answers(rows) == answers(list(batch(cast(Matcher, matcher), find_photos(indexed),
                                               CAPTIONS)))  # fmt: skip


def test_photos_that_changed_or_are_new_are_read(matcher: WatchedMatcher, indexed: Path) -> None:
    coloured_photo(indexed / "03.png", "blue", size=(200, 200))
    os.utime(indexed / "05.png", ns=(0, 0))
    coloured_photo(indexed / "new.png", "lime")
    rows = rows_of(matcher, indexed)
    assert sorted(matcher.read) == ["03.png", "05.png", "new.png"]
    found = {row.photo.name: row.caption for row in rows}
    assert found["03.png"] == "something blue"
    assert found["05.png"] == "something blue"
    assert found["new.png"] == "something green"
    assert [row.photo for row in rows] == find_photos(indexed)


def test_a_photo_that_vanishes_is_named_and_the_others_go_on(
    matcher: WatchedMatcher, indexed: Path
) -> None:
    photos = find_photos(indexed)
    photos[4].unlink()
    with recalled(indexed, matcher.model_id) as known:
        rows = list(batch(cast(Matcher, matcher), photos, CAPTIONS, known=known))
    assert [row.photo for row in rows if row.failure] == [photos[4]]
    assert len(rows) == 11


def test_a_folder_named_by_a_link_or_from_where_one_stands_is_known_too(
    matcher: WatchedMatcher, indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(indexed, target_is_directory=True)
    rows_of(matcher, tmp_path / "link")
    monkeypatch.chdir(tmp_path)
    rows_of(matcher, Path("photos"))
    assert matcher.read == []


def test_a_folder_within_a_library_is_known(matcher: WatchedMatcher, folder: Path) -> None:
    with closing(Library.open_or_create(folder.parent)) as library:
        library.index(folder.parent, cast(Matcher, FakeMatcher()))
    rows_of(matcher, folder)
    assert matcher.read == []


def test_what_another_model_encoded_is_not_used(matcher: WatchedMatcher, indexed: Path) -> None:
    matcher.model_id = "colours-2"
    rows_of(matcher, indexed)
    assert len(matcher.read) == 11


def test_without_a_library_all_photos_are_read(matcher: WatchedMatcher, folder: Path) -> None:
    rows_of(matcher, folder)
    assert len(matcher.read) == 11


def test_a_damaged_index_does_not_stop_a_batch(matcher: WatchedMatcher, indexed: Path) -> None:
    with closing(Library.open_or_create(indexed)) as library:
        file = library.file
    file.write_bytes(b"not a library" * 1000)
    assert len(rows_of(matcher, indexed)) == 11
    assert len(matcher.read) == 11


def test_pairs_of_an_indexed_folder_are_verified_without_reading_it(
    matcher: WatchedMatcher, indexed: Path
) -> None:
    photos = find_photos(indexed)
    rows = verified(matcher, photos, indexed)
    assert matcher.read == []
    assert [row.match for row in rows] == [number % 3 == 0 for number in range(11)]
    coloured_photo(indexed / "01.png", "red", size=(200, 200))
    rows = verified(matcher, photos, indexed)
    assert matcher.read == ["01.png"]
    assert rows[1].match


def test_a_list_beside_indexed_photos_may_name_them_in_any_way(
    matcher: WatchedMatcher, indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coloured_photo(tmp_path / "elsewhere.png", "red")
    monkeypatch.chdir(tmp_path)
    photos = [Path("01.png"), indexed / "00.png", Path("elsewhere.png"), Path("none.png")]
    rows = verified(matcher, photos, Path("photos"), beside=Path("photos"))
    assert [row.match for row in rows] == [False, True, True, None]
    assert matcher.read == ["elsewhere.png", "none.png"]


def test_what_is_known_says_whether_it_may_become_more(
    matcher: WatchedMatcher, indexed: Path
) -> None:
    with recalled(indexed, matcher.model_id) as known:
        assert known is not None
        assert not known.growing
    with closing(Library.open_or_create(indexed)) as library:
        held = WriterLock(library.file, library.name)
    with held, recalled(indexed, matcher.model_id) as known:
        assert known is not None
        assert known.growing
