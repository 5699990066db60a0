from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from desktop.moves import Moves
from desktop.thumbnails import Thumbnails
from tests.fixtures.coloured import coloured_photo


def made(tmp_path: Path) -> Thumbnails:
    folder = tmp_path / "thumbnails"
    folder.mkdir()
    return Thumbnails(folder, Moves().where)


def test_a_photo_is_shown_small_with_its_sides_in_proportion(tmp_path: Path) -> None:
    thumbnails = made(tmp_path)
    photo = coloured_photo(tmp_path / "big.png", "red", (1800, 900))
    path = thumbnails.file(thumbnails.key(photo), "small")
    assert path is not None
    with Image.open(path) as small:
        assert small.format == "JPEG"
        assert small.size == (360, 180)


def test_a_key_that_was_not_handed_out_shows_nothing(tmp_path: Path) -> None:
    thumbnails = made(tmp_path)
    photo = coloured_photo(tmp_path / "a.png", "red")
    other = Thumbnails(tmp_path, Moves().where)
    assert thumbnails.file(other.key(photo), "small") is None
    assert thumbnails.file(thumbnails.key(photo), "../../etc") is None


def test_a_changed_photo_has_another_key(tmp_path: Path) -> None:
    thumbnails = made(tmp_path)
    photo = coloured_photo(tmp_path / "a.png", "red")
    before = thumbnails.key(photo)
    assert thumbnails.key(photo) == before
    os.utime(photo, ns=(1, 1))
    assert thumbnails.key(photo) != before


def test_a_photo_that_cannot_be_opened_shows_nothing(tmp_path: Path) -> None:
    thumbnails = made(tmp_path)
    text = tmp_path / "notes.jpg"
    text.write_text("no picture")
    assert thumbnails.file(thumbnails.key(text), "small") is None
    assert thumbnails.file(thumbnails.key(tmp_path / "gone.jpg"), "small") is None


def test_a_photo_that_was_moved_is_still_shown(tmp_path: Path) -> None:
    folder = tmp_path / "thumbnails"
    folder.mkdir()
    moves = Moves()
    thumbnails = Thumbnails(folder, moves.where)
    photo = coloured_photo(tmp_path / "a.png", "red")
    key = thumbnails.key(photo)
    photo.rename(tmp_path / "b.png")
    assert thumbnails.file(key, "small") is None
    moves.add([(photo, tmp_path / "b.png")])
    assert thumbnails.file(key, "small") is not None
    assert thumbnails.photo(key) == photo
