"""What the table of a batch draws, and what it says above."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest
from PIL import Image

from desktop.batching import MOST_ROWS, Asked, work_for
from desktop.i18n import Translator, load_translators
from desktop.jobs import Job
from desktop.moves import Moves
from desktop.ui.batch_save import size_note, writing
from desktop.ui.batch_table import SHOWN, summary, table
from desktop.workbench import BatchResults, LazyMatcher, Outlook, Workbench
from engine.batch import BatchOptions
from engine.cost import Cost
from engine.encoding import failure
from engine.errors import PhotoMissing, TooManyRows
from engine.paths import resources_dir
from engine.results import About, Row
from engine.types import BatchRow, Caption, Mode
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher
from tests.fixtures.workbench import workbench

TRANSLATORS = load_translators(resources_dir() / "locales")


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return workbench(tmp_path)


@pytest.fixture(params=["en", "zh-CN"])
def t(request: pytest.FixtureRequest) -> Translator:
    return TRANSLATORS[request.param]


def results(
    folder: Path, rows: Sequence[Row], mode: Mode = Mode.BEST, false_alarms: int | None = None
) -> BatchResults:
    threshold = None if false_alarms else 0.5
    photos = len({row.photo for row in rows})
    about = About(mode, folder, photos, [], "model", "1", False, threshold, false_alarms)
    return BatchResults(list(rows), about)


def answer(photo: Path, probability: float, threshold: float = 0.5) -> BatchRow:
    match = probability >= threshold
    return BatchRow(photo, "a dog", "a dog", probability, threshold, match, 1)


def names(drawn: str) -> list[str]:
    return re.findall(r'class="pl-name"[^>]*>([^<]+)<', drawn)


def test_very_many_photos_come_in_pages_and_failures_come_first(
    bench: Workbench, t: Translator, tmp_path: Path
) -> None:
    rows: list[Row] = [answer(tmp_path / f"{number:05}.jpg", 0.9) for number in range(5_000)]
    gone = tmp_path / "zebra.jpg"
    rows.append(BatchRow(gone, failure=failure(gone, PhotoMissing(path=gone))))
    found = results(tmp_path, rows)
    drawn = table(found, bench, t)
    assert len(names(drawn)) == SHOWN
    assert names(drawn)[:2] == ["zebra.jpg", "00000.jpg"]
    assert t("batch.page_of", first="1", last="100", n="5,001") in drawn
    seen = [name for page in range(1, 52) for name in names(table(found, bench, t, page=page))]
    assert seen == ["zebra.jpg", *(f"{number:05}.jpg" for number in range(5_000))]
    # A page that there is not is the nearest that there is.
    assert names(table(found, bench, t, page=99)) == names(table(found, bench, t, page=51))
    assert names(table(found, bench, t, page=0)) == names(drawn)


def test_each_order_and_filter_is_the_same_however_it_was_come_to(
    bench: Workbench, t: Translator, tmp_path: Path
) -> None:
    rows: list[Row] = [answer(tmp_path / f"{n}.jpg", n * 7 % 10 / 10) for n in range(10)]
    found = results(tmp_path, rows)
    for kept, order in [("all", "probability"), ("match", "name"), ("no", "probability")] * 2:
        fresh = results(tmp_path, rows)
        assert names(table(found, bench, t, kept, order)) == names(
            table(fresh, bench, t, kept, order)
        )
    likeliest = sorted(rows, key=lambda row: -(row.probability or 0))
    assert names(table(found, bench, t, "all", "probability")) == [r.photo.name for r in likeliest]


def test_a_folder_that_vanished_is_named(t: Translator, tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    photo = folder / "a.jpg"
    row = BatchRow(photo, failure=failure(photo, PhotoMissing(path=photo)))
    assert t("batch.folder_vanished", path=folder) in summary(results(folder, [row]), t)
    folder.mkdir()
    assert t("batch.nothing_usable") in summary(results(folder, [row]), t)


def test_a_page_too_large_for_a_browser_is_warned_of(t: Translator, tmp_path: Path) -> None:
    rows = [answer(tmp_path / f"{number}.jpg", 0.9) for number in range(100_000)]
    assert t("batch.large_page", size="705") in size_note(results(tmp_path, rows), t)
    assert size_note(results(tmp_path, rows[:7_000]), t) == ""


@pytest.mark.parametrize("kind", ["csv", "json", "html"])
def test_writing_that_is_cancelled_leaves_the_old_file(tmp_path: Path, kind: str) -> None:
    photo = coloured_photo(tmp_path / "photos" / "a.png", "red")
    found = results(photo.parent, [answer(photo, 0.9)] * 500)
    out = tmp_path / f"out.{kind}"
    out.write_text("before")
    job = Job(writing(found, out, "en", Moves()))
    job.cancel()
    job.run()
    assert not job.outcome().whole
    assert out.read_text() == "before"
    assert sorted(path.name for path in tmp_path.glob("*out*")) == [out.name]
    again = Job(writing(found, out, "en", Moves()))
    again.run()
    assert again.outcome().whole
    assert (again.snapshot().done, again.snapshot().total) == (451, 500)
    assert out.stat().st_size > 10_000


def test_thresholds_from_false_alarms_are_named_with_their_range(
    t: Translator, tmp_path: Path
) -> None:
    rows = [answer(tmp_path / f"{n}.jpg", 0.9, threshold) for n, threshold in enumerate((0.6, 0.8))]
    said = summary(results(tmp_path, rows, false_alarms=100), t)
    assert t("batch.threshold_several", low="60 %", high="80 %", n="100") in said
    said = summary(results(tmp_path, rows[:1], false_alarms=100), t)
    assert t("batch.threshold_one", probability="60 %", n="100") in said
    # 2 is the threshold that nothing can reach.
    said = summary(results(tmp_path, [answer(tmp_path / "a.jpg", 0.9, 2)], false_alarms=100), t)
    assert t("batch.threshold_never", n="100") in unescape(said)


def test_more_rows_than_can_be_shown_are_refused_before_anything_is_read(
    bench: Workbench, tmp_path: Path
) -> None:
    for number in range(2):
        (tmp_path / f"{number}.jpg").touch()
    captions = [Caption(str(number), str(number)) for number in range(MOST_ROWS // 2 + 1)]
    bench.matcher.start()
    asked = Asked(tmp_path, BatchOptions(Mode.ALL), captions)
    job = Job(work_for(asked, bench.matcher, Outlook()))
    job.run()
    with pytest.raises(TooManyRows, match=r"1,000,002 rows"):
        job.outcome()


def test_what_looking_again_will_take_is_known_before_the_first_photo_is_done(
    bench: Workbench, tmp_path: Path
) -> None:
    class Looking(FakeMatcher):
        looks_again = True

    for number in range(3):
        Image.new("RGB", (8, 8), "red").save(tmp_path / f"{number}.png")
    told: list[Cost | None] = []
    for matcher in (FakeMatcher, Looking):
        lazy = LazyMatcher(matcher)  # type: ignore[arg-type]
        lazy.start()
        outlook = Outlook()
        asked = Asked(tmp_path, BatchOptions(Mode.ALL), [Caption("red", "red"), Caption("b", "b")])

        def progress(done: int, total: int, outlook: Outlook = outlook) -> None:
            told.append(outlook.cost)

        found = work_for(asked, lazy, outlook)(progress, lambda: False)
        assert found.about.expected_seconds == (outlook.cost and outlook.cost.seconds)
        assert told[0] == outlook.cost
        told.clear()
    assert outlook.cost is not None
    assert outlook.cost.pairs == 6
    assert outlook.cost.each > 0


def test_what_it_takes_is_told_in_whole_minutes() -> None:
    assert Cost(100, 3.0).minutes == 5
    assert Cost(1, 0.1).minutes == 1
