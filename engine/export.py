"""Results as files. Written beside the target and renamed: never half a file."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from PIL import Image

from engine import __version__
from engine.errors import OutputKindUnknown, OutputUnwritable
from engine.report_html import write_html
from engine.results import About, Row, Summary, record

HTML = (".html", ".htm")
KINDS = (".csv", ".json", *HTML)
SCHEMA = 1


def write_results(rows: Iterable[Row], about: About, path: Path) -> None:
    """Rows as they come, as CSV, JSON or HTML by the name of the file; see docs/results.md.

    Raises OutputKindUnknown or OutputUnwritable, and whatever making the rows raises; in neither
    case is anything left of the new file or lost of an old one.
    """
    kind = _kind(path)
    if kind == ".csv":
        # A name that is no text is written byte for byte, so that it still names its photo.
        with _whole(path, "surrogateescape") as file:
            _write_csv(rows, about, file)
        return
    # Python writes such a byte as \\udcXX, which is how JSON writes it, too.
    with _whole(path, "backslashreplace") as file:
        if kind == ".json":
            _write_json(rows, about, file)
        else:
            write_html(rows, about, file)


def write_json(value: Any, path: Path) -> None:
    """A value as indented JSON. Raises OutputUnwritable."""
    with _whole(path, "surrogateescape") as file:
        json.dump(value, file, ensure_ascii=False, indent=2)
        file.write("\n")


def check_results(path: Path) -> None:
    """As `check_writable`, and raise OutputKindUnknown now as well."""
    _kind(path)
    check_writable(path)


def check_writable(path: Path) -> None:
    """Raise OutputUnwritable now rather than after an hour of work."""
    if path.is_dir():
        raise OutputUnwritable(path=path, reason="it is a folder")
    if not path.absolute().parent.is_dir():
        raise OutputUnwritable(path=path, reason="its folder does not exist")
    if not os.access(path.absolute().parent, os.W_OK):
        raise OutputUnwritable(path=path, reason="its folder can't be written to")


def _kind(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise OutputKindUnknown(path=path, suffix=path.suffix or "a file without a suffix")
    return kind


def _write_csv(rows: Iterable[Row], about: About, file: TextIO) -> None:
    writer = csv.DictWriter(file, about.columns)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in record(row, about.mode).items()})


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4f}" if isinstance(value, float) else value


def _write_json(rows: Iterable[Row], about: About, file: TextIO) -> None:
    def plain(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    head = {"schema": SCHEMA, "pairlens": __version__, **about.settings()}
    file.write("{\n" + "".join(f"{plain(name)}: {plain(value)},\n" for name, value in head.items()))
    file.write('"rows": [')
    summary, between = Summary(about.photos), "\n"
    for row in summary.watch(rows):
        file.write(between + plain(record(row, about.mode)))
        between = ",\n"
    file.write(f'\n],\n"summary": {plain(summary.to_dict())}\n}}\n')


def write_picture(image: Image.Image, path: Path) -> None:
    """An image as PNG. Raises OutputUnwritable."""
    with _beside(path) as partial:
        image.save(partial, format="PNG")


@contextmanager
def _whole(path: Path, errors: str) -> Iterator[TextIO]:
    with (
        _beside(path) as partial,
        partial.open("w", encoding="utf-8", errors=errors, newline="") as file,
    ):
        yield file


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Where to write what is to be at ``path`` once it is whole."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise OutputUnwritable(path=path, reason=error.strerror or str(error)) from error
    finally:
        partial.unlink(missing_ok=True)
