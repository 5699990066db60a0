"""Hundreds of interactions one after another: what the program holds stays flat, files too."""

from __future__ import annotations

import re
from itertools import cycle
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.browser import (
    BATCH_ANSWERS,
    SEARCH_ANSWERS,
    answered,
    box,
    open_page,
    search_folder,
)
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.program import Served, served

# Both even, as the words take turns. The first rounds fill caches and make threads. One decoded
# photo takes 9 MB, so that one kept in every fourth round would already be too much.
WARM, ROUNDS = 4, 12
MOST_GROWTH = 24e6
SIZE = (2000, 1500)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("soaked-home")


def held(program: Served) -> int:
    """Bytes of memory in use by the program."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024


def left(home: Path, kind: str) -> dict[Path, int]:
    """The temporary files of a kind with their sizes."""
    (session,) = (home / "cache" / "sessions").iterdir()
    found = (session / kind).rglob("*")
    return {path: path.stat().st_size for path in found if path.is_file()}


def go_round(page: Page, folder: Path, words: str) -> None:
    """A dozen interactions; each is waited for. Other words than the last time are searched for."""
    photos = [str(path) for path in sorted(folder.iterdir())]
    show = "name => window.pairlens.show(name)"
    page.evaluate(show, "match")
    page.evaluate("paths => window.pairlens.arrive(paths)", photos)
    expect(page.locator("#match-strip .pl-photo")).to_have_count(len(photos))
    page.set_input_files("#match-upload input[type=file]", photos[0])
    expect(page.locator("#match-strip .pl-photo")).to_have_count(len(photos) + 1)
    with answered(page, "#match-results .pl-result"):
        page.fill(box(page, "match-captions"), "red\ngreen")
    page.click("#match-results .pl-link >> nth=0")
    expect(page.locator("dialog.pl-why .pl-word").first).to_be_visible()
    page.keyboard.press("Escape")
    page.click("#match-clear")
    expect(page.locator("#match-strip .pl-photo")).to_have_count(0)
    page.evaluate(show, "batch")
    page.fill(box(page, "batch-folder"), str(folder))
    page.fill(box(page, "batch-captions"), "red\ngreen")
    with answered(page, BATCH_ANSWERS):
        page.click("#batch-go")
    with page.expect_download():
        page.click("#batch-save-csv")
    page.evaluate(show, "search")
    page.fill(box(page, "search-query"), words)
    with answered(page, SEARCH_ANSWERS):
        page.click("#search-go")
    for view in ("history", "models", "settings"):
        page.evaluate(show, view)
        expect(page.locator(f"#view-{view}")).to_be_visible()


@pytest.mark.timeout(300)
def test_memory_and_temporary_files_stay_flat(browser: Browser, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for number, colour in enumerate(("red", "green", "blue")):
        coloured_photo(folder / f"{number}.png", colour, SIZE)
    with served(home) as program:
        page = open_page(browser, program)
        search_folder(page, folder, "red", found=3)
        for words, _ in zip(cycle(("green", "red")), range(WARM), strict=False):
            go_round(page, folder, words)
        memory, kinds = held(program), ("uploads", "exports", "thumbnails")
        files = {kind: left(home, kind) for kind in kinds}
        for words, _ in zip(cycle(("green", "red")), range(ROUNDS), strict=False):
            go_round(page, folder, words)
        assert held(program) - memory < MOST_GROWTH, "memory grew"
        after = {kind: left(home, kind) for kind in kinds}
        assert after["uploads"] == files["uploads"]
        # A saved table takes the place of the one before, under another name.
        assert sorted(after["exports"].values()) == sorted(files["exports"].values())
        # What is uploaded again is a new file, and gets a small copy of its own.
        assert len(after["thumbnails"]) <= len(files["thumbnails"]) + ROUNDS
        page.context.close()
