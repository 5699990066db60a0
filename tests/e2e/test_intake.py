"""What is dropped on the real window, pasted into it, or given to a second start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures import x11
from tests.fixtures.coloured import coloured_photo, trip
from tests.fixtures.opened import PROBE, Opened, needs_a_display, opened_on, wait_until
from tests.fixtures.program import HERE, environment

pytestmark = needs_a_display

TITLES = "[...document.querySelectorAll('#match-strip .pl-photo')].map(photo => photo.title)"
SAID = "document.querySelector('#pl-arrival').innerText"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """One window for all tests here; it is given a photo and a folder when it starts."""
    place = tmp_path_factory.mktemp("given")
    photo, folder = coloured_photo(place / "a b.png", "red"), trip(place / "trip")
    given = (photo.as_uri(), str(folder))
    with (
        x11.virtual_display() as display,
        opened_on(display, tmp_path_factory.mktemp("home"), (*PROBE, *given)) as program,
    ):
        program.wait_until_usable()
        yield program


@pytest.fixture
def window(started: Opened) -> Opened:
    """The window with nothing in it."""
    started.page("location.hash = 'match'")
    started.reload()
    return started


def uploads(window: Opened) -> list[Path]:
    place = next((window.home / "cache" / "sessions").iterdir()) / "uploads"
    return [path for path in place.rglob("*") if path.is_file()]


def box(name: str) -> str:
    return f"document.querySelector('#{name} input, #{name} textarea').value"


@contextmanager
def clipboard(window: Opened, kind: str, *paths: Path) -> Iterator[None]:
    """Another program has this on its clipboard meanwhile."""
    owner = subprocess.Popen(
        [sys.executable, str(HERE / "clipboard_owner.py"), kind, *map(str, paths)],
        env={**os.environ, "DISPLAY": window.display}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        yield
    finally:
        owner.kill()
        owner.communicate()


def test_what_the_program_was_started_with_is_there(started: Opened) -> None:
    started.wait_for_page(f"{TITLES}.length === 1")
    (title,) = started.page(TITLES)  # type: ignore[misc]
    assert Path(title).name == "a b.png"
    assert "the folder trip?" in str(started.page(SAID))


def test_a_folder_dropped_on_match_goes_where_the_person_chooses(
    window: Opened, tmp_path: Path
) -> None:
    folder = trip(tmp_path / "my photos 照片")
    window.drop(folder)
    window.wait_for_page("document.activeElement?.dataset.do === 'batch'")
    window.key("Return")
    window.wait_for_page(f"{box('batch-folder')} === {json.dumps(str(folder))}")
    assert window.page("document.documentElement.dataset.view") == "batch"


def test_many_photos_folders_and_what_cannot_be_used_come_in_by_one_drop(
    window: Opened, tmp_path: Path
) -> None:
    first = coloured_photo(tmp_path / "many" / "000.png", "red", (40, 40))
    photos = [first]
    for number in range(1, 60):
        photos.append(first.with_name(f"{number:03}.png"))
        photos[-1].hardlink_to(first)
    # Of the same name in two folders.
    photos.append(coloured_photo(tmp_path / "other" / "000.png", "blue"))
    folders = [trip(tmp_path / "one"), trip(tmp_path / "two")]
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()
    useless = [tmp_path / "notes.txt", tmp_path / "gone.jpg", tmp_path / "empty"]

    window.drop(*photos[:30], *useless, *folders, *photos[30:])
    window.wait_for_page("document.querySelector('#match-strip').innerText.includes('61 photos')")
    assert "these 2 folders" in str(window.page(SAID))
    listed = window.page(
        "[...document.querySelectorAll('#pl-arrival li')].map(item => item.innerText).sort()"
    )
    assert [str(line).split(":")[0] for line in listed] == ["empty", "gone.jpg", "notes.txt"]  # type: ignore[attr-defined]
    window.click(".pl-choice [data-do=batch]")
    spelled = f'"{folders[0]}" "{folders[1]}"'
    window.wait_for_page(f"{box('batch-folder')} === {json.dumps(spelled)}")
    assert uploads(window) == []


def test_copied_files_are_pasted_by_their_paths(window: Opened, tmp_path: Path) -> None:
    photos = [coloured_photo(tmp_path / name, "red") for name in ("a b%20c.png", "日落.png")]
    with clipboard(window, "files", *photos):
        window.page("document.querySelector('#match-captions textarea').focus()")
        window.key("ctrl+v")
        window.wait_for_page(f"{TITLES}.length === 2")
    assert window.page(TITLES) == [str(photo) for photo in photos]
    assert window.page(box("match-captions")) == ""
    assert uploads(window) == []


def test_a_copied_picture_becomes_a_photo_of_ours(window: Opened, tmp_path: Path) -> None:
    red = coloured_photo(tmp_path / "red.png", "red")
    with clipboard(window, "picture", red):
        window.key("ctrl+v")
        window.wait_for_page(f"{TITLES}.length === 1")
        assert window.page(TITLES) == ["Pasted photo 1.png"]
        window.click("#pl-tabs [data-view=search]")
        window.page("document.querySelector('#search-query input, #search-query textarea').focus()")
        window.key("ctrl+v")
        shown = "document.querySelector('#search-photo').innerText"
        window.wait_for_page(f"{shown}.includes('Photos like Pasted photo 2.png')")
    assert {path.name for path in uploads(window)} == {"Pasted photo 1.png", "Pasted photo 2.png"}


def test_a_second_start_hands_over_what_it_was_given_and_brings_the_window_to_the_front(
    window: Opened, tmp_path: Path
) -> None:
    photo = coloured_photo(tmp_path / "a b.png", "red")
    cover = subprocess.Popen(
        [sys.executable, str(HERE / "cover.py")], env={**os.environ, "DISPLAY": window.display}
    )
    try:
        x11.find_window(window.display, "cover")
        pixel = (640, 450)
        wait_until(lambda: window.picture().getpixel(pixel) == (255, 0, 255), "nothing covers it")
        second = subprocess.run(
            [sys.executable, *PROBE, "a b.png", "gone.jpg"],
            cwd=tmp_path, env=environment(window.home, DISPLAY=window.display),
            stdin=subprocess.DEVNULL, timeout=60, check=False,
        )  # fmt: skip
        assert second.returncode == 0
        window.wait_for_page(f"{TITLES}.length === 1")
        assert window.page(TITLES) == [str(photo)]
        assert "gone.jpg: there is no such file" in str(window.page(SAID))
        wait_until(lambda: window.picture().getpixel(pixel) != (255, 0, 255), "it stayed behind")
    finally:
        cover.kill()
        cover.wait()
