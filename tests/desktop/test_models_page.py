"""The Models view, with a fake matcher that takes its name from a pack."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from engine.paths import shipped_pack_dir
from tests.fixtures.browser import choose_view, open_page, search_folder
from tests.fixtures.coloured import fruit
from tests.fixtures.packs import light_pack, pack_of, packed
from tests.fixtures.program import Served, served


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model pack as one file; its card would like to show a picture from elsewhere."""
    place = tmp_path_factory.mktemp("packs")
    return packed(light_pack(place / "pack", "Zebra"), place / "zebra.pairlens")


@pytest.fixture(scope="module")
def program(home: Path) -> Iterator[Served]:
    with served(home, FAKE_MATCHER_PACK=str(shipped_pack_dir())) as running:
        yield running


@pytest.fixture
def page(page: Page, home: Path) -> Iterator[Page]:
    """On the Models view; what a test imported goes with it."""
    choose_view(page, "models")
    yield page
    shutil.rmtree(home / "data" / "models", ignore_errors=True)


def row(page: Page, title: str) -> Locator:
    return page.locator("#models-list li").filter(has_text=title)


def ask(page: Page, title: str, link: str) -> None:
    row(page, title).get_by_role("button", name=link).click()


def status(page: Page) -> Locator:
    return page.locator("#models-status")


def bring(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click("#models-import")
    chooser.value.set_files(file)


def test_the_pack_in_use_is_told_with_why_and_what_it_is(page: Page) -> None:
    default = row(page, "PairLens Small")
    expect(default.locator(".pl-chip")).to_have_text(["In use"])
    expect(default).to_contain_text("English, Chinese")
    expect(default).to_contain_text("for non-commercial use only")
    expect(default).to_contain_text("it comes with PairLens")
    expect(default.get_by_role("button", name="Use it")).to_have_count(0)
    expect(default.get_by_role("button", name="Remove…")).to_have_count(0)
    expect(page.locator("#models-card")).to_be_hidden()


def test_a_card_is_read_with_its_numbers_and_leads_nowhere_else(page: Page) -> None:
    ask(page, "PairLens Small", "Read about it")
    facts = page.locator("#models-facts")
    expect(facts.locator("th")).to_have_text(["", "English", "Chinese"])
    accuracy = facts.locator("tr").filter(has_text="Right answers")
    expect(accuracy.locator("td").nth(1)).to_have_text(re.compile(r"^\d\d\.\d %$"))
    text = page.locator("#models-text")
    expect(text.locator("table").first).to_be_visible()
    expect(text).to_contain_text("Flickr8k")
    expect(text.locator("a[href^=http], img")).to_have_count(0)


def test_a_pack_is_added_used_checked_and_removed(
    page: Page, other: Path, home: Path, tmp_path: Path
) -> None:
    photos = fruit(tmp_path / "photos")
    search_folder(page, photos, "green", 4)
    choose_view(page, "models")
    bring(page, other)
    expect(status(page)).to_contain_text("was added. It is not in use yet.")
    expect(row(page, "Zebra").locator(".pl-chip")).to_have_count(0)
    uploads = list((home / "cache" / "sessions").rglob("*.pairlens"))
    assert uploads == []

    status(page).get_by_role("button", name="Use it").click()
    expect(status(page)).to_contain_text("answers from now on")
    expect(row(page, "Zebra").locator(".pl-chip")).to_have_text(["In use"])
    expect(row(page, "Zebra")).to_contain_text("it was chosen")
    expect(row(page, "PairLens Small").locator(".pl-chip")).to_have_count(0)
    expect(page.locator(".pl-about")).to_contain_text("Zebra")
    page.reload()
    expect(page.locator(".pl-about")).to_contain_text("Zebra")
    # The library in use is looked at with it by itself.
    choose_view(page, "search")
    expect(page.locator("#search-news")).to_contain_text("4 photos looked at with the new model")

    choose_view(page, "models")
    ask(page, "Zebra", "Check its files")
    expect(status(page)).to_contain_text("is whole")
    ask(page, "Zebra", "Remove…")
    question = page.locator("#pl-ask")
    expect(question).to_contain_text("Remove Zebra")
    question.get_by_role("button", name="Leave it as it is").click()
    expect(row(page, "Zebra")).to_be_visible()
    ask(page, "Zebra", "Remove…")
    question.get_by_role("button", name="Remove", exact=True).click()
    expect(status(page)).to_contain_text("was removed, which freed")
    expect(row(page, "Zebra")).to_have_count(0)
    expect(row(page, "PairLens Small").locator(".pl-chip")).to_have_text(["In use"])
    expect(page.locator(".pl-about")).to_contain_text("PairLens Small")


def test_what_is_no_pack_is_refused_and_a_damaged_one_is_named(
    page: Page, home: Path, tmp_path: Path
) -> None:
    nothing = tmp_path / "holiday.pairlens"
    nothing.write_bytes(b"nothing of the kind")
    bring(page, nothing)
    expect(status(page).locator(".pl-notice")).to_contain_text(
        "this can't be imported as a model pack"
    )
    broken = home / "data" / "models" / "broken"
    broken.mkdir(parents=True)
    (broken / "manifest.json").write_text("{")
    short = pack_of(home / "data" / "models" / "short", "another-maker")
    page.reload()
    expect(row(page, "broken").locator(".pl-chip")).to_have_text(["Damaged"])
    expect(row(page, "broken").locator(".pl-notice")).to_contain_text("the model pack is damaged")
    page.locator("#models-list [data-do=check][data-pack^=another-maker]").click()
    expect(status(page).locator(".pl-notice")).to_contain_text(str(short))
    expect(status(page).locator(".pl-notice")).to_contain_text("is missing")


def test_files_that_are_handed_to_the_window_are_imported_one_after_the_other(
    page: Page, other: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "holiday.pairlens"
    bad.write_bytes(b"nothing of the kind")
    photo = fruit(tmp_path / "photos") / "apple.png"
    choose_view(page, "match")
    paths = [str(bad), str(photo), str(other)]
    page.evaluate("paths => window.pairlens.arrive(paths)", paths)
    expect(page.locator("#view-models")).to_be_visible()
    expect(status(page).locator(".pl-notice")).to_contain_text("holiday.pairlens: this can't be")
    expect(status(page).locator(".pl-summary")).to_contain_text("Zebra")
    expect(row(page, "Zebra")).to_be_visible()
    expect(page.locator("#pl-arrival")).to_contain_text("Added in Match: 1 photo.")
    assert other.exists()


def test_the_view_speaks_chinese_and_a_named_pack_stays(browser: Browser, tmp_path: Path) -> None:
    named = light_pack(tmp_path / "named", "Named")
    variables = {"FAKE_MATCHER_PACK": str(named), "PAIRLENS_PACK": str(named)}
    with served(tmp_path / "home", LC_ALL="zh_CN.UTF-8", **variables) as program:
        page = open_page(browser, program)
        choose_view(page, "models")
        expect(row(page, "Named").locator(".pl-chip")).to_have_text(["使用中"])
        expect(row(page, "Named")).to_contain_text("环境变量 PAIRLENS_PACK 指定了")
        ask(page, "PairLens Small", "使用")
        expect(status(page).locator(".pl-notice")).to_contain_text("不能选择其他模型包")
        ask(page, "Named", "查看说明")
        expect(page.locator("#models-facts")).to_contain_text("判断正确的比例")
        page.context.close()
