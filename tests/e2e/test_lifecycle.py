"""How the window comes and goes: where it opens, what it waits for, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fixtures import x11
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.opened import Opened, is_running, needs_a_display, opened_on, wait_until
from tests.fixtures.program import HERE

pytestmark = needs_a_display

STUCK = (str(HERE / "stuck_start.py"),)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with x11.virtual_display() as number:
        yield number


def geometry(window: Opened) -> tuple[int, int, int, int]:
    said = subprocess.run(
        ["xdotool", "getwindowgeometry", "--shell", str(window.window)],
        env={**os.environ, "DISPLAY": window.display}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    at = dict(re.findall(r"(\w+)=(-?\d+)", said))
    return int(at["X"]), int(at["Y"]), int(at["WIDTH"]), int(at["HEIGHT"])


def close(window: Opened) -> None:
    x11.press_close_button(window.display, window.window)
    assert window.process.wait(60) == 0


def crashes(home: Path) -> list[str]:
    return [path.name for path in (home / "logs").glob("*crash*")]


def start_a_long_batch(window: Opened, tmp_path: Path) -> None:
    for number in range(40):
        coloured_photo(tmp_path / "photos" / f"{number:03}.png", "red", (64 + number, 48))
    window.page("window.pairlens.show('batch')")
    window.fill("batch-folder", tmp_path / "photos")
    window.fill("batch-captions", "red")
    window.click("#batch-go")
    window.wait_for_page("document.querySelector('#batch-status').innerText.includes('of 40')")


def test_closing_with_work_under_way_asks_first_and_then_ends_it(
    display: str, tmp_path: Path
) -> None:
    asked = "document.querySelector('#pl-ask').open"
    with opened_on(display, tmp_path, FAKE_MATCHER_SECONDS="0.5") as window:
        window.wait_until_usable()
        start_a_long_batch(window, tmp_path)
        x11.press_close_button(display, window.window)
        window.wait_for_page(f"{asked} === true")
        question = str(window.page("document.querySelector('#pl-ask').innerText"))
        assert "still at work" in question
        window.click("#pl-ask button:first-of-type")
        assert window.page(asked) is False
        assert window.process.poll() is None

        x11.press_close_button(display, window.window)
        window.wait_for_page(f"{asked} === true")
        window.click("#pl-ask button:last-of-type")
        assert window.process.wait(30) == 0
    assert crashes(tmp_path) == []
    assert "Traceback" not in window.log()


def test_the_window_opens_where_it_was_unless_that_is_off_the_screen(
    display: str, tmp_path: Path
) -> None:
    with opened_on(display, tmp_path) as window:
        window.wait_until_usable()
        window.mouse("windowsize", str(window.window), "900", "640")
        window.mouse("windowmove", str(window.window), "210", "130")
        wait_until(lambda: geometry(window) == (210, 130, 900, 640), "it did not move")
        close(window)
    settings = tmp_path / "data" / "settings.json"
    kept = json.loads(settings.read_text(encoding="utf-8"))
    assert kept["window"] == {
        "x": 210, "y": 130, "width": 900, "height": 640, "maximised": False,
    }  # fmt: skip
    with opened_on(display, tmp_path) as window:
        wait_until(lambda: geometry(window) == (210, 130, 900, 640), "it opened elsewhere")

    kept["window"] |= {"x": 5000}
    settings.write_text(json.dumps(kept), encoding="utf-8")
    with opened_on(display, tmp_path) as window:
        x, y, width, height = geometry(window)
        assert 0 <= x < 1280 - width + 1
        assert 0 <= y < 900 - height + 1


def test_a_proxy_that_is_not_there_does_not_keep_the_page_away(
    display: str, tmp_path: Path
) -> None:
    dead = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), dead)
    proxies |= {name.lower(): dead for name in proxies} | {"NO_PROXY": "", "no_proxy": ""}
    with opened_on(display, tmp_path, **proxies) as window:
        window.wait_until_usable()
        photo = coloured_photo(tmp_path / "a.png", "red")
        window.page(f"(window.pairlens.arrive([{json.dumps(str(photo))}]), 0)")
        window.wait_for_page("document.querySelectorAll('#match-strip img').length === 1")


def test_being_told_to_end_is_no_crash_and_a_kill_is_told_once(
    display: str, tmp_path: Path
) -> None:
    said = "document.querySelector('#pl-arrival').innerText.trim()"
    with opened_on(display, tmp_path) as window:
        window.wait_until_usable()
        window.process.terminate()
        assert window.process.wait(30) == 0
    assert crashes(tmp_path) == []
    with opened_on(display, tmp_path) as window:
        window.wait_until_usable()
        assert window.page(said) == ""
        window.process.send_signal(signal.SIGKILL)
        window.process.wait(30)
    with opened_on(display, tmp_path) as window:
        window.wait_until_usable()
        window.wait_for_page(f"{said}.includes('ended unexpectedly the last time')")
        assert str(tmp_path / "logs" / "pairlens.log") in str(window.page(said))
        window.reload()
        assert window.page(said) == ""


def test_a_start_that_does_not_come_on_says_so_and_can_be_tried_again(
    display: str, tmp_path: Path
) -> None:
    def running() -> list[int]:
        return [int(path.stem.split("-")[1]) for path in (tmp_path / "logs").glob("crash-*.txt")]

    with opened_on(display, tmp_path, STUCK) as window:
        log = window.log
        wait_until(lambda: "the page was not there after 4 seconds" in log(), "it never gave up")
        x11.find_window(display, "PairLens")
        # The button is the only thing on that page to be reached by the keyboard.
        wait_until(lambda: try_again(window), "trying again had no effect")
        assert window.process.wait(30) == 0
    wait_until(lambda: "serving http://127.0.0.1:" in log(), "it was not started again")
    (pid,) = running()
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_running(pid), "it did not end")
    assert crashes(tmp_path) == []


def try_again(window: Opened) -> bool:
    with suppress(subprocess.CalledProcessError):  # the window has just gone
        window.key("Tab")
        window.key("Return")
    return window.process.poll() is not None
