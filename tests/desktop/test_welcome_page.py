"""What a new person is offered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from engine.matcher import Matcher, load_matcher
from engine.paths import locale_file, resources_dir
from engine.samples import sample_photos
from tests.fixtures.browser import box, choose_view, open_page
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.program import served

# The captions that come with the samples, in their order, each with the photo it is about.
ABOUT = ("cat", "photographer", "dandelion", "rocket", None)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return load_matcher()


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A person's first look at the program."""
    with served(tmp_path / "home") as program:
        opened = open_page(browser, program)
        expect(opened.locator("#welcome-samples")).to_be_visible()
        yield opened
        opened.context.close()


def settings(tmp_path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((tmp_path / "home/data/settings.json").read_text())
    return found


def test_all_samples_are_small_and_their_origin_is_told() -> None:
    told = (resources_dir() / "samples" / "README.md").read_text(encoding="utf-8")
    photos = sample_photos()
    assert len(photos) >= 6
    assert sum(photo.stat().st_size for photo in photos) < 1_000_000
    for photo in photos:
        assert f"`{photo.name}`" in told
        with Image.open(photo) as image:
            assert max(image.size) <= 640
    assert told.count("| CC0 |") + told.count("| public domain |") == len(photos)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_model_gets_the_samples_captions_right_and_refuses_the_wrong_one(
    matcher: Matcher, language: str
) -> None:
    texts = json.loads(locale_file(language).read_text(encoding="utf-8"))
    captions = texts["samples.captions"].splitlines()
    found = matcher.match(sample_photos(), captions)
    matched = {(one.caption, one.photo.stem) for one in found if one.match}
    assert matched == {
        (caption, name) for caption, name in zip(captions, ABOUT, strict=True) if name
    }


def test_the_samples_are_matched_at_once_and_the_offer_does_not_come_again(
    page: Page, tmp_path: Path
) -> None:
    page.click("#welcome-samples")
    results = page.locator("#match-results .pl-result")
    expect(results).to_have_count(len(sample_photos()))
    expect(page.locator("#match-strip .pl-photo")).to_have_count(len(sample_photos()))
    expect(page.locator(box(page, "match-captions"))).to_have_value(
        "\n".join(json.loads(locale_file("en").read_text())["samples.captions"].splitlines())
    )
    expect(results.first.locator(".pl-percent")).to_have_count(len(ABOUT))
    expect(page.locator("#welcome")).to_be_hidden()
    assert settings(tmp_path)["greeted"] is True
    page.reload()
    page.wait_for_selector("html[data-resumed]")
    expect(page.locator("#match-clear")).to_be_visible()
    expect(page.locator("#welcome")).to_be_hidden()


def test_a_folder_is_asked_for_in_search(page: Page) -> None:
    page.click("#welcome-folder")
    expect(page.locator("#view-search")).to_be_visible()
    expect(page.locator(box(page, "search-folder"))).to_be_focused()
    choose_view(page, "match")
    expect(page.locator("#welcome")).to_be_hidden()


def test_whoever_begins_by_themselves_is_left_in_peace(page: Page, tmp_path: Path) -> None:
    photo = coloured_photo(tmp_path / "apple.png", "red")
    page.set_input_files("#match-upload input[type=file]", [photo])
    expect(page.locator("#match-strip .pl-photo")).to_have_count(1)
    expect(page.locator("#welcome-samples")).to_be_visible()
    page.fill(box(page, "match-captions"), "red")
    expect(page.locator("#welcome")).to_be_hidden()
