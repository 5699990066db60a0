from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.results import BATCH_COLUMNS
from tests.fixtures import photos as made
from tests.fixtures.acting import files

PROGRAM = [sys.executable, "-c", "import sys; from desktop.cli import main; sys.exit(main())"]
KILLED = [
    sys.executable, "-c",
    "import sys, engine.actions, engine.cli_actions, tqdm; from desktop.cli import main;"
    "from tests.fixtures.killing import killer;"
    "sys.setprofile(killer(int(sys.argv.pop(1)))); sys.exit(main())",
]  # fmt: skip


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """Two photos that match a caption, one that does not, one that could not be read."""
    photos = made.folder_of(tmp_path / "photos", 4)
    path = tmp_path / "result.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, BATCH_COLUMNS)
        writer.writeheader()
        for photo, caption, label, match, rank in (
            (photos[0], "a dog", "a dog", "true", 1),
            (photos[0], "a cat", "a cat", "true", 2),
            (photos[1], "一只白色的猫", "白色的猫", "true", 1),
            (photos[2], "a dog", "a dog", "false", 1),
        ):
            writer.writerow(
                {"photo": photo, "caption": caption, "label": label, "match": match, "rank": rank}
            )
        writer.writerow({"photo": photos[3], "error": "damaged"})
    return path


@pytest.fixture
def photos(result: Path) -> Path:
    return result.with_name("photos")


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "sorted"


def pairlens(*words: str | Path, program: list[str] = PROGRAM) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program, *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", timeout=100,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def test_help_names_the_commands() -> None:
    found = pairlens("--help")
    for command in ["copy", "move", "actions", "undo"]:
        assert f"\n    {command} " in found.stdout


def test_a_dry_run_lists_every_step_and_does_nothing(
    result: Path, photos: Path, into: Path
) -> None:
    before = files(result.parent)
    found = pairlens("move", result, "--into", into, "--unmatched", "rest", "--dry-run")
    assert found.returncode == 0
    assert found.stdout.splitlines() == [
        f"move  {photos / '000.jpg'}  ->  {into / 'a dog' / '000.jpg'}",
        f"move  {photos / '001.jpg'}  ->  {into / '白色的猫' / '001.jpg'}",
        f"move  {photos / '002.jpg'}  ->  {into / 'rest' / '002.jpg'}",
    ]
    assert "Nothing was done" in found.stderr
    assert files(result.parent) == before
    assert not into.exists()


def test_without_a_terminal_nothing_is_done_unless_yes_is_given(result: Path, into: Path) -> None:
    found = pairlens("copy", result, "--into", into)
    assert found.returncode == 2
    assert "Copy 2 photos" in found.stderr
    assert "Add --yes" in found.stderr
    assert not into.exists()


def test_copy_list_and_undo(result: Path, photos: Path, into: Path) -> None:
    before = files(photos)
    found = pairlens("copy", result, "--into", into, "--yes")
    assert found.returncode == 0
    assert "2 of 2 photos copied" in found.stderr
    assert list(files(into)) == ["a dog/000.jpg", "白色的猫/001.jpg"]
    listed = pairlens("actions").stdout
    assert "copy  done" in listed
    assert f"2 of 2 photos  {into}" in listed
    assert pairlens("undo").returncode == 0
    assert (files(photos), into.exists()) == (before, False)
    assert "copy  undone" in pairlens("actions").stdout
    assert pairlens("undo").returncode == 2


def test_move_and_undo_by_number(result: Path, photos: Path, into: Path) -> None:
    before = files(photos)
    found = pairlens("move", result, "--into", into, "--unmatched", "rest", "--yes")
    assert "pairlens undo 1" in found.stderr
    assert list(files(photos)) == ["003.jpg"]
    assert pairlens("undo", "2").returncode == 2
    assert pairlens("undo", "1").returncode == 0
    assert files(photos) == before


def test_photos_that_fail_are_named_and_the_code_says_so(
    result: Path, photos: Path, into: Path
) -> None:
    (photos / "000.jpg").unlink()
    found = pairlens("copy", result, "--into", into, "--yes")
    assert found.returncode == 1
    assert "000.jpg: there is no such file" in found.stderr
    (photos / "001.jpg").unlink()
    assert pairlens("copy", result, "--into", into, "--yes").returncode == 2


def test_what_is_in_place_already_is_all_done(result: Path, into: Path) -> None:
    assert pairlens("move", result, "--into", into, "--yes").returncode == 0
    moved = into.with_name("moved.csv")
    text = result.read_text(encoding="utf-8").replace(
        str(result.with_name("photos") / "000.jpg"), str(into / "a dog" / "000.jpg")
    )
    moved.write_text("".join(text.splitlines(keepends=True)[:2]), encoding="utf-8")
    found = pairlens("move", moved, "--into", into, "--yes")
    assert found.returncode == 0
    assert "1 photo already in place" in found.stderr


def test_a_file_that_is_no_result_does_nothing(photos: Path, into: Path) -> None:
    found = pairlens("copy", photos / "000.jpg", "--into", into, "--yes")
    assert found.returncode == 2
    assert "pairlens batch" in found.stderr


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("yes", 0), ("", 2), ("no", 2)])
@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
def test_on_a_terminal_it_asks(result: Path, into: Path, answer: str, code: int) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "copy", str(result), "--into", str(into)],
        stdin=theirs, stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    _, said = process.communicate(timeout=100)
    os.close(ours)
    assert f"Copy 2 photos (0.0 MB) into {into}? [y/N]" in said
    assert process.returncode == code
    assert into.exists() == (code == 0)


@pytest.mark.skipif(sys.platform == "win32", reason="nothing there is called SIGKILL")
@pytest.mark.parametrize("kind", ["copy", "move"])
@pytest.mark.parametrize("step", [30, 36, 42, 50])
def test_a_killed_program_is_put_right_by_the_next_one(
    result: Path, photos: Path, into: Path, kind: str, step: int
) -> None:
    before = files(photos)
    killed = pairlens(str(step), kind, result, "--into", into, "--yes", program=KILLED)
    assert killed.returncode == -signal.SIGKILL
    listed = pairlens("actions").stdout
    placed = len(files(into))
    assert f"{placed} of 2 photos" in listed
    assert ("interrupted" in listed) == (placed < 2)
    assert len({*files(photos).values(), *files(into).values()}) == 4
    assert pairlens("undo").returncode == (0 if placed else 2)
    assert (files(photos), into.exists()) == (before, False)
