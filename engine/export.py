"""Results as files. Written beside the target and renamed: never half a file."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from engine.errors import OutputUnwritable
from engine.types import BatchRow, Match

BATCH_COLUMNS = ("photo", "caption", "probability", "match", "rank", "error")
VERIFY_COLUMNS = ("photo", "caption", "probability", "match", "error")


def write_batch_csv(rows: Iterable[BatchRow], path: Path) -> None:
    """One line a row, with the columns `BATCH_COLUMNS`. Raises OutputUnwritable."""
    _write(
        path,
        BATCH_COLUMNS,
        (
            (r.photo, r.caption, _number(r.probability), _answer(r.match), r.rank, r.error)
            for r in rows
        ),
    )


def write_verify_csv(matches: Iterable[Match], path: Path) -> None:
    """One line a pair, with the columns `VERIFY_COLUMNS`. Raises OutputUnwritable."""
    _write(
        path,
        VERIFY_COLUMNS,
        ((m.photo, m.caption, _number(m.probability), _answer(m.match), m.error) for m in matches),
    )


def write_json(value: Any, path: Path) -> None:
    """A value as indented JSON. Raises OutputUnwritable."""
    with _whole(path) as file:
        json.dump(value, file, ensure_ascii=False, indent=2)
        file.write("\n")


def check_writable(path: Path) -> None:
    """Raise OutputUnwritable now rather than after an hour of work."""
    if path.is_dir():
        raise OutputUnwritable(path=path, reason="it is a folder")
    if not path.absolute().parent.is_dir():
        raise OutputUnwritable(path=path, reason="its folder does not exist")
    if not os.access(path.absolute().parent, os.W_OK):
        raise OutputUnwritable(path=path, reason="its folder can't be written to")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _answer(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with _whole(path) as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


@contextmanager
def _whole(path: Path) -> Iterator[TextIO]:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputUnwritable(path=path, reason=error.strerror or str(error)) from error
