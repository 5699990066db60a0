"""Acting on what the real program found: batch, search, and History after a restart."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.fixtures.acting import files
from tests.fixtures.browser import (
    choose_view,
    match_folder,
    open_page,
    plan_to_act,
    search_folder,
)
from tests.fixtures.program import SERVE, served


def test_what_was_found_is_copied_and_moved_and_all_of_it_is_undone_after_a_restart(
    browser: Browser, tmp_path: Path, folder: Path
) -> None:
    before = files(folder)
    copies, moved = tmp_path / "copies", tmp_path / "moved"
    with served(tmp_path / "home", SERVE) as program:
        page = open_page(browser, program)
        match_folder(page, folder, "a dog runs on the beach", 2)
        plan_to_act(page, "batch", copies, rest="others")
        page.click("#batch-act-do")
        expect(page.locator("#batch-action")).to_contain_text("Copied 2 photos")
        assert len(files(copies)) == 2

        search_folder(page, folder, "a dog runs on the beach", 2)
        for box in page.locator("#search-gallery .pl-tick input").all():
            box.check()
        plan_to_act(page, "search", moved, "move")
        page.click("#search-act-do")
        expect(page.locator("#search-action")).to_contain_text("Moved 2 photos")
        assert set(files(moved)) == set(before)
        assert files(folder) == {}
        page.context.close()

    with served(tmp_path / "home", SERVE) as program:
        page = open_page(browser, program)
        choose_view(page, "history")
        rows = page.locator(".pl-history tbody tr")
        expect(rows).to_have_count(2)
        for row, deed in ((rows.nth(0), "Move them back"), (rows.nth(1), "Delete the copies")):
            row.locator("[data-undo]").click()
            page.get_by_role("button", name=deed).click()
            expect(row).to_contain_text("Undone")
        page.context.close()
    assert files(folder) == before
    assert not copies.exists()
    assert not moved.exists()
