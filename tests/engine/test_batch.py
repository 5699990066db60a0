from __future__ import annotations

import csv
import os
import stat
from pathlib import Path

import pytest

from engine.batch import SHORTLIST, batch, read_captions, read_pairs, verify
from engine.errors import CaptionEmpty, CaptionsUnreadable, OutputUnwritable, PairsUnreadable
from engine.export import (
    BATCH_COLUMNS,
    VERIFY_COLUMNS,
    check_writable,
    write_batch_csv,
    write_verify_csv,
)
from engine.matcher import Matcher
from tests.fixtures import photos as made

CAPTIONS = ["A red circle on blue ground .", "绿色背景上的白色方块。", "ground"]
MANY = [f"A {colour} {shape}" for colour in ("red", "green", "blue", "white", "black")
        for shape in ("circle", "square")]  # fmt: skip


def test_each_photo_gets_its_best_caption(exact_matcher: Matcher, scenes: list[Path]) -> None:
    report = batch(exact_matcher, scenes, CAPTIONS)
    assert [row.photo for row in report.rows] == scenes
    for row in report.rows:
        scores = {m.caption: m.logit for m in exact_matcher.match([row.photo], CAPTIONS)}
        best = max(scores.values(), key=lambda value: value or 0)
        assert scores[row.caption or ""] == pytest.approx(best, abs=1e-3)
        assert row.rank == 1
        assert row.match == ((row.probability or 0) >= exact_matcher.threshold)


def test_few_captions_make_the_shortlist_exact(matcher: Matcher, scenes: list[Path]) -> None:
    assert len(CAPTIONS) <= SHORTLIST
    quick, exact = (batch(matcher, scenes, CAPTIONS, exact=flag) for flag in (False, True))
    assert quick.rows == exact.rows


def test_exact_looks_at_captions_beyond_the_shortlist(matcher: Matcher, scenes: list[Path]) -> None:
    assert len(MANY) > SHORTLIST
    every = batch(matcher, scenes, MANY, every_caption=True)
    exact = batch(matcher, scenes, MANY, exact=True)
    assert [row for row in every.rows if row.rank == 1] == exact.rows


def test_every_caption_is_ranked_best_first(matcher: Matcher, scenes: list[Path]) -> None:
    report = batch(matcher, scenes[:2], MANY, every_caption=True)
    assert len(report.rows) == 2 * len(MANY)
    for photo in scenes[:2]:
        rows = [row for row in report.rows if row.photo == photo]
        assert [row.rank for row in rows] == list(range(1, len(MANY) + 1))
        assert {row.caption for row in rows} == set(MANY)
        values = [row.probability or 0 for row in rows]
        assert values == sorted(values, reverse=True)


def test_a_bad_photo_has_a_row_with_its_error(
    matcher: Matcher, scenes: list[Path], tmp_path: Path
) -> None:
    empty = tmp_path / "empty.jpg"
    empty.touch()
    report = batch(matcher, [scenes[0], empty, scenes[1]], CAPTIONS)
    assert [row.photo for row in report.rows] == [scenes[0], empty, scenes[1]]
    assert [failure.photo for failure in report.failures] == [empty]
    assert report.rows[1].error == report.failures[0].message
    assert report.rows[1].caption is None


def test_a_folder_of_bad_photos_only_is_reported(matcher: Matcher, tmp_path: Path) -> None:
    bad = [made.truncated(tmp_path / f"{number}.jpg") for number in range(3)]
    report = batch(matcher, bad, CAPTIONS)
    assert len(report.failures) == 3
    assert all(row.error for row in report.rows)


def test_progress_ends_at_the_total(matcher: Matcher, scenes: list[Path]) -> None:
    seen: list[tuple[int, int]] = []
    batch(matcher, scenes, CAPTIONS, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(scenes), len(scenes))


def test_cancelling_keeps_what_is_done(matcher: Matcher, tmp_path: Path) -> None:
    photos = made.folder_of(tmp_path / "many", 3 * matcher.batch_size)
    seen: list[int] = []
    report = batch(
        matcher, photos, CAPTIONS,
        progress=lambda done, _: seen.append(done), cancelled=lambda: bool(seen),
    )  # fmt: skip
    assert report.cancelled
    assert [row.photo for row in report.rows] == photos[: matcher.batch_size]


def test_pairs_are_verified_in_their_order(
    exact_matcher: Matcher, scenes: list[Path], tmp_path: Path
) -> None:
    missing = tmp_path / "gone.jpg"
    pairs = [
        (scenes[1], CAPTIONS[0]), (missing, CAPTIONS[1]), (scenes[0], CAPTIONS[1]),
        (scenes[1], CAPTIONS[1]), (scenes[1], CAPTIONS[0]),
    ]  # fmt: skip
    report = verify(exact_matcher, pairs)
    assert [(match.photo, match.caption) for match in report.matches] == pairs
    assert "no such file" in (report.matches[1].error or "")
    assert [failure.photo for failure in report.failures] == [missing]
    assert report.matches[0] == report.matches[4]
    expected = exact_matcher.match([scenes[1]], CAPTIONS[:2])
    assert report.matches[0].logit == pytest.approx(expected[0].logit, abs=1e-3)
    assert report.matches[3].logit == pytest.approx(expected[1].logit, abs=1e-3)


def test_photos_are_found_beside_the_list_and_keep_their_names(
    matcher: Matcher, tmp_path: Path
) -> None:
    made.save(made.noise(), tmp_path / "pictures" / "a.jpg")
    report = verify(matcher, [(Path("pictures/a.jpg"), CAPTIONS[0])], beside=tmp_path)
    assert report.matches[0].photo == Path("pictures/a.jpg")
    assert report.matches[0].error is None


def test_photos_are_found_in_the_current_folder_too(
    matcher: Matcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.save(made.noise(), tmp_path / "here" / "a.jpg")
    monkeypatch.chdir(tmp_path / "here")
    report = verify(matcher, [(Path("a.jpg"), CAPTIONS[0])], beside=tmp_path / "elsewhere")
    assert report.matches[0].error is None


def test_captions_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "captions.txt"
    path.write_bytes("\ufeffa dog\r\n\r\n  一只猫  \n".encode())
    assert read_captions(path) == ["a dog", "一只猫"]


def test_captions_in_another_encoding_are_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "captions.txt"
    path.write_bytes("两只狗在草地上奔跑".encode("gbk"))
    with pytest.raises(CaptionsUnreadable, match="UTF-8"):
        read_captions(path)
    with pytest.raises(CaptionsUnreadable):
        read_captions(tmp_path / "nowhere.txt")


def test_a_file_of_blank_lines_holds_no_caption(tmp_path: Path) -> None:
    path = tmp_path / "captions.txt"
    path.write_text("\n \n")
    with pytest.raises(CaptionEmpty):
        read_captions(path)


def test_pairs_are_read_by_their_column_names(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text('id,caption,photo\n1,"a dog, a cat",x.jpg\n', encoding="utf-8-sig")
    assert read_pairs(path) == [(Path("x.jpg"), "a dog, a cat")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "columns"),
        ("picture,text\na,b\n", "columns"),
        ("photo,caption\n", "no pair"),
        ("photo,caption\na.jpg,b\na.jpg\n", "line 3"),
        ("photo,caption\n,b\n", "line 2"),
    ],
)
def test_unusable_pairs_are_refused_with_the_reason(
    tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(content)
    with pytest.raises(PairsUnreadable, match=reason):
        read_pairs(path)


def test_tables_have_the_promised_columns(
    matcher: Matcher, scenes: list[Path], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("words")
    out = tmp_path / "out.csv"
    write_batch_csv(batch(matcher, [*scenes, bad], CAPTIONS).rows, out)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (
        tuple(rows[0])
        == BATCH_COLUMNS
        == ("photo", "caption", "probability", "match", "rank", "error")
    )
    assert [row["photo"] for row in rows] == [str(photo) for photo in [*scenes, bad]]
    assert {row["match"] for row in rows[:-1]} <= {"true", "false"}
    assert rows[-1]["probability"] == rows[-1]["match"] == rows[-1]["rank"] == ""
    assert "not a picture" in rows[-1]["error"]
    write_verify_csv(verify(matcher, [(scenes[0], CAPTIONS[1])]).matches, out)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == VERIFY_COLUMNS
    assert VERIFY_COLUMNS == ("photo", "caption", "probability", "match", "error")
    assert rows[0]["caption"] == CAPTIONS[1]
    assert 0 <= float(rows[0]["probability"]) <= 1
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "bad.jpg", "out.csv",
    ]  # fmt: skip


def test_a_name_that_is_no_text_is_written_as_it_is(tmp_path: Path, matcher: Matcher) -> None:
    photo = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
    made.save(made.noise(), photo)
    out = tmp_path / "out.csv"
    write_batch_csv(batch(matcher, [photo], CAPTIONS).rows, out)
    assert b"caf\xe9.jpg" in out.read_bytes()


def test_a_place_that_can_not_be_written_is_named_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritable, match="folder"):
        check_writable(tmp_path)
    with pytest.raises(OutputUnwritable, match="does not exist"):
        check_writable(tmp_path / "none" / "out.csv")
    check_writable(tmp_path / "out.csv")


def test_a_failed_write_keeps_the_old_table(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.mkdir()
    with pytest.raises(OutputUnwritable):
        write_batch_csv([], out)
    assert stat.S_ISDIR(out.stat().st_mode)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".partial"] == []
