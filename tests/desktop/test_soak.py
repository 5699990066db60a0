"""Hundreds of interactions one after another: what the program holds stays flat, files too."""

from __future__ import annotations

import re
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

# The first rounds fill caches and make threads. A decoded photo of these takes 9 MB, so that one
# kept in every tenth round would already be too much.
WARM, ROUNDS = 8, 32
MOST_GROWTH = 24e6
SIZE = (2000, 1500)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("soaked-home")


def held(program: Served) -> int:
    """Bytes of memory in use by the program."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024


def left(home: Path) -> dict[Path, int]:
    """The temporary files with their sizes."""
    return {path: path.stat().st_size for path in (home / "cache").rglob("*") if path.is_file()}


def go_round(page: Page, folder: Path) -> None:
    """Nine interactions; each is waited for."""
    photos = [str(path) for path in sorted(folder.iterdir())]
    show = "name => window.pairlens.show(name)"
    page.evaluate(show, "match")
    page.evaluate("paths => window.pairlens.arrive(paths)", photos)
    expect(page.locator("#match-strip .pl-photo")).to_have_count(len(photos))
    page.set_input_files("#match-upload input[type=file]", photos[0])
    expect(page.locator("#match-strip .pl-photo")).to_have_count(len(photos) + 1)
    page.fill(box(page, "match-captions"), "red\ngreen")
    with answered(page, "#match-results .pl-result"):
        page.click("#match-go")
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
    with answered(page, SEARCH_ANSWERS):
        page.click("#search-go")
    page.evaluate(show, "history")


def test_memory_and_temporary_files_stay_flat(browser: Browser, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for number, colour in enumerate(("red", "green", "blue")):
        coloured_photo(folder / f"{number}.png", colour, SIZE)
    with served(home) as program:
        page = open_page(browser, program)
        search_folder(page, folder, "red", found=3)
        for _ in range(WARM):
            go_round(page, folder)
        memory, files = held(program), left(home)
        for _ in range(ROUNDS):
            go_round(page, folder)
        assert held(program) - memory < MOST_GROWTH
        # A saved table takes the place of the one before, under another name.
        assert len(left(home)) == len(files)
        assert sum(left(home).values()) == sum(files.values())
        page.context.close()
