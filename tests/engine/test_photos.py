from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest

from engine.errors import FolderMissing
from engine.photos import find_photos, holds_photos, walk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_photos_are_found_in_all_folders_sorted_by_path(folder: Path) -> None:
    wanted = [touch(folder / name) for name in ("b.jpg", "a/c.png", "a-b/d.webp", "a/x/e.HEIC")]
    touch(folder / "notes.txt")
    touch(folder / "jpg")
    (folder / "folder.jpg").mkdir()

    assert find_photos(folder) == sorted(wanted)


def test_hidden_files_and_folders_are_left_out(folder: Path) -> None:
    touch(folder / ".hidden.jpg")
    touch(folder / ".thumbnails" / "a.jpg")
    seen = touch(folder / "a.jpg")

    assert find_photos(folder) == [seen]


def test_a_hidden_folder_that_was_asked_for_is_looked_through(folder: Path) -> None:
    seen = touch(folder / ".secret" / "a.jpg")

    assert find_photos(folder / ".secret") == [seen]


def test_links_in_a_circle_come_to_an_end(folder: Path) -> None:
    seen = touch(folder / "deep" / "a.jpg")
    (folder / "deep" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "self.jpg").symlink_to(folder / "self.jpg")
    (folder / "nowhere.jpg").symlink_to(folder / "gone.jpg")

    assert find_photos(folder) == [seen]


def test_a_link_to_a_folder_elsewhere_is_followed_once(folder: Path, tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere" / "a.jpg")
    (folder / "one").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (folder / "two").symlink_to(tmp_path / "elsewhere", target_is_directory=True)

    assert find_photos(folder) == [folder / "one" / "a.jpg"]


def test_a_folder_inside_keeps_its_own_path_rather_than_a_links(folder: Path) -> None:
    seen = touch(folder / "z" / "a.jpg")
    (folder / "a").symlink_to(folder / "z", target_is_directory=True)

    assert find_photos(folder) == [seen]


def test_a_link_to_a_photo_counts(folder: Path, tmp_path: Path) -> None:
    (folder / "a.jpg").symlink_to(touch(tmp_path / "real.jpg"))

    assert find_photos(folder) == [folder / "a.jpg"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes such names")
def test_names_in_no_known_encoding_are_found(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    touch(folder / name)

    assert [path.name for path in find_photos(folder)] == [name]


def test_a_missing_folder_is_named(folder: Path) -> None:
    with pytest.raises(FolderMissing, match="gone"):
        find_photos(folder / "gone")


def test_a_file_is_no_folder(folder: Path) -> None:
    with pytest.raises(FolderMissing):
        find_photos(touch(folder / "a.jpg"))


def test_a_folder_that_can_not_be_listed_is_left_out_with_a_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    touch(folder / "closed" / "a.jpg")
    seen = touch(folder / "open" / "b.jpg")
    scandir = os.scandir

    def guarded(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    # Taking the permission away would not stop root, who may be running this.
    monkeypatch.setattr(os, "scandir", guarded)

    with caplog.at_level(logging.WARNING):
        found = walk(folder)

    assert found.photos == [seen]
    assert found.unreadable == [folder / "closed"]
    assert "Permission denied" in caplog.text


def test_a_look_for_any_photo_goes_no_further_than_the_first(folder: Path) -> None:
    for number in range(20):
        touch(folder / f"{number}" / "a.jpg")
    asked = []
    assert holds_photos(folder, lambda: bool(asked.append(1)))
    assert len(asked) == 2  # before the folder itself, and before one below it


def test_a_look_for_any_photo_tells_none_from_not_known(folder: Path) -> None:
    assert holds_photos(folder) is False
    touch(folder / "below" / "a.jpg")
    assert holds_photos(folder) is True
    answers = iter([False, True])
    assert holds_photos(folder, lambda: next(answers)) is None
    with pytest.raises(FolderMissing):
        holds_photos(folder / "gone")
