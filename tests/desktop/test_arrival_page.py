"""What the window hands to the page, and what is pasted in a browser."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.browser import BATCH_ANSWERS, answered, box, choose_view
from tests.fixtures.coloured import coloured_photo, trip

PASTE = """([types, name, data]) => {
  const held = new DataTransfer();
  for (const type of types) held.setData(type, "some words");
  if (name) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    held.items.add(new File([bytes], name, { type: "image/png" }));
  }
  const how = { clipboardData: held, bubbles: true, cancelable: true };
  const paste = new ClipboardEvent("paste", how);
  return !(document.activeElement ?? document.body).dispatchEvent(paste);
}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return trip(tmp_path / "my photos")


def arrive(page: Page, *paths: Path) -> None:
    page.evaluate("paths => window.pairlens.arrive(paths)", [str(path) for path in paths])


def paste(page: Page, name: str = "", data: bytes = b"", types: Sequence[str] = ()) -> bool:
    """Whether the page took it, rather than leave it to the box that has the focus."""
    return bool(page.evaluate(PASTE, [list(types), name, base64.b64encode(data).decode()]))


def test_photos_go_to_match_and_in_search_the_first_is_searched_with(
    page: Page, folder: Path
) -> None:
    photos = [folder / "apple.png", folder / "meadow.png"]
    choose_view(page, "batch")
    arrive(page, *photos)
    expect(page.locator("#view-match")).to_be_visible()
    expect(page.locator("#match-strip .pl-photo")).to_have_count(2)
    arrive(page, photos[0])
    arrive(page, folder / "poppy.png")
    expect(page.locator("#match-strip .pl-photo")).to_have_count(3)
    choose_view(page, "search")
    arrive(page, *photos)
    expect(page.locator("#search-photo")).to_contain_text("Photos like apple.png")
    expect(page.locator("#pl-arrival")).to_contain_text("this one was taken: apple.png")
    expect(page.locator("#view-search")).to_be_visible()


def test_a_folder_goes_where_the_person_is_or_where_they_choose_by_keyboard(
    page: Page, folder: Path
) -> None:
    choose_view(page, "search")
    arrive(page, folder / "below")
    expect(page.locator(box(page, "search-folder"))).to_have_value(str(folder / "below"))
    choose_view(page, "batch")
    arrive(page, folder / "below")
    expect(page.locator(box(page, "batch-folder"))).to_have_value(str(folder / "below"))

    choose_view(page, "match")
    arrive(page, folder)
    expect(page.locator(".pl-choice")).to_contain_text("the folder my photos?")
    expect(page.locator(".pl-choice [data-do=batch]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#view-batch")).to_be_visible()
    expect(page.locator(box(page, "batch-folder"))).to_have_value(str(folder))
    expect(page.locator(".pl-choice")).to_have_count(0)

    choose_view(page, "history")
    arrive(page, folder)
    expect(page.locator(".pl-choice [data-do=batch]")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#view-search")).to_be_visible()
    expect(page.locator(box(page, "search-folder"))).to_have_value(str(folder))

    choose_view(page, "match")
    arrive(page, folder)
    page.get_by_role("button", name="Nothing", exact=True).click()
    expect(page.locator(".pl-choice")).to_be_hidden()
    expect(page.locator("#view-match")).to_be_visible()


def test_several_folders_are_matched_together_and_searched_one_by_one(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    other = coloured_photo(tmp_path / "other 照片" / "cherry.png", "red").parent
    arrive(page, folder / "below", other)
    page.locator(".pl-choice [data-do=batch]").click()
    spelled = f'"{folder / "below"}" "{other}"'
    expect(page.locator(box(page, "batch-folder"))).to_have_value(spelled)
    page.fill(box(page, "batch-captions"), "red")
    with answered(page, BATCH_ANSWERS):
        page.click("#batch-go")
    names = page.locator("#batch-table tbody .pl-name")
    expect(names).to_have_count(2)
    assert {name.inner_text() for name in names.all()} == {"sea.png", "cherry.png"}

    choose_view(page, "search")
    arrive(page, folder, other)
    expect(page.locator(box(page, "search-folder"))).to_have_value(str(folder))
    page.locator("#pl-arrival .pl-link", has_text="other 照片").click()
    expect(page.locator(box(page, "search-folder"))).to_have_value(str(other))


def test_of_a_mix_each_goes_its_way_and_what_cannot_be_used_is_named(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "<i>notes.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()
    choose_view(page, "batch")
    arrive(
        page, folder / "apple.png", tmp_path / "<i>notes.txt", tmp_path / "empty",
        folder, tmp_path / "gone.jpg",
    )  # fmt: skip
    expect(page.locator(box(page, "batch-folder"))).to_have_value(str(folder))
    expect(page.locator("#pl-arrival .pl-notice li")).to_have_count(3)
    said = page.locator("#pl-arrival")
    expect(said).to_contain_text("<i>notes.txt: this is not a picture PairLens can read")
    expect(said).to_contain_text("empty: no photos were found in this folder")
    expect(said).to_contain_text("gone.jpg: there is no such file")
    expect(said).to_contain_text("Added in Match: 1 photo.")
    choose_view(page, "match")
    expect(page.locator("#match-strip .pl-photo")).to_have_count(1)


def test_many_at_once_are_all_there(page: Page, tmp_path: Path) -> None:
    first = coloured_photo(tmp_path / "many" / "0000.png", "red", (40, 40))
    photos = [first]
    for number in range(1, 500):
        photos.append(first.with_name(f"{number:04}.png"))
        photos[-1].hardlink_to(first)
    arrive(page, *photos)
    expect(page.locator("#match-strip")).to_contain_text("500 photos")


def test_a_picture_is_pasted_into_match_or_searched_with(page: Page, tmp_path: Path) -> None:
    data = coloured_photo(tmp_path / "red.png", "red").read_bytes()
    choose_view(page, "batch")
    assert paste(page, "from the clipboard.png", data)
    expect(page.locator("#view-match")).to_be_visible()
    expect(page.locator("#match-strip .pl-photo")).to_have_count(1)
    choose_view(page, "search")
    assert paste(page, "another.png", data)
    expect(page.locator("#search-photo")).to_contain_text("Photos like another.png")


def test_text_is_pasted_as_text(page: Page, tmp_path: Path) -> None:
    data = coloured_photo(tmp_path / "cells.png", "red").read_bytes()
    page.focus(box(page, "match-captions"))
    assert not paste(page, types=["text/plain"])
    assert not paste(page, "cells.png", data, types=["text/plain"])
    page.evaluate("document.activeElement.blur()")
    assert not paste(page, types=["text/plain"])
    expect(page.locator("#match-strip .pl-photo")).to_have_count(0)
