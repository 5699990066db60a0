"""How the libraries stand: what the command line and the window say of each."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.cards import Card, cards
from engine.errors import LibraryError
from engine.index import Library
from engine.store import Generation


@dataclass(frozen=True, slots=True)
class Standing:
    """One library; only name and folders are known of one that can't be opened.

    Attributes:
        away: folders whose drive or network share is not connected now.
        photos: offline and failed ones included, gone ones not.
        size: bytes on the disk.
        looked: when all of it was last looked through, in local time.
        indexing: whether somebody, perhaps another process, is indexing it now.
        models: what each model has encoded, the one with the most photos first.
        error: why it can't be opened. A damaged file has been set aside.
    """

    name: str
    folders: tuple[Path, ...]
    away: tuple[Path, ...] = ()
    photos: int = 0
    size: int = 0
    looked: datetime | None = None
    indexing: bool = False
    models: tuple[Generation, ...] = ()
    error: LibraryError | None = None


def standings() -> list[Standing]:
    """All libraries, sorted by name; one that can't be opened does not hide the others."""
    return [_standing(card) for card in cards()]


def _standing(card: Card) -> Standing:
    try:
        with closing(Library(card)) as library:
            return Standing(
                name=library.name,
                folders=library.folders,
                away=tuple(library.away()),
                photos=library.count(),
                size=library.size(),
                looked=library.looked(),
                indexing=library.is_being_indexed(),
                models=tuple(library.generations()),
            )
    except LibraryError as error:
        return Standing(card.name, card.folders, error=error)
