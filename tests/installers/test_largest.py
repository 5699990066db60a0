"""The table of the largest parts, on a program of empty files."""

from __future__ import annotations

import sys
from pathlib import Path

import largest
import pytest


@pytest.fixture
def program(tmp_path: Path) -> Path:
    for name, size in (
        ("pairlens", 3_000_000),
        ("_internal/PySide6/Qt/lib/libQt6WebEngineCore.so.6", 20_000_000),
        ("_internal/gradio/routes.py", 5_000_000),
    ):
        path = tmp_path / "pairlens" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(size)
    (tmp_path / "pairlens" / "_internal" / "libQt6WebEngineCore.so.6").symlink_to(
        "PySide6/Qt/lib/libQt6WebEngineCore.so.6"
    )
    return tmp_path / "pairlens"


def call(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["largest.py", *map(str, words)])
    largest.main()


def test_parts_come_largest_first_and_links_count_for_nothing(program: Path) -> None:
    found = [(part, size) for part, _, size in largest.measure(program)]
    assert found == [
        ("Qt WebEngine", 20_000_000), ("Gradio", 5_000_000), ("the program file", 3_000_000),
    ]  # fmt: skip


def test_a_large_part_that_nobody_gave_a_reason_for_is_named(program: Path) -> None:
    (program / "_internal" / "newcomer").mkdir()
    (program / "_internal" / "newcomer" / "big.bin").write_bytes(bytes(1_000_000))
    with pytest.raises(SystemExit, match="newcomer takes 1 MB"):
        largest.measure(program)


def test_what_was_written_holds_until_a_part_grows(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "packaging.md"
    document.write_text(f"Before.\n\n{largest.START}\nold\n{largest.END}\n\nAfter.\n")
    call(monkeypatch, program, "--write", document)
    text = document.read_text()
    assert text.startswith("Before.")
    assert text.endswith("After.\n")
    assert "| Qt WebEngine | 20 |" in text
    call(monkeypatch, program, "--check", document)
    with (program / "_internal" / "gradio" / "routes.py").open("wb") as file:
        file.truncate(9_000_000)
    with pytest.raises(SystemExit, match="out of date"):
        call(monkeypatch, program, "--check", document)


def test_the_document_names_ten_parts_that_have_reasons(repository: Path) -> None:
    said = largest.written((repository / "docs" / "packaging.md").read_text(encoding="utf-8"))
    assert len(said) == largest.ROWS
    assert set(said) <= {part for _, part, _ in largest.PARTS}
