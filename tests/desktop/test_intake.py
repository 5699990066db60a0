from __future__ import annotations

from pathlib import Path

import pytest

from desktop.intake import as_path, told_apart
from tests.fixtures.coloured import coloured_photo


def test_photos_folders_and_what_cannot_be_used_are_told_apart(tmp_path: Path) -> None:
    photo = coloured_photo(tmp_path / "日落 %20.jpg", "red")
    folder = coloured_photo(tmp_path / "holiday" / "below" / "a.png", "red").parents[1]
    notes = tmp_path / "notes.txt"
    notes.write_text("no picture")
    empty = tmp_path / "empty"
    empty.mkdir()
    gone = tmp_path / "gone.jpg"

    came = told_apart([str(path) for path in (notes, photo, gone, folder, empty, photo)])
    assert came.photos == [photo]
    assert came.folders == [folder]
    assert [(one.photo, one.code) for one in came.unusable] == [
        (notes, "photo_not_an_image"), (gone, "photo_missing"), (empty, "no_photos"),
    ]  # fmt: skip


def test_a_file_with_a_model_pack_is_known_by_its_ending(tmp_path: Path) -> None:
    packed = tmp_path / "Other.PAIRLENS"
    packed.write_bytes(b"it is looked into when it is imported")
    gone = tmp_path / "gone.pairlens"
    came = told_apart([str(packed), str(gone)])
    assert (came.packs, came.photos) == ([packed], [])
    assert [one.photo for one in came.unusable] == [gone]


def test_a_photo_without_an_ending_is_a_photo_by_its_content(tmp_path: Path) -> None:
    photo = coloured_photo(tmp_path / "a.png", "red").rename(tmp_path / "scan")
    assert told_apart([str(photo)]).photos == [photo]


def test_nothing_is_nothing() -> None:
    came = told_apart([])
    assert not came.photos
    assert not came.folders
    assert not came.unusable


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("/a/b c.jpg", "/a/b c.jpg"),
        ("file:///a/b%20c%2520.jpg", "/a/b c%20.jpg"),
        ("file://localhost/a/%E6%97%A5.jpg", "/a/日.jpg"),
        ("FILE:///a/b.jpg", "/a/b.jpg"),
    ],
)
def test_a_uri_of_a_file_is_its_path(given: str, path: str) -> None:
    assert as_path(given) == Path(path)


def test_a_relative_path_is_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert as_path("a.jpg") == tmp_path / "a.jpg"
