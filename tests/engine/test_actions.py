from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine import action_files
from engine.action_journal import Journal
from engine.action_plan import Kind, plan_by_caption, plan_selection
from engine.actions import ActionState, run, undo
from engine.errors import (
    ActionMissing,
)
from engine.types import BatchRow
from tests.fixtures import drives
from tests.fixtures import photos as made
from tests.fixtures.acting import KINDS, act, codes, files, states, take_back


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = made.folder_of(tmp_path / "photos", 4)
    for number, path in enumerate(paths):
        os.utime(path, ns=(1_500_000_000_000_000_000, 1_600_000_000_123_456_000 + number))
    return paths


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "sorted"


def test_copies_have_the_bytes_times_and_permissions(photos: list[Path], into: Path) -> None:
    photos[1].chmod(0o440)
    report = act(photos, into)
    assert report.done == [(photo, into / photo.name) for photo in photos]
    assert (report.failures, report.stopped, report.cancelled) == ([], None, False)
    assert files(into) == files(photos[0].parent)
    for photo in photos:
        old, new = photo.stat(), (into / photo.name).stat()
        assert (old.st_mtime_ns, old.st_mode) == (new.st_mtime_ns, new.st_mode)


def test_moved_photos_are_the_same_files(photos: list[Path], into: Path) -> None:
    before = [photo.stat() for photo in photos]
    act(photos, into, "move")
    assert files(photos[0].parent) == {}
    for old, photo in zip(before, photos, strict=True):
        assert os.path.samestat(old, (into / photo.name).stat())


def test_photos_move_to_another_drive_with_their_times(photos: list[Path], tmp_path: Path) -> None:
    before, times = files(photos[0].parent), [photo.stat().st_mtime_ns for photo in photos]
    with drives.another_drive(tmp_path) as drive:
        act(photos, drive / "sorted", "move")
        assert files(drive / "sorted") == before
        assert [(drive / "sorted" / p.name).stat().st_mtime_ns for p in photos] == times
        assert files(photos[0].parent) == {}
        assert len(take_back().done) == 4
        assert list(drive.iterdir()) == []
    assert files(photos[0].parent) == before
    assert [photo.stat().st_mtime_ns for photo in photos] == times


def test_photos_go_below_the_folders_of_their_captions(photos: list[Path], into: Path) -> None:
    rows = [
        BatchRow(p, c, match=True, rank=1)
        for p, c in zip(photos, ["a cat", "a dog"] * 2, strict=True)
    ]
    with Journal() as journal:
        run(plan_by_caption(rows, into), journal)
    assert list(files(into)) == [
        "a cat/000.jpg", "a cat/002.jpg", "a dog/001.jpg", "a dog/003.jpg",
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege there")
def test_a_link_is_copied_as_the_photo_it_leads_to(photos: list[Path], into: Path) -> None:
    link = photos[0].with_name("link.jpg")
    link.symlink_to(photos[1])
    act([link], into)
    assert not (into / "link.jpg").is_symlink()
    assert (into / "link.jpg").read_bytes() == photos[1].read_bytes()
    assert len(take_back().done) == 1
    assert link.is_symlink()
    assert photos[1].exists()


def test_a_photo_that_became_a_link_after_planning_is_not_moved(
    photos: list[Path], into: Path
) -> None:
    plan = plan_selection(photos[:1], into, "move")
    elsewhere = photos[0].rename(into.with_name("elsewhere.jpg"))
    photos[0].symlink_to(elsewhere)
    with Journal() as journal:
        report = run(plan, journal)
    assert codes(report) == ["photo_is_link"]
    assert photos[0].is_symlink()


# Nothing is overwritten


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("links", [False, True])
def test_a_name_taken_after_planning_gets_a_suffix(
    photos: list[Path], into: Path, kind: Kind, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if links:  # a system or drive that can't rename without overwriting
        monkeypatch.setattr(action_files, "_exclusive_rename", lambda: None)
    content = photos[0].read_bytes()
    plan = plan_selection(photos[:1], into, kind)
    into.mkdir()
    (into / "000.jpg").write_bytes(b"somebody else's")
    with Journal() as journal:
        report = run(plan, journal)
    assert report.done == [(photos[0], into / "000 (2).jpg")]
    assert files(into) == {"000 (2).jpg": content, "000.jpg": b"somebody else's"}
    take_back()
    assert files(into) == {"000.jpg": b"somebody else's"}
    assert photos[0].read_bytes() == content


def test_where_overwriting_cant_be_ruled_out_the_photo_stays(
    photos: list[Path], into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(action_files, "_exclusive_rename", lambda: None)
    monkeypatch.setattr(os, "link", refuse)
    before = files(photos[0].parent)
    for kind in KINDS:
        report = act(photos, into, kind)
        assert set(codes(report)) == {"photo_not_transferred"}
    assert files(photos[0].parent) == before
    assert not into.exists()


# Undo


@pytest.mark.parametrize("kind", KINDS)
def test_an_action_is_undone_after_a_restart(photos: list[Path], into: Path, kind: Kind) -> None:
    before = files(into.parent / "photos")
    act(photos, into, kind)
    assert states() == [ActionState.DONE]
    report = take_back()
    assert len(report.done) == 4
    assert files(into.parent / "photos") == before
    assert not into.exists()
    assert states() == [ActionState.UNDONE]
    with pytest.raises(ActionMissing):
        take_back()


def test_folders_that_were_there_or_hold_something_stay(photos: list[Path], into: Path) -> None:
    rows = [BatchRow(photo, f"caption {n}", match=True, rank=1) for n, photo in enumerate(photos)]
    (into / "caption 0").mkdir(parents=True)
    with Journal() as journal:
        run(plan_by_caption(rows, into), journal)
    (into / "caption 1" / "note.txt").write_text("mine")
    take_back()
    assert sorted(path.name for path in into.iterdir()) == ["caption 0", "caption 1"]
    assert files(into) == {"caption 1/note.txt": b"mine"}


def test_the_last_action_is_undone_first_and_any_can_be_chosen(
    photos: list[Path], into: Path
) -> None:
    first, second = act(photos[:2], into).action, act(photos[2:], into).action
    assert take_back().action == second
    third = act(photos[2:], into).action
    assert take_back(first).action == first
    assert list(files(into)) == ["002.jpg", "003.jpg"]
    assert states() == [ActionState.DONE, ActionState.UNDONE, ActionState.UNDONE]
    with pytest.raises(ActionMissing):
        take_back(third + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_changed_since_is_left_alone_and_named(
    photos: list[Path], into: Path, kind: Kind
) -> None:
    act(photos, into, kind)
    (into / "001.jpg").write_bytes(b"edited")
    report = take_back()
    assert [(failed.photo, failed.code) for failed in report.failures] == [
        (into / "001.jpg", "photo_changed_since")
    ]
    assert files(into) == {"001.jpg": b"edited"}
    assert states() == [ActionState.PARTLY_UNDONE]


def test_a_copy_with_the_same_size_and_time_but_other_bytes_is_left_alone(
    photos: list[Path], into: Path
) -> None:
    act(photos[:1], into)
    copy = into / "000.jpg"
    time = copy.stat().st_mtime_ns
    copy.write_bytes(bytes(reversed(copy.read_bytes())))
    os.utime(copy, ns=(time, time))
    assert codes(take_back()) == ["photo_changed_since"]
    assert copy.exists()


def test_the_only_copy_left_is_not_deleted(photos: list[Path], into: Path) -> None:
    act(photos[:2], into)
    photos[0].unlink()
    photos[1].write_bytes(b"edited")
    assert codes(take_back()) == ["photo_only_copy", "photo_only_copy"]
    assert list(files(into)) == ["000.jpg", "001.jpg"]


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege there")
def test_a_link_to_the_copy_is_no_second_one(photos: list[Path], into: Path) -> None:
    act(photos[:1], into)
    photos[0].unlink()
    photos[0].symlink_to(into / "000.jpg")
    assert codes(take_back()) == ["photo_only_copy"]
    assert list(files(into)) == ["000.jpg"]


def test_a_copy_that_was_deleted_counts_as_undone(photos: list[Path], into: Path) -> None:
    act(photos[:1], into)
    (into / "000.jpg").unlink()
    assert codes(take_back()) == []
    assert states() == [ActionState.UNDONE]


def test_a_photo_does_not_go_back_onto_another_file(photos: list[Path], into: Path) -> None:
    content = photos[0].read_bytes()
    act(photos[:1], into, "move")
    photos[0].write_bytes(b"a new one")
    assert codes(take_back()) == ["photo_place_taken"]
    assert photos[0].read_bytes() == b"a new one"
    assert files(into) == {"000.jpg": content}
    assert states() == [ActionState.DONE]
    photos[0].unlink()
    take_back()
    assert photos[0].read_bytes() == content


def test_photos_do_not_go_back_into_a_folder_that_is_gone(photos: list[Path], into: Path) -> None:
    act(photos, into, "move")
    photos[0].parent.rmdir()
    assert codes(take_back()) == ["photo_not_transferred"] * 4
    photos[0].parent.mkdir()
    assert len(take_back().done) == 4


def test_undo_while_the_drive_is_away_can_be_repeated(photos: list[Path], into: Path) -> None:
    act(photos, into)
    away = into.rename(into.with_name("away"))
    assert codes(take_back()) == ["photo_missing"] * 4
    away.rename(into)
    assert len(take_back().done) == 4
    assert not into.exists()


def test_undo_can_be_cancelled_and_goes_on_later(photos: list[Path], into: Path) -> None:
    act(photos, into, "move")
    with Journal() as journal:
        report = undo(journal, cancelled=iter([False, True]).__next__)
    assert report.cancelled
    assert states() == [ActionState.PARTLY_UNDONE]
    assert len(files(into)) == 3
    assert len(take_back().done) == 3
    assert states() == [ActionState.UNDONE]
