"""The real window on a display of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.fixtures import x11
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.opened import PROBE, Opened, is_running, needs_a_display, opened_on, wait_until
from tests.fixtures.program import FAKE, PAIRLENS

pytestmark = needs_a_display


def colours(image: Image.Image) -> int:
    """How many different colours a picture has; a blank one has two or three."""
    return len(image.getcolors(image.width * image.height) or [])


def descendants(pid: int) -> list[int]:
    """Processes that this one started, and those that they started."""
    found = subprocess.run(
        ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return [int(child) for child in found] + [
        below for child in found for below in descendants(int(child))
    ]


@pytest.fixture
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    with (
        x11.virtual_display() as display,
        opened_on(display, tmp_path, request.param) as program,
    ):
        yield program


@pytest.mark.parametrize("opened", [PAIRLENS], indirect=True)
def test_the_window_shows_the_page_and_closing_it_ends_everything(opened: Opened) -> None:
    opened.wait_for_log("serving http://127.0.0.1:")
    # The splash has a logo and two lines; the page has many letters in many shades.
    wait_until(lambda: colours(opened.picture()) > 200, "the window stayed blank")
    started = descendants(opened.process.pid)
    assert started, "a web view runs in processes of its own"

    x11.press_close_button(opened.display, opened.window)
    assert opened.process.wait(30) == 0
    wait_until(lambda: not any(map(is_running, started)), "a process was left behind")
    assert list((opened.home / "cache" / "sessions").iterdir()) == []
    assert "Traceback" not in opened.log()


@pytest.mark.parametrize("opened", [FAKE], indirect=True)
def test_closing_the_splash_ends_everything_too(opened: Opened) -> None:
    x11.press_close_button(opened.display, opened.window)
    assert opened.process.wait(60) == 0
    assert list((opened.home / "cache" / "sessions").iterdir()) == []
    assert "Traceback" not in opened.log()


@pytest.mark.parametrize("opened", [PROBE], indirect=True)
def test_photos_and_folders_come_in_by_drop_and_by_dialog_without_a_copy(
    opened: Opened, tmp_path: Path
) -> None:
    folder = tmp_path / "my photos 照片"
    photos = [coloured_photo(folder / name, "red") for name in ("a b%20c.png", "日落.png")]
    opened.wait_until_usable()

    opened.drop(*photos)
    opened.wait_for_page("document.querySelectorAll('#match-strip .pl-photo').length === 2")
    titles = "[...document.querySelectorAll('#match-strip .pl-photo')].map(photo => photo.title)"
    assert opened.page(titles) == [str(photo) for photo in photos]

    opened.click("#pl-tabs [data-view=batch]")
    opened.drop(folder)
    box = "document.querySelector('#batch-folder input, #batch-folder textarea').value"
    opened.wait_for_page(f"{box} === {json.dumps(str(folder))}")

    other = coloured_photo(tmp_path / "other" / "c.png", "blue")
    opened.click("#batch-folder-pick")
    opened.answer_dialog(other.parent)
    opened.wait_for_page(f"{box} === {json.dumps(str(other.parent))}")

    opened.click("#pl-tabs [data-view=match]")
    opened.click("#match-pick")
    opened.answer_dialog(other)
    opened.wait_for_page("document.querySelectorAll('#match-strip .pl-photo').length === 3")

    uploads = next((opened.home / "cache" / "sessions").iterdir()) / "uploads"
    assert [path for path in uploads.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("opened", [PROBE], indirect=True)
def test_a_table_is_saved_where_the_dialog_says(opened: Opened, tmp_path: Path) -> None:
    photo = coloured_photo(tmp_path / "photos" / "a.png", "red")
    opened.wait_until_usable()
    opened.fill("batch-folder", photo.parent)
    opened.fill("batch-captions", "something red")
    opened.click("#batch-go")
    opened.wait_for_page("document.querySelectorAll('#batch-table tbody tr').length === 1")

    target = tmp_path / "kept.csv"
    opened.click("#batch-save-csv")
    opened.answer_dialog(target)
    wait_until(target.exists, "nothing was saved")
    opened.wait_for_page("document.querySelector('#batch-saved').innerText.includes('kept.csv')")
    assert "something red" in target.read_text(encoding="utf-8-sig")
