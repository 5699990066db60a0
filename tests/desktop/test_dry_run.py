from __future__ import annotations

from pathlib import Path

import pytest

from desktop.i18n import Translator, load_translators
from desktop.ui.dry_run import STEPS, dry_run
from engine.action_plan import plan_by_caption, plan_selection
from engine.paths import resources_dir
from engine.types import BatchRow
from tests.fixtures import photos as made


@pytest.fixture
def t() -> Translator:
    return load_translators(resources_dir() / "locales")["en"]


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return made.folder_of(tmp_path / "photos", STEPS + 3)


def test_photos_size_folders_and_first_steps_are_told_and_the_rest_is_counted(
    photos: list[Path], tmp_path: Path, t: Translator
) -> None:
    into = tmp_path / "sorted"
    rows = [BatchRow(photo, "a <dog>", match=True, rank=1) for photo in photos]
    rows[0] = BatchRow(photos[0], "a cat", match=False, rank=1)
    told = dry_run(plan_by_caption(rows, into), [photos[0].parent], set(), t)
    assert f"12 photos (&lt; 0.1 MB) would be copied into {into}." in told
    assert "<li>a _dog_ (new folder): 12 photos</li>" in told
    assert told.count("<tr><td") == STEPS
    assert "and 2 more" in told
    assert "Stay where they are, as no caption fits: 1 photo" in told


def test_a_taken_name_shows_its_suffix_first(
    photos: list[Path], tmp_path: Path, t: Translator
) -> None:
    into = tmp_path / "sorted"
    into.mkdir()
    (into / photos[-1].name).write_bytes(b"another")
    told = dry_run(plan_selection(photos, into, "move"), [photos[0].parent], set(), t)
    body = told.partition("<tbody>")[2]
    assert body.index(f"<strong>{photos[-1].stem} (2).jpg</strong>") < body.index("000.jpg")
    assert "nothing is overwritten: 1 photo" in told
    assert "(new folder)" not in told


def test_what_cannot_be_done_is_named_and_nothing_is_offered(
    photos: list[Path], tmp_path: Path, t: Translator
) -> None:
    photos[0].unlink()
    told = dry_run(plan_selection(photos[:1], tmp_path / "sorted"), [photos[0].parent], set(), t)
    assert "There is nothing to do." in told
    assert "Left out: 1 photo" in told
    assert "000.jpg: there is no such file" in told
    assert "pl-offer" not in told


def test_a_target_within_the_photos_folder_is_pointed_out(
    photos: list[Path], tmp_path: Path, t: Translator
) -> None:
    folder = photos[0].parent
    assert t("act.inside") in dry_run(plan_selection(photos, folder / "in"), [folder], set(), t)
    assert t("act.inside") not in dry_run(
        plan_selection(photos, tmp_path / "out"), [folder], set(), t
    )
