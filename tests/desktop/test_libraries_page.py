"""The Search view and its libraries, each test with a program that knows of none yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.cards import Card
from engine.sqlite_file import WriterLock
from tests.fixtures.browser import (
    ask_search,
    box,
    choose_view,
    found_names,
    open_page,
    open_section,
)
from tests.fixtures.coloured import coloured_photo, trip
from tests.fixtures.program import Served, served

WATCHED = 20_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def program(home: Path) -> Iterator[Served]:
    home.mkdir()
    with served(home) as running:
        yield running


@pytest.fixture
def page(page: Page) -> Page:
    choose_view(page, "search")
    return page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return trip(tmp_path / "trip")


def libraries(home: Path) -> list[Path]:
    return sorted((home / "data" / "libraries").iterdir())


def lock(home: Path) -> WriterLock:
    (file,) = (path for path in libraries(home) if path.suffix == ".sqlite")
    return WriterLock(file, Card(file, "trip", ()).name)


def test_only_folder_words_and_go_are_in_sight_at_first(page: Page) -> None:
    for name in ("search-folder", "search-query", "search-go"):
        expect(page.locator(f"#{name}")).to_be_visible()
    for name in ("search-avoid", "search-after", "search-photo", "libraries-add", "search-names"):
        expect(page.locator(f"#{name}")).to_be_hidden()


def test_a_library_is_made_named_extended_searched_and_deleted(
    page: Page, folder: Path, tmp_path: Path, home: Path
) -> None:
    more = coloured_photo(tmp_path / "more" / "lake.png", "blue").parent
    open_section(page, "search-libraries")
    expect(page.locator("#libraries-list")).to_contain_text("There is no library yet")
    for place, count in ((folder, "4 photos"), (more, "5 photos")):
        page.fill(box(page, "libraries-folder"), str(place))
        page.fill(box(page, "libraries-name"), "Family")
        page.click("#libraries-add")
        expect(page.locator("#libraries-list li")).to_contain_text(count)
    row = page.locator("#libraries-list li")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("looked through 20")
    expect(row).to_contain_text(str(more))

    row.get_by_text("Search here").click()
    expect(page.locator(box(page, "search-folder"))).to_have_value("Family")
    ask_search(page, "family", "blue")
    expect(page.locator("#search-gallery figure")).to_have_count(5)
    assert sorted(found_names(page)[:2]) == ["lake.png", "sea.png"]

    page.fill(box(page, "libraries-folder"), str(folder))
    page.fill(box(page, "libraries-name"), "Other")
    page.click("#libraries-add")
    expect(page.locator("#search-status .pl-notice")).to_contain_text("in the library Family")

    row.get_by_text("Delete…").click()
    expect(page.locator("#libraries-question")).to_contain_text("No photo is touched")
    page.click("#libraries-keep")
    expect(page.locator("#libraries-question")).to_be_hidden()
    assert libraries(home)
    row.get_by_text("Delete…").click()
    page.click("#libraries-delete")
    expect(page.locator("#search-status")).to_contain_text("The library Family is deleted")
    expect(row).to_have_count(0)
    expect(page.locator("#search-gallery figure")).to_have_count(0)
    assert libraries(home) == []
    assert len(list(folder.rglob("*.png"))) == 4


def test_a_library_is_renamed_and_still_searched_and_watched(page: Page, folder: Path) -> None:
    ask_search(page, folder, "red")
    expect(page.locator("#search-gallery figure")).to_have_count(4)
    open_section(page, "search-libraries")
    row = page.locator("#libraries-list li")
    row.get_by_text("Search here").click()
    expect(page.locator(box(page, "search-folder"))).to_have_value("trip")
    page.click("#search-go")

    row.get_by_text("Rename…").click()
    name = page.get_by_label("New name for trip")
    expect(name).to_have_value("trip")
    page.click("#libraries-leave")
    expect(name).to_be_hidden()
    row.get_by_text("Rename…").click()
    name.fill(" ")
    page.click("#libraries-rename")
    expect(page.locator("#search-status .pl-notice")).to_contain_text("can't be without a name")
    name.fill("Summer")
    name.press("Enter")
    expect(page.locator("#search-status")).to_contain_text("The library trip is called Summer now")
    expect(row.locator("strong")).to_have_text("Summer")
    expect(name).to_be_hidden()
    expect(page.locator("#search-names")).to_contain_text("Summer")
    expect(page.locator(box(page, "search-folder"))).to_have_value("Summer")
    page.reload()
    expect(page.locator(box(page, "search-folder"))).to_have_value("Summer")

    coloured_photo(folder / "cherry.png", "red", (100, 70))
    expect(page.locator("#search-news")).to_contain_text("1 new photo taken up", timeout=WATCHED)
    page.click("#search-go")
    expect(page.locator("#search-gallery figure")).to_have_count(5)


def test_a_known_library_is_a_click_away_and_found_while_its_folder_is_offline(
    page: Page, folder: Path
) -> None:
    ask_search(page, folder, "red")
    expect(page.locator("#search-gallery figure")).to_have_count(4)
    folder.rename(folder.with_name("unplugged"))
    page.locator("#search-names").get_by_text("trip").click()
    expect(page.locator(box(page, "search-folder"))).to_have_value("trip")
    page.click("#search-go")
    expect(page.locator("#search-gallery .pl-name").first).to_contain_text("(offline)")
    open_section(page, "search-libraries")
    expect(page.locator("#libraries-list li")).to_contain_text(f"{folder} (offline)")
    ask_search(page, folder / "below", "blue")
    expect(page.locator("#search-gallery .pl-name")).to_have_text(["sea.png (offline)"])


def test_while_another_program_indexes_the_library_is_searched_and_that_is_said(
    page: Page, folder: Path, home: Path
) -> None:
    ask_search(page, folder, "red")
    expect(page.locator("#search-gallery figure")).to_have_count(4)
    open_section(page, "search-libraries")
    with lock(home):
        # What this program tries by itself is over when it has said so.
        coloured_photo(folder / "new.png", "red", (100, 70))
        expect(page.locator("#search-news")).to_contain_text("another PairLens", timeout=WATCHED)
        page.click("#search-go")
        expect(page.locator("#search-gallery")).to_contain_text("Another PairLens is indexing")
        expect(page.locator("#search-gallery figure")).to_have_count(4)
        page.click("#search-renew")
        expect(page.locator("#search-status .pl-notice")).to_contain_text("another PairLens")
        expect(page.locator("#libraries-list li")).to_contain_text("by another PairLens")
        page.locator("#libraries-list li").get_by_text("Delete…").click()
        page.click("#libraries-delete")
        expect(page.locator("#search-status .pl-notice")).to_contain_text("another PairLens")
        expect(page.locator("#libraries-question")).to_be_hidden()
        page.locator("#libraries-list li").get_by_text("Rename…").click()
        page.get_by_label("New name for trip").fill("Summer")
        page.click("#libraries-rename")
        expect(page.locator("#search-status .pl-notice")).to_contain_text("being indexed now")
    page.click("#search-go")
    expect(page.locator("#search-gallery")).not_to_contain_text("Another PairLens")
    expect(page.locator("#search-gallery figure")).to_have_count(4)


def test_a_damaged_index_is_set_aside_and_made_again_and_the_search_answered(
    browser: Browser, folder: Path, home: Path
) -> None:
    home.mkdir()
    for damage in (False, True):
        if damage:
            (file,) = (path for path in libraries(home) if path.suffix == ".sqlite")
            with sqlite3.connect(file) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            file.write_bytes(b"nonsense" * 5000)
        with served(home) as program:
            page = open_page(browser, program)
            choose_view(page, "search")
            ask_search(page, folder, "red")
            expect(page.locator("#search-gallery figure")).to_have_count(4)
            expect(page.locator("#search-status .pl-notice")).to_have_count(int(damage))
            page.context.close()


def test_after_a_change_of_the_model_the_library_is_encoded_anew_by_itself(
    browser: Browser, folder: Path, home: Path
) -> None:
    home.mkdir()
    with served(home) as program:
        page = open_page(browser, program)
        choose_view(page, "search")
        ask_search(page, folder, "red")
        expect(page.locator("#search-gallery figure")).to_have_count(4)
        page.context.close()
    # Of the first folder nothing is encoded by the new model, so that it is indexed at once; a
    # photo that is, makes the rest wait.
    with served(home, FAKE_MATCHER_ID="colours-2") as program:
        page = open_page(browser, program)
        choose_view(page, "search")
        page.fill(box(page, "search-folder"), str(folder / "below"))
        page.click("#search-renew")
        expect(page.locator("#search-status")).to_contain_text("1 newly indexed")
        ask_search(page, folder, "blue")
        expect(page.locator("#search-gallery .pl-name")).to_have_text(["sea.png"])
        expect(page.locator("#search-gallery")).to_contain_text("3 more photos can't be searched")
        expect(page.locator("#search-news")).to_contain_text(
            "3 photos looked at with the new model", timeout=WATCHED
        )
        page.click("#search-go")
        expect(page.locator("#search-gallery figure")).to_have_count(4)
        page.context.close()


def test_indexing_is_paused_goes_on_and_is_cancelled(
    browser: Browser, tmp_path: Path, home: Path
) -> None:
    folder = tmp_path / "photos"
    for number in range(120):
        coloured_photo(folder / f"{number:03}.png", "red", (64 + number, 48))
    home.mkdir()
    with served(home, FAKE_MATCHER_SECONDS="0.3") as program:
        page = open_page(browser, program)
        choose_view(page, "search")
        ask_search(page, folder, "red")
        status = page.locator("#search-status")
        expect(status).to_contain_text("of 120 photos")
        page.click("#search-pause")
        expect(status).to_contain_text("Paused at")
        expect(page.locator("#search-pause")).to_have_text("Go on")
        page.reload()
        expect(status).to_contain_text("Paused at")
        page.click("#search-pause")
        expect(status).to_contain_text("left")
        # What is done so far can be searched meanwhile.
        page.click("#search-go")
        expect(page.locator("#search-gallery")).to_contain_text("what is done so far is searched")
        page.click("#search-pause")
        expect(status).to_contain_text("Paused at")
        page.click("#search-cancel")
        expect(status).to_contain_text("Cancelled; what was indexed is kept")
        for name in ("pause", "cancel"):
            expect(page.locator(f"#search-{name}")).to_be_hidden()
        page.context.close()
