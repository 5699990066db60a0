"""Copying, moving and undoing in the window, with a fake matcher that knows colours."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.acting import files
from tests.fixtures.browser import (
    box,
    match_folder,
    plan_to_act,
    search_folder,
)
from tests.fixtures.coloured import coloured_photo, fruit

CAPTIONS = "a red apple\na green meadow"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fruit(tmp_path / "photos")


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "sorted"


def test_a_batch_is_copied_by_caption_after_a_dry_run_and_taken_back(
    page: Page, folder: Path, into: Path
) -> None:
    before = files(folder)
    match_folder(page, folder, CAPTIONS, 5)
    plan_to_act(page, "batch", into)
    told = page.locator("#batch-act-told")
    expect(told).to_contain_text(f"3 photos (< 0.1 MB) would be copied into {into}.")
    expect(told).to_contain_text("a red apple (new folder): 2 photos")
    expect(told).to_contain_text("no caption fits: 1 photo")
    expect(told).to_contain_text("could not be read: 1 photo")
    expect(page.locator("#batch-act-do")).to_have_text("Copy 3 photos")
    assert not into.exists()

    page.click("#batch-act-do")
    expect(page.locator("#batch-action")).to_contain_text(f"Copied 3 photos into {into}.")
    expect(page.locator("#batch-act-do")).to_be_hidden()
    assert set(files(into)) == {
        "a red apple/apple.png", "a red apple/cherry.png", "a green meadow/meadow.png"
    }  # fmt: skip
    page.click("#batch-action-undo")
    expect(page.locator("#batch-action")).to_contain_text("Took back 3 photos.")
    expect(page.locator("#batch-action-undo")).to_be_hidden()
    assert not into.exists()
    assert files(folder) == before


def test_selected_photos_of_a_batch_and_those_without_a_caption_can_be_moved(
    page: Page, folder: Path, into: Path
) -> None:
    match_folder(page, folder, CAPTIONS, 5)
    table = page.locator("#batch-table")
    table.get_by_label("Select apple.png").check()
    table.get_by_label("Select sea.png").check()
    expect(page.locator("#batch-table .pl-tick-bar")).to_contain_text("2 selected")
    plan_to_act(page, "batch", into, "move", "others")
    expect(page.locator("#batch-act-do")).to_have_text("Move 2 photos")
    page.click("#batch-act-do")
    expect(page.locator("#batch-action")).to_contain_text("Moved 2 photos")
    assert set(files(into)) == {"a red apple/apple.png", "others/sea.png"}
    assert set(files(folder)) == {"cherry.png", "meadow.png", "notes.jpg"}

    # The result that is on the page knows where its photos are now.
    table.get_by_label("apple.png", exact=True).first.click()
    page.wait_for_function("document.querySelector('#pl-light img').naturalWidth > 0")
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.click("#batch-save-csv")
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        named = {row["photo"] for row in csv.DictReader(file)}
    assert named == {
        *map(str, (into / "a red apple" / "apple.png", into / "others" / "sea.png")),
        *(str(folder / name) for name in ("cherry.png", "meadow.png", "notes.jpg")),
    }
    plan_to_act(page, "batch", into.with_name("again"), "move")
    expect(page.locator("#batch-act-told")).to_contain_text(str(into / "a red apple/apple.png"))


def test_two_ticked_search_results_are_moved_and_brought_back(
    page: Page, folder: Path, into: Path
) -> None:
    before = files(folder)
    search_folder(page, folder, "red", 4)
    for number in (0, 1):
        page.locator("#search-gallery .pl-tick input").nth(number).check()
    plan_to_act(page, "search", into, "move")
    page.click("#search-act-do")
    expect(page.locator("#search-action")).to_contain_text(f"Moved 2 photos into {into}.")
    assert set(files(into)) == {"apple.png", "cherry.png"}
    page.click("#search-action-undo")
    expect(page.locator("#search-action")).to_contain_text("Took back 2 photos.")
    assert files(folder) == before


def test_a_name_that_is_taken_gets_a_suffix_and_nothing_is_overwritten(
    page: Page, folder: Path, into: Path
) -> None:
    into.mkdir()
    (into / "apple.png").write_bytes(b"another apple")
    search_folder(page, folder, "red", 4)
    plan_to_act(page, "search", into)
    expect(page.locator("#search-act-told strong")).to_have_text("apple (2).png")
    page.click("#search-act-do")
    expect(page.locator("#search-action")).to_contain_text("Copied 4 photos")
    assert (into / "apple.png").read_bytes() == b"another apple"
    assert (into / "apple (2).png").read_bytes() == (folder / "apple.png").read_bytes()


def test_any_change_after_the_dry_run_takes_the_offer_away(
    page: Page, folder: Path, into: Path
) -> None:
    search_folder(page, folder, "red", 4)
    offer = page.locator("#search-act-do")
    for change in (
        lambda: page.locator("#search-gallery").get_by_label("Select apple.png").check(),
        lambda: page.click("#search-gallery [data-tick=all]"),
        lambda: page.check("#search-act-kind input[value=move]"),
        lambda: page.fill(box(page, "search-act-into"), f"{into}2"),
    ):
        plan_to_act(page, "search", into)
        change()
        expect(offer).to_be_hidden()
        expect(page.locator("#search-act-told")).to_be_hidden()
    assert not into.exists()


def test_select_all_and_none_are_counted(page: Page, folder: Path) -> None:
    search_folder(page, folder, "red", 4)
    bar = page.locator("#search-gallery .pl-tick-bar [role=status]")
    expect(bar).to_contain_text("Nothing selected")
    page.click("#search-gallery [data-tick=all]")
    expect(bar).to_have_text("4 selected")
    page.click("#search-gallery [data-tick=none]")
    expect(bar).to_contain_text("Nothing selected")


def test_everything_is_acted_on_also_what_is_not_drawn(
    page: Page, tmp_path: Path, into: Path
) -> None:
    for number in range(205):
        coloured_photo(tmp_path / "many" / f"{number:03}.png", "red", (8, 8))
    match_folder(page, tmp_path / "many", "red", 100)
    plan_to_act(page, "batch", into)
    expect(page.locator("#batch-act-do")).to_have_text("Copy 205 photos")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [("", "Name the folder"), ("nowhere/below", "there is no such folder"), ("sea.png", "no such")],
)
def test_a_target_that_cannot_be_is_named(
    page: Page, folder: Path, target: str, sentence: str
) -> None:
    search_folder(page, folder, "red", 4)
    page.click("#search-act .label-wrap")
    page.fill(box(page, "search-act-into"), str(folder / target) if target else "")
    page.click("#search-act-look")
    expect(page.locator("#search-act-told .pl-notice")).to_contain_text(sentence)
    expect(page.locator("#search-act-do")).to_be_hidden()
