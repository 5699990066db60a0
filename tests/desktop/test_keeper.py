"""What is indexed when a person asks, and what by itself: real folders, libraries and threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from desktop.jobs import JobRunner
from desktop.keeper import Keeper
from engine.cards import card_named, cards, remove, rename
from engine.errors import LibraryBusy, LibraryIndexing, LibraryUnknown, NoPhotos
from engine.index import Library, index_folder
from engine.pack import read_manifest
from engine.paths import libraries_dir
from engine.sqlite_file import WriterLock
from engine.types import FloatArray
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher
from tests.fixtures.kept import kept
from tests.fixtures.packs import pack_of

WAIT = 30


class Gated(FakeMatcher):
    """Reads no photo while its gate is closed."""

    def __init__(self, model_id: str = "colours-1") -> None:
        super().__init__()
        self.model_id = model_id
        self.gate = threading.Event()
        self.gate.set()
        self.asked = threading.Event()
        self.read: list[Path] = []

    def prepare(self, photo: Path) -> FloatArray:
        self.read.append(photo)
        self.asked.set()
        assert self.gate.wait(WAIT)
        return super().prepare(photo)


@pytest.fixture
def matcher() -> Any:  # stands in for a Matcher
    return Gated()


@pytest.fixture
def jobs() -> Iterator[JobRunner]:
    runner = JobRunner()
    yield runner
    runner.close()


@pytest.fixture
def keeper(jobs: JobRunner, matcher: Any) -> Iterator[Keeper]:
    made = Keeper(jobs, lambda: matcher)
    yield made
    matcher.gate.set()
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "photos"
    for number in range(3):
        coloured_photo(place / "album" / f"{number}.png", "red", (64 + number, 48))
    return place


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)


def found(name: str, model_id: str = "colours-1") -> list[str]:
    library = Library.named(name)
    assert library is not None
    with closing(library):
        return [path.name for path in kept(library, model_id)]


def in_use(keeper: Keeper, folder: Path) -> None:
    """Indexed, watched, and looked through once since."""
    assert keeper.index(folder).wait(WAIT)
    keeper.use("photos")


def test_a_photo_that_comes_and_one_that_goes_are_taken_up_by_themselves(
    keeper: Keeper, folder: Path
) -> None:
    in_use(keeper, folder)
    coloured_photo(folder / "new.png", "blue")
    until(lambda: keeper.news.added == 1)
    assert "new.png" in found("photos")
    (folder / "new.png").unlink()
    until(lambda: keeper.news.removed == 1)
    assert "new.png" not in found("photos")
    keeper.read_news()
    assert (keeper.news.added, keeper.news.removed) == (0, 0)


def test_a_new_photo_that_cannot_be_used_is_named_and_an_old_one_not_again(
    keeper: Keeper, folder: Path
) -> None:
    (folder / "old.jpg").write_text("no picture")
    in_use(keeper, folder)
    coloured_photo(folder / "fine.png", "blue")
    until(lambda: keeper.news.added == 1)
    assert keeper.news.failures == ()
    (folder / "new.jpg").write_text("no picture either")
    until(lambda: bool(keeper.news.failures))
    assert [failure.photo.name for failure in keeper.news.failures] == ["new.jpg"]


def test_taking_up_changes_gives_way_to_other_work_and_comes_back(
    keeper: Keeper, jobs: JobRunner, matcher: Any, folder: Path
) -> None:
    in_use(keeper, folder)
    until(lambda: keeper.quiet is None)
    matcher.gate.clear()
    matcher.asked.clear()
    for number in range(20):
        coloured_photo(folder / f"new {number}.png", "blue", (100 + number, 48))
    assert matcher.asked.wait(WAIT)
    keeper.pause()
    other = jobs.submit(lambda progress, cancelled: len(found("photos")))
    matcher.gate.set()
    assert other.wait(WAIT)
    assert other.outcome() < 23
    assert keeper.quiet is not None
    assert keeper.quiet.snapshot().paused
    keeper.resume()
    until(lambda: keeper.news.added == 20)


def test_a_library_whose_indexing_was_cancelled_is_left_alone_until_asked_for(
    keeper: Keeper, matcher: Any, folder: Path
) -> None:
    for number in range(20):
        coloured_photo(folder / f"{number}.png", "blue", (100 + number, 48))
    matcher.gate.clear()
    job = keeper.index(folder)
    assert matcher.asked.wait(WAIT)
    keeper.cancel()
    matcher.gate.set()
    assert job.wait(WAIT)
    assert job.outcome().cancelled
    keeper.use("photos")
    assert not keeper.in_use
    assert keeper.index(folder).wait(WAIT)
    keeper.use("photos")
    assert keeper.in_use


def test_another_model_encodes_the_library_by_itself(
    jobs: JobRunner, keeper: Keeper, folder: Path
) -> None:
    in_use(keeper, folder)
    keeper.close()
    newer: Any = Gated("colours-2")
    later = Keeper(jobs, lambda: newer)
    try:
        later.use("photos")
        until(lambda: later.news.renewed == 3)
        assert len(found("photos", "colours-2")) == 3
        assert later.news.added == 0
    finally:
        later.close()


def test_switching_back_to_a_pack_that_has_encoded_everything_encodes_nothing_again(
    jobs: JobRunner, folder: Path, tmp_path: Path
) -> None:
    def matcher(pack: Path) -> Any:  # stands in for a Matcher
        made = Gated(read_manifest(pack).model_id)
        made.pack_folder = pack
        return made

    first, second = pack_of(tmp_path / "first", "first"), pack_of(tmp_path / "second", "second")
    index_folder(folder, matcher(first))
    index_folder(folder, matcher(second))
    coloured_photo(folder / "new.png", "blue")
    back = matcher(first)
    keeper = Keeper(jobs, lambda: back)
    try:
        keeper.use("photos")
        until(lambda: keeper.news.added == 1)
        assert [photo.name for photo in back.read] == ["new.png"]
        assert keeper.news.renewed == 0
        assert len(found("photos", back.model_id)) == 4
        assert len(found("photos", read_manifest(second).model_id)) == 3
    finally:
        keeper.close()


def test_what_another_program_indexes_is_left_to_it_and_tried_again(
    keeper: Keeper, matcher: Any, folder: Path
) -> None:
    index_folder(folder, matcher)
    coloured_photo(folder / "new.png", "blue")
    (card,) = cards()
    with WriterLock(card.file, card.name):
        keeper.use("photos")
        until(lambda: isinstance(keeper.news.error, LibraryBusy))
        assert keeper.news.added == 0
    until(lambda: keeper.quiet is None)
    keeper.use("photos")
    until(lambda: keeper.news.added == 1)
    assert keeper.news.error is None


def test_a_damaged_index_is_made_anew_by_itself_and_told(
    keeper: Keeper, matcher: Any, folder: Path
) -> None:
    index_folder(folder, matcher)
    (card,) = cards()
    card.file.write_bytes(b"nonsense" * 5000)
    keeper.use("photos")
    until(lambda: keeper.news.damage is not None)
    assert len(found("photos")) == 3


def test_a_library_is_let_go_of_before_it_is_deleted(
    keeper: Keeper, matcher: Any, folder: Path
) -> None:
    in_use(keeper, folder)
    matcher.gate.clear()
    matcher.asked.clear()
    coloured_photo(folder / "new.png", "blue")
    assert matcher.asked.wait(WAIT)
    threading.Timer(0.2, matcher.gate.set).start()
    keeper.let_go("photos")
    remove("photos")
    coloured_photo(folder / "later.png", "green")
    assert not keeper.in_use
    assert card_named("photos") is None


def test_a_library_deleted_while_its_indexing_waits_is_not_made_again(
    keeper: Keeper, jobs: JobRunner, matcher: Any, folder: Path
) -> None:
    index_folder(folder, matcher)
    gate = threading.Event()
    jobs.submit(lambda progress, cancelled: gate.wait(WAIT))
    job = keeper.index(folder)
    keeper.let_go("photos")
    remove("photos")
    gate.set()
    assert job.wait(WAIT)
    assert job.outcome().cancelled
    assert cards() == []


def test_a_library_that_another_program_deleted_is_not_made_again(
    keeper: Keeper, folder: Path
) -> None:
    in_use(keeper, folder)
    remove("photos")
    coloured_photo(folder / "new.png", "blue")
    until(lambda: isinstance(keeper.news.error, LibraryUnknown))
    assert list(libraries_dir().iterdir()) == []


def test_a_library_that_another_program_renamed_is_still_watched(
    keeper: Keeper, folder: Path
) -> None:
    in_use(keeper, folder)
    until(lambda: keeper.quiet is None)
    rename("photos", "pictures")
    coloured_photo(folder / "new.png", "blue")
    until(lambda: keeper.news.added == 1)
    assert "new.png" in found("pictures")
    assert keeper.news.error is None


def test_a_library_is_renamed_only_while_it_is_not_being_indexed(
    keeper: Keeper, matcher: Any, folder: Path
) -> None:
    matcher.gate.clear()
    job = keeper.index(folder, "photos")
    assert matcher.asked.wait(WAIT)
    with pytest.raises(LibraryIndexing):
        keeper.rename("photos", "pictures")
    matcher.gate.set()
    assert job.wait(WAIT)
    keeper.rename("photos", "pictures")
    assert keeper.asked_for == (folder, "pictures")
    assert len(found("pictures")) == 3


def test_what_is_under_way_is_not_begun_twice(keeper: Keeper, matcher: Any, folder: Path) -> None:
    matcher.gate.clear()
    job = keeper.index(folder)
    assert matcher.asked.wait(WAIT)
    assert keeper.index(folder) is job
    assert keeper.is_indexing("photos")
    matcher.gate.set()
    assert job.wait(WAIT)
    assert not keeper.is_indexing("photos")
    assert keeper.index(folder) is not job


def test_no_library_is_made_for_an_empty_folder(keeper: Keeper, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    job = keeper.index(tmp_path / "empty")
    assert job.wait(WAIT)
    with pytest.raises(NoPhotos):
        job.outcome()
    assert cards() == []


def test_nothing_is_begun_once_it_is_closed(keeper: Keeper, folder: Path) -> None:
    in_use(keeper, folder)
    keeper.close()
    coloured_photo(folder / "new.png", "blue")
    keeper.use("photos")
    assert not keeper.in_use
    assert keeper.quiet is None or keeper.quiet.wait(WAIT)
