"""The Batch view with a fake matcher that knows colours, driven in a real browser."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Locator, Page, expect

from tests.fixtures.browser import BATCH_ANSWERS, answered, box, choose_view, slow_batch
from tests.fixtures.coloured import coloured_photo


@pytest.fixture
def page(page: Page) -> Page:
    """On the Batch view, without what the test before has asked of the same program."""
    choose_view(page, "batch")
    page.uncheck("#batch-beside input")
    choose(page, "best")
    page.fill(box(page, "batch-captions"), "")
    if page.locator("#batch-threshold").is_visible():
        page.check("#batch-threshold input[value=own]")
        page.click("#batch-choices button")
    return page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photos and a file that is none."""
    place = tmp_path / "my photos"
    coloured_photo(place / "apple.png", "red")
    coloured_photo(place / "below" / "meadow.jpg", "green")
    coloured_photo(place / "sea.png", "blue")
    (place / "notes.jpg").write_text("no picture")
    return place


def choose(page: Page, mode: str) -> None:
    page.check(f"#batch-mode input[value={mode}]")


def ask(page: Page, folder: Path, captions: str = "") -> None:
    page.fill(box(page, "batch-folder"), str(folder))
    if captions:
        page.fill(box(page, "batch-captions"), captions)
    with answered(page, BATCH_ANSWERS):
        page.click("#batch-go")


def give(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click("#batch-captions-file")
    chooser.value.set_files(file)


def give_labelled(page: Page, into: Path) -> None:
    """Captions with a label each, from a file made for it."""
    captions = into / "captions.csv"
    captions.write_text("caption,label\na red apple,Fruit\na green meadow,Outside\n")
    give(page, captions)
    expect(page.locator("#batch-labelled")).to_contain_text("captions.csv")


def pick(page: Page, dropdown: str, option: str) -> None:
    page.click(f"#{dropdown} input")
    page.get_by_role("option", name=option, exact=True).click()


def saved(page: Page, kind: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.click(f"#batch-save-{kind}")
    assert download.value.suggested_filename == f"pairlens.{kind}"
    path = folder / f"saved.{kind}"
    download.value.save_as(path)
    return path


def line(page: Page, name: str) -> Locator:
    return page.locator("#batch-table tbody tr").filter(has_text=name)


def test_at_first_there_is_only_what_everybody_needs(page: Page) -> None:
    for shown in ("batch-folder", "batch-captions", "batch-mode", "batch-go"):
        expect(page.locator(f"#{shown}")).to_be_visible()
    for hidden in ("batch-pairs", "batch-threshold", "batch-exact", "batch-save-csv"):
        expect(page.locator(f"#{hidden}")).to_be_hidden()


def test_a_photo_that_no_caption_fits_is_told_so_with_the_nearest(page: Page, folder: Path) -> None:
    ask(page, folder, "a red apple\na green meadow")
    expect(line(page, "apple.png").locator(".pl-chip")).to_have_text("Matches")
    expect(line(page, "sea.png")).to_contain_text("Nothing matches")
    expect(line(page, "sea.png")).to_contain_text("nearest: a")
    expect(page.locator("#batch-status")).to_contain_text(
        "4 photos · 2 matched · 1 could not be read · a match from 50 % on"
    )
    page.click("#batch-status summary")
    expect(page.locator("#batch-status li")).to_have_text(
        re.compile("^notes.jpg: this is not a picture PairLens can read")
    )


@pytest.mark.parametrize("mode", ["best", "all"])
def test_bars_are_wide_enough_to_be_compared(page: Page, folder: Path, mode: str) -> None:
    choose(page, mode)
    ask(page, folder, "a red apple\na green meadow")
    for score in page.locator("#batch-table .pl-bar").all():
        box = score.bounding_box()
        assert box is not None
        assert box["width"] >= 100


def test_every_caption_is_shown_best_first_and_of_many_only_the_first(
    page: Page, folder: Path
) -> None:
    choose(page, "all")
    ask(page, folder, "\n".join(["a red apple", *(f"nothing {n}" for n in range(9))]))
    apple = line(page, "apple.png")
    expect(apple.locator(".pl-pair p").first).to_have_text("a red apple")
    expect(apple.locator(".pl-pair")).to_have_count(6)
    expect(apple).to_contain_text("4 more captions, 2 % or less")
    expect(page.locator("#batch-table tbody tr")).to_have_count(4)


def test_the_spread_of_probabilities_is_drawn_with_the_threshold(page: Page, folder: Path) -> None:
    ask(page, folder, "a red apple")
    chart = page.locator("#batch-charts").get_by_role(
        "img", name="How the match probabilities are spread"
    )
    expect(chart).to_be_visible()
    expect(chart.locator("desc")).to_contain_text(
        "Of 3, 1 match. The line is where a match begins, at 50 %"
    )
    expect(chart.locator(".pl-mark")).to_have_count(1)
    page.click("#batch-charts summary")
    expect(page.locator("#batch-charts tbody tr")).to_have_text(["0 - 5 %02", "85 - 90 %10"])


def test_photos_and_captions_are_a_map_whose_cells_say_why(page: Page, folder: Path) -> None:
    choose(page, "all")
    ask(page, folder, "\n".join(["a red apple", *(f"nothing {n}" for n in range(14))]))
    chart = page.locator(".pl-matrix")
    expect(chart.locator("g")).to_have_count(3 * 10)
    expect(page.locator("#batch-charts")).to_contain_text("3 of 3 photos and 10 of 15 captions")
    apple = chart.locator("g.pl-yes")
    expect(apple).to_have_count(1)
    expect(apple.locator("title")).to_have_text("apple.png · a red apple: 88 %, Matches")
    apple.locator("rect").click()
    dialog = page.locator("dialog.pl-why")
    expect(dialog.locator("h3")).to_have_text("a red apple")
    page.keyboard.press("Escape")
    chart.locator("summary").click()
    expect(chart.locator("tbody tr").filter(has_text="apple.png")).to_contain_text("88 %")


def test_the_map_can_be_asked_by_the_keyboard_alone(page: Page, folder: Path) -> None:
    choose(page, "all")
    ask(page, folder, "a red apple\na green meadow")
    cells = page.locator(".pl-matrix g")
    first = cells.first
    first.focus()
    for key, at in (
        ("Left", 0), ("Right", 1), ("Right", 1), ("Down", 3), ("Left", 2), ("Up", 0), ("Up", 0),
        ("Down", 2),
    ):  # fmt: skip
        page.keyboard.press(f"Arrow{key}")
        expect(cells.nth(at)).to_be_focused()
    expect(cells.nth(2)).to_have_attribute("tabindex", "0")
    expect(page.locator(".pl-matrix g[tabindex='0']")).to_have_count(1)
    page.keyboard.press("Enter")
    dialog = page.locator("dialog.pl-why")
    expect(dialog.locator(".pl-word").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(cells.nth(2)).to_be_focused()


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("assign", ["Its caption", "Match probability", "Save as"]),
        ("all", ["Captions, likeliest first", "Save as"]),
    ],
)
def test_words_that_not_everybody_knows_have_a_hint_beside_them(
    page: Page, folder: Path, mode: str, words: list[str]
) -> None:
    choose(page, mode)
    ask(page, folder, "a red apple\na green meadow")
    for word in words:
        hint = page.locator("#view-batch").get_by_role("button", name=f"{word}: ")
        hint.focus()
        expect(page.locator("#pl-tip")).to_have_text(hint.get_attribute("data-hint") or "none")


def test_an_assignment_makes_what_is_doubtful_stand_out(page: Page, folder: Path) -> None:
    coloured_photo(folder / "cherry.png", "red", (64, 48))
    choose(page, "assign")
    ask(page, folder, "a red apple\na green meadow")
    meadow = line(page, "meadow.jpg")
    expect(meadow.locator(".pl-lead")).to_contain_text("times the odds of the next best")
    expect(meadow.locator(".pl-warn")).to_have_count(0)
    apple = line(page, "a red apple")
    expect(apple.locator(".pl-warn")).to_contain_text("Toss-up: 1.0 times the odds")
    expect(apple.locator(".pl-warn")).to_contain_text("next photo: cherry.png")
    expect(line(page, "sea.png")).to_contain_text("No caption was left for this photo.")
    pick(page, "batch-order", "Most doubtful first")
    expect(page.locator("#batch-table .pl-name").nth(1)).to_have_text("apple.png")


def test_pasted_pairs_are_checked_and_what_fits_better_is_named(page: Page, folder: Path) -> None:
    choose(page, "verify")
    page.fill(
        box(page, "batch-pairs"),
        "apple.png, a green meadow\nbelow/meadow.jpg, a green meadow\nsea.png, a red, red apple",
    )
    ask(page, folder)
    expect(page.locator("#batch-status")).to_contain_text("3 pairs · 1 matched")
    expect(line(page, "meadow.jpg").locator(".pl-chip")).to_have_text("Matches")
    apple = line(page, "apple.png")
    expect(apple.locator(".pl-chip")).to_have_text("Does not match")
    expect(apple.locator(".pl-better")).to_have_text("Fits better: a red, red apple (88 %)")
    page.fill(box(page, "batch-pairs"), "apple.png, red\nsea.png")
    page.click("#batch-go")
    expect(page.locator("#batch-status .pl-notice")).to_contain_text("Line 2 has no photo or no")


def test_pairs_of_a_file_are_checked(page: Page, folder: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text('photo,caption\napple.png,"red, and round"\nsea.png,green\n')
    choose(page, "verify")
    give(page, pairs)
    expect(page.locator(box(page, "batch-pairs"))).to_have_value(
        "apple.png\tred, and round\nsea.png\tgreen"
    )
    ask(page, folder)
    expect(page.locator("#batch-status")).to_contain_text("2 pairs · 1 matched")


def test_captions_beside_the_photos_are_checked_or_matched(page: Page, folder: Path) -> None:
    page.check("#batch-beside input")
    expect(page.locator("#batch-captions")).to_be_hidden()
    ask(page, folder)
    expect(page.locator("#batch-status .pl-notice")).to_contain_text(
        "no photo here has a caption file beside it"
    )
    (folder / "apple.txt").write_text("a red\napple\n")
    (folder / "sea.txt").write_text("green grass")
    ask(page, folder)
    expect(line(page, "apple.png")).to_contain_text("a red apple")
    choose(page, "verify")
    expect(page.locator("#batch-go")).to_have_text("Check the captions")
    ask(page, folder)
    expect(line(page, "sea.png").locator(".pl-chip")).to_have_text("Does not match")
    expect(line(page, "meadow.jpg")).to_contain_text("the caption file beside it, meadow.txt")


def test_labels_of_a_file_survive_for_captions_that_are_left_alone(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    give_labelled(page, tmp_path)
    ask(page, folder, "a red apple\nthe green meadow")
    expect(line(page, "apple.png").locator(".pl-label")).to_have_text("Fruit")
    expect(line(page, "meadow.jpg").locator(".pl-label")).to_have_count(0)
    with saved(page, "csv", tmp_path).open(encoding="utf-8-sig", newline="") as file:
        labels = {Path(row["photo"]).name: row["label"] for row in csv.DictReader(file)}
    assert labels["apple.png"] == "Fruit"
    assert labels["meadow.jpg"] == "the green meadow"


def test_results_are_saved_in_each_format_and_once_only(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    ask(page, folder, "a red apple")
    expect(page.locator("#batch-status")).to_contain_text("1 matched")
    found = json.loads(saved(page, "json", tmp_path).read_text(encoding="utf-8"))
    assert found["mode"] == "best"
    assert found["summary"] == {"photos": 4, "matched": 1, "failed": 1, "complete": True}
    assert saved(page, "csv", tmp_path).read_text(encoding="utf-8").startswith("photo,caption,")
    shown = saved(page, "html", tmp_path).read_text(encoding="utf-8")
    assert shown.count('"picture": ') == 3
    expect(page.locator("#batch-saved")).to_contain_text("The file is ready")
    downloads: list[Download] = []
    page.on("download", lambda download: downloads.append(download))
    page.reload()
    expect(page.locator("#batch-saved a")).to_be_visible()
    expect(page.locator("#batch-table tbody tr")).to_have_count(4)
    assert downloads == []


def test_the_table_can_be_filtered_and_sorted(page: Page, folder: Path) -> None:
    ask(page, folder, "a red apple\nthe blue sea")
    in_order = ["notes.jpg", "apple.png", "meadow.jpg", "sea.png"]
    expect(page.locator("#batch-table .pl-name")).to_have_text(in_order)
    pick(page, "batch-order", "Probability, highest first")
    expect(page.locator("#batch-table .pl-name").last).to_have_text("meadow.jpg")
    for option, left in (
        ("Matches", ["apple.png", "sea.png"]),
        ("Does not match", ["meadow.jpg"]),
        ("What could not be read", ["notes.jpg"]),
    ):
        pick(page, "batch-filter", option)
        expect(page.locator("#batch-table .pl-name")).to_have_text(left)
    (folder / "notes.jpg").unlink()
    ask(page, folder, "a red apple")
    expect(page.locator("#batch-table tbody tr")).to_have_count(3)
    pick(page, "batch-filter", "What could not be read")
    expect(page.locator("#batch-table")).to_contain_text("nothing of this kind")
    pick(page, "batch-filter", "Everything")
    expect(page.locator("#batch-table tbody tr")).to_have_count(3)


def test_the_threshold_can_be_set_by_hand_or_by_false_alarms(page: Page, folder: Path) -> None:
    page.click("#batch-choices button")
    page.check("#batch-threshold input[value=hand]")
    page.fill("#batch-percent input[type=number]", "90")
    page.press("#batch-percent input[type=number]", "Tab")
    ask(page, folder, "a red apple")
    expect(page.locator("#batch-status")).to_contain_text("0 matched")
    expect(page.locator("#batch-status")).to_contain_text("a match from 90 % on")
    page.check("#batch-threshold input[value=alarms]")
    pick(page, "batch-alarms", "10")
    ask(page, folder, "a red apple")
    expect(page.locator("#batch-status .pl-notice")).to_contain_text("too few to tell")
    for number in range(12):
        coloured_photo(folder / f"{number}.png", "blue", (64 + number, 48))
    ask(page, folder, "a red apple\nthe blue sea")
    expect(page.locator("#batch-status")).to_contain_text("for at most one false alarm in 10")


def test_a_reload_comes_back_to_what_was_asked_and_its_answer(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    give_labelled(page, tmp_path)
    choose(page, "all")
    page.click("#batch-choices button")
    page.check("#batch-threshold input[value=hand]")
    page.fill("#batch-percent input[type=number]", "90")
    page.press("#batch-percent input[type=number]", "Tab")
    ask(page, folder, "a red apple\na green meadow")

    page.reload()

    expect(page.locator(box(page, "batch-folder"))).to_have_value(str(folder))
    expect(page.locator(box(page, "batch-captions"))).to_have_value("a red apple\na green meadow")
    expect(page.locator("#batch-labelled")).to_contain_text("captions.csv")
    expect(page.locator("#batch-mode input[value=all]")).to_be_checked()
    expect(page.locator("#batch-hint")).to_contain_text("Every photo with every caption")
    expect(page.locator("#batch-threshold input[value=hand]")).to_be_checked()
    expect(page.locator("#batch-percent input[type=number]")).to_have_value("90")
    expect(page.locator("#batch-table tbody tr")).to_have_count(4)
    choose(page, "best")
    ask(page, folder)
    expect(page.locator("#batch-status")).to_contain_text("0 matched · 1 could not be read")
    page.check("#batch-threshold input[value=own]")
    ask(page, folder)
    expect(line(page, "apple.png").locator(".pl-label")).to_have_text("Fruit")


def test_a_reload_comes_back_to_what_could_not_be_answered(page: Page, tmp_path: Path) -> None:
    choose(page, "verify")
    page.fill(box(page, "batch-pairs"), "apple.png, a red apple")
    ask(page, tmp_path / "missing")
    expect(page.locator("#batch-status .pl-notice")).to_contain_text("there is no such folder")
    page.reload()
    expect(page.locator(box(page, "batch-folder"))).to_have_value(str(tmp_path / "missing"))
    expect(page.locator("#batch-status .pl-notice")).to_contain_text("there is no such folder")
    expect(page.locator(box(page, "batch-pairs"))).to_have_value("apple.png, a red apple")
    expect(page.locator("#batch-go")).to_have_text("Check the captions")
    expect(page.locator("#batch-choices button")).to_be_visible()
    expect(page.locator("#batch-threshold")).to_be_hidden()


def test_nothing_to_match_with_or_in_is_said(page: Page, folder: Path, tmp_path: Path) -> None:
    ask(page, folder)
    expect(page.locator("#batch-status .pl-notice")).to_contain_text("There is no caption")
    for path in folder.rglob("*.*"):
        path.write_text("no picture")
    ask(page, folder, "red")
    expect(page.locator("#batch-status .pl-notice")).to_contain_text("No photo could be used")


def test_long_work_rests_while_it_is_paused(browser: Browser, tmp_path: Path) -> None:
    with slow_batch(browser, tmp_path, photos=80, seconds=0.1) as page:
        status = page.locator("#batch-status")
        page.click("#batch-pause")
        expect(status).to_contain_text("Paused at ")
        expect(page.locator("#batch-pause")).to_have_text("Go on")
        page.reload()
        expect(status).to_contain_text("Paused at ")
        page.click("#batch-pause")
        expect(status).to_contain_text("80 photos · 80 matched", timeout=30_000)
        expect(page.locator("#batch-pause")).to_be_hidden()


def test_a_paused_batch_can_be_cancelled_and_keeps_what_is_done(
    browser: Browser, tmp_path: Path
) -> None:
    with slow_batch(browser, tmp_path, photos=80, seconds=0.1) as page:
        page.click("#batch-pause")
        expect(page.locator("#batch-status")).to_contain_text("Paused")
        page.click("#batch-cancel")
        expect(page.locator("#batch-status")).to_contain_text("Cancelled", timeout=20_000)
        expect(page.locator("#batch-table tbody tr").first).to_contain_text("000.png")
