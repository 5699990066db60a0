"""The Search view with a fake matcher that knows colours, driven in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures import photos as made
from tests.fixtures.browser import ask_search, box, choose_view, found_names, open_section, search
from tests.fixtures.coloured import coloured_photo, trip

# The watch begins to tell some seconds after a library came in use.
WATCHED = 20_000


@pytest.fixture
def page(page: Page) -> Page:
    """On the Search view, without the photo that the test before searched with."""
    choose_view(page, "search")
    if page.locator("#search-photo").is_visible():
        page.click("#search-photo-off")
        expect(page.locator("#search-photo")).to_be_hidden()
    return page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return trip(tmp_path / "trip")


def expect_names(page: Page, *wanted: str) -> None:
    expect(page.locator("#search-gallery .pl-name")).to_have_text(list(wanted))


def test_words_to_avoid_leave_photos_out_and_that_is_said(page: Page, folder: Path) -> None:
    open_section(page, "search-choices")
    page.fill(box(page, "search-avoid"), "something green\n\n blue ")
    search(page, folder, "anything red")
    expect_names(page, "apple.png", "poppy.png")
    expect(page.locator("#search-gallery")).to_contain_text("2 of the nearest were left out")


def test_photos_are_filtered_by_folder_date_orientation_and_size(page: Page, folder: Path) -> None:
    open_section(page, "search-choices")
    search(page, folder, "red")
    expect(page.locator("#search-gallery figure")).to_have_count(4)

    page.fill(box(page, "search-under"), str(folder / "below"))
    page.click("#search-go")
    expect_names(page, "sea.png")
    page.fill(box(page, "search-under"), str(folder.parent))
    page.click("#search-go")
    expect(page.locator("#search-status .pl-notice")).to_contain_text("is not in the library")
    page.fill(box(page, "search-under"), "")

    page.click("#search-orientation input")
    page.get_by_role("option", name="portrait").click()
    page.click("#search-go")
    expect_names(page, "poppy.png")
    page.click("#search-orientation input")
    page.get_by_role("option", name="any").click()

    page.fill("#search-until input:not([type=date])", "2020-09-13")
    page.press("#search-until input:not([type=date])", "Enter")
    page.click("#search-go")
    expect_names(page, "poppy.png")
    page.fill("#search-until input:not([type=date])", "2020-09-12")
    page.press("#search-until input:not([type=date])", "Enter")
    page.click("#search-go")
    expect(page.locator("#search-gallery .pl-notice")).to_contain_text("no photo is left")
    page.fill("#search-until input:not([type=date])", "")
    page.press("#search-until input:not([type=date])", "Enter")

    page.fill("#search-min-width input", "600")
    page.click("#search-go")
    expect_names(page, "sea.png")


def test_a_photo_is_searched_with_alone_and_together_with_words(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    sunset = coloured_photo(tmp_path / "elsewhere" / "sunset.png", "red", (100, 90))
    open_section(page, "search-choices")
    page.set_input_files("#search-upload input[type=file]", sunset)
    expect(page.locator("#search-photo")).to_contain_text("Photos like sunset.png")
    search(page, folder, "")
    expect(page.locator("#search-gallery figure")).to_have_count(4)
    assert sorted(found_names(page)[:2]) == ["apple.png", "poppy.png"]
    expect(page.locator("#search-gallery .pl-percent")).to_have_count(0)
    expect(page.locator("#search-gallery")).to_contain_text("The most similar come first")

    search(page, folder, "a red flower")
    expect(page.locator("#search-gallery .pl-percent")).to_have_count(4)
    page.click("#search-photo-off")
    expect(page.locator("#search-photo")).to_be_hidden()
    search(page, folder, "")
    expect(page.locator("#search-status .pl-notice")).to_contain_text("nothing to search for")


def test_more_like_this_searches_with_a_result(page: Page, folder: Path) -> None:
    search(page, folder, "red")
    expect(page.locator("#search-gallery figure")).to_have_count(4)
    page.locator("#search-gallery figure", has_text="apple.png").get_by_text(
        "More like this"
    ).click()
    expect(page.locator("#search-gallery")).to_contain_text("The photo itself is here: apple.png")
    assert found_names(page)[0] == "poppy.png"
    assert "apple.png" not in found_names(page)
    expect(page.locator(box(page, "search-query"))).to_have_value("")
    expect(page.locator("#search-photo")).to_contain_text("Photos like apple.png")


def test_more_results_are_shown_when_asked_for(page: Page, tmp_path: Path) -> None:
    for number in range(50):
        coloured_photo(tmp_path / "many" / f"{number}.png", "red", (64 + number, 48))
    search(page, tmp_path / "many", "red")
    figures = page.locator("#search-gallery figure")
    expect(figures).to_have_count(40)
    page.get_by_text("Show more").click()
    expect(figures).to_have_count(50)
    expect(page.get_by_text("Show more")).to_have_count(0)


def test_a_reload_comes_back_to_the_search_and_its_results(page: Page, folder: Path) -> None:
    search(page, folder, "red")
    expect(page.locator("#search-gallery figure")).to_have_count(4)
    page.reload()
    expect(page.locator("#search-gallery figure")).to_have_count(4)
    expect(page.locator(box(page, "search-query"))).to_have_value("red")
    page.locator("#search-gallery figure").first.get_by_text("More like this").click()
    expect(page.locator("#search-photo")).to_be_visible()
    page.reload()
    expect(page.locator("#search-photo")).to_be_visible()
    expect(page.locator("#search-gallery figure")).to_have_count(3)


def test_a_photo_added_to_a_watched_folder_is_found_without_a_click(
    page: Page, folder: Path
) -> None:
    search(page, folder, "red")
    expect(page.locator("#search-gallery figure")).to_have_count(4)
    coloured_photo(folder / "new" / "cherry.png", "red", (100, 70))
    expect(page.locator("#search-news")).to_contain_text("1 new photo taken up", timeout=WATCHED)
    page.press(box(page, "search-query"), "Enter")
    expect(page.locator("#search-gallery figure")).to_have_count(5)
    assert "cherry.png" in found_names(page)
    expect(page.locator("#search-news .pl-note")).to_have_count(0)


def test_a_folder_whose_photos_were_all_deleted_says_so_kindly(page: Page, folder: Path) -> None:
    search(page, folder, "red")
    expect(page.locator("#search-gallery figure")).to_have_count(4)
    for photo in folder.rglob("*.png"):
        photo.unlink()
    page.click("#search-renew")
    expect(page.locator("#search-status .pl-notice")).to_contain_text(
        "There are no photos here now."
    )
    page.click("#search-go")
    expect(page.locator("#search-status .pl-notice")).to_contain_text("no photos here now")
    expect(page.locator("#search-gallery figure")).to_have_count(0)


def test_a_folder_of_unusable_photos_names_each(page: Page, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "notes.jpg").write_text("no picture")
    made.truncated(tmp_path / "bad" / "half.jpg")
    ask_search(page, tmp_path / "bad", "red")
    expect(page.locator("#search-status li")).to_have_count(2)
    expect(page.locator("#search-status details")).to_contain_text(
        "half.jpg: the picture is damaged"
    )
    expect(page.locator("#search-gallery .pl-notice")).to_have_count(0)
