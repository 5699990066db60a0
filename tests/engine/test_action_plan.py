from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.action_plan import (
    LONGEST_FOLDER_NAME,
    LONGEST_NAME,
    Plan,
    folder_name,
    key,
    plan_by_caption,
    plan_selection,
    read_result,
)
from engine.batch import BatchOptions, batch
from engine.errors import ResultUnreadable
from engine.export import write_results
from engine.matcher import Matcher
from engine.results import About
from engine.types import BatchRow, Caption, Mode
from tests.fixtures import photos as made

LINKS = pytest.mark.skipif(sys.platform == "win32", reason="making links needs a privilege there")


def best(photo: Path, caption: str, match: bool = True, rank: int = 1) -> BatchRow:
    return BatchRow(photo, caption, match=match, rank=rank)


def targets(plan: Plan) -> list[str]:
    return [step.target.relative_to(plan.into).as_posix() for step in plan.steps]


def tree(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return made.folder_of(tmp_path / "photos", 4)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "sorted"


def test_each_photo_goes_below_the_folder_of_its_caption(photos: list[Path], into: Path) -> None:
    rows = [best(photos[0], "a dog"), best(photos[1], "白色的猫"), best(photos[2], "a dog")]
    plan = plan_by_caption(rows, into)
    assert [step.source for step in plan.steps] == photos[:3]
    assert targets(plan) == ["a dog/000.jpg", "白色的猫/001.jpg", "a dog/002.jpg"]
    assert plan.size == sum(photo.stat().st_size for photo in photos[:3])


def test_copy_is_the_default(photos: list[Path], into: Path) -> None:
    assert plan_selection(photos, into).kind == "copy"
    assert plan_by_caption([best(photos[0], "a dog")], into).kind == "copy"


def test_a_plan_changes_nothing(photos: list[Path], into: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    plan_by_caption([best(photo, "a dog") for photo in photos], into, "move", unmatched="rest")
    plan_selection(photos, into, "move")
    assert tree(tmp_path) == before


def test_only_the_best_caption_counts(photos: list[Path], into: Path) -> None:
    rows = [best(photos[0], "a cat", rank=2), best(photos[0], "a dog"), best(photos[0], "x")]
    assert targets(plan_by_caption(rows, into)) == ["a dog/000.jpg"]


def test_photos_that_nothing_matches_stay_unless_a_folder_is_named(
    photos: list[Path], into: Path
) -> None:
    unread = BatchRow(photos[2])
    rows = [best(photos[0], "a dog"), best(photos[1], "a dog", match=False), unread]
    plan = plan_by_caption(rows, into)
    assert (targets(plan), plan.staying) == (["a dog/000.jpg"], photos[1:3])
    plan = plan_by_caption(rows, into, unmatched="nothing")
    assert (targets(plan), plan.staying) == (["a dog/000.jpg", "nothing/001.jpg"], [photos[2]])


def test_the_folder_for_the_rest_is_shared_with_no_caption(photos: list[Path], into: Path) -> None:
    rows = [best(photos[0], "Rest"), best(photos[1], "a dog", match=False)]
    assert targets(plan_by_caption(rows, into, unmatched="rest")) == [
        "Rest (2)/000.jpg", "rest/001.jpg",
    ]  # fmt: skip


def test_captions_that_make_the_same_name_get_folders_of_their_own(
    photos: list[Path], into: Path
) -> None:
    captions = ["A dog", "a dog", "a dog?", "a dog."]
    rows = [best(photo, text) for photo, text in zip(photos, captions, strict=True)]
    assert targets(plan_by_caption(rows, into)) == [
        "A dog/000.jpg", "a dog (2)/001.jpg", "a dog_/002.jpg", "a dog (3)/003.jpg",
    ]  # fmt: skip


def test_a_captions_folder_that_is_there_is_used(photos: list[Path], into: Path) -> None:
    made.save(made.corners(), into / "a dog" / "other.jpg")
    (into / "a cat").write_text("a file with the name of a caption")
    rows = [best(photos[0], "a dog"), best(photos[1], "a cat")]
    assert targets(plan_by_caption(rows, into)) == ["a dog/000.jpg", "a cat (2)/001.jpg"]


@pytest.mark.parametrize("there", [[], ["B.JPG"], ["b.jpg", "b (2).jpg"]])
def test_colliding_names_get_a_suffix(tmp_path: Path, into: Path, there: Sequence[str]) -> None:
    for name in there:
        made.save(made.corners(), into / name)
    given_photos = [
        made.save(made.noise(), tmp_path / folder / name)
        for folder, name in (("1", "b.jpg"), ("2", "b.jpg"), ("3", "B.jpg"))
    ]
    plan = plan_selection(given_photos, into)
    first = len(there) + 1
    names = ["b.jpg" if n == 1 else f"b ({n}).jpg" for n in range(first, first + 2)]
    assert targets(plan) == [*names, f"B ({first + 2}).jpg"]


def test_many_photos_of_one_name_are_numbered_in_their_order(tmp_path: Path, into: Path) -> None:
    given_photos = [
        made.save(made.noise(4, 4, seed=n), tmp_path / str(n) / ("a.png" if n % 2 else "A.PNG"))
        for n in range(40)
    ]
    made.save(made.corners(), into / "a (7).png")
    numbers = [name.partition(" (")[2].partition(")")[0] for name in targets(
        plan_selection(given_photos, into)
    )]  # fmt: skip
    assert sorted(int(number or 1) for number in numbers) == [*range(1, 7), *range(8, 42)]


def test_a_suffix_fits_into_the_longest_name(tmp_path: Path, into: Path) -> None:
    name = "长" * 83 + ".jpg"
    pair = [made.save(made.corners(), tmp_path / folder / name) for folder in "12"]
    second = targets(plan_selection(pair, into))[1]
    assert second == "长" * 82 + " (2).jpg"
    assert len(os.fsencode(second)) <= LONGEST_NAME


def test_a_photo_that_is_in_its_folder_is_no_step(photos: list[Path]) -> None:
    plan = plan_selection(photos, photos[0].parent / ".." / photos[0].parent.name)
    assert (plan.steps, plan.already_there) == ([], photos)


def test_a_target_inside_the_source_folder_is_fine(photos: list[Path]) -> None:
    plan = plan_selection(photos, photos[0].parent / "picked")
    assert targets(plan) == ["000.jpg", "001.jpg", "002.jpg", "003.jpg"]


def test_a_photo_given_twice_is_one_step(photos: list[Path], into: Path) -> None:
    other_way = photos[0].parent / ".." / photos[0].parent.name / photos[0].name
    assert targets(plan_selection([photos[0], photos[0], other_way], into)) == ["000.jpg"]


def test_what_cant_be_acted_on_is_named_and_the_rest_is_planned(
    photos: list[Path], into: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder.jpg").mkdir()
    plan = plan_selection([tmp_path / "gone.jpg", tmp_path / "folder.jpg", photos[0]], into)
    assert targets(plan) == ["000.jpg"]
    assert [(failed.photo.name, failed.code) for failed in plan.failures] == [
        ("gone.jpg", "photo_missing"), ("folder.jpg", "photo_unreadable"),
    ]  # fmt: skip


@LINKS
def test_a_link_is_copied_as_what_it_leads_to_and_is_not_moved(
    photos: list[Path], into: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.jpg"
    link.symlink_to(photos[0])
    plan = plan_selection([link], into)
    assert [(step.target.name, step.size) for step in plan.steps] == [
        ("link.jpg", photos[0].stat().st_size)
    ]
    plan = plan_selection([link], into, "move")
    assert plan.steps == []
    assert [failed.code for failed in plan.failures] == ["photo_is_link"]


@pytest.mark.parametrize(
    ("caption", "name"),
    [
        ("a dog on the beach", "a dog on the beach"),
        ("  two\tlines\n of  text ", "two lines of text"),
        ('what? "a/b\\c" <d>: e|f*', "what_ _a_b_c_ _d__ e_f_"),
        ("wait...", "wait"),
        ("..hidden", "hidden"),
        ("../../etc", "_.._etc"),
        ("CON", "_CON"),
        ("con.jpg of it", "_con.jpg of it"),
        ("Lpt1", "_Lpt1"),
        ("contact", "contact"),
        ("...", "_"),
        ("\u202egpj.exe\u0000", "gpj.exe"),
        ("cafe\u0301", "caf\u00e9"),
        ("\ud800lone", "lone"),
    ],
)
def test_captions_become_names_of_folders(caption: str, name: str) -> None:
    assert folder_name(caption) == name


@given(st.text(max_size=300))
def test_a_folder_name_is_safe_on_every_system(caption: str) -> None:
    name = folder_name(caption)
    assert 0 < len(name.encode()) <= LONGEST_FOLDER_NAME + 1
    assert not set('<>:"/\\|?*') & set(name)
    assert all(ord(character) >= 32 for character in name)
    assert name == name.strip(". ")
    assert name.partition(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


@given(st.lists(st.text(alphabet="aAbB?. é\u0301", max_size=4), unique=True, max_size=12))
def test_no_two_captions_share_a_folder(captions: list[str]) -> None:
    with TemporaryDirectory() as folder:
        photos = [Path(folder, f"{number}.jpg") for number in range(len(captions))]
        for photo in photos:
            photo.touch()
        rows = [best(photo, text) for photo, text in zip(photos, captions, strict=True)]
        plan = plan_by_caption(rows, Path(folder, "sorted"))
    assert len({key(step.target.parent.name) for step in plan.steps}) == len(captions)


def test_what_batch_wrote_is_read_back(
    scenes: list[Path], matcher: Matcher, tmp_path: Path
) -> None:
    damaged = made.truncated(tmp_path / 'damaged, "really".jpg')
    captions = [Caption("a red circle", "circles"), Caption("白色的方块", "白色的方块")]
    photos = [*scenes, damaged]
    rows = list(batch(matcher, photos, captions, BatchOptions(Mode.ALL)))
    about = About(Mode.ALL, tmp_path, len(photos), captions, "", "", True, None, None)
    write_results(rows, about, tmp_path / "result.csv")
    read = read_result(tmp_path / "result.csv")
    kept = [(row.photo, row.caption, row.label, row.match, row.rank) for row in rows]
    assert [(row.photo, row.caption, row.label, row.match, row.rank) for row in read] == kept


def test_a_caption_with_a_label_gives_its_folder_that_name(
    scenes: list[Path], tmp_path: Path
) -> None:
    row = BatchRow(scenes[0], "a photo of a sandy beach by the sea", "beach", match=True, rank=1)
    plan = plan_by_caption([row], tmp_path / "into")
    assert [step.target.parent.name for step in plan.steps] == ["beach"]


def test_a_photo_without_a_full_path_is_looked_for_beside_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    photo = made.save(made.corners(), tmp_path / "here" / "a.jpg")
    table = tmp_path / "here" / "result.csv"
    table.write_text("rank,match,photo,caption\n1,TRUE,a.jpg,a dog\n", encoding="utf-8")
    (row,) = read_result(table)
    assert (row.photo, row.match) == (photo, True)
    monkeypatch.chdir(tmp_path)
    made.save(made.corners(), tmp_path / "a.jpg")
    assert read_result(table)[0].photo == Path("a.jpg")


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "photo,caption\na.jpg,a dog\n",
        "photo,caption,match,rank\n,a dog,true,1\n",
        "photo,caption,match,rank\na.jpg,a dog,perhaps,1\n",
        "photo,caption,match,rank\na.jpg,a dog,true,first\n",
    ],
)
def test_what_is_no_result_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "result.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ResultUnreadable, match="columns photo, caption, match and rank"):
        read_result(path)
