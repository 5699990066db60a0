"""What axe finds wrong with the page, whether it fits when enlarged, and what it looks like.

All of it with the real program and model, on the samples, so that the pictures in
build/screenshots/ show what people see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from engine.paths import locale_file
from engine.samples import sample_photos
from tests.fixtures.browser import (
    BATCH_ANSWERS,
    answered,
    box,
    choose_view,
    open_page,
    open_section,
    search,
)
from tests.fixtures.program import SERVE, Served, served

VIEWS = ("match", "batch", "search", "history", "models", "settings")
LANGUAGES = ("en", "zh-CN")
THEMES = ("light", "dark")
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
SERIOUS = ("serious", "critical")
# What Gradio's own markup breaks: rule -> selector of its elements, with why they are let be.
# There is nothing of that kind now.
GRADIOS: dict[str, str] = {}


@pytest.fixture(scope="module", params=LANGUAGES)
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The program in one language, with results in each view."""
    home = tmp_path_factory.mktemp("home")
    (home / "data").mkdir()
    (home / "data" / "settings.json").write_text(json.dumps({"language": request.param}))
    with served(home, SERVE) as running:
        yield running


@pytest.fixture(scope="module")
def page(program: Served, browser: Browser) -> Iterator[Page]:
    """One visitor, who has asked something in each view."""
    opened = open_page(browser, program)
    opened.evaluate(AXE.read_text(encoding="utf-8"))
    opened.click("#welcome-samples")
    expect(opened.locator("#match-results .pl-result")).to_have_count(len(sample_photos()))
    texts = json.loads(locale_file(language(opened)).read_text(encoding="utf-8"))
    captions = texts["samples.captions"]
    choose_view(opened, "batch")
    opened.fill(box(opened, "batch-folder"), str(sample_photos()[0].parent))
    opened.fill(box(opened, "batch-captions"), captions)
    with answered(opened, BATCH_ANSWERS):
        opened.click("#batch-go")
    choose_view(opened, "models")
    open_section(opened, "models-other")
    choose_view(opened, "search")
    search(opened, sample_photos()[0].parent, captions.splitlines()[0])
    yield opened
    opened.context.close()


def language(page: Page) -> str:
    return str(page.evaluate("document.documentElement.lang"))


def wear(page: Page, theme: str, view: str) -> None:
    """Show a view, light or dark."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    page.wait_for_function(
        "dark => document.body.classList.contains('dark') === dark", arg=theme == "dark"
    )
    choose_view(page, view)
    page.evaluate("document.activeElement.blur()")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious_in_our_own_markup(
    page: Page, repository: Path, view: str, theme: str
) -> None:
    wear(page, theme, view)
    folder = repository / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{view}-{language(page)}-{theme}.png", full_page=True)
    assert serious(page) == []


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious_in_what_is_unfolded_or_opened(page: Page, theme: str) -> None:
    unfold = """view => {
      for (const one of view.querySelectorAll(".label-wrap:not(.open)")) one.click();
      for (const one of view.querySelectorAll("details")) one.open = true;
    }"""
    for view in ("batch", "search", "settings"):
        wear(page, theme, view)
        page.locator(f"#view-{view}").evaluate(unfold)
        expect(page.locator(f"#view-{view} .label-wrap:not(.open)")).to_have_count(0)
        assert serious(page) == []
    wear(page, theme, "match")
    page.locator("#match-results [data-do=why]").first.click()
    expect(page.locator("dialog.pl-why .pl-word").first).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("dialog.pl-why")).to_be_hidden()


def serious(page: Page) -> list[str]:
    """What axe finds seriously wrong with the page as it stands."""
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:200]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
        if not is_gradios(page, rule["id"], node["target"])
    ]


def is_gradios(page: Page, rule: str, target: list[str]) -> bool:
    kept = GRADIOS.get(rule)
    return kept is not None and bool(
        page.locator(target[0]).first.evaluate("(element, kept) => element.matches(kept)", kept)
    )


@pytest.mark.parametrize("view", VIEWS)
def test_a_page_enlarged_to_twice_its_size_fits_its_window(page: Page, view: str) -> None:
    wear(page, "light", view)
    page.set_viewport_size({"width": 550, "height": 350})
    try:
        across = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(across) <= 0
    finally:
        page.set_viewport_size({"width": 1100, "height": 700})


def test_the_tabs_lead_to_panels_that_are_named_by_them(page: Page) -> None:
    for view in VIEWS:
        choose_view(page, view)
        name = page.locator(f"#tab-{view}").inner_text()
        expect(page.get_by_role("tabpanel", name=name, exact=True)).to_be_visible()
    page.focus("#tab-settings")
    page.keyboard.press("Home")
    expect(page.locator("#tab-match")).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#tab-settings")).to_be_focused()
    expect(page.locator("#view-settings")).to_be_visible()


def test_what_has_the_focus_is_seen(page: Page) -> None:
    choose_view(page, "batch")
    page.focus("#tab-batch")
    for _ in range(12):
        page.keyboard.press("Tab")
        drawn = page.evaluate(
            """() => {
              const element = document.activeElement;
              if (element === document.body) return true;  // past the last, before the first
              const around = element.closest("label") ?? element;
              return [element, around].some((one) => {
                const style = getComputedStyle(one);
                return style.boxShadow !== "none"
                  || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
              });
            }"""
        )
        assert drawn, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


def test_a_few_choices_are_one_stop_for_the_keyboard_and_arrows_choose(page: Page) -> None:
    choose_view(page, "settings")
    page.locator("#settings-theme input").first.focus()
    page.keyboard.press("ArrowRight")
    light = page.locator("#settings-theme input").nth(1)
    expect(light).to_be_focused()
    expect(light).to_be_checked()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#settings-theme input").first).to_be_checked()
    words = page.locator("#settings-theme [data-testid=block-info]").inner_text()
    expect(page.get_by_role("group", name=words)).to_be_visible()
