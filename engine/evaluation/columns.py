"""Tab-separated tables with a header line."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from engine.errors import TableUnreadable


def read_columns(path: Path, names: Sequence[str]) -> dict[str, list[str]]:
    """The named columns of a UTF-8 table, in the order of its rows, without surrounding blanks.

    Raises TableUnreadable when the file or a column is absent, a value is empty, or no row is
    there.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableUnreadable(path=path, columns=", ".join(names), reason=str(error)) from error
    if not rows:
        raise TableUnreadable(path=path, columns=", ".join(names), reason="it has no rows")
    columns = {name: [(row.get(name) or "").strip() for row in rows] for name in names}
    for name, values in columns.items():
        if not all(values):
            line = values.index("") + 2
            reason = f"line {line} has no {name}"
            raise TableUnreadable(path=path, columns=", ".join(names), reason=reason)
    return columns
