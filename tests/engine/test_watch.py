from __future__ import annotations

import os
import queue
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from engine.index import Library, index_folder
from engine.watch import Watcher, _mounted_as
from tests.fixtures import photos
from tests.fixtures.encoder import TinyEncoder
from tests.fixtures.kept import kept

WAIT = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos.folder_of(tmp_path / "photos" / "album", 2)
    return tmp_path / "photos"


@contextmanager
def watched(folder: Path, polling: bool = False) -> Iterator[queue.Queue[list[Path]]]:
    """What is told of a folder. Times are short, so that tests are."""
    told: queue.Queue[list[Path]] = queue.Queue()
    watcher = Watcher(folder, told.put, polling, 50, 50, 50)
    watcher.start()
    try:
        yield told
    finally:
        watcher.stop()


def until(told: queue.Queue[list[Path]], wanted: Path) -> None:
    while wanted not in told.get(timeout=WAIT):
        pass


@pytest.mark.parametrize("polling", [False, True])
def test_a_new_a_changed_and_a_deleted_photo_are_told(folder: Path, polling: bool) -> None:
    with watched(folder, polling) as told:
        assert told.get(timeout=WAIT) == [folder]  # it may have changed before
        new = photos.save(photos.noise(seed=5), folder / "album" / "new.jpg")
        until(told, folder / "album")
        photos.save(photos.noise(50, 60, seed=6), new)
        later = time.time() + 10  # polling tells seconds apart, no less
        os.utime(new, (later, later))
        until(told, folder / "album")
        new.unlink()
        until(told, folder / "album")


def test_folders_that_come_and_go_are_told(folder: Path, tmp_path: Path) -> None:
    with watched(folder) as told:
        until(told, folder)
        photos.folder_of(tmp_path / "trip", 2)
        (tmp_path / "trip").rename(folder / "trip")
        until(told, folder / "trip")
        photos.save(photos.noise(seed=7), folder / "trip" / "more" / "late.jpg")
        until(told, folder / "trip" / "more")
        shutil.rmtree(folder / "trip")
        until(told, folder)


def test_other_files_are_not_told(folder: Path) -> None:
    with watched(folder) as told:
        until(told, folder)
        (folder / "notes.txt").write_text("no photo")
        (folder / ".hidden.jpg").write_text("no photo")
        photos.save(photos.noise(seed=8), folder / "album" / "new.jpg")
        assert told.get(timeout=WAIT) == [folder / "album"]


def test_a_folder_is_watched_once_it_appears_and_again_when_it_returns(
    folder: Path, tmp_path: Path
) -> None:
    folder.rename(tmp_path / "unplugged")
    with watched(folder) as told:
        (tmp_path / "unplugged").rename(folder)
        until(told, folder)
        folder.rename(tmp_path / "unplugged")
        photos.folder_of(tmp_path / "unplugged" / "new", 1)
        shutil.copytree(tmp_path / "unplugged", folder)
        until(told, folder)


def test_what_is_told_is_enough_to_keep_an_index_up_to_date(folder: Path) -> None:
    encoder = TinyEncoder()
    with watched(folder) as told:
        until(told, folder)
        index_folder(folder, encoder)
        (folder / "album" / "000.jpg").unlink()
        (folder / "album" / "001.jpg").rename(folder / "moved.jpg")
        wanted = [folder / "moved.jpg"]
        while True:
            for part in told.get(timeout=WAIT):
                index_folder(part, encoder)
            library = Library.find(folder)
            assert library is not None
            with closing(library):
                if list(kept(library, encoder.model_id)) == wanted:
                    break
    assert sum(encoder.encoded) == 2


def test_without_watchfiles_a_folder_is_told_once_and_the_log_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with watched(folder) as told:
        assert told.get(timeout=WAIT) == [folder]
    assert told.empty()
    assert caplog.messages == [f"{folder}: it is not watched, as watchfiles is not installed"]


def test_that_a_folder_is_polled_is_said_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "engine.watch")
    with watched(folder, polling=True) as told:
        until(told, folder)
        shutil.move(folder, folder.with_name("elsewhere"))
        shutil.move(folder.with_name("elsewhere"), folder)
        photos.folder_of(folder / "album" / "more", 1)
        told.get(timeout=WAIT)
    assert [message for message in caplog.messages if "looked through every" in message] == [
        f"{folder}: looked through every 0.05 s, as it tells of no changes"
    ]


def test_a_watch_that_never_began_can_be_stopped(folder: Path) -> None:
    Watcher(folder, lambda folders: None).stop()


def test_shares_are_known_by_what_is_mounted() -> None:
    mounts = [
        "/dev/vda / ext4 rw 0 0",
        "nas:/photos /mnt/my\\040nas nfs4 rw 0 0",
        "//pc/share /mnt/my\\040nas/pc cifs rw 0 0",
    ]
    assert _mounted_as(Path("/home/me"), mounts) == "ext4"
    assert _mounted_as(Path("/mnt/my nas"), mounts) == "nfs4"
    assert _mounted_as(Path("/mnt/my nas/a/b"), mounts) == "nfs4"
    assert _mounted_as(Path("/mnt/my nas/pc/a"), mounts) == "cifs"
