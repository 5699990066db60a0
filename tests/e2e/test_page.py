"""From a photo on disk to a probability on the page: browser, server, model pack, index."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.browser import box, choose_view, open_page
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.program import Served


@pytest.fixture(scope="module")
def page(browser: Browser, program: Served) -> Page:
    return open_page(browser, program)


def probabilities(page: Page, place: str) -> list[float]:
    shown = page.locator(f"{place} .pl-percent").all()
    return [float(one.get_attribute("data-probability") or "nan") for one in shown]


def test_uploaded_photos_get_a_probability_for_each_caption(page: Page, folder: Path) -> None:
    page.set_input_files("#match-upload input[type=file]", sorted(folder.iterdir()))
    expect(page.locator("#match-strip .pl-photo")).to_have_count(2)
    page.fill(box(page, "match-captions"), "a dog runs on the beach\n一只狗在沙滩上奔跑")
    expect(page.locator("#match-results .pl-percent")).to_have_count(4)
    assert all(0 <= value <= 1 for value in probabilities(page, "#match-results"))
    expect(page.locator("#match-results .pl-notice")).to_have_count(0)


def test_a_folder_is_matched_with_captions(page: Page, folder: Path) -> None:
    choose_view(page, "batch")
    page.fill(box(page, "batch-folder"), str(folder))
    page.fill(box(page, "batch-captions"), "a dog runs on the beach\ntwo people sit at a table")
    page.click("#batch-choices button")
    page.check("#batch-exact input")
    page.click("#batch-go")
    expect(page.locator("#batch-table tbody tr")).to_have_count(2)
    assert all(0 <= value <= 1 for value in probabilities(page, "#batch-table"))
    expect(page.locator("#batch-save-csv")).to_be_visible()


def test_a_folder_is_indexed_and_searched(page: Page, folder: Path) -> None:
    choose_view(page, "search")
    page.fill(box(page, "search-folder"), str(folder))
    page.fill(box(page, "search-query"), "a dog runs on the beach")
    page.click("#search-go")
    expect(page.locator("#search-gallery figure")).to_have_count(2)
    shown = probabilities(page, "#search-gallery")
    assert shown == sorted(shown, reverse=True)


def test_a_found_photo_leads_to_more_like_it_and_new_photos_are_taken_up(
    page: Page, folder: Path
) -> None:
    coloured_photo(folder / "dark red.png", "darkred")
    choose_view(page, "search")
    page.fill(box(page, "search-folder"), str(folder))
    page.fill(box(page, "search-query"), "a dog runs on the beach")
    page.click("#search-go")
    figures = page.locator("#search-gallery figure")
    expect(figures).to_have_count(3)
    figures.filter(has_text="dark red.png").get_by_text("More like this").click()
    expect(figures.first).to_contain_text("red.png")
    expect(figures).to_have_count(2)
    coloured_photo(folder / "blue.png", "blue")
    expect(page.locator("#search-news")).to_contain_text("1 new photo", timeout=30_000)
    page.press(box(page, "search-query"), "Enter")
    expect(figures).to_have_count(3)


def test_the_model_and_what_it_may_be_used_for_are_named(page: Page) -> None:
    about = page.locator(".pl-about")
    expect(about).to_contain_text("non-commercial")
    expect(about).to_contain_text("Everything stays on this computer")
