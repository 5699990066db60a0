"""The Settings view with a fake matcher, driven in a real browser."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.browser import box, choose_view, open_page
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.program import Served, served
from tests.fixtures.viewer import viewer


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that names what was handed to the system to be shown."""
    return viewer(tmp_path_factory.mktemp("viewer"))[1]


@pytest.fixture(scope="module")
def program(home: Path, opened: Path) -> Iterator[Served]:
    """One whose folders the tests look into."""
    path = f"{opened.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    with served(home, PATH=path) as running:
        yield running


@pytest.fixture
def page(browser: Browser, program: Served) -> Iterator[Page]:
    opened = open_page(browser, program)
    choose_view(opened, "settings")
    yield opened
    opened.context.close()


def kept(home: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((home / "data" / "settings.json").read_text())
    return found


def is_dark(page: Page) -> bool:
    return bool(page.evaluate("document.body.classList.contains('dark')"))


def test_light_or_dark_is_applied_at_once_and_remembered(page: Page, home: Path) -> None:
    assert not is_dark(page)
    page.get_by_label("Dark", exact=True).check()
    page.wait_for_function("document.body.classList.contains('dark')")
    assert page.evaluate("document.documentElement.style.colorScheme") == "dark"
    page.reload()
    page.wait_for_function("document.body.classList.contains('dark')")
    expect(page.get_by_label("Dark", exact=True)).to_be_checked()
    assert kept(home)["theme"] == "dark"

    # As the system is, and as it comes to be.
    page.locator("#settings-theme").get_by_label("As the system").check()
    page.wait_for_function("!document.body.classList.contains('dark')")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.body.classList.contains('dark')")
    page.emulate_media(color_scheme="light")
    page.wait_for_function("!document.body.classList.contains('dark')")


def test_a_device_is_kept_for_the_next_start_and_the_present_one_explained(
    page: Page, home: Path
) -> None:
    now = page.locator("#settings-device-now")
    expect(now).to_contain_text("At present: the processor.")
    page.get_by_label("Processor").check()
    expect(now).to_contain_text("from the next start")
    assert kept(home)["device"] == "cpu"
    page.get_by_label("Automatic").check()
    expect(now).not_to_contain_text("from the next start")
    assert kept(home)["device"] == "auto"


def test_small_copies_of_photos_are_counted_and_deleted(
    page: Page, home: Path, tmp_path: Path
) -> None:
    # Large enough that its copy takes up a tenth of a megabyte.
    photo = tmp_path / "noise.png"
    Image.effect_noise((1200, 900), 90).convert("RGB").save(photo)
    choose_view(page, "match")
    page.set_input_files("#match-upload input[type=file]", [photo])
    picture = page.locator("#match-strip img")
    expect(picture).to_be_visible()
    page.wait_for_function("document.querySelector('#match-strip img').naturalWidth === 360")
    picture.click()
    page.wait_for_function("document.querySelector('#pl-light img').naturalWidth === 1200")
    page.keyboard.press("Escape")
    copies = [one for one in (home / "cache").rglob("*.jpg") if "thumbnails" in one.parts]
    assert len(copies) >= 2
    fetched = home / "cache" / "hub" / ("0" * 40) / "model" / "model.safetensors.part"
    fetched.parent.mkdir(parents=True)
    fetched.write_bytes(bytes(1_000_000))
    copies.append(fetched)
    said = page.locator("#settings-cache")
    choose_view(page, "settings")
    size = sum(one.stat().st_size for one in copies)
    expect(said).to_contain_text(f"{size / 1e6:,.1f} MB: small copies")
    page.click("#settings-cache-clear")
    expect(said).to_contain_text(f"Deleted {size / 1e6:,.1f} MB")
    assert not any(one.exists() for one in copies)


def test_a_word_that_not_everybody_knows_is_explained_by_pointer_and_keyboard(page: Page) -> None:
    hint = page.locator("#view-settings .pl-hint").first
    hint.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("model pack")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_have_count(0)
    hint.focus()
    expect(page.get_by_role("tooltip")).to_be_visible()
    hint.blur()
    expect(page.get_by_role("tooltip")).to_have_count(0)


def test_libraries_are_listed_and_lead_to_where_they_are_managed(
    page: Page, tmp_path: Path
) -> None:
    listed = page.locator("#settings-libraries")
    expect(listed).to_contain_text("There is no library yet")
    coloured_photo(tmp_path / "Holidays" / "sea.png", "blue")
    choose_view(page, "search")
    page.fill(box(page, "search-folder"), str(tmp_path / "Holidays"))
    page.fill(box(page, "search-query"), "blue")
    page.click("#search-go")
    expect(page.locator("#search-gallery figure")).to_have_count(1)
    choose_view(page, "settings")
    expect(listed.locator("strong")).to_have_text("Holidays")
    expect(listed).to_contain_text(str(tmp_path / "Holidays"))
    page.get_by_role("button", name="Manage libraries").click()
    expect(page.locator("#view-search")).to_be_visible()
    expect(page.locator("#libraries-list")).to_contain_text("Holidays")


def test_a_report_can_be_read_and_copied_and_names_nothing_private(
    page: Page, home: Path, tmp_path: Path
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose_view(page, "batch")
    page.fill(box(page, "batch-folder"), str(tmp_path / "our wedding"))
    page.fill(box(page, "batch-captions"), "kisses by the sea")
    page.click("#batch-go")
    expect(page.locator("#batch-status .pl-notice")).to_be_visible()
    choose_view(page, "settings")
    page.click("#settings-report")
    text = page.locator("#settings-written pre")
    expect(text).to_contain_text("PairLens ")
    expect(text).to_contain_text("Model: colours 1 (colours-1)")
    expect(text).to_contain_text("ok  onnxruntime: ")
    expect(text).to_contain_text("INFO desktop.app: ")
    page.click("#settings-written [data-copy]")
    expect(page.locator("#settings-written [role=status]")).to_contain_text("Copied")
    report = page.evaluate("navigator.clipboard.readText()")
    assert report == text.text_content()
    for private in ("wedding", "kisses", str(home), str(Path.home())):
        assert private not in report


def test_what_it_is_made_with_is_listed_with_licences(page: Page) -> None:
    about = page.locator("#about")
    expect(about).to_contain_text("Apache License 2.0")
    expect(about).to_contain_text("Model: colours 1: for non-commercial use only")
    about.get_by_role("button", name="Show the text").first.click()
    expect(page.locator("#about-text pre")).to_contain_text("Apache License")
    page.click("#about-licences > button")
    row = page.locator("#about-others li").filter(has_text="pillow 1")
    expect(row).to_contain_text("MIT-CMU")
    row.get_by_role("button").click()
    expect(page.locator("#about-text h3")).to_have_text("pillow")
    expect(page.locator("#about-text pre")).to_contain_text("Permission")


def test_a_card_that_is_gone_since_it_was_chosen_stops_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "settings.json").write_text('{"device": "cuda"}')
    with served(tmp_path) as program:
        page = open_page(browser, program)
        expect(page.locator("#pl-problem")).to_be_hidden()
        choose_view(page, "settings")
        expect(page.locator("#settings-device-now")).to_contain_text("At present: the processor.")
        page.context.close()


def test_where_the_log_lies_is_shown(page: Page, home: Path, opened: Path) -> None:
    page.click("#settings-log")
    for _ in range(100):
        if opened.exists() and opened.read_text(encoding="utf-8"):
            break
        page.wait_for_timeout(100)
    (folder,) = opened.read_text(encoding="utf-8").split()
    assert (Path(folder) / "pairlens.log").is_file()
    assert Path(folder).is_relative_to(home)
