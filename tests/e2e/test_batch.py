"""The Batch view with the model pack that is shipped: every mode from typing to the table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.fixtures.browser import box, choose_view, open_page
from tests.fixtures.program import Served

CAPTIONS = ("a dog runs on the beach", "two people sit at a table", "a red wall")


@pytest.fixture(scope="module")
def page(browser: Browser, program: Served) -> Page:
    opened = open_page(browser, program)
    choose_view(opened, "batch")
    return opened


def ask(page: Page, folder: Path, mode: str, words: dict[str, str]) -> Locator:
    """The lines of the table that a mode gives."""
    page.fill(box(page, "batch-folder"), str(folder))
    page.check(f"#batch-mode input[value={mode}]")
    for element, text in words.items():
        page.fill(box(page, element), text)
    page.click("#batch-go")
    expect(page.locator(f"#batch-table .pl-table-{mode}")).to_be_visible()
    return page.locator("#batch-table tbody tr")


def probabilities(lines: Locator) -> list[float]:
    shown = lines.locator(".pl-percent").all()
    return [float(one.get_attribute("data-probability") or "nan") for one in shown]


def saved(page: Page, kind: str, folder: Path) -> str:
    with page.expect_download() as download:
        page.click(f"#batch-save-{kind}")
    download.value.save_as(folder / f"saved.{kind}")
    return (folder / f"saved.{kind}").read_text(encoding="utf-8-sig")


def test_each_photo_gets_its_best_caption(page: Page, folder: Path) -> None:
    lines = ask(page, folder, "best", {"batch-captions": "\n".join(CAPTIONS)})
    expect(lines).to_have_count(2)
    assert len(probabilities(lines)) == 2


def test_each_photo_gets_every_caption(page: Page, folder: Path) -> None:
    lines = ask(page, folder, "all", {"batch-captions": "\n".join(CAPTIONS)})
    expect(lines.locator(".pl-pair")).to_have_count(6)
    first = probabilities(lines.first)
    assert first == sorted(first, reverse=True)


def test_each_caption_gets_a_photo_of_its_own(page: Page, folder: Path) -> None:
    lines = ask(page, folder, "assign", {"batch-captions": "\n".join(CAPTIONS)})
    expect(lines.locator(".pl-lead")).to_have_count(2)
    given = lines.locator("td:nth-child(3) > p:first-child").all_inner_texts()
    assert len(set(given)) == 2
    assert set(given) <= set(CAPTIONS)


def test_given_pairs_are_checked(page: Page, folder: Path) -> None:
    pairs = f"red.png, {CAPTIONS[2]}\ngreen.jpg, {CAPTIONS[0]}"
    lines = ask(page, folder, "verify", {"batch-pairs": pairs})
    expect(lines).to_have_count(2)
    for chip in lines.locator(".pl-chip").all_inner_texts():
        assert chip in ("Matches", "Does not match")


def test_labels_reach_every_kind_of_file(page: Page, folder: Path, tmp_path: Path) -> None:
    page.check("#batch-mode input[value=best]")
    captions = tmp_path / "captions.csv"
    captions.write_text("".join(f"{a},{b}\n" for a, b in [("caption", "label"), ("red", "Reds")]))
    with page.expect_file_chooser() as chooser:
        page.click("#batch-captions-file")
    chooser.value.set_files(captions)
    expect(page.locator(box(page, "batch-captions"))).to_have_value("red")
    expect(ask(page, folder, "best", {})).to_have_count(2)
    rows = list(csv.DictReader(saved(page, "csv", tmp_path).splitlines()))
    assert {row["label"] for row in rows} == {"Reds"}
    found = json.loads(saved(page, "json", tmp_path))
    assert found["captions"] == [{"caption": "red", "label": "Reds"}]
    assert '"Reds"' in saved(page, "html", tmp_path)
