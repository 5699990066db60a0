"""The command ``search``, as a person types it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.confidence import SearchConfidence
from engine.pack import read_manifest
from tests.fixtures import photos as made
from tests.fixtures.tiny_pack import TinyPack, rewrite_manifest

Said = pytest.CaptureFixture[str]


@pytest.fixture
def folder(
    tiny_pack: TinyPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> Path:
    """Six photos of a year each, every other one upright; the library "trips". All queries fit."""
    use_pack(tiny_pack, tmp_path / "pack", monkeypatch, least=-1.0)
    folder = tmp_path / "photos"
    for number in range(6):
        size = (60, 40) if number % 2 else (40, 60)
        below = folder / ("early" if number < 3 else "late")
        made.save(
            made.noise(*size, seed=number),
            below / f"{number}.jpg",
            exif=made.taken(f"20{number + 10}:05:05 12:00:00"),
        )
    assert main(["index", str(folder), "--library", "trips"]) == 0
    capsys.readouterr()
    return folder


def use_pack(
    tiny_pack: TinyPack, pack: Path, monkeypatch: pytest.MonkeyPatch, least: float
) -> None:
    """Take the tiny pack with another line from which something fits."""
    shutil.copytree(tiny_pack.folder, pack)
    rule = SearchConfidence({"en": least}, 0.0)
    rewrite_manifest(pack, replace(read_manifest(pack), search=rule))
    monkeypatch.setenv("PAIRLENS_PACK", str(pack))


def answer(capsys: Said, *words: str | Path) -> dict[str, Any]:
    assert main(["search", *map(str, words), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def names(found: dict[str, Any]) -> set[str]:
    return {Path(hit["photo"]).name for hit in found["results"]}


def test_json_says_everything_that_was_found(folder: Path, capsys: Said) -> None:
    found = answer(capsys, "trips", "a dog", "--top", "3")
    assert list(found) == [
        "query", "photo", "confident", "results", "nearest", "competing", "left_out", "same",
        "waiting",
    ]  # fmt: skip
    assert (found["query"], found["photo"], found["confident"]) == ("a dog", None, True)
    assert (found["competing"], found["left_out"], found["waiting"]) == (6, 0, 0)
    assert (found["nearest"], found["same"]) == ([], [])
    assert len(found["results"]) == 3
    hit = found["results"][0]
    assert list(hit) == ["photo", "probability", "similarity", "photo_similarity", "offline"]
    assert 0 <= hit["probability"] <= 1
    assert hit["photo_similarity"] is None
    assert hit["offline"] is False


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--after", "2013-05-05"], "345"),
        (["--before", "2013-05-05"], "012"),
        (["--after", "2011-01-01", "--before", "2013-01-01"], "12"),
        (["--orientation", "portrait"], "024"),
        (["--orientation", "square"], ""),
        (["--min-size", "41x40"], "135"),
        (["--min-size", "40"], "012345"),
        (["--min-size", "41"], ""),
        (["--orientation", "landscape", "--after", "2012-01-01"], "35"),
    ],
)
def test_filters_narrow_the_search(folder: Path, capsys: Said, words: list[str], left: str) -> None:
    found = answer(capsys, folder, *words, "a dog")
    assert names(found) == {f"{number}.jpg" for number in left}
    assert found["competing"] == len(left)
    assert found["confident"] is bool(left)


def test_a_library_is_narrowed_to_a_folder(folder: Path, capsys: Said) -> None:
    for where in ("trips", folder):
        found = answer(capsys, where, "a dog", "--under", folder / "late")
        assert names(found) == {"3.jpg", "4.jpg", "5.jpg"}
    for where, under in (("trips", folder.parent), (folder / "late", folder / "early")):
        assert main(["search", str(where), "a dog", "--under", str(under)]) == 2
        assert "not in the library" in capsys.readouterr().err


def test_a_photo_is_searched_without_a_probability(folder: Path, capsys: Said) -> None:
    asked = folder / "early" / "0.jpg"
    found = answer(capsys, "trips", "--photo", asked)
    assert (found["query"], found["photo"], found["confident"]) == (None, str(asked), None)
    assert found["same"] == [str(asked)]
    assert names(found) == {f"{number}.jpg" for number in range(1, 6)}
    for hit in found["results"]:
        assert (hit["probability"], hit["similarity"]) == (None, None)
        assert -1.001 <= hit["photo_similarity"] <= 1.001

    assert main(["search", "trips", "--photo", str(asked), "--top", "2"]) == 0
    said = capsys.readouterr()
    assert f"The photo itself is here: {asked}" in said.err
    assert len(said.out.splitlines()) == 2
    assert "%" not in said.out


def test_words_and_a_photo_go_together(folder: Path, tmp_path: Path, capsys: Said) -> None:
    asked = made.save(made.corners(), tmp_path / "asked.png")
    found = answer(capsys, "trips", "--photo", asked, "a dog", "--top", "4")
    assert len(found["results"]) == 4
    assert None not in {hit["probability"] for hit in found["results"]}
    assert None not in {hit["photo_similarity"] for hit in found["results"]}


def test_words_to_avoid_leave_photos_out(folder: Path, capsys: Said) -> None:
    plain = answer(capsys, "trips", "a dog")
    found = answer(capsys, "trips", "a dog", "--not", "a dog", "--not", "一只狗")
    assert found["left_out"] + len(found["results"]) == 6
    threshold = read_manifest(folder.parent / "pack").calibration.threshold
    kept = {hit["photo"] for hit in plain["results"] if hit["probability"] < threshold}
    assert {hit["photo"] for hit in found["results"]} <= kept
    if found["left_out"]:
        main(["search", "trips", "a dog", "--not", "a dog", "--not", "一只狗"])
        assert f"{found['left_out']} of the nearest were left out" in capsys.readouterr().err


def test_where_nothing_fits_the_nearest_stand_apart(
    folder: Path, tiny_pack: TinyPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    use_pack(tiny_pack, tmp_path / "strict", monkeypatch, least=2.0)
    found = answer(capsys, "trips", "a dog")
    assert (found["confident"], found["results"]) == (False, [])
    assert len(found["nearest"]) == 5

    assert main(["search", "trips", "a dog"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    sentence, *nearest = said.err.splitlines()
    assert sentence == "Perhaps nothing here matches; the nearest are:"
    assert len(nearest) == 5
    assert str(folder) in nearest[0]


def test_a_filter_that_leaves_nothing_is_said(folder: Path, capsys: Said) -> None:
    assert main(["search", "trips", "a dog", "--after", "2030-01-01"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "Nothing matches: no photo is left to compare.\n"


def test_photos_that_are_offline_are_marked(folder: Path, tmp_path: Path, capsys: Said) -> None:
    folder.rename(tmp_path / "unplugged")
    found = answer(capsys, "trips", "a dog", "--photo", folder / "early" / "0.jpg")
    assert [hit["offline"] for hit in found["results"]] == [True] * 5
    assert main(["search", str(folder), "a dog", "--top", "3"]) == 0
    assert capsys.readouterr().out.count("  (offline)") == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "give a QUERY, a --photo, or both"),
        (["--not", "a dog"], "give a QUERY, a --photo, or both"),
        (["a dog", "--after", "yesterday"], "yesterday is no day like 2024-12-31"),
        (["a dog", "--before", "2024-02-30"], "2024-02-30 is no day"),
        (["a dog", "--min-size", "big"], "big is no size like 1080 or 1920x1080"),
        (["a dog", "--orientation", "up"], "invalid choice: 'up'"),
        (["a dog", "--top", "0"], "must be at least 1"),
    ],
)
def test_wrong_usage_says_what_is_wrong(capsys: Said, words: list[str], sentence: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["search", "trips", *words])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert "usage: pairlens search" in said.err
    assert sentence in said.err
    assert said.out == ""


def test_what_can_not_be_searched_does_nothing(folder: Path, tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "words.jpg").write_text("no picture")
    for words, sentence in [
        (["cruises", "a dog"], "no such folder"),
        ([str(tmp_path / "bare"), "a dog"], "pairlens index"),
        (["trips", " "], "Write at least one word"),
        (["trips", "a dog", "--not", ""], "Write at least one word"),
        (["trips", "--photo", str(tmp_path / "none.jpg")], "no such file"),
        (["trips", "--photo", str(tmp_path / "words.jpg")], "not a picture"),
    ]:
        assert main(["search", *words]) == 2
        said = capsys.readouterr()
        assert sentence in said.err
        assert said.out == ""
