"""The page with a fake matcher that knows colours, driven in a real browser."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.browser import box, choose_view, open_page, slow_batch
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.program import served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos and a file that is none."""
    place = tmp_path / "my photos"
    coloured_photo(place / "apple.png", "red")
    coloured_photo(place / "below" / "meadow.jpg", "green")
    (place / "notes.jpg").write_text("no picture")
    return place


def test_what_a_file_is_called_is_never_taken_for_markup(page: Page, tmp_path: Path) -> None:
    odd = coloured_photo(tmp_path / "<b onclick=x>bold & odd.png", "red")
    choose_view(page, "batch")
    page.fill(box(page, "batch-folder"), str(odd.parent))
    page.fill(box(page, "batch-captions"), "<i>red</i>")
    page.click("#batch-go")
    row = page.locator("#batch-table tbody tr")
    expect(row.locator(".pl-name")).to_have_text("<b onclick=x>bold & odd.png")
    expect(row.locator("td").nth(2)).to_have_text("<i>red</i>")


def test_a_folder_is_matched_and_the_table_can_be_saved(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    captions = tmp_path / "captions.txt"
    captions.write_text("a red apple\na green meadow\n", encoding="utf-8")
    choose_view(page, "batch")
    page.fill(box(page, "batch-folder"), f' "{folder}" ')
    with page.expect_file_chooser() as chooser:
        page.click("#batch-captions-file")
    chooser.value.set_files(captions)
    expect(page.locator(box(page, "batch-captions"))).to_have_value("a red apple\na green meadow")
    page.click("#batch-go")
    rows = page.locator("#batch-table tbody tr")
    expect(rows).to_have_count(3)
    expect(page.locator("#batch-status")).to_contain_text("3 photos · 2 matched · 1 could not")
    expect(rows.filter(has_text="meadow.jpg")).to_contain_text("a green meadow")
    expect(rows.first).to_contain_text("notes.jpg")
    expect(page.locator("#batch-go")).to_have_text("Match the folder")

    with page.expect_download() as download:
        page.click("#batch-save-csv")
    saved = tmp_path / "saved.csv"
    download.value.save_as(saved)
    with saved.open(encoding="utf-8-sig", newline="") as file:
        written = {Path(row["photo"]).name: row for row in csv.DictReader(file)}
    assert written["apple.png"]["caption"] == "a red apple"
    assert float(written["apple.png"]["probability"]) == pytest.approx(0.8808, abs=1e-3)
    assert written["notes.jpg"]["error"]


def test_a_reload_comes_back_to_the_view_and_its_results(page: Page, folder: Path) -> None:
    choose_view(page, "batch")
    page.fill(box(page, "batch-folder"), str(folder))
    page.fill(box(page, "batch-captions"), "something blue")
    page.click("#batch-go")
    expect(page.locator("#batch-table tbody tr")).to_have_count(3)
    expect(page.locator("#batch-table")).to_contain_text("something blue")
    page.reload()
    expect(page.locator("#view-batch")).to_be_visible()
    expect(page.locator("#batch-table")).to_contain_text("something blue")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("nowhere", "there is no such folder"), ("empty", "no photos were found")],
)
def test_a_folder_that_cannot_be_matched_is_named(
    page: Page, tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    choose_view(page, "batch")
    page.fill(box(page, "batch-folder"), str(tmp_path / name))
    page.fill(box(page, "batch-captions"), "red")
    page.click("#batch-go")
    expect(page.locator("#batch-status .pl-notice")).to_contain_text(sentence)
    choose_view(page, "search")
    page.fill(box(page, "search-folder"), str(tmp_path / name))
    page.fill(box(page, "search-query"), "red")
    page.click("#search-go")
    expect(page.locator("#search-status .pl-notice")).to_contain_text(sentence)


def test_a_folder_is_indexed_when_first_searched_and_found_by_words(
    page: Page, folder: Path
) -> None:
    choose_view(page, "search")
    page.fill(box(page, "search-folder"), str(folder))
    page.fill(box(page, "search-query"), "green grass")
    page.press(box(page, "search-query"), "Enter")
    figures = page.locator("#search-gallery figure")
    expect(figures).to_have_count(2)
    expect(figures.first).to_contain_text("meadow.jpg")
    expect(figures.first.locator(".pl-percent")).to_have_text("88 %")
    expect(page.locator("#search-gallery .pl-notice")).to_have_count(0)
    expect(page.locator("#search-status")).to_contain_text("3 photos · 2 newly indexed")
    expect(page.locator("#search-status details")).to_contain_text("1 photo could not be read")


def test_a_search_that_finds_nothing_says_so_and_shows_the_nearest(
    page: Page, folder: Path
) -> None:
    choose_view(page, "search")
    page.fill(box(page, "search-folder"), str(folder))
    page.fill(box(page, "search-query"), "the blue sea")
    page.click("#search-go")
    expect(page.locator("#search-gallery .pl-notice")).to_have_text(
        "Perhaps nothing here matches; the nearest are:"
    )
    expect(page.locator("#search-gallery figure")).to_have_count(2)


def test_one_searchs_answer_is_never_left_beside_anothers_error(page: Page, folder: Path) -> None:
    choose_view(page, "search")
    page.fill(box(page, "search-query"), "red")
    page.fill(box(page, "search-folder"), str(folder))
    page.click("#search-go")
    expect(page.locator("#search-gallery figure")).to_have_count(2)
    page.fill(box(page, "search-folder"), str(folder / "gone"))
    page.click("#search-go")
    expect(page.locator("#search-status .pl-notice")).to_contain_text("there is no such folder")
    expect(page.locator("#search-gallery figure")).to_have_count(0)
    page.fill(box(page, "search-folder"), str(folder))
    page.click("#search-go")
    expect(page.locator("#search-gallery figure")).to_have_count(2)
    expect(page.locator("#search-status .pl-notice")).to_have_count(0)


def test_new_photos_are_found_once_the_index_is_updated(page: Page, folder: Path) -> None:
    choose_view(page, "search")
    page.fill(box(page, "search-folder"), str(folder))
    page.fill(box(page, "search-query"), "blue")
    page.click("#search-go")
    expect(page.locator("#search-gallery figure")).to_have_count(2)
    coloured_photo(folder / "sea.png", "blue")
    page.click("#search-renew")
    expect(page.locator("#search-status")).to_contain_text("4 photos")
    page.click("#search-go")
    expect(page.locator("#search-gallery figure").first).to_contain_text("sea.png")


def test_the_language_can_be_changed_and_is_remembered(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as program:
        page = open_page(browser, program)
        choose_view(page, "settings")
        page.get_by_label("简体中文").check()
        expect(page.locator("#pl-tabs [data-view=search]")).to_have_text("搜索")
        where = "document.querySelector('#match-upload .wrap:has(.icon-wrap)')"
        said = page.evaluate(f"getComputedStyle({where}, '::after').content")
        assert said == '"拖到这里，或点击选择"'
        assert page.evaluate("document.documentElement.lang") == "zh-CN"
        page.context.close()
    with served(tmp_path) as program:
        again = open_page(browser, program)
        expect(again.locator("#pl-tabs [data-view=match]")).to_have_text("匹配")
        again.context.close()


def test_the_systems_language_is_used_at_first(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path, LC_ALL="zh_CN.UTF-8") as program:
        page = open_page(browser, program)
        expect(page.locator("#pl-tabs [data-view=match]")).to_have_text("匹配")
        page.context.close()


def test_the_page_asks_nothing_of_another_host(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as program:
        page = browser.new_context().new_page()
        asked: list[str] = []
        refused: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on(
            "console",
            lambda message: (
                refused.append(message.text) if "Content Security" in message.text else None
            ),
        )
        page.goto(program.url)
        page.wait_for_selector(".pl-about span:nth-child(3)")
        for view in ("batch", "search", "match"):
            choose_view(page, view)
        page.wait_for_timeout(500)
        own = (f"http://{program.host}/", "data:", "blob:")
        assert [url for url in asked if not url.startswith(own)] == []
        assert refused == []
        page.context.close()


def test_no_event_goes_through_gradios_queue_where_answers_get_lost(page: Page) -> None:
    config = page.evaluate("window.gradio_config.dependencies")
    events = [event for event in config if event["backend_fn"]]
    assert len(events) > 10
    assert [event["api_name"] for event in events if event["queue"] is not False] == []


def test_what_is_typed_at_the_moment_the_page_is_there_is_answered(page: Page) -> None:
    page.reload()
    page.fill(box(page, "match-captions"), "red")
    expect(page.locator("#match-results")).to_contain_text("Add at least one photo.")


def test_views_are_tabs_for_the_keyboard_too(page: Page) -> None:
    page.focus("#pl-tabs [data-view=match]")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Batch")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#view-batch")).to_be_visible()
    expect(page.locator("#view-match")).to_be_hidden()


def test_long_work_shows_its_progress_and_can_be_cancelled(
    browser: Browser, tmp_path: Path
) -> None:
    with slow_batch(browser, tmp_path, photos=200, seconds=0.2) as page:
        expect(page.locator("#batch-status")).to_contain_text("left")
        expect(page.locator("#batch-go")).to_be_disabled()

        page.reload()
        expect(page.locator("#batch-status")).to_contain_text("of 200 photos")
        page.click("#batch-cancel")
        expect(page.locator("#batch-status")).to_contain_text("Cancelled", timeout=20_000)
        expect(page.locator("#batch-cancel")).to_be_hidden()
        expect(page.locator("#batch-go")).to_be_enabled()
        expect(page.locator("#batch-table tbody tr").first).to_contain_text(".png")

        choose_view(page, "search")
        page.fill(box(page, "search-folder"), str(tmp_path / "photos"))
        page.fill(box(page, "search-query"), "red")
        page.click("#search-go")
        expect(page.locator("#search-status")).to_contain_text("of 200 photos")
        page.click("#search-cancel")
        expect(page.locator("#search-status")).to_contain_text("Cancelled", timeout=20_000)
        expect(page.locator("#search-go")).to_be_enabled()


def test_ending_the_program_does_not_wait_for_long_work(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for number in range(60):
        # Of different sizes: photos with the same content are indexed once.
        coloured_photo(folder / f"{number:03}.png", "red", (64 + number, 48))
    with served(tmp_path / "home", FAKE_MATCHER_SECONDS="1") as program:
        page = open_page(browser, program)
        choose_view(page, "search")
        page.fill(box(page, "search-folder"), str(folder))
        page.fill(box(page, "search-query"), "red")
        page.click("#search-go")
        expect(page.locator("#search-status")).to_contain_text("of 60 photos")
        program.process.terminate()
        # All of it would take half a minute.
        assert program.process.wait(15) == 0
        page.context.close()
