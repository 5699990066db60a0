from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import CaptionEmpty, LibraryMissing
from engine.index import Library
from engine.matcher import Matcher
from engine.search import search
from tests.fixtures import photos as made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made.folder_of(tmp_path / "photos" / "one", 9)
    made.folder_of(tmp_path / "photos" / "two", 4)
    return tmp_path / "photos"


@pytest.fixture
def library(folder: Path, matcher: Matcher) -> Iterator[Library]:
    library = Library.open_or_create(folder)
    library.index(folder, matcher)
    yield library
    library.close()


def test_as_many_photos_as_asked_come_best_first(
    matcher: Matcher, library: Library, folder: Path
) -> None:
    found = search(matcher, library, folder, "a red circle", top=5)
    assert found.query == "a red circle"
    assert len(found.results) == 5
    values = [hit.probability for hit in found.results]
    assert values == sorted(values, reverse=True)
    assert len({hit.photo for hit in found.results}) == 5


def test_fewer_photos_than_asked_all_come(matcher: Matcher, library: Library, folder: Path) -> None:
    assert len(search(matcher, library, folder, "green", top=100).results) == 13


def test_a_folder_within_the_library_can_be_searched_alone(
    matcher: Matcher, library: Library, folder: Path
) -> None:
    found = search(matcher, library, folder / "two", "green", top=100)
    assert {hit.photo.parent for hit in found.results} == {folder.resolve() / "two"}
    assert len(found.results) == 4


def test_confidence_says_whether_a_shown_photo_reaches_the_threshold(
    matcher: Matcher, library: Library, folder: Path
) -> None:
    words = [
        "red",
        "green square",
        "画面是蓝色的",
        "A white circle on black ground",
        "ground",
        "white",
    ]
    answers = {text: search(matcher, library, folder, text, top=3) for text in words}
    for found in answers.values():
        best = max(hit.probability for hit in found.results)
        assert found.confident == (best >= matcher.threshold)


def test_scores_agree_with_matching_the_photos(exact_matcher: Matcher, folder: Path) -> None:
    with closing(Library.open_or_create(folder)) as library:
        library.index(folder, exact_matcher)
        found = search(exact_matcher, library, folder, "a blue square", top=4)
    again = exact_matcher.match([hit.photo for hit in found.results], ["a blue square"])
    for hit, match in zip(found.results, again, strict=True):
        # Half precision in the index costs a little.
        assert hit.probability == pytest.approx(match.probability, abs=5e-3)
        assert -1.0001 <= hit.similarity <= 1.0001


def test_a_folder_without_indexed_photos_names_the_command(
    matcher: Matcher, library: Library, folder: Path
) -> None:
    (folder / "my new").mkdir()
    with pytest.raises(LibraryMissing, match=r'pairlens index ".*my new"'):
        search(matcher, library, folder / "my new", "green")


def test_words_are_needed(matcher: Matcher, library: Library, folder: Path) -> None:
    with pytest.raises(CaptionEmpty):
        search(matcher, library, folder, "  ")
