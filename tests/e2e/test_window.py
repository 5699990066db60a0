"""The real window on a display of its own."""

from __future__ import annotations

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
from tests.fixtures.program import FAKE, HERE, PAIRLENS, environment

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
