"""The ten largest parts of a frozen program, each with why it stays.

    python packaging/largest.py dist/pairlens                          # print the table
    python packaging/largest.py dist/pairlens --write docs/packaging.md
    python packaging/largest.py dist/pairlens --check docs/packaging.md

--check fails where a part grew or shrank by more than a tenth, and where one came or went.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

ROWS = 10
# (how its files begin, what it is called, why it stays); the first that fits counts.
PARTS = (
    (r"PySide6/Qt/(lib/libQt6WebEngine|libexec|resources|translations)", "Qt WebEngine",
     "shows the page in a window; it is Chromium, and a system's own web view can't be counted on"),
    (r"PySide6/Qt/lib/libicu", "ICU", "Qt's core is linked to it, for text in every language"),
    (r"PySide6/|shiboken6/", "Qt and PySide6", "window, dialogs, drag and drop"),
    (r"gradio/", "Gradio", "the page: its front end and its Python, less what no view loads"),
    (r"onnxruntime/", "ONNX Runtime", "runs the model"),
    (r"numpy|numpy\.libs/", "NumPy and OpenBLAS", "arrays; every search is a product of matrices"),
    (r"pandas", "pandas", "Gradio imports it when it starts"),
    (r"resources/models/", "the default model pack", "the model, in 8 bits; no training weights"),
    (r"pillow_heif|_pillow_heif", "pillow-heif", "reads HEIC photos and the previews in them"),
    (r"lap/", "lapx", "one caption for each photo"),
    (r"PIL/|pillow\.libs/", "Pillow", "reads JPEG, PNG, WebP, AVIF, TIFF, GIF and BMP"),
    (r"tokenizers/", "tokenizers", "turns captions into what the model reads"),
    (r"rawpy", "rawpy", "finds the preview in RAW photos"),
    (r"pydantic_core/", "pydantic", "FastAPI and Gradio stand on it"),
    (r"(libpython|libcrypto|libssl|libsqlite|python3|base_library|lib-dynload)", "Python",
     "the program is written in it; with OpenSSL and SQLite"),
    (r"pairlens$", "the program file", "PairLens and all Python modules, compiled"),
)  # fmt: skip
START, END = "<!-- largest: made by packaging/largest.py -->", "<!-- end -->"


def part_of(path: str) -> tuple[str, str]:
    """Name and reason of the part that a file, named from the program's folder, belongs to."""
    name = path.removeprefix("_internal/")
    for pattern, part, why in PARTS:
        if re.match(pattern, name):
            return part, why
    return name.partition("/")[0], ""


def measure(program: Path) -> list[tuple[str, str, int]]:
    """(part, why, bytes) of the largest parts, largest first; links count for nothing.

    Raises:
        SystemExit: one of them has no reason.
    """
    sizes: Counter[tuple[str, str]] = Counter()
    for path in program.rglob("*"):
        if path.is_file() and not path.is_symlink():
            sizes[part_of(path.relative_to(program).as_posix())] += path.stat().st_size
    largest = [(part, why, size) for (part, why), size in sizes.most_common(ROWS)]
    for part, why, size in largest:
        if not why:
            raise SystemExit(f"{part} takes {size / 1e6:.0f} MB and nobody has said why it stays")
    return largest


def table(largest: list[tuple[str, str, int]]) -> str:
    """The rows as Markdown, in MB of a million bytes."""
    lines = ["| part | MB | why it stays |", "| --- | ---: | --- |"]
    lines += [f"| {part} | {size / 1e6:.0f} | {why} |" for part, why, size in largest]
    return "\n".join(lines)


def written(document: str) -> dict[str, int]:
    """Part -> MB, as a document says."""
    rows = document.partition(START)[2].partition(END)[0]
    return {part: int(size) for part, size in re.findall(r"^\| ([^|]+) \| (\d+) \|", rows, re.M)}


def main() -> None:
    """Print, write or check the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--check", type=Path)
    given = parser.parse_args()
    largest = measure(given.program)
    if given.write:
        text = given.write.read_text(encoding="utf-8")
        before, _, rest = text.partition(START)
        after = rest.partition(END)[2]
        filled = f"{before}{START}\n{table(largest)}\n{END}{after}"
        given.write.write_text(filled, encoding="utf-8")
    elif given.check:
        said = written(given.check.read_text(encoding="utf-8"))
        now = {part: size / 1e6 for part, _, size in largest}
        if set(said) != set(now) or any(
            abs(said[part] - now[part]) > max(1, now[part] / 10) for part in now
        ):
            raise SystemExit(f"{given.check} is out of date: write it anew with --write")
    else:
        sys.stdout.write(table(largest) + "\n")


if __name__ == "__main__":
    main()
