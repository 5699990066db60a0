"""Where photos are that were moved while the program is open, so that older results find them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


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
        while not os.path.lexists(place) and (moved := self._now.get(place.absolute())):
            place = moved
        return place
