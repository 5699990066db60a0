"""People who click twice, ask for two things at once, or reload in the middle."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.browser import ask_search, box, choose_view, slow_batch
from tests.fixtures.coloured import coloured_photo, trip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return trip(tmp_path / "trip")


def test_a_double_click_is_one_click(page: Page, folder: Path) -> None:
    page.evaluate("paths => window.pairlens.arrive(paths)", [str(folder / "apple.png")])
    page.dblclick("#match-strip .pl-photo")
    expect(page.locator("#pl-light")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#pl-light")).to_be_hidden()
    page.fill(box(page, "match-captions"), "red")
    expect(page.locator("#match-results .pl-result")).to_have_count(1)
    choose_view(page, "search")
    page.dblclick("#search-choices > button")
    expect(page.locator("#search-avoid")).to_be_visible()


def test_a_batch_begun_twice_is_one_batch_and_other_work_waits_for_it(
    browser: Browser, tmp_path: Path
) -> None:
    place = coloured_photo(tmp_path / "other" / "a.png", "red").parent
    with slow_batch(browser, tmp_path, photos=200, seconds=0.2) as page:
        expect(page.locator("#batch-status")).to_contain_text(re.compile(r"\d\d of 200"))
        page.evaluate(
            "() => { const go = document.querySelector('#batch-go');"
            " go.disabled = false; go.click(); go.click(); }"
        )
        choose_view(page, "search")
        ask_search(page, place, "red")
        expect(page.locator("#search-status")).to_contain_text("Waiting")
        page.reload()
        page.wait_for_selector("html[data-resumed]")
        expect(page.locator("#search-status")).to_contain_text("Waiting")
        choose_view(page, "batch")
        page.click("#batch-cancel")
        # A second batch would be the one that is cancelled, with nothing done.
        expect(page.locator("#batch-status")).to_contain_text("Cancelled")
        expect(page.locator("#batch-table tbody tr").first).to_contain_text(".png")
        choose_view(page, "search")
        expect(page.locator("#search-gallery figure")).to_have_count(1)
