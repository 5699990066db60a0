"""What the window knows from the last time: its dialogs' folders, its size, and work cut short."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures import x11
from tests.fixtures.acting import files
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.opened import PROBE, Opened, needs_a_display, opened_on, wait_until
from tests.fixtures.program import HERE, environment

pytestmark = needs_a_display

TITLES = "[...document.querySelectorAll('#match-strip .pl-photo')].map(photo => photo.title)"
ASKED = "document.querySelector('#pl-ask').open"
# More than are done before the click that pauses has come.
PHOTOS = 600


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with x11.virtual_display() as number:
        yield number


def close(window: Opened) -> None:
    x11.press_close_button(window.display, window.window)
    assert window.process.wait(60) == 0


def test_dialogs_begin_where_they_were_left_also_after_a_restart(
    display: str, tmp_path: Path
) -> None:
    place = tmp_path / "trip"
    first, second = (coloured_photo(place / name, "red") for name in ("a.png", "b.png"))
    below = coloured_photo(place / "below" / "c.png", "blue").parent
    box = "document.querySelector('#batch-folder input, #batch-folder textarea').value"
    home = tmp_path / "home"
    with opened_on(display, home) as window:
        window.wait_until_usable()
        window.click("#match-pick")
        window.answer_dialog(first)
        window.wait_for_page(f"{TITLES}.length === 1")
        window.page("window.pairlens.show('batch')")
        window.click("#batch-folder-pick")
        window.answer_dialog(below)
        window.wait_for_page(f"{box} === {json.dumps(str(below))}")
        close(window)
    with opened_on(display, home) as window:
        window.wait_until_usable()
        window.page("window.pairlens.show('match')")
        window.click("#match-pick")
        # A name alone is looked for in the folder that the dialog shows.
        window.answer_dialog(Path(second.name))
        window.wait_for_page(f"{TITLES}.length === 1")
        assert window.page(TITLES) == [str(second)]
        window.page("window.pairlens.show('batch')")
        window.fill("batch-folder", "")
        window.click("#batch-folder-pick")
        window.answer_dialog(Path(below.name))
        window.wait_for_page(f"{box} === {json.dumps(str(below))}")


def test_a_window_that_filled_its_screen_does_so_again_and_keeps_what_it_goes_back_to(
    tmp_path: Path,
) -> None:
    settings = tmp_path / "data" / "settings.json"
    settings.parent.mkdir()
    place = {"x": 30, "y": 40, "width": 740, "height": 600, "maximised": True}
    settings.write_text(json.dumps({"window": place}), encoding="utf-8")
    # No window manager is at hand here; Qt's own screen in memory does what one would.
    process = subprocess.Popen(
        [sys.executable, *PROBE],
        cwd=HERE.parents[1],
        env=environment(tmp_path, DISPLAY=":none", QT_QPA_PLATFORM="offscreen"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        log = tmp_path / "logs" / "pairlens.log"
        wait_until(log.exists, "it did not start")
        window = Opened(process, ":none", 0, tmp_path)
        window.wait_until_usable()
        window.wait_for_page("window.outerWidth === screen.width")
        window.page("(window.pywebview.api.close(), 0)")
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    assert json.loads(settings.read_text(encoding="utf-8"))["window"] == place


@pytest.mark.parametrize("kind", ["copy", "move"])
def test_what_closing_cut_short_is_undone_after_a_restart(
    display: str, tmp_path: Path, kind: str
) -> None:
    photos, into, home = tmp_path / "photos", tmp_path / "into", tmp_path / "home"
    for number in range(PHOTOS):
        coloured_photo(photos / f"{number:03}.png", "red", (32 + number, 24))
    before = files(photos)
    with opened_on(display, home) as window:
        window.wait_until_usable()
        window.page("window.pairlens.show('batch')")
        window.fill("batch-folder", photos)
        window.fill("batch-captions", "red")
        window.click("#batch-go")
        window.wait_for_page("document.querySelector('#batch-table .pl-tick') !== null")
        window.click("#batch-act .label-wrap")
        window.wait_for_page("document.querySelector('#batch-act-look') !== null")
        window.fill("batch-act-into", into)
        window.click(f"#batch-act-kind input[value={kind}]")
        window.click("#batch-act-look")
        window.wait_for_page("document.querySelector('#batch-act-told .pl-offer') !== null")
        window.click("#batch-act-do")
        wait_until(lambda: bool(files(into)), "nothing was done", pause=0)
        window.click("#batch-action-pause")
        window.wait_for_page(
            "document.querySelector('#batch-action').innerText.includes('Paused at')"
        )
        x11.press_close_button(display, window.window)
        window.wait_for_page(f"{ASKED} === true")
        window.click("#pl-ask button:last-of-type")
        assert window.process.wait(30) == 0
    assert 0 < len(files(into)) < PHOTOS

    with opened_on(display, home) as window:
        window.wait_until_usable()
        window.page("window.pairlens.show('history')")
        window.wait_for_page("document.querySelectorAll('[data-undo]').length === 1")
        window.click("[data-undo]")
        window.wait_for_page(f"{ASKED} === true")
        window.click("#pl-ask button:last-of-type")
        window.wait_for_page("document.querySelector('.pl-history').innerText.includes('Undone')")
        close(window)
    assert files(photos) == before
    assert not into.exists()
