from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from PIL import Image

from desktop.moves import Moves
from desktop.thumbnails import LIMIT, Thumbnails
from tests.fixtures.coloured import coloured_photo


def made(tmp_path: Path, limit: int = LIMIT) -> Thumbnails:
    return Thumbnails(tmp_path / "cache" / "thumbnails", Moves().where, limit)


def shown(thumbnails: Thumbnails, photo: Path) -> Path:
    path = thumbnails.file(thumbnails.key(photo), "small")
    assert path is not None
    return path


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
    moves = Moves()
    thumbnails = Thumbnails(tmp_path / "thumbnails", moves.where)
    photo = coloured_photo(tmp_path / "a.png", "red")
    key = thumbnails.key(photo)
    photo.rename(tmp_path / "b.png")
    assert thumbnails.file(key, "small") is None
    moves.add([(photo, tmp_path / "b.png")])
    assert thumbnails.file(key, "small") is not None
    assert thumbnails.photo(key) == photo


def test_a_copy_is_found_again_at_the_next_start_and_nobody_else_can_read_it(
    tmp_path: Path,
) -> None:
    photo = coloured_photo(tmp_path / "a.png", "red")
    copy = shown(made(tmp_path), photo)
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    when, content = photo.stat().st_mtime_ns, photo.read_bytes()
    # Whoever read it again would find that it is no picture.
    photo.write_bytes(b"x" * len(content))
    os.utime(photo, ns=(when, when))
    assert shown(made(tmp_path), photo) == copy
    os.utime(photo, ns=(when, when + 1))
    again = made(tmp_path)
    assert again.file(again.key(photo), "small") is None


def test_what_was_looked_at_longest_ago_goes_when_there_is_too_much(tmp_path: Path) -> None:
    photos = [coloured_photo(tmp_path / f"{n}.png", "red") for n in range(12)]
    first = shown(made(tmp_path), photos[0])
    limit = 5 * first.stat().st_size
    thumbnails = made(tmp_path, limit)
    for number, photo in enumerate(photos):
        path = shown(thumbnails, photo)
        os.utime(path, (number, number))
        if photo != photos[-1]:
            shown(thumbnails, photos[0])
    assert 0 < thumbnails.size() <= limit
    left = {path.name for path in first.parent.iterdir()}
    assert {first.name, path.name} <= left
    assert len(left) < 6


def test_all_copies_can_be_deleted_and_are_made_again(tmp_path: Path) -> None:
    thumbnails = made(tmp_path)
    assert thumbnails.size() == 0
    copy = shown(thumbnails, coloured_photo(tmp_path / "a.png", "red"))
    assert thumbnails.size() == copy.stat().st_size
    thumbnails.clear()
    assert thumbnails.size() == 0
    assert shown(thumbnails, tmp_path / "a.png") == copy
    shutil.rmtree(copy.parent)
    assert shown(thumbnails, tmp_path / "a.png").is_file()


def test_a_photo_that_comes_to_the_place_of_a_lost_one_is_not_taken_for_it(tmp_path: Path) -> None:
    photo, moves = tmp_path / "a.png", Moves()
    thumbnails = Thumbnails(tmp_path / "thumbnails", moves.where)
    key = thumbnails.key(photo)
    moves.add([(photo, coloured_photo(tmp_path / "b.png", "red"))])
    assert thumbnails.file(key, "small") is not None
    again = Thumbnails(tmp_path / "thumbnails", Moves().where)
    assert again.file(again.key(photo), "small") is None
