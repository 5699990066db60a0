"""What can be done with the photos of results, with a fake matcher that knows colours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from desktop.ui.batch_table import SHOWN
from tests.fixtures.browser import (
    answered,
    box,
    choose_view,
    match_folder,
    open_page,
    plan_to_act,
    search_folder,
)
from tests.fixtures.coloured import coloured_photo, fruit
from tests.fixtures.program import Served, served
from tests.fixtures.viewer import viewer

MANY = 2 * SHOWN + 30


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that names what was handed to the system to be opened."""
    return viewer(tmp_path_factory.mktemp("viewer"))[1]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, opened: Path) -> Iterator[Served]:
    path = f"{opened.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    with served(tmp_path_factory.mktemp("home"), PATH=path) as running:
        yield running


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for number in range(MANY):
        coloured_photo(folder / f"{number:04}.png", ("red", "blue")[number % 2], (32, 24))
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return fruit(tmp_path / "photos")


def first_name(page: Page) -> Locator:
    return page.locator("#batch-table .pl-name").first


def test_a_large_result_is_turned_page_by_page_and_by_number(page: Page, many: Path) -> None:
    match_folder(page, many, "red", SHOWN)
    expect(page.locator("#batch-table .pl-pager").first).to_contain_text(f"1 to {SHOWN} of {MANY}")
    page.get_by_role("button", name="Next", exact=True).first.click()
    expect(first_name(page)).to_have_text(f"{SHOWN:04}.png")
    page.locator(".pl-pager input").first.fill("3")
    page.keyboard.press("Enter")
    expect(first_name(page)).to_have_text(f"{2 * SHOWN:04}.png")
    expect(page.locator("#batch-table tbody tr")).to_have_count(30)
    expect(page.get_by_role("button", name="Next", exact=True)).to_have_count(0)
    page.click("#batch-filter input")
    page.get_by_role("option", name="Does not match", exact=True).click()
    expect(page.locator("#batch-table .pl-pager").first).to_contain_text(f"of {MANY // 2}")
    expect(first_name(page)).to_have_text("0001.png")


def test_what_is_selected_on_several_pages_is_acted_on_together(
    page: Page, many: Path, tmp_path: Path
) -> None:
    match_folder(page, many, "red", SHOWN)
    said = page.locator("#batch-table .pl-tick-bar [role=status]")
    page.get_by_label("Select 0000.png").check()
    page.get_by_role("button", name="Next", exact=True).first.click()
    expect(first_name(page)).to_have_text(f"{SHOWN:04}.png")
    expect(said).to_have_text("1 selected")
    page.get_by_role("button", name="Select all shown").click()
    expect(said).to_have_text(f"{SHOWN + 1} selected")
    page.get_by_role("button", name="Previous", exact=True).first.click()
    expect(page.get_by_label("Select 0000.png")).to_be_checked()
    expect(page.get_by_label("Select 0001.png")).not_to_be_checked()
    plan_to_act(page, "batch", tmp_path / "sorted", rest="others")
    expect(page.locator("#batch-act-do")).to_have_text(f"Copy {SHOWN + 1} photos")

    # Another result begins with nothing selected.
    match_folder(page, many, "blue", SHOWN)
    expect(said).to_contain_text("Nothing selected")
    expect(page.get_by_label("Select 0000.png")).not_to_be_checked()


def test_what_is_selected_stays_so_when_more_is_shown(page: Page, many: Path) -> None:
    search_folder(page, many, "red", 40)
    page.locator("#search-gallery .pl-tick input").first.check()
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#search-gallery figure")).to_have_count(80)
    expect(page.locator("#search-gallery .pl-tick input").first).to_be_checked()
    expect(page.locator("#search-gallery .pl-tick input:checked")).to_have_count(1)


def test_a_photo_opens_large_and_the_arrow_keys_lead_to_the_others(
    page: Page, photos: Path
) -> None:
    match_folder(page, photos, "red", 5)
    light = page.locator("#pl-light")
    page.get_by_label("apple.png", exact=True).press("Enter")
    expect(light).to_be_visible()
    expect(light.locator("p")).to_have_text(str(photos / "apple.png"))
    page.wait_for_function("document.querySelector('#pl-light img').naturalWidth === 320")
    expect(light.get_by_role("button", name="Previous photo")).to_be_disabled()
    page.keyboard.press("ArrowRight")
    expect(light.locator("p")).to_have_text(str(photos / "cherry.png"))
    page.keyboard.press("ArrowLeft")
    light.get_by_role("button", name="Next photo").click()
    light.get_by_role("button", name="Next photo").click()
    expect(light.locator("p")).to_have_text(str(photos / "meadow.png"))
    page.keyboard.press("Escape")
    expect(light).to_be_hidden()
    expect(page.get_by_label("meadow.png", exact=True)).to_be_focused()


def test_a_photo_is_opened_and_shown_in_its_folder_by_the_system(
    page: Page, photos: Path, opened: Path
) -> None:
    search_folder(page, photos, "green", 4)
    page.locator("#search-gallery").get_by_label("meadow.png", exact=True).click()
    light = page.locator("#pl-light")
    for name in ("Open", "Show in folder"):
        with page.expect_response(lambda response: "/gradio_api/run/" in response.url):
            light.get_by_role("button", name=name, exact=True).click()
    assert opened.read_text().splitlines() == [str(photos / "meadow.png"), str(photos)]
    (photos / "meadow.png").unlink()
    light.get_by_role("button", name="Open", exact=True).click()
    expect(light.locator("output")).to_contain_text("meadow.png: there is no such file")


def test_a_path_that_the_page_makes_up_opens_nothing(
    page: Page, photos: Path, opened: Path
) -> None:
    before = opened.read_text() if opened.exists() else ""
    with page.expect_response(lambda response: "/gradio_api/run/" in response.url) as answer:
        page.evaluate(
            "(path) => { window.pairlens.asked = { do: 'open', photo: path };"
            " document.querySelector('#pl-photo-ask').click(); }",
            str(photos / "apple.png"),
        )
    assert answer.value.ok
    assert (opened.read_text() if opened.exists() else "") == before


def test_an_upload_has_nothing_to_open(page: Page, photos: Path) -> None:
    page.set_input_files("#match-upload input[type=file]", [photos / "apple.png"])
    picture = page.locator("#match-strip img")
    expect(picture).to_be_visible()
    page.wait_for_function("document.querySelector('#match-strip img').naturalWidth === 320")
    picture.click()
    light = page.locator("#pl-light")
    expect(light.locator("p")).to_have_text("apple.png")
    expect(light.get_by_role("button", name="Open", exact=True)).to_be_hidden()
    page.mouse.click(5, 300)
    expect(light).to_be_hidden()


def test_why_is_told_of_rows_and_of_found_photos(page: Page, photos: Path) -> None:
    dialog = page.locator("dialog.pl-why")
    match_folder(page, photos, "a red apple", 5)
    page.locator("#batch-table tr").filter(has_text="cherry.png").get_by_text("Why?").click()
    expect(dialog.locator("h3")).to_have_text("a red apple")
    expect(dialog.locator(".pl-percent")).to_have_text("88 %")
    page.keyboard.press("Escape")
    search_folder(page, photos, "green grass", 4)
    page.locator("#search-gallery figure").first.get_by_text("Why?").click()
    expect(dialog.locator("h3")).to_have_text("green grass")
    expect(dialog.locator(".pl-word")).to_have_count(3)


def test_large_photos_and_pages_speak_chinese(browser: Browser, many: Path, tmp_path: Path) -> None:
    with served(tmp_path / "home", LC_ALL="zh_CN.UTF-8") as program:
        page = open_page(browser, program)
        choose_view(page, "batch")
        page.fill(box(page, "batch-folder"), str(many))
        page.fill(box(page, "batch-captions"), "red")
        with answered(page, "#batch-status .pl-summary"):
            page.click("#batch-go")
        expect(page.locator(".pl-pager").first).to_contain_text(f"第 1 至 {SHOWN} 项，共 {MANY} 项")
        page.locator("#batch-table .pl-photo").first.click()
        for name in ("打开", "在文件夹中显示", "下一张", "上一张", "关闭"):
            expect(page.locator("#pl-light").get_by_role("button", name=name)).to_be_visible()
        page.context.close()
