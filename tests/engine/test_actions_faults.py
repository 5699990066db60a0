from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import action_files, action_transfer, actions
from engine.action_journal import Journal, StepState
from engine.action_plan import Kind, plan_by_caption, plan_selection
from engine.actions import ActionState, list_actions, run, undo
from engine.errors import (
    ActionsBusy,
    DiskFull,
    FolderMissing,
    JournalUnusable,
    SpaceMissing,
    TargetUnwritable,
    TargetVanished,
)
from engine.sqlite_file import lock_path
from engine.types import BatchRow
from tests.fixtures import drives
from tests.fixtures import photos as made
from tests.fixtures.acting import KINDS, act, codes, files, states, take_back


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return made.folder_of(tmp_path / "photos", 4)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "sorted"


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Path]:
    """A drive of 1 MB."""
    folder = tmp_path / "drive"
    drives.mount(folder, 1024)
    yield folder
    drives.unmount(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_one_photo_that_fails_does_not_stop_the_others(
    photos: list[Path], into: Path, kind: Kind
) -> None:
    plan = plan_selection(photos, into, kind)
    photos[1].unlink()
    photos[2].unlink()
    photos[2].mkdir()
    seen: list[tuple[int, int]] = []
    with Journal() as journal:
        report = run(plan, journal, lambda done, total: seen.append((done, total)))
    assert [failed.photo for failed in report.failures] == photos[1:3]
    assert "Check the name" in report.failures[0].message
    assert codes(report) == ["photo_missing", "photo_unreadable"]
    assert list(files(into)) == ["000.jpg", "003.jpg"]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("kind", KINDS)
def test_cancelling_keeps_what_is_done_and_it_can_be_undone(
    photos: list[Path], into: Path, kind: Kind
) -> None:
    before = files(photos[0].parent)
    with Journal() as journal:
        report = run(
            plan_selection(photos, into, kind), journal,
            cancelled=iter([False, False, True]).__next__,
        )  # fmt: skip
    assert report.cancelled
    assert len(report.done) == 2
    assert list(files(into)) == ["000.jpg", "001.jpg"]
    with Journal() as journal:
        (action,) = list_actions(journal)
    assert (action.state, action.done, action.total) == (ActionState.INTERRUPTED, 2, 4)
    take_back()
    assert files(photos[0].parent) == before
    assert not into.exists()


def test_too_little_space_is_said_before_anything_is_done(photos: list[Path], drive: Path) -> None:
    photos[0].write_bytes(bytes(2_000_000))
    for kind in KINDS:
        with pytest.raises(SpaceMissing, match=r"2\.0 MB are needed and 1\.0 MB are free"):
            act(photos[:1], drive / "sorted", kind)
    assert list(drive.iterdir()) == []
    assert states() == []


def test_moving_on_one_drive_needs_no_space(drive: Path) -> None:
    photo = drive / "a.jpg"
    photo.write_bytes(bytes(900_000))
    assert len(act([photo], drive / "sorted", "move").done) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fills_up_ends_it_with_what_was_done_kept_and_named(
    photos: list[Path], drive: Path, kind: Kind
) -> None:
    for photo in photos:
        photo.write_bytes(os.urandom(200_000))
    before = files(photos[0].parent)

    def fill(done: int, total: int) -> None:
        if done == 2:
            (drive / "big").write_bytes(bytes(550_000))

    with Journal() as journal:
        report = run(plan_selection(photos, drive / "sorted", kind), journal, fill)
    assert isinstance(report.stopped, DiskFull)
    assert [new.name for _, new in report.done] == ["000.jpg", "001.jpg"]
    copied = {name: before[name] for name in ["000.jpg", "001.jpg"]}
    assert files(drive / "sorted") == copied
    left = before if kind == "copy" else {name: before[name] for name in ["002.jpg", "003.jpg"]}
    assert files(photos[0].parent) == left
    assert states() == [ActionState.INTERRUPTED]
    take_back()
    assert files(photos[0].parent) == before
    assert files(drive).keys() == {"big"}


@pytest.mark.parametrize("kind", KINDS)
def test_no_room_for_the_journal_ends_it_between_two_photos(
    photos: list[Path], into: Path, drive: Path, kind: Kind
) -> None:
    before = files(photos[0].parent)
    journal = Journal(drive / "actions.sqlite")

    def fill(done: int, total: int) -> None:
        if done == 2:
            with (drive / "big").open("wb", buffering=0) as file:
                while file.write(bytes(1024)) == 1024:
                    pass

    def fill_up(done: int, total: int) -> None:
        try:
            fill(done, total)
        except OSError:
            return

    with journal:
        report = run(plan_selection(photos, into, kind), journal, fill_up)
        assert isinstance(report.stopped, JournalUnusable)
        assert [new.name for _, new in report.done] == ["000.jpg", "001.jpg"]
        (drive / "big").unlink()
        (action,) = list_actions(journal)
        assert (action.state, action.done) == (ActionState.INTERRUPTED, 2)
        undo(journal)
    assert files(photos[0].parent) == before
    assert not into.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_vanishes_ends_it(photos: list[Path], into: Path, kind: Kind) -> None:
    before = files(photos[0].parent)
    away = into.with_name("away")
    with Journal() as journal:
        report = run(
            plan_selection(photos, into, kind), journal,
            lambda done, total: into.rename(away) if done == 2 else None,
        )  # fmt: skip
    assert isinstance(report.stopped, TargetVanished)
    assert len(report.done) == 2
    assert not into.exists()
    away.rename(into)
    take_back()
    assert files(photos[0].parent) == before


def test_nothing_is_written_where_a_drive_was(photos: list[Path], drive: Path) -> None:
    rows = [BatchRow(photo, f"caption {n}", match=True, rank=1) for n, photo in enumerate(photos)]
    with Journal() as journal:
        report = run(
            plan_by_caption(rows, drive), journal,
            lambda done, total: drives.unmount(drive) if done == 2 else None,
        )  # fmt: skip
    assert isinstance(report.stopped, TargetVanished)
    assert len(report.done) == 2
    assert list(drive.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_on_a_missing_drive_is_named(
    photos: list[Path], tmp_path: Path, kind: Kind
) -> None:
    with pytest.raises(FolderMissing):
        act(photos, tmp_path / "usb" / "sorted", kind)
    with pytest.raises(FolderMissing):
        act(photos[:1], photos[1], kind)
    assert states() == []


def test_a_read_only_target_is_named_and_nothing_is_done(photos: list[Path], drive: Path) -> None:
    drives.make_read_only(drive)
    for folder in (drive, drive / "sorted"):
        with pytest.raises(TargetUnwritable):
            act(photos, folder)
    assert states() == []


def test_one_read_only_folder_does_not_stop_the_others(photos: list[Path], into: Path) -> None:
    (into / "a cat").mkdir(parents=True)
    drives.mount(into / "a cat", 64)
    try:
        drives.make_read_only(into / "a cat")
        rows = [
            BatchRow(p, c, match=True, rank=1)
            for p, c in zip(photos, ["a cat", "a dog"], strict=False)
        ]
        with Journal() as journal:
            report = run(plan_by_caption(rows, into), journal)
        assert [(failed.photo, failed.code) for failed in report.failures] == [
            (photos[0], "photo_not_transferred")
        ]
        assert "Read-only" in report.failures[0].message
        assert list(files(into)) == ["a dog/001.jpg"]
    finally:
        drives.unmount(into / "a cat")


def test_a_photo_that_cant_be_deleted_where_it_is_is_not_moved(into: Path, drive: Path) -> None:
    photos = made.folder_of(drive, 2)
    before = files(drive)
    drives.make_read_only(drive)
    report = act(photos, into, "move")
    assert codes(report) == ["photo_not_transferred"] * 2
    assert not into.exists()
    assert files(drive) == before
    assert len(act(photos, into).done) == 2


# The journal


def test_actions_are_listed_the_newest_first(photos: list[Path], into: Path) -> None:
    act(photos[:3], into)
    act(photos[3:], into, "move")
    with Journal() as journal:
        newest, oldest = list_actions(journal)
    assert (newest.kind, newest.into, newest.total, newest.done) == ("move", into, 1, 1)
    assert (oldest.kind, oldest.into, oldest.total, oldest.done) == ("copy", into, 3, 3)
    assert oldest.began.tzinfo is not None
    assert oldest.began <= newest.began


def test_a_look_at_what_is_settled_only_reads(photos: list[Path], into: Path) -> None:
    act(photos, into)
    with Journal() as journal:
        lock_path(journal.path).unlink()
        (action,) = list_actions(journal)
        assert action.state is ActionState.DONE
        assert not lock_path(journal.path).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="names are text there, whatever they hold")
def test_names_that_are_no_text_survive_the_journal(tmp_path: Path, into: Path) -> None:
    photo = tmp_path / os.fsdecode(b"\xff\xfe.jpg")
    photo.write_bytes(b"content")
    act([photo], into, "move")
    assert (into / photo.name).exists()
    take_back()
    assert photo.read_bytes() == b"content"


def test_two_programs_do_not_act_at_the_same_time(photos: list[Path], into: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, *map(str, photos), str(into)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stdout is not None
    assert other.stdout.readline() == "half way\n"
    with pytest.raises(ActionsBusy):
        act(photos, into)
    with pytest.raises(ActionsBusy):
        take_back()
    assert states() == [ActionState.RUNNING]
    other.communicate("go on")
    assert states() == [ActionState.DONE]


HOLD = """
import sys
from pathlib import Path
from engine.action_journal import Journal
from engine.action_plan import plan_selection
from engine.actions import run

def wait(done, total):
    if done == 2:
        print("half way", flush=True)
        sys.stdin.read()

*photos, into = map(Path, sys.argv[1:])
with Journal() as journal:
    run(plan_selection(photos, into), journal, wait)
"""


def test_what_cant_be_told_now_is_told_when_the_folder_is_back(
    photos: list[Path], into: Path
) -> None:
    act(photos[:2], into)
    with Journal() as journal:  # as a kill just after the renaming leaves it
        journal.mark(StepState.BEGUN, journal.entries(1)[0])
    away = into.rename(into.with_name("away"))
    with Journal() as journal:
        (action,) = list_actions(journal)
    assert (action.state, action.done, action.unknown) == (ActionState.INTERRUPTED, 1, 1)
    assert codes(take_back()) == ["photo_missing", "photo_missing"]
    away.rename(into)
    assert states() == [ActionState.DONE]


@pytest.mark.parametrize("content", [b"no database at all, not even nearly" * 40, b""])
def test_a_journal_that_cant_be_used_is_named(
    photos: list[Path], into: Path, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "actions.sqlite"
    path.write_bytes(content)
    if content:
        with pytest.raises(JournalUnusable, match=r"actions\.sqlite"):
            Journal(path)
        assert path.read_bytes() == content
        return
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalUnusable, match="newer"):
        Journal(path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_drive_is_waited_for_once_for_many_photos(
    tmp_path: Path, into: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []

    def sync(folder: Path) -> None:
        synced.append(folder)
        action_files.sync_folder(folder)

    monkeypatch.setattr(action_transfer, "sync_folder", sync)
    monkeypatch.setattr(actions, "AT_ONCE", 4)
    into.mkdir(exist_ok=True)
    photos = made.folder_of(tmp_path / "many", 10)
    before = files(tmp_path / "many")
    report = act(photos, into, kind)
    assert len(report.done) == 10
    folders = {into} if kind == "copy" else {into, tmp_path / "many"}
    assert set(synced) == folders
    assert len(synced) == 3 * len(folders)
    assert len(take_back().done) == 10
    assert len(synced) == 6 * len(folders)
    assert files(tmp_path / "many") == before
    assert files(into) == {}
