"""The Match view with a fake matcher that knows colours, driven in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.fixtures.browser import box, open_page
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.program import served


def add(page: Page, *photos: Path) -> None:
    there = page.locator("#match-strip .pl-photo").count()
    page.set_input_files("#match-upload input[type=file]", photos)
    expect(page.locator("#match-strip .pl-photo")).to_have_count(there + len(photos))


def write(page: Page, captions: str) -> None:
    page.fill(box(page, "match-captions"), captions)


def card(page: Page, name: str) -> Locator:
    return page.locator("#match-results .pl-result").filter(has_text=name)


def test_photos_and_captions_become_probabilities_and_a_failed_photo_is_named(
    page: Page, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.jpg"
    notes.write_text("no picture")
    add(page, coloured_photo(tmp_path / "apple.png", "red"), notes)
    write(page, "a red apple\n\nperhaps a red apple\na green meadow\n")
    expect(page.locator("#match-results .pl-result")).to_have_count(2)
    apple = card(page, "apple.png")
    expect(apple.locator(".pl-percent")).to_have_text(["88 %", "50 %", "2 %"])
    expect(apple.locator(".pl-chip")).to_have_text(["Matches", "Unsure", "Does not match"])
    # Bars that are not alike could not be compared, and their lines would not stand in one line.
    wide = "bars => new Set(bars.map(bar => Math.round(bar.getBoundingClientRect().width))).size"
    assert apple.locator(".pl-bar").evaluate_all(wide) == 1
    expect(apple.locator(".pl-pair p")).to_have_text(
        ["a red apple", "perhaps a red apple", "a green meadow"]
    )
    expect(card(page, "notes.jpg").locator(".pl-notice")).to_contain_text(
        "notes.jpg: this is not a picture PairLens can read"
    )

    page.click("#match-clear")
    expect(page.locator("#match-strip .pl-photo")).to_have_count(0)
    expect(page.locator(box(page, "match-captions"))).to_have_value("")
    expect(page.locator("#match-results .pl-empty")).to_be_visible()


def test_every_bar_has_a_line_at_the_threshold(page: Page, tmp_path: Path) -> None:
    add(page, coloured_photo(tmp_path / "apple.png", "red"))
    write(page, "red\ngreen")
    bars = page.locator("#match-results .pl-bar")
    expect(bars).to_have_count(2)
    for number in range(2):
        edge, line = bars.nth(number).bounding_box(), bars.nth(number).locator("b").bounding_box()
        assert edge is not None
        assert line is not None
        middle = line["x"] + line["width"] / 2
        assert middle == pytest.approx(edge["x"] + edge["width"] / 2, abs=1)
    expect(page.locator("#match-results")).to_contain_text("The line in each bar is at 50 %")


def test_what_is_missing_for_an_answer_is_said(page: Page, tmp_path: Path) -> None:
    results = page.locator("#match-results .pl-empty")
    write(page, "red")
    expect(results).to_contain_text("Add at least one photo.")
    write(page, "")
    expect(results).to_contain_text("Add photos, write one or more captions")
    add(page, coloured_photo(tmp_path / "apple.png", "red"))
    expect(results).to_contain_text("Write one or more captions")


def test_answers_follow_what_is_typed_and_dropped(page: Page, tmp_path: Path) -> None:
    write(page, "green")
    add(page, coloured_photo(tmp_path / "apple.png", "red"))
    expect(page.locator("#match-results .pl-chip")).to_have_text(["Does not match"])
    page.locator(box(page, "match-captions")).press_sequentially("\nred")
    expect(page.locator("#match-results .pl-chip")).to_have_text(["Does not match", "Matches"])
    add(page, coloured_photo(tmp_path / "meadow.png", "green"))
    expect(page.locator("#match-results .pl-result")).to_have_count(2)


def test_an_older_answer_never_takes_the_place_of_a_newer_one(page: Page, tmp_path: Path) -> None:
    add(page, coloured_photo(tmp_path / "apple.png", "red"))
    write(page, "a green apple")
    expect(page.locator("#match-results .pl-pair p")).to_have_text("a green apple")
    held: list[Route] = []
    asked: list[str] = []

    def hold(route: Route) -> None:
        asked.append(route.request.post_data or "")
        if "slow" in asked[-1]:
            held.append(route)
        else:
            route.continue_()

    page.route(lambda url: "/gradio_api/run/" in url, hold)
    with page.expect_request(lambda request: "slow" in (request.post_data or "")):
        write(page, "slow red")
    write(page, "a blue apple")
    write(page, "quick red")
    # Long enough for another question to be asked, if it were.
    page.wait_for_timeout(400)
    assert len(asked) == 1
    held[0].continue_()
    expect(page.locator("#match-results .pl-pair p")).to_have_text("quick red")
    expect(page.locator("#match-results")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#match-results .pl-pair p")).to_have_text("quick red")
    assert "a blue apple" not in "".join(asked)


def test_a_single_photo_can_be_taken_away(page: Page, tmp_path: Path) -> None:
    add(page, *(coloured_photo(tmp_path / f"{name}.png", "red") for name in ("a", "b", "c")))
    write(page, "red")
    expect(page.locator("#match-results h3")).to_have_text(["a.png", "b.png", "c.png"])
    page.get_by_role("button", name="Take b.png away").click()
    expect(page.locator("#match-strip .pl-photo")).to_have_count(2)
    expect(page.locator("#match-results h3")).to_have_text(["a.png", "c.png"])
    page.get_by_role("button", name="Take a.png away").press("Enter")
    page.get_by_role("button", name="Take c.png away").click()
    expect(page.locator("#match-results .pl-empty")).to_contain_text("Add at least one photo.")


def test_the_answers_are_given_in_chinese(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path / "home", LC_ALL="zh_CN.UTF-8") as program:
        page = open_page(browser, program)
        add(page, coloured_photo(tmp_path / "苹果.png", "red"))
        write(page, "red 苹果\nperhaps red 苹果\n蓝天")
        expect(page.locator("#match-results .pl-chip")).to_have_text(["匹配", "不确定", "不匹配"])
        expect(page.locator("#match-results")).to_contain_text("至少会错 1 次")
        page.get_by_role("button", name="移除 苹果.png").click()
        expect(page.locator("#match-results .pl-empty")).to_contain_text("请至少添加一张照片")
        page.context.close()
