"""Where photos are that were moved while the program is open, so that older results find them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from engine.photos import locate
from engine.results import Row
from engine.types import BatchRow


class Moves:
    """What went where. Safe for threads: one adds, any may ask."""

    def __init__(self) -> None:
        self._now: dict[Path, Path] = {}

    def add(self, moved: Iterable[tuple[Path, Path]]) -> None:
        """Learn of photos that went from one absolute path to another, in that order."""
        for source, target in moved:
            # What has come to a place is there: without this, back and forth would be a circle.
            self._now.pop(target, None)
            self._now[source] = target

    def where(self, photo: Path) -> Path:
        """The photo's place now; where nothing is known of it, the one that is given."""
        place = photo
        while (moved := self._now.get(place.absolute())) and not os.path.lexists(place):
            place = moved
        return place

    def row(self, row: Row, beside: Path | None) -> Row:
        """A row of a result with the places where its photos are now.

        Args:
            beside: the folder that photos without a full path are in.
        """
        row = replace(row, photo=self._named(row.photo, beside))
        if isinstance(row, BatchRow) and row.rival is not None:
            row = replace(row, rival=self._named(row.rival, beside))
        return row

    def _named(self, photo: Path, beside: Path | None) -> Path:
        """A photo as it was named, or its place now if it was moved from there."""
        there = locate(photo, beside)
        now = self.where(there)
        return photo if now == there else now
