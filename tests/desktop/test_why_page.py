"""The dialog that says why a pair matches, with a fake matcher that knows colours."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.fixtures.browser import box
from tests.fixtures.coloured import coloured_photo


def ask_why(page: Page, photo: Path, caption: str) -> Locator:
    """Match one photo with one caption, ask why, and wait for the dialog."""
    page.set_input_files("#match-upload input[type=file]", [photo])
    expect(page.locator("#match-strip .pl-photo")).to_have_count(1)
    page.fill(box(page, "match-captions"), caption)
    page.click("#match-results .pl-pair .pl-link")
    dialog = page.locator("dialog.pl-why")
    expect(dialog).to_be_visible()
    return dialog


def test_every_word_has_a_weight_and_a_map_of_its_own(page: Page, tmp_path: Path) -> None:
    dialog = ask_why(page, coloured_photo(tmp_path / "apple.png", "red"), "a red <b>apple</b>")
    words = dialog.locator(".pl-word")
    expect(words).to_have_text(["Whole caption", "a+0.0", "red+6.0", "b+0.0", "apple+0.0", "b+0.0"])
    expect(dialog.locator("h3")).to_have_text("a red <b>apple</b>")
    expect(dialog.locator(".pl-percent")).to_have_text("88 %")
    maps = dialog.locator("img[data-map]")
    expect(maps).to_have_count(6)
    expect(maps.nth(0)).to_be_visible()
    # One colour all over: what is covered by the mean colour stays as it was.
    expect(dialog).to_contain_text("No part of the photo speaks for this caption.")

    words.filter(has_text="red").click()
    expect(maps.nth(2)).to_be_visible()
    expect(maps.nth(0)).to_be_hidden()
    expect(dialog.locator(".pl-of-word")).to_be_visible()
    expect(dialog.locator(".pl-of-whole")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(maps.nth(1)).to_be_visible()
    expect(maps.nth(2)).to_be_hidden()


def test_the_dialog_can_be_closed_and_asked_for_again(page: Page, tmp_path: Path) -> None:
    dialog = ask_why(page, coloured_photo(tmp_path / "apple.png", "red"), "red")
    expect(dialog.locator(".pl-word")).to_have_count(2)
    for close in (
        lambda: dialog.locator(".pl-close").click(),
        lambda: page.keyboard.press("Escape"),
        lambda: page.mouse.click(5, 5),
    ):
        close()
        expect(dialog).to_be_hidden()
        page.click("#match-results .pl-pair .pl-link")
        expect(dialog).to_be_visible()
        expect(dialog.locator(".pl-word")).to_have_count(2)


def test_a_photo_that_is_gone_meanwhile_is_named(page: Page, tmp_path: Path) -> None:
    photo = coloured_photo(tmp_path / "apple.png", "red")
    dialog = ask_why(page, photo, "red")
    expect(dialog.locator(".pl-word")).to_have_count(2)
    page.keyboard.press("Escape")
    uploads = [path for path in tmp_path.parent.rglob("apple.png") if path != photo]
    for path in uploads:
        path.unlink()
    page.click("#match-results .pl-pair .pl-link")
    expect(dialog.locator(".pl-notice")).to_contain_text("there is no such file")


def test_pointing_at_why_tells_the_word_that_counts_most(page: Page, tmp_path: Path) -> None:
    photo = coloured_photo(tmp_path / "apple.png", "red")
    page.set_input_files("#match-upload input[type=file]", [photo])
    page.fill(box(page, "match-captions"), "a red apple\na blue apple")
    links = page.locator("#match-results .pl-pair .pl-link")
    expect(links).to_have_count(2)
    tip = page.get_by_role("tooltip")
    links.first.hover()
    expect(tip).to_have_text("“red” counts most: 88 % with it, 2 % without it.")
    expect(links.first).to_have_attribute("aria-describedby", "pl-reason")
    page.mouse.move(2, 2)
    expect(tip).to_be_hidden()
    links.nth(1).focus()
    expect(tip).to_have_text("No word of this caption makes it likelier.")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
