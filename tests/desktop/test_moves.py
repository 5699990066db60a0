from __future__ import annotations

from pathlib import Path

from desktop.moves import Moves
from engine.types import BatchRow, VerifyRow


def moved(source: Path, target: Path, moves: Moves) -> None:
    source.rename(target)
    moves.add([(source, target)])


def test_a_moved_photo_is_found_and_others_are_left(tmp_path: Path) -> None:
    moves = Moves()
    first, second, other = tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "c.jpg"
    first.write_bytes(b"a")
    moved(first, second, moves)
    assert moves.where(first) == second
    assert moves.where(other) == other


def test_a_photo_is_followed_there_and_back_and_further(tmp_path: Path) -> None:
    moves = Moves()
    first, second, third = (tmp_path / f"{n}.jpg" for n in range(3))
    first.write_bytes(b"a")
    moved(first, second, moves)
    moved(second, first, moves)
    assert moves.where(first) == first
    assert moves.where(second) == first
    moved(first, third, moves)
    assert moves.where(first) == moves.where(second) == third


def test_a_new_photo_in_an_old_place_is_that_photo(tmp_path: Path) -> None:
    moves = Moves()
    first, second = tmp_path / "a.jpg", tmp_path / "b.jpg"
    first.write_bytes(b"a")
    moved(first, second, moves)
    first.write_bytes(b"new")
    assert moves.where(first) == first


def test_a_photo_that_is_gone_everywhere_ends_the_search(tmp_path: Path) -> None:
    moves = Moves()
    first, second = tmp_path / "a.jpg", tmp_path / "b.jpg"
    moves.add([(first, second), (second, first), (first, second)])
    assert moves.where(first) == second


def test_a_row_names_where_its_photos_are_now(tmp_path: Path) -> None:
    moves = Moves()
    first, second, rival, beaten = (tmp_path / f"{name}.jpg" for name in "abcd")
    first.write_bytes(b"a")
    rival.write_bytes(b"c")
    moved(first, second, moves)
    moved(rival, beaten, moves)
    assert moves.row(BatchRow(first, "red", rival=rival), None) == BatchRow(
        second, "red", rival=beaten
    )
    # What was named without its folder keeps its name for as long as it is there.
    assert moves.row(VerifyRow(Path("a.jpg"), "red"), tmp_path).photo == second
    assert moves.row(VerifyRow(Path("b.jpg"), "red"), tmp_path).photo == Path("b.jpg")
