"""The real window on a display of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.fixtures import x11
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.program import FAKE, HERE, PAIRLENS, environment

PROBE = (str(HERE / "window_probe.py"),)

NEEDED = ("Xvfb", "xdotool", "import")
MISSING = [tool for tool in NEEDED if shutil.which(tool) is None]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


@dataclass
class Opened:
    """A program whose window is on a display."""

    process: subprocess.Popen[str]
    display: str
    window: int
    home: Path

    def log(self) -> str:
        return (self.home / "logs" / "pairlens.log").read_text(encoding="utf-8")

    def wait_for_log(self, words: str) -> None:
        wait_until(lambda: words in self.log(), f"the log never said {words!r}")

    def page(self, expression: str) -> object:
        """The value of a JavaScript expression in the page; for the probe only."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{expression}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def wait_for_page(self, condition: str) -> None:
        wait_until(lambda: self.page(condition) is True, f"it never held: {condition}")

    def click(self, selector: str) -> None:
        self.page(f"document.querySelector({json.dumps(selector)}).click()")

    def mouse(self, *arguments: str) -> None:
        subprocess.run(
            ["xdotool", *arguments], env={**os.environ, "DISPLAY": self.display}, check=True
        )

    def answer_dialog(self, path: Path) -> None:
        """Type a path into the file dialog that is open, and accept it."""
        time.sleep(1.5)
        self.mouse("key", "ctrl+a")
        self.mouse("type", "--delay", "25", str(path))
        self.mouse("key", "Return")

    def drop(self, *files: Path) -> None:
        """Drag files from another program's window onto the middle of this one."""
        source = subprocess.Popen(
            [sys.executable, str(HERE / "drag_source.py"), *map(str, files)],
            env={**os.environ, "DISPLAY": self.display},
        )
        try:
            x11.find_window(self.display, "drag source")
            time.sleep(0.5)
            self.mouse("mousemove", "25", "100", "mousedown", "1")
            # In steps, as a hand does: one jump is no drag to either program.
            for x, y in ((60, 140), (200, 250), (500, 400), (520, 420), (530, 430)):
                self.mouse("mousemove", str(x), str(y))
                time.sleep(0.2)
            self.mouse("mouseup", "1")
            time.sleep(0.5)
        finally:
            source.kill()
            source.wait()

    def picture(self) -> Image.Image:
        path = self.home / "screen.png"
        x11.screenshot(self.display, path)
        return Image.open(path).convert("RGB")


def wait_until(holds: Callable[[], bool], complaint: str, timeout: float = 40) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.2)


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


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A zombie has ended; nobody has asked for its exit code yet.
    return state != "Z"


@pytest.fixture
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Opened]:
    program: Sequence[str] = request.param
    with x11.virtual_display() as display:
        process = subprocess.Popen(
            [sys.executable, *program],
            cwd=HERE.parents[1],
            env=environment(tmp_path, DISPLAY=display),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            yield Opened(process, display, x11.find_window(display, "PairLens"), tmp_path)
        finally:
            process.kill()
            process.communicate()


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
    opened.wait_for_log("serving http://127.0.0.1:")
    opened.wait_for_page("document.querySelector('.pl-about span:nth-child(3)') !== null")
    opened.wait_for_page("document.documentElement.classList.contains('in-window')")

    opened.drop(*photos)
    opened.wait_for_page("document.querySelectorAll('#match-strip .pl-photo').length === 2")
    titles = "[...document.querySelectorAll('#match-strip .pl-photo')].map(photo => photo.title)"
    assert opened.page(titles) == [str(photo) for photo in photos]

    opened.drop(folder)
    box = "document.querySelector('#batch-folder input, #batch-folder textarea').value"
    opened.wait_for_page(f"{box} === {json.dumps(str(folder))}")
    assert opened.page("document.documentElement.dataset.view") == "batch"

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
    opened.wait_for_log("serving http://127.0.0.1:")
    opened.wait_for_page("document.querySelector('.pl-about span:nth-child(3)') !== null")
    fill = (
        "(([box, text]) => { const field = document.querySelector(`#${box} input, #${box} "
        "textarea`); field.value = text; field.dispatchEvent(new Event('input')); })"
    )
    for values in (["batch-folder", str(photo.parent)], ["batch-captions", "something red"]):
        opened.page(f"{fill}({json.dumps(values)})")
    opened.click("#batch-go")
    opened.wait_for_page("document.querySelectorAll('#batch-table tbody tr').length === 1")

    target = tmp_path / "kept.csv"
    opened.click("#batch-save-csv")
    opened.answer_dialog(target)
    wait_until(target.exists, "nothing was saved")
    opened.wait_for_page("document.querySelector('#batch-saved').innerText.includes('kept.csv')")
    assert "something red" in target.read_text(encoding="utf-8-sig")
