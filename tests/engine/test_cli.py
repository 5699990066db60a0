from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.verdict import verdict
from tests.fixtures import photos as made
from tests.fixtures.tiny_pack import TinyPack

PROGRAM = [sys.executable, "-c", "import sys; from desktop.cli import main; sys.exit(main())"]


@pytest.fixture(autouse=True)
def chosen_pack(tiny_pack: TinyPack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLENS_PACK", str(tiny_pack.folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made.folder_of(tmp_path / "photos", 5)
    return tmp_path / "photos"


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "captions.txt"
    path.write_text("a red circle\n白色的方块\n", encoding="utf-8")
    return path


def pairlens(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, words)],
        cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=100,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_help_names_every_command() -> None:
    found = pairlens("--help")
    assert found.returncode == 0
    for command in ["match", "batch", "verify", "index", "search", "evaluate", "doctor", "serve"]:
        assert f"\n    {command} " in found.stdout


@pytest.mark.parametrize("words", [["match", "a.jpg"], ["search", "."], ["--fly"]])
def test_wrong_usage_does_nothing(words: Sequence[str]) -> None:
    found = pairlens(*words)
    assert found.returncode == 2
    assert "usage:" in found.stderr
    assert found.stdout == ""


def test_match_prints_json_alone(folder: Path) -> None:
    photos = [folder / "000.jpg", folder / "001.jpg"]
    found = pairlens("match", *photos, "--caption", "a dog", "--caption", "一只狗", "--json")
    assert found.returncode == 0
    rows = json.loads(found.stdout)
    assert [(row["photo"], row["caption"]) for row in rows] == [
        (str(photo), caption) for photo in photos for caption in ("a dog", "一只狗")
    ]
    for row in rows:
        assert list(row) == ["photo", "caption", "probability", "logit", "match", "error"]
        assert 0 <= row["probability"] <= 1
        assert isinstance(row["logit"], float)
        assert isinstance(row["match"], bool)
        assert row["error"] is None


def test_match_says_of_each_pair_what_the_window_says(folder: Path) -> None:
    found = pairlens("match", folder / "000.jpg", "--caption", "a dog", "--caption", "一只狗")
    lines = found.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        probability, said, photo = re.split(r"\s{2,}", line.strip())[:3]
        assert said == verdict(float(probability.rstrip("%")) / 100, 0.5)
        assert photo == str(folder / "000.jpg")


def test_match_goes_on_after_a_bad_photo(folder: Path) -> None:
    bad = folder / "bad.jpg"
    bad.write_text("words")
    found = pairlens("match", bad, folder / "000.jpg", "--caption", "a dog", "--json")
    assert found.returncode == 1
    first, second = json.loads(found.stdout)
    assert "not a picture" in first["error"]
    assert first["probability"] is None
    assert second["error"] is None
    assert str(bad) in found.stderr


def test_match_of_bad_photos_alone_does_nothing(tmp_path: Path) -> None:
    found = pairlens("match", tmp_path / "none.jpg", "--caption", "a dog")
    assert found.returncode == 2
    assert "no such file" in found.stderr


def test_match_wants_words(folder: Path) -> None:
    found = pairlens("match", folder / "000.jpg", "--caption", "  ")
    assert found.returncode == 2
    assert "Write at least one word" in found.stderr


def test_batch_writes_a_row_for_each_photo(folder: Path, captions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    found = pairlens("batch", folder, "--captions", captions, "--out", out)
    assert found.returncode == 0
    assert found.stdout == ""
    assert "photo/s" not in found.stderr  # no bar where nobody watches
    first_line = out.read_text(encoding="utf-8").splitlines()[0]
    assert first_line == (
        "photo,caption,label,probability,threshold,match,verdict,rank,runner_up,rival,margin,error"
    )
    assert [row["photo"] for row in table(out)] == [str(p) for p in sorted(folder.iterdir())]
    first = out.read_bytes()
    pairlens("batch", folder, "--captions", captions, "--out", out, "--exact")
    assert out.read_bytes() == first


def test_batch_can_write_every_caption(folder: Path, captions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    found = pairlens("batch", folder, "--captions", captions, "--out", out, "--mode", "all")
    assert found.returncode == 0
    assert [row["rank"] for row in table(out)] == ["1", "2"] * 5


@pytest.mark.parametrize("mode", ["best", "all", "assign"])
def test_the_same_batch_gives_the_same_file(
    folder: Path, captions: Path, tmp_path: Path, mode: str
) -> None:
    for name in ("csv", "json", "html"):
        written = []
        for run in ("one", "two"):
            out = tmp_path / f"{run}.{name}"
            words = ["--captions", captions, "--mode", mode, "--false-alarms", "2"]
            assert pairlens("batch", folder, *words, "--out", out).returncode == 0
            written.append(out.read_bytes())
        assert written[0] == written[1]


def test_batch_assigns_each_caption_once(folder: Path, captions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    found = pairlens("batch", folder, "--captions", captions, "--mode", "assign", "--out", out)
    assert found.returncode == 0
    answer = json.loads(out.read_text(encoding="utf-8"))
    assert answer["mode"] == "assign"
    given = [row["caption"] for row in answer["rows"] if row["caption"]]
    assert sorted(given) == sorted(captions.read_text(encoding="utf-8").splitlines())
    assert [row["verdict"] for row in answer["rows"]].count("not assigned") == 3
    assert "5 of 5 photos compared" in found.stderr


def test_batch_takes_folder_names_from_a_table(folder: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_bytes("caption;folder\nbeach, sea;Seaside\nreceipts;\n".encode("utf-16"))
    out = tmp_path / "out.csv"
    words = ["--captions", labels, "--mode", "all", "--threshold", "0", "--out", out]
    assert pairlens("batch", folder, *words).returncode == 0
    assert {(row["caption"], row["label"]) for row in table(out)} == {
        ("beach, sea", "Seaside"), ("receipts", "receipts"),
    }  # fmt: skip
    assert {row["verdict"] for row in table(out)} == {"match"}


def test_sidecars_are_verified_or_matched(folder: Path, tmp_path: Path) -> None:
    for number, photo in enumerate(sorted(folder.glob("*.jpg"))[:-1]):
        photo.with_suffix(".txt").write_text(f"a {number} circle\n", encoding="utf-8")
    out, again = tmp_path / "out.csv", tmp_path / "again.csv"
    found = pairlens("batch", folder, "--sidecars", "--out", out)
    assert found.returncode == 1
    assert "004.txt" in found.stderr
    rows = table(out)
    assert [row["caption"] for row in rows] == [f"a {n} circle" for n in range(4)] + [""]
    assert list(rows[0]) == [
        "photo", "caption", "probability", "threshold", "match", "verdict", "better_caption",
        "better_probability", "error",
    ]  # fmt: skip
    assert pairlens("verify", folder, "--out", again).returncode == 1
    assert again.read_bytes() == out.read_bytes()
    best = pairlens("batch", folder, "--sidecars", "--mode", "best", "--out", out)
    assert best.returncode == 0
    assert [row["rank"] for row in table(out)] == ["1"] * 5


def test_batch_writes_a_page(folder: Path, captions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    words = ["--captions", captions, "--out", out, "--language", "zh-CN"]
    assert pairlens("batch", folder, *words).returncode == 0
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count('"picture": ') == 5
    assert "照片与描述" in page


def test_a_page_of_very_many_photos_is_warned_of(captions: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(7_200):
        (folder / f"{number}.jpg").touch()  # no photos, which is quick to find out
    words = [folder, "--captions", captions, "--out"]
    found = pairlens("batch", *words, tmp_path / "out.html")
    assert found.stderr.startswith("A page of 7,200 photos will be about 51 MB")
    assert "A .csv file has the same rows." in found.stderr
    assert "MB" not in pairlens("batch", *words, tmp_path / "out.csv").stderr


def test_what_can_not_be_asked_is_said_in_a_sentence(
    folder: Path, captions: Path, tmp_path: Path
) -> None:
    given = ["--captions", captions]
    for words, sentence in [
        ([*given, "--out", tmp_path / "out.xlsx"], "ends in .csv, .json or .html"),
        ([*given, "--out", tmp_path / "o.csv", "--mode", "verify"], "give --sidecars"),
        ([*given, "--out", tmp_path / "o.csv", "--threshold", "80"], "between 0 and 1"),
        ([*given, "--out", tmp_path / "o.csv", "--false-alarms", "6"], "too few to tell"),
        (["--sidecars", "--out", tmp_path / "o.csv"], "has a caption file beside it"),
        (["--out", tmp_path / "o.csv"], "--captions --sidecars is required"),
    ]:
        found = pairlens("batch", folder, *words)
        assert found.returncode == 2
        assert sentence in found.stderr
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["captions.txt"]


def test_batch_names_bad_photos_and_writes_the_rest(
    folder: Path, captions: Path, tmp_path: Path
) -> None:
    (folder / "empty.jpg").touch()
    out = tmp_path / "out.csv"
    found = pairlens("batch", folder, "--captions", captions, "--out", out)
    assert found.returncode == 1
    assert "empty.jpg: the file is empty" in found.stderr
    errors = {Path(row["photo"]).name: row["error"] for row in table(out)}
    assert "0 bytes" in errors.pop("empty.jpg")
    assert set(errors.values()) == {""}


def test_batch_does_nothing_without_folder_photos_captions_or_place(
    folder: Path, captions: Path, tmp_path: Path
) -> None:
    (tmp_path / "bare").mkdir()
    out = tmp_path / "out.csv"
    for where, words, place, sentence in [
        (tmp_path / "none", captions, out, "no such folder"),
        (tmp_path / "bare", captions, out, "no photos"),
        (folder, tmp_path / "none.txt", out, "captions can't be read"),
        (folder, captions, tmp_path / "none" / "out.csv", "can't be written"),
    ]:
        found = pairlens("batch", where, "--captions", words, "--out", place)
        assert found.returncode == 2
        assert sentence in found.stderr
        assert not place.exists()


def test_verify_answers_every_pair(folder: Path, tmp_path: Path) -> None:
    pairs = folder / "pairs.csv"
    pairs.write_text("photo,caption\n000.jpg,a dog\nnone.jpg,a cat\n001.jpg,一只狗\n", "utf-8")
    out = tmp_path / "out.csv"
    found = pairlens("verify", pairs, "--out", out, cwd=tmp_path)
    assert found.returncode == 1
    rows = table(out)
    assert {row["better_caption"] for row in rows} <= {"", "a dog", "一只狗", "a cat"}
    assert [row["photo"] for row in rows] == ["000.jpg", "none.jpg", "001.jpg"]
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert "none.jpg" in found.stderr


def test_verify_of_something_else_does_nothing(captions: Path, tmp_path: Path) -> None:
    found = pairlens("verify", captions, "--out", tmp_path / "out.csv")
    assert found.returncode == 2
    assert "columns photo and caption" in found.stderr


def test_a_folder_is_indexed_once_and_searched(folder: Path, tmp_path: Path) -> None:
    made.folder_of(folder / "within", 2)
    unindexed = pairlens("search", folder, "a dog")
    assert unindexed.returncode == 2
    assert "pairlens index" in unindexed.stderr
    first = pairlens("index", folder)
    assert first.returncode == 0
    assert "7 photos indexed" in first.stderr
    assert "0 photos indexed, 7 unchanged" in pairlens("index", folder).stderr

    found = pairlens("search", folder, "a dog", "--top", "3", "--json")
    assert found.returncode == 0
    answer: dict[str, Any] = json.loads(found.stdout)
    assert answer["query"] == "a dog"
    assert isinstance(answer["confident"], bool)
    assert len(answer["results"] + answer["nearest"]) == 3

    within = json.loads(pairlens("search", folder / "within", "一只狗", "--json").stdout)
    hits = within["results"] + within["nearest"]
    assert {Path(hit["photo"]).parent.name for hit in hits} == {"within"}


def test_a_folder_within_an_indexed_one_uses_its_library(folder: Path, pairlens_home: Path) -> None:
    made.folder_of(folder / "within", 2)
    assert pairlens("index", folder).returncode == 0
    found = pairlens("index", folder / "within")
    assert "0 photos indexed, 2 unchanged" in found.stderr
    assert len(list((pairlens_home / "data" / "libraries").glob("*.sqlite"))) == 1


def test_index_names_bad_photos_and_keeps_the_rest(folder: Path) -> None:
    made.truncated(folder / "half.jpg")
    found = pairlens("index", folder)
    assert found.returncode == 1
    assert "half.jpg" in found.stderr
    assert "5 photos indexed" in found.stderr


def test_index_of_nothing_makes_no_library(tmp_path: Path, pairlens_home: Path) -> None:
    assert pairlens("index", tmp_path / "none").returncode == 2
    (tmp_path / "bare").mkdir()
    assert pairlens("index", tmp_path / "bare").returncode == 2
    assert not list(pairlens_home.rglob("*.sqlite"))


def test_ctrl_c_leaves_a_usable_index_and_says_what_was_kept(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    for number in range(250):
        made.save(made.noise(600, 500, seed=number), folder / f"{number:03}.png", compress_level=0)
    process = subprocess.Popen(
        [*PROGRAM, "index", str(folder)], stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    libraries = Path(os.environ["PAIRLENS_HOME"]) / "data" / "libraries"
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size > 0 for path in libraries.glob("*.sqlite-wal")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert "Traceback" not in said
    assert process.returncode == 1, said
    assert "Stopped early. What is indexed is kept" in said
    kept = int(said.split(" photos indexed")[0].split()[-1])
    again = pairlens("index", folder)
    assert again.returncode == 0
    assert f"{250 - kept} photos indexed, {kept} unchanged" in again.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break in another way there")
def test_a_reader_that_has_seen_enough_ends_the_command_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)  # as if `head` had gone before the first line came
    try:
        found = subprocess.run(
            [*PROGRAM, "doctor"], stdout=writing, stderr=subprocess.PIPE, text=True,
            encoding="utf-8", timeout=100, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert (found.returncode, found.stderr) == (1, "")


def test_without_a_model_pack_nothing_is_done(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRLENS_PACK", str(tmp_path / "none"))
    found = pairlens("match", folder / "000.jpg", "--caption", "a dog", "--json")
    assert found.returncode == 2
    assert found.stdout == ""
    assert "no model pack" in found.stderr


def test_evaluate_measures_every_language(tiny_pack: TinyPack) -> None:
    found = pairlens("evaluate", "--data", tiny_pack.data, "--json")
    assert found.returncode == 0
    report = json.loads(found.stdout)
    assert (report["split"], report["photos"]) == ("test", 10)
    assert set(report["languages"]) == {"en", "zh"}
    english = report["languages"]["en"]
    assert 0 <= english["retrieval"]["text_to_photo"]["r10"] <= 1
    assert {"accuracy", "precision", "recall", "f1", "auc"} <= set(english["pairs"])
    assert {"robustness", "footprint"} <= set(report)


def test_evaluate_prints_tables_and_writes_the_report(tiny_pack: TinyPack, tmp_path: Path) -> None:
    labels, out = tmp_path / "labels.tsv", tmp_path / "report.json"
    labels.write_text("folder\tenglish\tchinese\nred\ta red photo\t红色\n", encoding="utf-8")
    made.save(made.noise(), tmp_path / "kinds" / "red" / "8.jpg")
    made.save(made.noise(), tmp_path / "kinds" / "red" / "20.jpg")
    found = pairlens(
        "evaluate", "--data", tiny_pack.data, "--split", "val", "--out", out,
        "--labels", labels, "--labelled", tmp_path / "kinds",
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert "pair AUC" in found.stdout
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["split"] == "val"
    assert report["breadth"]["labels"] == 1
    auc = report["languages"]["zh"]["pairs"]["auc"]
    assert f"{auc:.3f}" in found.stdout


def test_evaluate_finds_out_first_what_would_stop_it(tiny_pack: TinyPack, tmp_path: Path) -> None:
    nowhere = tmp_path / "none" / "report.json"
    for words, sentence in [
        (["--out", nowhere], "can't be written"),
        (["--labels", tmp_path / "labels.tsv"], "go together"),
        (["--labelled", tmp_path], "go together"),
    ]:
        found = pairlens("evaluate", "--data", tiny_pack.data, *words)
        assert found.returncode == 2
        assert sentence in found.stderr
        assert found.stdout == ""


def test_evaluate_says_what_data_it_wants(tmp_path: Path) -> None:
    found = pairlens("evaluate", "--data", tmp_path)
    assert found.returncode == 2
    assert "laid out like Flickr8k" in found.stderr


def test_doctor_prints_findings_as_json() -> None:
    found = pairlens("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(found.stdout)}
    assert {"PairLens", "Python", "Device", "Model pack", "Data folder"} <= set(findings)
    assert findings["Model pack"]["ok"]
    bad = [finding for finding in findings.values() if not finding["ok"]]
    assert found.returncode == (1 if bad else 0)
    assert all(finding["remedy"] for finding in bad)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows such names")
def test_a_name_that_is_no_text_is_matched_and_printed(tmp_path: Path) -> None:
    photo = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
    made.save(made.noise(), photo)
    found = pairlens("match", photo, "--caption", "a dog", "--json")
    assert found.returncode == 0
    assert json.loads(found.stdout)[0]["probability"] is not None


def test_commands_load_neither_page_nor_torch(folder: Path) -> None:
    code = (
        "import sys; from desktop.cli import main; main(sys.argv[1:]); "
        "print([name for name in ('torch', 'gradio', 'webview') if name in sys.modules])"
    )
    words = ["match", str(folder / "000.jpg"), "--caption", "a dog"]
    found = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "[]"
