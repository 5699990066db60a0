"""History, and acting beside other work: each test with a program in which nothing was done yet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.action_journal import Journal
from engine.action_plan import plan_selection
from engine.actions import run
from tests.fixtures.acting import files
from tests.fixtures.browser import (
    box,
    choose_view,
    match_folder,
    open_page,
    plan_to_act,
    search_folder,
)
from tests.fixtures.coloured import coloured_photo, fruit
from tests.fixtures.program import Served, served

CAPTIONS = "a red apple\na green meadow"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fruit(tmp_path / "photos")


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "sorted"


def test_the_keyboard_alone_is_enough(page: Page, folder: Path, into: Path) -> None:
    search_folder(page, folder, "red", 4)
    page.focus("#search-act .label-wrap")
    page.keyboard.press("Enter")
    page.focus("#search-gallery .pl-tick input >> nth=0")
    page.keyboard.press("Space")
    page.focus("#search-act-into input")
    page.keyboard.type(str(into))
    _tab_to(page, "search-act-look")
    page.keyboard.press("Enter")
    expect(page.locator("#search-act-do")).to_have_text("Copy 1 photo")
    _tab_to(page, "search-act-do")
    page.keyboard.press("Enter")
    expect(page.locator("#search-action")).to_contain_text("Copied 1 photo into")
    assert set(files(into)) == {"apple.png"}

    page.focus("#pl-tabs [data-view=search]")
    page.keyboard.press("ArrowRight")
    undo = page.get_by_role("button", name="Undo: Copied")
    expect(undo).to_be_visible()
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#pl-ask")).to_contain_text("The copies are deleted from")
    page.keyboard.press("Escape")
    expect(page.locator("#pl-ask")).to_be_hidden()
    assert into.exists()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#history-action")).to_contain_text("Took back 1 photo.")
    assert not into.exists()


def _tab_to(page: Page, element: str) -> None:
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == element:
            return
    raise AssertionError(f"{element} can't be reached with Tab")


def test_history_lists_what_was_done_and_undoes_it_after_a_restart(
    browser: Browser, tmp_path: Path, folder: Path, into: Path
) -> None:
    before = files(folder)
    with served(tmp_path / "home") as program:
        page = open_page(browser, program)
        choose_view(page, "history")
        expect(page.locator("#history-list")).to_contain_text("Nothing was copied or moved yet")
        search_folder(page, folder, "red", 4)
        plan_to_act(page, "search", into, "move")
        page.click("#search-act-do")
        expect(page.locator("#search-action")).to_contain_text("Moved 4 photos")
        page.context.close()
    with served(tmp_path / "home") as program:
        page = open_page(browser, program)
        choose_view(page, "history")
        row = page.locator(".pl-history tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text(str(into))
        expect(row).to_contain_text("Done")
        row.locator("[data-undo]").click()
        expect(page.locator("#pl-ask")).to_contain_text("The photos go back from")
        page.get_by_role("button", name="Move them back").click()
        expect(page.locator("#history-action")).to_contain_text("Took back 4 photos.")
        expect(row).to_contain_text("Undone")
        expect(row.locator("[data-undo]")).to_have_count(0)
        page.context.close()
    assert files(folder) == before


def test_an_interrupted_action_is_shown_with_what_to_do_and_can_be_undone(
    browser: Browser, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("PAIRLENS_HOME", str(home))
    # Its name is no text, as can be on Linux.
    into = tmp_path / os.fsdecode(b"sorted-\xff")
    answers = iter([False, True])
    with Journal() as journal:
        plan = plan_selection([folder / "apple.png", folder / "sea.png"], into)
        run(plan, journal, cancelled=lambda: next(answers))
    with served(home) as program:
        page = open_page(browser, program)
        choose_view(page, "history")
        row = page.locator(".pl-history tbody tr")
        expect(row).to_contain_text("Interrupted after 1")
        expect(row).to_contain_text("each photo is in one place or the other")
        row.locator("[data-undo]").click()
        page.get_by_role("button", name="Delete the copies").click()
        expect(row).to_contain_text("Undone")
        page.context.close()
    assert not into.exists()


def test_what_undo_leaves_alone_is_named(page: Page, folder: Path, into: Path) -> None:
    search_folder(page, folder, "red", 4)
    plan_to_act(page, "search", into)
    page.click("#search-act-do")
    expect(page.locator("#search-action")).to_contain_text("Copied 4 photos")
    (into / "apple.png").write_bytes(b"edited")
    page.click("#search-action-undo")
    expect(page.locator("#search-action")).to_contain_text("Took back 3 of 4 photos.")
    expect(page.locator("#search-action .pl-notice")).to_contain_text(
        "apple.png: this file changed after PairLens put it here"
    )
    choose_view(page, "history")
    expect(page.locator(".pl-history tbody tr")).to_contain_text("Partly undone: 1 left")
    assert list(files(into)) == ["apple.png"]


def test_an_action_waits_pauses_and_is_cancelled(
    browser: Browser, tmp_path: Path, folder: Path, into: Path
) -> None:
    for number in range(200):
        coloured_photo(tmp_path / "slow" / f"{number:03}.png", "red", (64 + number, 48))
    with served(tmp_path / "home", FAKE_MATCHER_SECONDS="0.2") as program:
        page = open_page(browser, program)
        match_folder(page, folder, CAPTIONS, 5)
        choose_view(page, "search")
        page.fill(box(page, "search-folder"), str(tmp_path / "slow"))
        page.click("#search-renew")
        expect(page.locator("#search-status")).to_contain_text("of 200 photos")
        plan_to_act(page, "batch", into)
        page.click("#batch-act-do")
        expect(page.locator("#batch-action")).to_contain_text("Waiting for other work")
        page.click("#batch-action-pause")
        expect(page.locator("#batch-action-pause")).to_have_text("Go on")
        page.reload()
        expect(page.locator("#batch-action-pause")).to_have_text("Go on")
        choose_view(page, "search")
        page.click("#search-cancel")
        choose_view(page, "batch")
        expect(page.locator("#batch-action")).to_contain_text("Paused", timeout=20_000)
        page.click("#batch-action-cancel")
        expect(page.locator("#batch-action")).to_contain_text("Copied 0 of 3 photos")
        expect(page.locator("#batch-action")).to_contain_text("Cancelled.")
        page.context.close()
    assert not into.exists()


def test_another_program_that_acts_is_named(
    browser: Browser, tmp_path: Path, folder: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    with served(home) as program:
        page = open_page(browser, program)
        search_folder(page, folder, "red", 4)
        plan_to_act(page, "search", into)
        monkeypatch.setenv("PAIRLENS_HOME", str(home))
        with Journal() as journal, journal.lock():
            page.click("#search-act-do")
            expect(page.locator("#search-action .pl-notice")).to_contain_text(
                "Another PairLens is copying or moving photos."
            )
        page.context.close()
    assert not into.exists()
