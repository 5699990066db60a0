"""What a search asks for: words, a photo or both, words to avoid, and which photos may compete."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path


class Orientation(StrEnum):
    """How the upright photo lies."""

    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"
    SQUARE = "square"


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """Which photos compete, by what `engine.types.PhotoDetails` knows of them.

    Attributes:
        after: taken on this day or later.
        before: taken on an earlier day than this.
        orientation: of the upright photo; square is as wide as high, to the pixel.
        min_width, min_height: pixels of the upright photo.
    """

    after: date | None = None
    before: date | None = None
    orientation: Orientation | None = None
    min_width: int = 0
    min_height: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """One search; at least ``words`` or ``photo`` is needed.

    Attributes:
        words: what is to be in the photo.
        photo: a file, of the library or not, that the photos are to be like.
        avoid: texts, none of which may match.
        folder: only photos in it and below it; all of the library if None.
        only: which of these compete.
    """

    words: str | None = None
    photo: Path | None = None
    avoid: tuple[str, ...] = ()
    folder: Path | None = None
    only: PhotoFilter = field(default_factory=PhotoFilter)
