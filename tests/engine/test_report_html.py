"""The page of results in a real browser, opened as a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.encoding import failure
from engine.errors import PhotoDamaged
from engine.export import write_results
from engine.results import About
from engine.types import BatchRow, Caption, Mode, VerifyRow
from tests.fixtures.coloured import coloured_photo

HOSTILE = [
    "<img src=x onerror=window.hit=1>.png",
    "a & b \"quoted\" 'name' %41#?.png",
    "${window.hit=1} {n}.png",
]
HOSTILE_CAPTION = "</script><script>window.hit=1</script><!--<script>"
ABOUT = About(
    mode=Mode.BEST, source=Path("/pictures/<b>of</b> all"), photos=4,
    captions=[Caption(HOSTILE_CAPTION, "<i>label</i>"), Caption("a cat", "cats")],
    model="default", version="1", exact=False, threshold=0.5, false_alarms=None,
)  # fmt: skip


class Opened:
    """A page opened from disk, with everything it asked for or complained of."""

    def __init__(self, browser: Browser, path: Path) -> None:
        self.page: Page = browser.new_context().new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())

    def column(self, number: int) -> list[str]:
        return self.page.locator(f"tbody tr td:nth-child({number})").all_inner_texts()

    def sort_by(self, head: str) -> None:
        self.page.click(f"th button:text-is('{head}')")


def rows_of(folder: Path) -> list[BatchRow]:
    photos = [coloured_photo(folder / name, "red") for name in HOSTILE]
    damaged = folder / "damaged.jpg"
    why = failure(damaged, PhotoDamaged(path=damaged, reason="half of it"))
    return [
        BatchRow(photos[0], HOSTILE_CAPTION, "<i>label</i>", 0.9, 0.5, True, 1, "a cat", None, 4.0),
        BatchRow(photos[1], "a cat", "cats", 0.31, 0.5, False, 1, HOSTILE_CAPTION, None, 0.1),
        BatchRow(damaged, failure=why),
        BatchRow(photos[2], "a cat", "cats", 1.0, 0.5, True, 1, HOSTILE_CAPTION, None, 9.5),
    ]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    write_results(rows_of(tmp_path / "photos"), ABOUT, tmp_path / "out.html")
    page = Opened(browser, tmp_path / "out.html")
    yield page
    page.page.context.close()


def test_the_page_shows_every_row_and_loads_nothing(opened: Opened) -> None:
    page = opened.page
    expect(page.locator("tbody tr")).to_have_count(4)
    expect(page.locator("#counts")).to_have_text("4 photos · 2 matched · 1 could not be used")
    heads = page.locator("th button").all_inner_texts()
    assert heads == ["Photo", "Caption", "Label", "Match probability", "Threshold", "Answer",
                     "Runner-up", "Margin"]  # fmt: skip
    assert opened.column(5) == ["90.0 %", "31.0 %", "", "> 99.9 %"]
    assert opened.column(7) == ["matches", "nothing matches", "could not be used", "matches"]
    expect(page.locator("tbody tr").nth(2)).to_contain_text(
        "damaged or only half there (half of it)"
    )
    pictures = page.locator("tbody img")
    expect(pictures).to_have_count(3)
    assert all(
        picture.evaluate("async (one) => { await one.decode(); return one.naturalWidth; }") > 0
        for picture in pictures.all()
    )
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    assert opened.complaints == []


def test_the_heads_are_explained_on_demand(opened: Opened) -> None:
    legend = opened.page.locator("details")
    expect(legend.locator("dl")).to_be_hidden()
    legend.locator("summary").click()
    heads = legend.locator("dt").all_inner_texts()
    assert heads == ["Match probability", "Threshold", "Runner-up", "Margin"]
    expect(legend.locator("dd").nth(1)).to_contain_text("from which a pair counts as a match")


def test_no_name_and_no_caption_is_taken_for_markup(opened: Opened) -> None:
    page = opened.page
    assert opened.column(2) == [HOSTILE[0], HOSTILE[1], "damaged.jpg", HOSTILE[2]]
    assert opened.column(3)[0] == HOSTILE_CAPTION
    assert opened.column(4)[0] == "<i>label</i>"
    expect(page.locator("header")).to_contain_text("/pictures/<b>of</b> all")
    assert page.evaluate("window.hit") is None
    links = page.locator("tbody a")
    for link in links.all():
        assert re.match(r"file:///", link.get_attribute("href") or "")
    assert page.evaluate("document.querySelectorAll('script').length") == 4


def test_what_is_not_the_pages_own_script_is_not_run(opened: Opened) -> None:
    opened.page.evaluate(
        "() => { const bad = document.createElement('script'); bad.textContent = 'window.hit = 1';"
        " document.body.append(bad); }"
    )
    assert opened.page.evaluate("window.hit") is None
    assert any("Content Security Policy" in text for text in opened.complaints)


def test_rows_are_sorted_by_every_column_and_empty_values_come_last(opened: Opened) -> None:
    opened.sort_by("Match probability")
    assert opened.column(5) == ["31.0 %", "90.0 %", "> 99.9 %", ""]
    opened.sort_by("Match probability")
    assert opened.column(5) == ["> 99.9 %", "90.0 %", "31.0 %", ""]
    expect(opened.page.locator("th[aria-sort=descending]")).to_have_text("Match probability")
    opened.sort_by("Margin")
    assert opened.column(9) == ["0.10", "4.00", "9.50", ""]
    for head in ("Photo", "Caption", "Label", "Threshold", "Answer", "Runner-up"):
        opened.sort_by(head)
        expect(opened.page.locator("th[aria-sort=ascending]")).to_have_text(head)
        expect(opened.page.locator("tbody tr")).to_have_count(4)


def test_rows_are_filtered_by_words_and_by_answer(opened: Opened) -> None:
    page = opened.page
    page.fill("#find", "QUOTED b")
    assert opened.column(2) == [HOSTILE[1]]
    page.fill("#find", "")
    page.select_option("#show", label="nothing matches")
    assert opened.column(7) == ["nothing matches"]
    page.fill("#find", "no such words")
    expect(page.locator("tbody")).to_have_text("No row is like this.")
    page.fill("#find", "")
    page.select_option("#show", label="everything")
    expect(page.locator("tbody tr")).to_have_count(4)


def test_the_page_speaks_chinese(browser: Browser, tmp_path: Path) -> None:
    about = replace(ABOUT, language="zh-CN")
    write_results(rows_of(tmp_path / "photos"), about, tmp_path / "out.html")
    opened = Opened(browser, tmp_path / "out.html")
    assert opened.page.locator("html").get_attribute("lang") == "zh-CN"
    expect(opened.page.locator("#counts")).to_contain_text("2 张匹配")
    assert opened.column(7) == ["匹配", "没有匹配的描述", "无法使用", "匹配"]
    expect(opened.page.locator("tbody")).to_contain_text("damaged.jpg：")


def test_thousands_of_rows_are_shown_a_page_at_a_time(browser: Browser, tmp_path: Path) -> None:
    photo = coloured_photo(tmp_path / "red.png", "red")
    rows = (
        BatchRow(photo, f"caption {number}", f"caption {number}", number / 5000, 0.5,
                 number >= 2500, number + 1)
        for number in range(5000)
    )  # fmt: skip
    write_results(rows, replace(ABOUT, mode=Mode.ALL, photos=1), tmp_path / "out.html")
    # The picture is there once, however often its photo is.
    assert (tmp_path / "out.html").read_text(encoding="utf-8").count('"picture": ') == 1
    opened = Opened(browser, tmp_path / "out.html")
    expect(opened.page.locator("tbody tr")).to_have_count(100)
    expect(opened.page.locator("tbody img")).to_have_count(100)
    expect(opened.page.locator("#count")).to_have_text("5000 rows · Page 1 of 50")
    opened.page.click("nav button:text('Next')")
    assert opened.column(3)[0] == "caption 100"
    opened.sort_by("Rank")
    opened.sort_by("Rank")
    assert opened.column(3)[0] == "caption 4999"
    opened.page.fill("#find", "caption 4242")
    assert opened.column(3) == ["caption 4242"]
    expect(opened.page.locator("nav button:text('Next')")).to_be_disabled()


def test_a_verification_names_what_fits_better(browser: Browser, tmp_path: Path) -> None:
    coloured_photo(tmp_path / "red.png", "red")
    rows = [VerifyRow(Path("red.png"), "a blue sea", 0.02, 1.0000001, False, "a red sea", 0.9)]
    about = replace(ABOUT, mode=Mode.VERIFY, photos=2, beside=tmp_path)
    write_results(rows, about, tmp_path / "out.html")
    opened = Opened(browser, tmp_path / "out.html")
    (row,) = opened.page.locator("tbody tr").all()
    expect(row).to_contain_text("does not match")
    expect(row).to_contain_text("a red sea")
    assert opened.column(5) == ["none"]
    expect(row.locator("img")).to_have_count(1)
    expect(opened.page.locator("#counts")).to_contain_text("Stopped early")
