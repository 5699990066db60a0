"""Which libraries there are: a card for each, with its name and folders, beside its SQLite file.

A card is small and replaced as a whole, so that it outlives damage to the file: what was indexed
can be indexed again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import (
    LibraryBusy,
    LibraryIndexing,
    LibraryUnknown,
    NameEmpty,
    NameTaken,
    OutputUnwritable,
)
from engine.paths import libraries_dir
from engine.sqlite_file import ENDINGS, WriterLock, aside_paths, lock_path
from engine.store import Store


@dataclass(frozen=True, slots=True)
class Card:
    """What a library is called and which folders it has, resolved and sorted.

    Attributes:
        file: the library's SQLite file, which may not exist yet.
    """

    file: Path
    name: str
    folders: tuple[Path, ...]

    @property
    def path(self) -> Path:
        """Where the card itself is kept."""
        return self.file.with_suffix(".json")

    def write(self) -> None:
        """Keep the card. Raises OutputUnwritable."""
        text = json.dumps({"name": self.name, "folders": [str(path) for path in self.folders]})
        fresh = self.path.with_suffix(".json-new")
        try:
            with fresh.open("w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                # Before it takes the other one's place: a power cut must not leave an empty card.
                os.fsync(file.fileno())
            fresh.replace(self.path)
        except OSError as error:
            raise OutputUnwritable(path=self.path, reason=error.strerror or error) from error

    def with_folder(self, folder: Path) -> Card:
        """A card that has this folder too; those within it become part of it."""
        kept = [one for one in self.folders if folder not in one.parents]
        return replace(self, folders=tuple(sorted({*kept, folder})))

    def root_of(self, folder: Path) -> Path | None:
        """The folder of this library that a resolved folder is, or lies in."""
        places = (folder, *folder.parents)
        return next((root for root in self.folders if root in places), None)


def cards() -> list[Card]:
    """All libraries, sorted by name.

    Raises:
        LibraryDamaged: one made before there were cards can't be read; it was set aside.
    """
    found: list[Card] = []
    nameless: list[Path] = []
    for file in sorted({path.with_suffix(".sqlite") for path in _files()}):
        card = read_card(file)
        if card is None:
            nameless.append(file)
        else:
            found.append(card)
    for file in nameless:
        card = _from_file(file, found)
        if card is not None:
            card.write()
            found.append(card)
    return sorted(found, key=lambda card: (card.name.casefold(), card.name))


def card_of(folder: Path) -> Card | None:
    """The library with the folder that a resolved folder is, or lies in most closely."""
    best: tuple[int, Card] | None = None
    for card in cards():
        root = card.root_of(folder)
        if root is not None and (best is None or len(root.parts) > best[0]):
            best = (len(root.parts), card)
    return None if best is None else best[1]


def card_named(name: str) -> Card | None:
    """The library of this name, capitals or not."""
    return next((card for card in cards() if card.name.casefold() == name.casefold()), None)


def read_card(file: Path) -> Card | None:
    """The card beside a library's file as it is now; None where there is none that can be read."""
    try:
        kept = json.loads(file.with_suffix(".json").read_text(encoding="ascii"))
        return Card(file, str(kept["name"]), tuple(sorted(Path(path) for path in kept["folders"])))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def new_card(folder: Path, name: str | None = None) -> Card:
    """A card, not kept yet, for a library that begins with a resolved folder.

    Without a name it is called after the folder; the name must not be taken already.
    """
    others = cards()
    file = _library_path(folder)
    # A library that began with this folder may have taken in one above it since.
    while any(other.file == file for other in others):
        file = file.with_name(f"{file.stem}-2.sqlite")
    return Card(file, name or _free_name(folder, others), (folder,))


def rename(name: str, to: str) -> Card:
    """Call a library something else; its folders and its index stay as they are.

    Returns:
        Its new card. White space around the name is left out, and so is more than one space within.

    Raises:
        LibraryUnknown: there is none of this name.
        NameEmpty: the new name has nothing in it.
        NameTaken: another library has the new name, capitals or not.
        LibraryIndexing: it is being indexed.
        OutputUnwritable: the card can't be written; the old name stays.
    """
    card = card_named(name)
    if card is None:
        raise LibraryUnknown(name=name)
    wanted = " ".join(to.split())
    if not wanted:
        raise NameEmpty()
    other = card_named(wanted)
    if other is not None and other.file != card.file:
        raise NameTaken(name=other.name)
    try:
        with WriterLock(card.file, card.name):
            # Read again: it may have got a folder before it was locked.
            card = replace(read_card(card.file) or card, name=wanted)
            card.write()
            return card
    except LibraryBusy:
        raise LibraryIndexing(name=card.name) from None


def remove(name: str) -> None:
    """Delete a library and everything kept for it; photos are never touched.

    Raises:
        LibraryUnknown: there is none of this name.
        LibraryBusy: it is being indexed.
        OutputUnwritable: a file can't be deleted.
    """
    card = card_named(name)
    if card is None:
        raise LibraryUnknown(name=name)
    with WriterLock(card.file, card.name):
        # The card last: as long as it is there, this can be done again.
        kept = [Path(f"{card.file}{ending}") for ending in ENDINGS]
        for path in (*aside_paths(card.file), *kept):
            _unlink(path)
    lock = lock_path(card.file)
    for path in (lock, Path(f"{lock}-journal"), card.path.with_suffix(".json-new"), card.path):
        _unlink(path)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputUnwritable(path=path, reason=error.strerror or error) from error


def _files() -> list[Path]:
    return [path for path in libraries_dir().iterdir() if path.suffix in (".sqlite", ".json")]


def _from_file(file: Path, others: Sequence[Card]) -> Card | None:
    """A card for a library that has none, or whose card can't be read."""
    if not file.exists():
        return None
    with closing(Store(file)) as store:
        folders = tuple(root for _, root in store.roots())
    # Without folders its process was killed while making it: there is nothing in it.
    return Card(file, _free_name(folders[0], others), folders) if folders else None


def _free_name(folder: Path, others: Sequence[Card]) -> str:
    """What the folder is called, with a number if that is taken."""
    taken = {card.name.casefold() for card in others}
    # Names that are no text must still be typed and printed.
    plain = os.fsencode(folder.name).decode(errors="replace") or "library"
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain} {number}"
    return name


def _library_path(folder: Path) -> Path:
    """Where a library that begins with this folder lives; a person can tell which is which."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:40] or "library"
    spelled = os.fsencode(os.path.normcase(folder))
    digest = hashlib.blake2b(spelled, digest_size=8).hexdigest()
    return libraries_dir() / f"{name}-{digest}.sqlite"
