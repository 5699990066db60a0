from __future__ import annotations

import csv
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.encoding import failure
from engine.errors import OutputKindUnknown, OutputUnwritable, PhotoEmpty
from engine.export import check_results, check_writable, write_results
from engine.results import BATCH_COLUMNS, VERIFY_COLUMNS, About, Summary
from engine.types import BatchRow, Caption, Mode, VerifyRow

ABOUT = About(
    mode=Mode.BEST, source=Path("photos"), photos=3, captions=[Caption("a dog", "Dogs")],
    model="default", version="1", exact=False, threshold=0.5, false_alarms=None,
)  # fmt: skip
FAILURE = failure(Path("b.jpg"), PhotoEmpty(path="b.jpg"))
ROWS = [
    BatchRow(Path("a.jpg"), "a dog", "Dogs", 0.75, 0.5, True, 1, "a cat", None, 1.25),
    BatchRow(Path("b.jpg"), failure=FAILURE),
    BatchRow(Path("c.jpg"), "a dog, \"wet\"\n狗", "Dogs", 0.25, 0.5, False, 1),
]  # fmt: skip
PAIRS = [
    VerifyRow(Path("a.jpg"), "a dog", 0.75, 0.5, True),
    VerifyRow(Path("b.jpg"), None, failure=FAILURE),
    VerifyRow(Path("c.jpg"), "a cat", 0.25, 0.5, False, "a dog", 0.875),
]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_has_the_columns_that_the_documentation_names(repository: Path) -> None:
    text = (repository / "docs" / "results.md").read_text(encoding="utf-8")
    for column in {*BATCH_COLUMNS, *VERIFY_COLUMNS}:
        assert f"`{column}`" in text


def test_a_batch_is_written_as_a_table(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    write_results(ROWS, ABOUT, out)
    rows = table(out)
    assert tuple(rows[0]) == BATCH_COLUMNS
    assert rows[0] == {
        "photo": "a.jpg", "caption": "a dog", "label": "Dogs", "probability": "0.7500",
        "threshold": "0.5000", "match": "true", "verdict": "match", "rank": "1",
        "runner_up": "a cat", "rival": "", "margin": "1.2500", "error": "",
    }  # fmt: skip
    assert (rows[1]["verdict"], rows[1]["match"], rows[1]["rank"]) == ("error", "", "")
    assert "0 bytes" in rows[1]["error"]
    assert rows[2]["caption"] == 'a dog, "wet"\n狗'
    assert (rows[2]["match"], rows[2]["verdict"]) == ("false", "nothing matches")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["out.csv"]


def test_a_verification_is_written_as_a_table(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    write_results(PAIRS, replace(ABOUT, mode=Mode.VERIFY), out)
    rows = table(out)
    assert tuple(rows[0]) == VERIFY_COLUMNS
    assert [row["verdict"] for row in rows] == ["match", "error", "mismatch"]
    assert (rows[2]["better_caption"], rows[2]["better_probability"]) == ("a dog", "0.8750")


@pytest.mark.parametrize(
    ("mode", "row", "verdict"),
    [
        (Mode.ALL, ROWS[2], "no match"),
        (Mode.ASSIGN, ROWS[2], "no match"),
        (Mode.ASSIGN, BatchRow(Path("d.jpg"), match=False), "not assigned"),
    ],
)
def test_verdicts_say_what_the_mode_asked(
    tmp_path: Path, mode: Mode, row: BatchRow, verdict: str
) -> None:
    write_results([row], replace(ABOUT, mode=mode), tmp_path / "out.csv")
    assert table(tmp_path / "out.csv")[0]["verdict"] == verdict


def test_json_holds_settings_rows_and_a_summary(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    write_results(ROWS, ABOUT, out)
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    assert list(found) == ["schema", "pairlens", "mode", "source", "model", "exact", "threshold",
                           "false_alarms", "captions", "rows", "summary"]  # fmt: skip
    assert found["captions"] == [{"caption": "a dog", "label": "Dogs"}]
    assert [tuple(row) for row in found["rows"]] == [BATCH_COLUMNS] * 3
    assert found["rows"][0]["probability"] == 0.75
    assert found["rows"][1]["match"] is None
    assert found["summary"] == {"photos": 3, "matched": 1, "failed": 1, "complete": True}
    write_results([], replace(ABOUT, mode=Mode.VERIFY), out)
    empty = json.loads(out.read_text(encoding="utf-8"))
    assert (empty["rows"], empty["summary"]["complete"]) == ([], False)


def test_a_photo_counts_once_and_matches_if_any_of_its_captions_does() -> None:
    rows = [
        BatchRow(Path("a"), "x", "x", 0.4, 0.5, False, 1),
        BatchRow(Path("a"), "y", "y", 0.4, 0.3, True, 2),
        BatchRow(Path("a"), "z", "z", 0.4, 0.3, True, 3),
        BatchRow(Path("b"), "x", "x", 0.4, 0.5, False, 1),
    ]
    summary = Summary(2)
    assert list(summary.watch(rows)) == rows
    assert (summary.done, summary.matched, summary.usable) == (2, 1, 2)
    assert summary.complete


def test_rows_are_written_as_they_come(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    sizes: list[int] = []

    def rows() -> Iterator[BatchRow]:
        for _ in range(10_000):
            yield ROWS[0]
        sizes.extend(path.stat().st_size for path in tmp_path.glob("*.partial"))
        sizes.extend(path.stat().st_size for path in tmp_path.glob(".*.partial"))
        assert not out.exists()

    write_results(rows(), ABOUT, out)
    assert max(sizes) > 100_000


@pytest.mark.parametrize("name", ["out.csv", "out.json", "out.html"])
def test_work_that_fails_leaves_the_old_results_and_nothing_else(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    out.write_text("old")

    def rows() -> Iterator[BatchRow]:
        yield ROWS[0]
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_results(rows(), ABOUT, out)
    assert out.read_text() == "old"
    assert [path for path in tmp_path.iterdir() if path.is_file()] == [out]


@pytest.mark.parametrize("name", ["out.csv", "out.json", "out.html"])
def test_a_name_that_is_no_text_survives(tmp_path: Path, name: str) -> None:
    photo = Path(os.fsdecode(b"caf\xe9.jpg"))
    out = tmp_path / name
    write_results([replace(ROWS[0], photo=photo)], ABOUT, out)
    if name == "out.csv":
        assert b"caf\xe9.jpg" in out.read_bytes()
    if name == "out.json":
        assert Path(json.loads(out.read_text(encoding="utf-8"))["rows"][0]["photo"]) == photo
    if name == "out.html":
        assert "%E9.jpg" in out.read_text(encoding="utf-8")


def test_the_kind_of_file_is_told_by_its_name(tmp_path: Path) -> None:
    for name in ("out.csv", "out.JSON", "out.html", "out.htm"):
        check_results(tmp_path / name)
    with pytest.raises(OutputKindUnknown, match=r"as \.xlsx. Give a name that ends in \.csv"):
        check_results(tmp_path / "out.xlsx")
    with pytest.raises(OutputKindUnknown, match="without a suffix"):
        write_results(ROWS, ABOUT, tmp_path / "out")


def test_a_place_that_can_not_be_written_is_named_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritable, match="folder"):
        check_writable(tmp_path)
    with pytest.raises(OutputUnwritable, match="does not exist"):
        check_results(tmp_path / "none" / "out.csv")
    check_writable(tmp_path / "out.csv")


def test_a_failed_write_keeps_what_is_there(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.mkdir()
    with pytest.raises(OutputUnwritable):
        write_results([], ABOUT, out)
    assert stat.S_ISDIR(out.stat().st_mode)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".partial"] == []
