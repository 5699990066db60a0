"""Searches by a photo, by both, without something, and among some of the photos only."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.confidence import SearchConfidence
from engine.errors import (
    CaptionEmpty,
    FolderOutside,
    LibraryMissing,
    PhotoMissing,
    PhotoNotAnImage,
    QueryEmpty,
)
from engine.index import Library
from engine.matcher import Matcher
from engine.query import Orientation, PhotoFilter, Query
from engine.search import NEAREST, SHORTLIST, search, weighed
from engine.types import SearchResult
from tests.fixtures import photos as made
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher

MATCHER = cast(Matcher, FakeMatcher())
GREEN, YELLOW, ORANGE, RED = (0, 255, 0), (255, 255, 0), (255, 80, 0), (255, 0, 0)


def photo(
    path: Path, colour: tuple[int, int, int], size: tuple[int, int], when: str, turn: int = 1
) -> Path:
    return made.save(Image.new("RGB", size, colour), path, exif=made.taken(when, turn))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six photos, of which no two differ in one thing only."""
    folder = tmp_path / "photos"
    photo(folder / "red.jpg", RED, (300, 200), "2019:12:31 23:59:59")
    photo(folder / "lake" / "orange.jpg", ORANGE, (200, 300), "2020:01:01 00:00:00")
    photo(folder / "lake" / "yellow.jpg", YELLOW, (200, 200), "2020:06:15 12:00:00")
    photo(folder / "lake" / "north" / "green.jpg", GREEN, (640, 480), "2021:03:04 05:06:07")
    photo(folder / "lakes.jpg", (200, 0, 0), (480, 640), "2021:12:31 10:00:00")
    # Stored lying down: upright it is 100 wide and 400 high.
    photo(folder / "turned.jpg", (0, 200, 0), (400, 100), "2022:01:01 00:00:00", turn=6)
    return folder


@pytest.fixture
def library(folder: Path) -> Iterator[Library]:
    with closing(Library.open_or_create(folder)) as library:
        library.index(None, MATCHER)
        yield library


def names(found: SearchResult) -> list[str]:
    return [hit.photo.name for hit in found.results]


def filtered(library: Library, only: PhotoFilter) -> set[str]:
    """Which photos compete."""
    with closing(library.snapshot(None, MATCHER.model_id, only)) as snapshot:
        found = {path.stem for path in snapshot.paths(np.arange(len(snapshot)))}
        assert snapshot.filtered == 6 - len(found)
        return found


@pytest.mark.parametrize(
    ("only", "left"),
    [
        (PhotoFilter(), {"red", "orange", "yellow", "green", "lakes", "turned"}),
        (PhotoFilter(after=date(2020, 1, 1)), {"orange", "yellow", "green", "lakes", "turned"}),
        (PhotoFilter(before=date(2020, 1, 1)), {"red"}),
        (PhotoFilter(date(2020, 1, 1), date(2022, 1, 1)), {"orange", "yellow", "green", "lakes"}),
        (PhotoFilter(date(2020, 6, 15), date(2020, 6, 16)), {"yellow"}),
        (PhotoFilter(after=date(2030, 1, 1)), set()),
        (PhotoFilter(orientation=Orientation.LANDSCAPE), {"red", "green"}),
        (PhotoFilter(orientation=Orientation.PORTRAIT), {"orange", "lakes", "turned"}),
        (PhotoFilter(orientation=Orientation.SQUARE), {"yellow"}),
        (PhotoFilter(min_width=300), {"red", "green", "lakes"}),
        (PhotoFilter(min_height=400), {"green", "lakes", "turned"}),
        (PhotoFilter(min_width=480, min_height=481), {"lakes"}),
        (
            PhotoFilter(date(2021, 1, 1), None, Orientation.PORTRAIT, min_width=101),
            {"lakes"},
        ),
    ],
)
def test_only_photos_that_pass_the_filter_compete(
    library: Library, only: PhotoFilter, left: set[str]
) -> None:
    assert filtered(library, only) == left
    found = search(MATCHER, library, Query("red", only=only))
    assert found.competing == len(left)
    assert {hit.photo.stem for hit in found.results + found.nearest} <= left


def test_filters_and_folders_go_together(library: Library, folder: Path) -> None:
    lying = PhotoFilter(orientation=Orientation.LANDSCAPE)
    found = search(MATCHER, library, Query("green", folder=folder / "lake", only=lying))
    assert names(found) == ["green.jpg"]
    assert found.competing == 1


def test_a_filter_needs_no_photo_to_be_there(library: Library, folder: Path) -> None:
    shutil.rmtree(folder)
    found = search(MATCHER, library, Query("red", only=PhotoFilter(after=date(2021, 5, 1))))
    assert names(found)[0] == "lakes.jpg"
    assert found.results[0].offline


def test_when_no_photo_passes_nothing_matches(library: Library) -> None:
    for query in (
        Query("red", only=PhotoFilter(min_width=5000)),
        Query("red", avoid=("green",), only=PhotoFilter(min_width=5000)),
    ):
        found = search(MATCHER, library, query)
        assert (found.confident, found.results, found.nearest) == (False, [], [])
        assert found.competing == 0


def test_photos_without_known_details_wait_for_the_next_indexing(
    library: Library, folder: Path
) -> None:
    with library._store.writing() as connection:
        connection.execute(
            "UPDATE photos SET taken = NULL, width = NULL WHERE path = CAST('red.jpg' AS BLOB)"
        )
    lying = Query("red", only=PhotoFilter(orientation=Orientation.LANDSCAPE))
    found = search(MATCHER, library, lying)
    assert (found.competing, found.waiting) == (1, 1)
    assert search(MATCHER, library, Query("red")).competing == 6

    library.index(None, MATCHER)

    assert names(search(MATCHER, library, lying)) == ["red.jpg", "green.jpg"]


class Growing(FakeMatcher):
    """Asks for more similarity among more photos: 0.75 of one, 0.93 of six."""

    search_confidence = SearchConfidence({"en": 0.75}, 0.1)


def test_the_line_to_be_reached_is_that_of_the_photos_which_pass_the_filter(
    tmp_path: Path,
) -> None:
    """Reddish orange is 0.86 like red: enough alone, too little as the best of six."""
    matcher = cast(Matcher, Growing())
    folder = tmp_path / "photos"
    photo(folder / "reddish.png", (255, 150, 0), (200, 300), "2020:01:01 00:00:00")
    for number in range(5):
        photo(folder / f"green{number}.png", GREEN, (300 + number, 200), "2020:01:01 00:00:00")
    with closing(Library.open_or_create(folder)) as library:
        library.index(None, matcher)
        among_all = search(matcher, library, Query("red"))
        alone = search(
            matcher, library, Query("red", only=PhotoFilter(orientation=Orientation.PORTRAIT))
        )
    assert (among_all.competing, among_all.confident) == (6, False)
    assert among_all.results == []
    assert among_all.nearest[0].photo.name == "reddish.png"
    assert (alone.competing, alone.confident) == (1, True)
    assert names(alone) == ["reddish.png"]
    assert alone.nearest == []


def test_the_nearest_few_stand_apart_when_nothing_fits(library: Library) -> None:
    found = search(MATCHER, library, Query("blue"))
    assert found.confident is False
    assert found.results == []
    assert len(found.nearest) == NEAREST
    assert len(search(MATCHER, library, Query("blue"), top=2).nearest) == 2


def test_a_library_of_one_photo_is_searched(tmp_path: Path) -> None:
    one = coloured_photo(tmp_path / "photos" / "one.png", "red")
    other = coloured_photo(tmp_path / "other.png", "orange")
    with closing(Library.open_or_create(one.parent)) as library:
        library.index(None, MATCHER)
        for query in (Query("red"), Query(photo=other), Query("red", other)):
            found = search(MATCHER, library, query)
            assert [hit.photo for hit in found.results] == [one]
            assert found.competing == 1
        assert search(MATCHER, library, Query("green")).nearest[0].photo == one
        itself = search(MATCHER, library, Query(photo=one))
    assert (itself.results, itself.nearest, itself.competing) == ([], [], 0)
    assert itself.same == [one]


def test_photos_like_a_photo_come_most_similar_first(library: Library, tmp_path: Path) -> None:
    asked = coloured_photo(tmp_path / "asked.png", "yellow")
    found = search(MATCHER, library, Query(photo=asked))
    assert names(found)[:2] == ["yellow.jpg", "orange.jpg"]
    likeness = [hit.photo_similarity or 0 for hit in found.results]
    assert likeness == sorted(likeness, reverse=True)
    assert likeness[0] > 0.99
    # The rule was found on words, and two photos have no match probability.
    assert found.confident is None
    assert {(hit.probability, hit.similarity) for hit in found.results} == {(None, None)}


def test_the_photo_itself_and_its_copies_stand_apart(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    asked = shutil.copy(folder / "red.jpg", tmp_path / "outside.jpg")
    shutil.copy(folder / "red.jpg", folder / "lake" / "copy.jpg")
    library.index(None, MATCHER)

    found = search(MATCHER, library, Query(photo=Path(asked)))

    assert found.same == [folder / "lake" / "copy.jpg", folder / "red.jpg"]
    assert found.competing == 5
    assert not {"red.jpg", "copy.jpg"} & set(names(found))
    assert names(search(MATCHER, library, Query(photo=folder / "red.jpg"))) == names(found)


def test_a_photo_whose_drive_is_away_can_still_be_asked_for(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    before = search(MATCHER, library, Query(photo=folder / "red.jpg"))
    folder.rename(tmp_path / "unplugged")
    found = search(MATCHER, library, Query(photo=folder / "red.jpg"))
    assert names(found) == names(before)
    assert {hit.offline for hit in found.results} == {True}
    with pytest.raises(PhotoMissing):
        search(MATCHER, library, Query(photo=folder / "other.jpg"))


def test_a_photo_that_was_deleted_can_not_be_asked_for(library: Library, folder: Path) -> None:
    (folder / "red.jpg").unlink()
    library.index(None, MATCHER)
    with pytest.raises(PhotoMissing):
        search(MATCHER, library, Query(photo=folder / "red.jpg"))


def test_words_and_a_photo_must_both_be_met(library: Library, tmp_path: Path) -> None:
    """Yellow lies between green and red: of the red photos the one nearest to green is orange."""
    asked = coloured_photo(tmp_path / "asked.png", "lime")
    found = search(MATCHER, library, Query("red", asked))
    assert names(found)[0] in ("orange.jpg", "yellow.jpg")
    for hit in found.results:
        assert None not in (hit.probability, hit.similarity, hit.photo_similarity)


def test_both_are_confident_where_something_near_to_the_photo_fits_the_words(
    library: Library, tmp_path: Path
) -> None:
    asked = coloured_photo(tmp_path / "asked.png", "lime")
    assert search(MATCHER, library, Query("red", asked)).confident
    found = search(MATCHER, library, Query("blue", asked))
    assert (found.confident, found.results) == (False, [])
    assert found.nearest[0].photo.name in ("green.jpg", "turned.jpg")


def test_asking_for_more_photos_makes_nothing_fit_that_did_not(tmp_path: Path) -> None:
    """The one red photo is not among those nearest to red and blue: it is not in the shortlist."""
    folder = tmp_path / "photos"
    for number in range(SHORTLIST + 10):
        coloured_photo(folder / f"purple{number}.png", "magenta", (40 + number, 40))
        coloured_photo(folder / f"green{number}.png", "lime", (40 + number, 40))
    coloured_photo(folder / "red.png", "red")
    asked = Query("red", coloured_photo(tmp_path / "asked.png", "blue"))
    with closing(Library.open_or_create(folder)) as library:
        library.index(None, MATCHER)
        found = [search(MATCHER, library, asked, top) for top in (1, 20, 1000)]
        assert search(MATCHER, library, Query("red")).confident
    assert [one.confident for one in found] == [False, False, False]


scores = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12)


@given(scores)
def test_what_is_nearer_to_both_scores_higher(pairs: list[tuple[int, int]]) -> None:
    one, other = np.array(pairs, np.float32).T
    both = weighed(one, other)
    for first, second in permutations(range(len(pairs)), 2):
        if one[first] > one[second] and other[first] > other[second]:
            assert both[first] > both[second]
    # Each is measured in its own spread.
    np.testing.assert_allclose(weighed(one * 1000, other / 7 - 3), both, atol=1e-4)


def test_words_count_more_than_the_photo() -> None:
    near_to_words, near_to_photo = weighed(np.float32([1, 0]), np.float32([0, 1]))
    assert near_to_words > near_to_photo


def test_photos_that_match_words_to_avoid_are_left_out(library: Library) -> None:
    plain = search(MATCHER, library, Query("anything"))
    found = search(MATCHER, library, Query("anything", avoid=("green",)))
    assert {"green.jpg", "turned.jpg"} <= {hit.photo.name for hit in plain.results + plain.nearest}
    kept = {hit.photo.name for hit in found.results + found.nearest}
    assert not {"green.jpg", "turned.jpg"} & kept
    assert found.left_out == 2
    assert found.competing == 6


def test_several_words_can_be_avoided_with_a_photo(library: Library, folder: Path) -> None:
    asked = Query(photo=folder / "lake" / "yellow.jpg", avoid=("something green", "something red"))
    found = search(MATCHER, library, asked)
    assert found.results == []
    assert found.left_out == 5


def test_nothing_fits_when_all_that_fits_is_to_be_avoided(library: Library) -> None:
    assert search(MATCHER, library, Query("red")).confident
    found = search(MATCHER, library, Query("red", avoid=("red",)))
    assert (found.confident, found.results) == (False, [])
    assert {hit.photo.stem for hit in found.nearest} == {"yellow", "green", "turned"}


def test_what_is_avoided_does_not_take_the_places_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of the shortlist is to be avoided, and there are enough others behind it."""
    folder = tmp_path / "photos"
    for number in range(SHORTLIST + 10):
        coloured_photo(folder / f"red{number}.png", "red", (40 + number, 40))
    for number in range(3):
        coloured_photo(folder / f"green{number}.png", "lime", (40 + number, 40))
    with closing(Library.open_or_create(folder)) as library:
        library.index(None, MATCHER)
        found = search(MATCHER, library, Query("red", avoid=("red",)), top=3)
        # There is an end to how many are looked through.
        monkeypatch.setattr("engine.search.AVOIDED_AMONG", SHORTLIST)
        given_up = search(MATCHER, library, Query("red", avoid=("red",)), top=3)
    assert found.left_out == SHORTLIST + 10
    assert {hit.photo.name for hit in found.nearest} == {"green0.png", "green1.png", "green2.png"}
    assert (given_up.confident, given_up.nearest) == (False, [])
    assert given_up.left_out == SHORTLIST


def test_what_can_not_be_asked_is_said(library: Library, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "words.jpg").write_text("no picture")
    for query, error in [
        (Query(), QueryEmpty),
        (Query(" "), CaptionEmpty),
        (Query("red", avoid=(" ",)), CaptionEmpty),
        (Query(photo=tmp_path / "none.jpg"), PhotoMissing),
        (Query(photo=tmp_path / "words.jpg"), PhotoNotAnImage),
        (Query("red", folder=tmp_path), FolderOutside),
        (Query("red", folder=folder / "nowhere"), LibraryMissing),
    ]:
        with pytest.raises(error):
            search(MATCHER, library, query)


def test_a_photo_is_found_by_the_tiny_model(matcher: Matcher, tmp_path: Path) -> None:
    paths = made.folder_of(tmp_path / "photos", 4)
    with closing(Library.open_or_create(tmp_path / "photos")) as library:
        library.index(None, matcher)
        found = search(matcher, library, Query("a red circle", paths[0], avoid=("白色的方块",)))
        alone = search(matcher, library, Query(photo=paths[1]))
    assert found.same == [paths[0]]
    assert len(found.results + found.nearest) + found.left_out == 3
    assert {hit.photo for hit in alone.results} == {paths[0], paths[2], paths[3]}
