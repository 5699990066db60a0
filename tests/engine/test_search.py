from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from engine import resident
from engine.confidence import SearchConfidence
from engine.errors import CaptionEmpty, LibraryMissing
from engine.index import Library
from engine.matcher import Matcher, load_matcher
from engine.pack import TOKENIZER, read_manifest
from engine.query import Query
from engine.search import SHORTLIST, run_searches
from engine.search import search as search_for
from engine.snapshot import Snapshot
from engine.store import PhotoRow, Store
from engine.types import FloatArray, ImageFeatures, IntArray, SearchHit, SearchResult, TextFeatures
from tests.fixtures import photos as made
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher
from tests.fixtures.tiny_pack import TinyPack, rewrite_manifest


def search(
    matcher: Matcher, library: Library, folder: Path, words: str, top: int = 20
) -> SearchResult:
    return search_for(matcher, library, Query(words, folder=folder), top)


def shown(found: SearchResult) -> list[SearchHit]:
    """What is listed, whether or not it fits."""
    return found.results or found.nearest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made.folder_of(tmp_path / "photos" / "one", 9)
    made.folder_of(tmp_path / "photos" / "two", 4)
    return tmp_path / "photos"


@pytest.fixture
def sure(matcher: Matcher, monkeypatch: pytest.MonkeyPatch) -> Matcher:
    """The tiny model with a rule that takes everything for fitting."""
    monkeypatch.setattr(Matcher, "search_confidence", SearchConfidence({"en": -1.0}, 0.0))
    return matcher


@pytest.fixture
def library(folder: Path, matcher: Matcher) -> Iterator[Library]:
    library = Library.open_or_create(folder)
    library.index(folder, matcher)
    yield library
    library.close()


def test_as_many_photos_as_asked_come_best_first(
    sure: Matcher, library: Library, folder: Path
) -> None:
    found = search(sure, library, folder, "a red circle", top=5)
    assert found.query.words == "a red circle"
    assert len(found.results) == 5
    values = [hit.probability or 0 for hit in found.results]
    assert values == sorted(values, reverse=True)
    assert len({hit.photo for hit in found.results}) == 5


def test_fewer_photos_than_asked_all_come(sure: Matcher, library: Library, folder: Path) -> None:
    assert len(search(sure, library, folder, "green", top=100).results) == 13


def test_a_folder_within_the_library_can_be_searched_alone(
    sure: Matcher, library: Library, folder: Path
) -> None:
    found = search(sure, library, folder / "two", "green", top=100)
    assert {hit.photo.parent for hit in found.results} == {folder.resolve() / "two"}
    assert len(found.results) == 4


@pytest.fixture
def coloured(tmp_path: Path) -> Iterator[tuple[Matcher, Library, Path]]:
    """Ten red photos and one green one under a matcher that knows colours."""
    folder = tmp_path / "coloured"
    for number in range(10):
        coloured_photo(folder / "red" / f"{number}.png", "red")
    coloured_photo(folder / "green.png", "lime")
    matcher = cast(Matcher, FakeMatcher())
    with closing(Library.open_or_create(folder)) as library:
        library.index(folder, matcher)
        yield matcher, library, folder


def test_a_search_is_confident_where_something_fits(
    coloured: tuple[Matcher, Library, Path],
) -> None:
    assert search(*coloured, "something green", top=1).confident
    assert search(*coloured, "something red", top=1).confident
    assert not search(*coloured, "something blue", top=1).confident


def test_only_photos_under_the_searched_folder_compete(
    coloured: tuple[Matcher, Library, Path],
) -> None:
    matcher, library, folder = coloured
    assert not search(matcher, library, folder / "red", "green").confident
    assert search(matcher, library, folder, "green").confident


class Strangers(FakeMatcher):
    """Says that the photos least like the words match best."""

    def logits(
        self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
    ) -> FloatArray:
        similarity = self.similarity(images, texts)
        return (1 - similarity[photos, captions]) * 100 - 50


def random_features(count: int) -> ImageFeatures:
    rows = np.random.default_rng(6).random((count, 3)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return ImageFeatures(rows, np.zeros((count, 1, 3), np.int8))


def test_asking_for_more_photos_makes_nothing_fit_better() -> None:
    matcher = cast(Matcher, Strangers())
    images, texts = random_features(SHORTLIST + 50), matcher.encode_captions(["red"])
    few, many = (run_searches(matcher, images, texts, top) for top in (1, SHORTLIST + 50))
    assert few.logits.shape == (1, SHORTLIST)
    assert many.logits.shape == (1, SHORTLIST + 50)
    assert many.logits.max() > few.logits.max()
    np.testing.assert_array_equal(few.best, many.best)


def test_many_searches_at_once_find_what_each_finds_alone() -> None:
    matcher = cast(Matcher, FakeMatcher())
    images, words = random_features(70), ["red", "green", "anything"]
    together = run_searches(matcher, images, matcher.encode_captions(words))
    for row, text in enumerate(words):
        alone = run_searches(matcher, images, matcher.encode_captions([text]))
        np.testing.assert_array_equal(together.photos[row], alone.photos[0])
        np.testing.assert_array_equal(together.logits[row], alone.logits[0])
        np.testing.assert_allclose(together.best[row], alone.best[0], rtol=1e-5)
        nearest = together.similarity[row][together.photos[row]]
        assert (np.diff(nearest) <= 0).all()
        assert nearest[0] == together.similarity[row].max()


def test_scores_agree_with_matching_the_photos(exact_matcher: Matcher, folder: Path) -> None:
    with closing(Library.open_or_create(folder)) as library:
        library.index(folder, exact_matcher)
        found = search(exact_matcher, library, folder, "a blue square", top=4)
    again = exact_matcher.match([hit.photo for hit in shown(found)], ["a blue square"])
    for hit, match in zip(shown(found), again, strict=True):
        # Half precision in the index costs a little.
        assert hit.probability == pytest.approx(match.probability, abs=5e-3)
        assert hit.similarity is not None
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


def test_a_library_is_searched_as_its_features_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident, "CHUNK", 7)
    monkeypatch.setattr(resident, "PIECE", 20)
    matcher = cast(Matcher, FakeMatcher())
    images = random_features(3 * SHORTLIST)
    with closing(Store(tmp_path / "a.sqlite")) as store:
        store.add_root(tmp_path)
        rows = [PhotoRow(b"%03d.jpg" % n, 1, 1, b"%d" % n) for n in range(len(images))]
        store.save_encoded(1, rows, matcher.model_id, images)
        # Copies have the same similarity: which of them counts must not vary.
        store.save(1, [replace(row, path=b"copy/" + row.path) for row in rows])
        texts = matcher.encode_captions(["red", "green", "blue"])
        with closing(Snapshot(store, matcher.model_id, [(1, tmp_path, b"")])) as snapshot:
            whole = snapshot.features(np.arange(len(snapshot)))
            plain = matcher.similarity(whole, texts).T
            np.testing.assert_allclose(snapshot.similarity(texts.embeddings), plain, rtol=1e-6)
            near = np.argsort(-snapshot.similarity(texts.embeddings), kind="stable")
            np.testing.assert_array_equal(near, np.argsort(-plain, kind="stable"))


def test_a_library_is_searched_as_searches_are_measured(
    sure: Matcher, library: Library, folder: Path
) -> None:
    with closing(library.snapshot(None, sure.model_id)) as snapshot:
        images = snapshot.features(np.arange(len(snapshot)))
        measured = run_searches(sure, images, sure.encode_captions(["a red circle"]))
        probability = sure.probability(measured.logits[0]).tolist()
        expected = dict(zip(snapshot.paths(measured.photos[0]), probability, strict=True))
    found = search(sure, library, folder, "a red circle", top=100)
    assert {hit.photo for hit in found.results} == set(expected)
    # An int8 answer moves a little with what else is in its batch.
    for hit in found.results:
        assert hit.probability == pytest.approx(expected[hit.photo], abs=0.02)


def test_photos_that_are_offline_are_found_and_marked(
    coloured: tuple[Matcher, Library, Path], tmp_path: Path
) -> None:
    matcher, library, folder = coloured
    folder.rename(tmp_path / "unplugged")

    found = search(matcher, library, folder, "green", top=2)

    assert [hit.offline for hit in found.results] == [True, True]
    assert found.results[0].photo == folder / "green.png"
    (tmp_path / "unplugged").rename(folder)
    assert not search(matcher, library, folder, "green", top=1).results[0].offline


@pytest.fixture
def newer(tiny_pack: TinyPack, tmp_path: Path) -> Matcher:
    """The same model as another pack: its id is another."""
    pack = Path(shutil.copytree(tiny_pack.folder, tmp_path / "newer"))
    card = pack / TOKENIZER
    card.write_text(card.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    rewrite_manifest(pack, read_manifest(pack), remeasured=True)
    return load_matcher(pack)


def test_the_old_model_answers_while_the_new_one_is_encoding(
    sure: Matcher, newer: Matcher, library: Library, folder: Path
) -> None:
    assert newer.model_id != sure.model_id
    before = search(sure, library, folder, "green", top=13)

    assert search(newer, library, folder, "green", top=13) == before

    library.index(folder / "two", newer)
    assert search(newer, library, folder, "green", top=13) == before
    library.index(None, newer)
    assert [one.photos for one in library.generations()] == [13, 13]
    after = search(newer, library, folder, "green", top=13)
    assert (len(after.results), after.waiting) == (13, 0)


def test_without_the_old_pack_what_the_new_model_has_encoded_is_searched(
    tiny_pack: TinyPack, sure: Matcher, newer: Matcher, folder: Path, tmp_path: Path
) -> None:
    old = Path(shutil.copytree(tiny_pack.folder, tmp_path / "old"))
    with closing(Library.open_or_create(folder)) as library:
        library.index(None, load_matcher(old))
        library.index(folder / "two", newer)
        shutil.rmtree(old)

        found = search(newer, library, folder, "green", top=13)

    assert (len(found.results), found.waiting) == (4, 9)
