"""The commands about libraries, as a person types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.cards import card_named
from engine.index import index_folder
from engine.matcher import Matcher
from engine.paths import libraries_dir
from engine.sqlite_file import WriterLock
from tests.fixtures import photos as made
from tests.fixtures.tiny_pack import TinyPack

PROGRAM = [sys.executable, "-c", "import sys; from desktop.cli import main; sys.exit(main())"]


@pytest.fixture(autouse=True)
def chosen_pack(tiny_pack: TinyPack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLENS_PACK", str(tiny_pack.folder))


@pytest.fixture
def library(tmp_path: Path, matcher: Matcher) -> Path:
    """The library "trips" of two folders, three photos each; the first folder."""
    for name in ("old", "new"):
        made.folder_of(tmp_path / name, 3)
        index_folder(tmp_path / name, matcher, name="trips")
    return tmp_path / "old"


@pytest.fixture
def captions(library: Path, tmp_path: Path) -> Path:
    """Captions for all; and each photo of the library's first folder has one beside it."""
    for photo in library.glob("*.jpg"):
        photo.with_suffix(".txt").write_text("a red circle\n", encoding="utf-8")
    path = tmp_path / "captions.txt"
    path.write_text("a dog\n", encoding="utf-8")
    return path


def pairlens(*words: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", timeout=100, input=typed, check=False,
    )  # fmt: skip


def listed() -> list[dict[str, Any]]:
    found = pairlens("libraries", "--json")
    assert found.returncode == 0
    answer: list[dict[str, Any]] = json.loads(found.stdout)
    return answer


def test_libraries_says_what_there_is_and_how_it_stands(library: Path, tmp_path: Path) -> None:
    library.rename(tmp_path / "unplugged")

    (found,) = listed()

    assert (found["name"], found["photos"], found["indexing"]) == ("trips", 6, False)
    assert found["folders"] == [
        {"path": str(tmp_path / "new"), "online": True},
        {"path": str(tmp_path / "old"), "online": False},
    ]
    assert [model["photos"] for model in found["models"]] == [6]
    assert found["bytes"] > 10_000
    assert datetime.fromisoformat(found["looked"]) <= datetime.now()
    words = pairlens("libraries").stdout
    assert "looked through 20" in words
    assert "trips: 6 photos" in words
    assert f"{tmp_path / 'old'}  (offline)" in words
    assert f"{tmp_path / 'new'}\n" in words


def test_without_libraries_it_says_how_to_make_one() -> None:
    assert listed() == []
    assert "pairlens index FOLDER" in pairlens("libraries").stderr


def test_a_damaged_library_is_listed_with_its_fault(library: Path) -> None:
    (file,) = libraries_dir().glob("*.sqlite")
    file.write_bytes(b"nonsense" * 5000)

    assert "set aside" in listed()[0]["error"]

    again = pairlens("index", library)
    assert "6 photos indexed" in again.stderr


def test_indexing_a_damaged_library_says_so_and_makes_it_anew(library: Path) -> None:
    (file,) = libraries_dir().glob("*.sqlite")
    file.write_bytes(b"nonsense" * 5000)

    found = pairlens("index", library)

    assert found.returncode == 0
    assert "set aside" in found.stderr
    assert "6 photos indexed" in found.stderr


def test_a_library_is_indexed_by_its_name(library: Path) -> None:
    (library / "000.jpg").unlink()

    found = pairlens("index", "trips")

    assert "0 photos indexed, 5 unchanged, 0 known by content, 1 gone" in found.stderr
    assert "no such folder" in pairlens("index", "cruises").stderr


def test_a_library_is_searched_by_its_name(library: Path) -> None:
    found = json.loads(pairlens("search", "trips", "a dog", "--json").stdout)

    hits = found["results"] + found["nearest"]
    assert {Path(hit["photo"]).parent.name for hit in hits} == {"old", "new"}
    assert pairlens("search", "cruises", "a dog").returncode == 2


def test_photos_that_are_offline_are_found_and_indexing_keeps_them(
    library: Path, tmp_path: Path
) -> None:
    library.rename(tmp_path / "unplugged")

    found = pairlens("index", library)
    assert "3 photos are offline" in found.stderr
    found = pairlens("search", library, "a dog")
    assert (found.stdout + found.stderr).count("(offline)") == 3


def test_while_another_program_indexes_this_one_reads_and_says_so(
    library: Path, captions: Path, tmp_path: Path
) -> None:
    card = card_named("trips")
    assert card is not None
    with WriterLock(card.file, "trips"):
        assert listed()[0]["indexing"]
        found = pairlens("search", library, "a dog")
        assert found.returncode == 0
        assert "being indexed now" in found.stderr
        assert (found.stdout + found.stderr).count(".jpg") == 3
        found = pairlens("index", library)
        assert found.returncode == 2
        assert "another PairLens is indexing" in found.stderr
        found = pairlens("forget", "trips", "--yes")
        assert found.returncode == 2
        assert "another PairLens is indexing" in found.stderr
        for words in (
            ["batch", library, "--captions", captions],
            ["batch", library, "--sidecars"],
            ["verify", library],
        ):
            found = pairlens(*words, "--out", tmp_path / "out.csv")
            assert found.returncode == 0, found.stderr
            assert "being indexed now" in found.stderr
    assert len(listed()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="nothing stops a process there")
def test_what_is_being_indexed_is_read_as_far_as_it_has_come(tmp_path: Path) -> None:
    folder, captions = tmp_path / "many", tmp_path / "captions.txt"
    for number in range(150):
        made.save(made.noise(600, 500, seed=number), folder / f"{number:03}.png", compress_level=0)
    captions.write_text("a dog\n", encoding="utf-8")
    first = subprocess.Popen(
        [*PROGRAM, "index", str(folder)], stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        deadline = time.monotonic() + 60
        while not any(file.stat().st_size for file in libraries_dir().glob("*.sqlite-wal")):
            assert time.monotonic() < deadline
            assert first.poll() is None
            time.sleep(0.01)
        first.send_signal(signal.SIGSTOP)  # so that it is under way for as long as we look
        found = pairlens("search", folder, "a dog", "--json")
        batch = pairlens("batch", folder, "--captions", captions, "--out", tmp_path / "out.csv")
        again = pairlens("index", folder)
    finally:
        first.send_signal(signal.SIGCONT)
        _, said = first.communicate(timeout=60)
    assert "being indexed now" in found.stderr
    assert (batch.returncode, again.returncode) == (0, 2)
    assert "being indexed now" in batch.stderr
    assert "150 of 150 photos compared" in batch.stderr
    assert "another PairLens is indexing" in again.stderr
    assert "150 photos indexed" in said


def test_photos_of_a_library_are_not_read_again(
    library: Path, captions: Path, tmp_path: Path
) -> None:
    for photo in library.glob("*.jpg"):
        # Whoever reads it now finds no photo; size and time are what they were.
        status = photo.stat()
        photo.write_bytes(b"0" * status.st_size)
        os.utime(photo, ns=(status.st_atime_ns, status.st_mtime_ns))
    for words in (
        ["batch", library, "--captions", captions],
        ["batch", library, "--sidecars"],
        ["batch", library, "--sidecars", "--mode", "best"],
        ["verify", library],
    ):
        found = pairlens(*words, "--out", tmp_path / "out.csv")
        assert found.returncode == 0, found.stderr
        assert "3 of 3" in found.stderr


def test_a_library_is_renamed_and_why_it_cannot_be_is_said(library: Path, tmp_path: Path) -> None:
    made.folder_of(tmp_path / "other", 1)
    assert pairlens("index", tmp_path / "other").returncode == 0

    found = pairlens("rename", "Trips", " summer  trips ")
    assert found.returncode == 0
    assert "is called summer trips now" in found.stderr
    assert pairlens("search", "Summer Trips", "a dog").returncode == 0

    for words, why in (
        (("trips", "journeys"), "There is no library called trips"),
        (("summer trips", "OTHER"), "There is a library called other already"),
        (("summer trips", " "), "can't be without a name"),
    ):
        found = pairlens("rename", *words)
        assert (found.returncode, found.stdout) == (2, "")
        assert why in found.stderr
    assert {one["name"]: one["photos"] for one in listed()} == {"summer trips": 6, "other": 1}


@pytest.mark.parametrize("answer", ["", "n\n", "no\n", "maybe\n"])
def test_forget_asks_first(library: Path, answer: str) -> None:
    found = pairlens("forget", "trips", typed=answer)

    assert found.returncode == 2
    assert "no photo is touched" in found.stderr
    assert "Nothing was deleted" in found.stderr
    assert len(listed()) == 1


@pytest.mark.parametrize(("words", "answer"), [(["--yes"], ""), ([], "y\n")])
def test_forget_leaves_nothing_behind(library: Path, words: list[str], answer: str) -> None:
    found = pairlens("forget", "trips", *words, typed=answer)

    assert found.returncode == 0
    assert list(libraries_dir().iterdir()) == []
    assert len(list(library.iterdir())) == 3
    found = pairlens("forget", "trips", "--yes")
    assert found.returncode == 2
    assert "pairlens libraries" in found.stderr
