"""Libraries: photos encoded once, kept by content, and read back for matching and search."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from engine import cards
from engine.cards import Card
from engine.errors import (
    FolderMissing,
    FolderOutside,
    FolderTaken,
    LibraryBusy,
    LibraryDamaged,
    LibraryUnknown,
    NoPhotos,
)
from engine.indexing import IndexReport, IndexRun, LibraryEncoder, Scope, away_among, relative_name
from engine.photos import holds_photos
from engine.query import PhotoFilter
from engine.resident import Resident
from engine.snapshot import EVERY_PHOTO, Snapshot
from engine.sqlite_file import ENDINGS, WriterLock
from engine.store import Generation, Store
from engine.types import Cancelled, Progress, never_cancelled, no_progress

log = logging.getLogger(__name__)


class Library:
    """The index of one or more folders. Its methods may be called from several threads.

    All of them may raise LibraryDamaged (the file was set aside: index again), LibraryBusy, or
    OutputUnwritable (the disk is full or read-only).

    Attributes:
        file: where it is kept.
        name: what the user calls it.
        folders: its folders, none of them within another, sorted.
    """

    def __init__(self, card: Card, resident: Resident | None = None) -> None:
        """Open the library of a card; `find`, `named` and `open_or_create` give one.

        ``resident`` keeps what searches need in memory when the library is opened again; without
        one that is as long as this object.
        """
        self.file = card.file
        self.name = card.name
        self.folders = card.folders
        self._resident = resident or Resident()
        self._store = Store(card.file)
        with _closed_on_error(self._store):
            self._roots = {path: number for number, path in self._store.roots()}
            # A new library, or one whose file was damaged.
            if missing := [folder for folder in card.folders if folder not in self._roots]:
                for folder in missing:
                    self._store.add_root(folder)
                self._roots = {path: number for number, path in self._store.roots()}

    @classmethod
    def find(cls, folder: Path, resident: Resident | None = None) -> Library | None:
        """The library with this folder or the nearest one above it, if any."""
        card = cards.card_of(folder.resolve())
        return None if card is None else cls(card, resident)

    @classmethod
    def named(cls, name: str, resident: Resident | None = None) -> Library | None:
        """The library of this name, if any."""
        card = cards.card_named(name)
        return None if card is None else cls(card, resident)

    @classmethod
    def open_or_create(cls, folder: Path, name: str | None = None) -> Library:
        """The library that a folder is in, or a new one.

        With a name, the folder is added to the library of that name, which is made if needed. A
        folder within one that the library has changes nothing; one above takes its place.

        Raises:
            FolderMissing: there is no such folder to make a library for.
            FolderTaken: the folder was added to a library of another name before.
            LibraryBusy: a folder can't be added while the library is being indexed.
        """
        folder = folder.resolve()
        near = cards.card_of(folder)
        if name is None:
            card = near
        else:
            card = cards.card_named(name)
            if near is not None and near != card and folder in near.folders:
                raise FolderTaken(path=folder, name=near.name)
        if card is not None and card.root_of(folder) is not None:
            return cls(card)
        if not folder.is_dir():
            raise FolderMissing(path=folder)
        if card is None:
            card = cards.new_card(folder, name)
            card.write()
            return cls(card)
        with WriterLock(card.file, card.name):
            # Read again: it may have been renamed before it was locked.
            card = (cards.read_card(card.file) or card).with_folder(folder)
            card.write()
            return cls(card)

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._store.close()

    def index(
        self,
        folder: Path | None,
        encoder: LibraryEncoder,
        progress: Progress = no_progress,
        cancelled: Cancelled = never_cancelled,
    ) -> IndexReport:
        """Bring the index up to date with a folder and all below it, or with the whole library.

        Photos are decoded in threads and encoded in batches; each batch is committed, so that
        being killed loses no more than the last one. ``cancelled`` and Ctrl-C end the work early
        with a report. Folders of the library that are not connected are left as they are.

        Raises:
            FolderMissing: there is no such folder within the library; nothing is forgotten then.
            LibraryBusy: another process is indexing this library.
            FolderOutside: the folder is not within the library.
        """
        scopes = self._scopes(folder)
        with WriterLock(self.file, self.name):
            self._store.check()
            run = IndexRun(self._store, encoder, progress, cancelled)
            everything = {scope.folder for scope in scopes} == set(self._roots)
            return run.run(scopes, everything)

    def snapshot(
        self,
        folder: Path | None,
        model_id: str,
        only: PhotoFilter = EVERY_PHOTO,
        unlike: bytes | None = None,
    ) -> Snapshot:
        """What is indexed now of a folder and all below it, or of all, for one model.

        Of that the photos that pass a filter and don't have the fingerprint ``unlike``.

        Raises:
            FolderOutside: the folder is not within the library.
        """
        scope = [(scope.root, scope.path, scope.under) for scope in self._scopes(folder)]
        return Snapshot(self._store, model_id, scope, only, unlike, self._resident)

    def fingerprint_of(self, photo: Path) -> bytes | None:
        """What a photo held when it was last indexed, whether or not its drive is connected.

        None where it is not of this library, failed, or is gone.
        """
        resolved = photo.resolve()
        for path, number in self._roots.items():
            if path in resolved.parents:
                name = relative_name(resolved, path)
                row = self._store.known(number, [name]).get(name)
                return None if row is None or row.gone else row.fingerprint
        return None

    def models(self) -> list[str]:
        """The ids of the models that have encoded something of it."""
        return self._store.models()

    def generations(self) -> list[Generation]:
        """What each model has encoded, the one with the most photos first."""
        return self._store.generations()

    def ahead_of(self, model_id: str) -> list[Generation]:
        """What the models that have encoded more than this one have, the most photos first."""
        found = self.generations()
        own = next((each.photos for each in found if each.model_id == model_id), 0)
        return [each for each in found if each.photos > own]

    def count(self) -> int:
        """Number of photos known, offline and failed ones included, gone ones not."""
        return sum(self._store.count(root, b"") for root in self._roots.values())

    def size(self) -> int:
        """Bytes on the disk, the write-ahead log included."""
        files = (Path(f"{self.file}{ending}") for ending in ENDINGS)
        return sum(file.stat().st_size for file in files if file.exists())

    def away(self) -> list[Path]:
        """Folders whose drive or network share is not connected now."""
        return [
            folder / os.fsdecode(name)
            for folder, number in self._roots.items()
            for name in away_among(folder, self._store.places(number))
        ]

    def looked(self) -> datetime | None:
        """When all of it had been looked through last, in local time; None if it never was."""
        seconds = self._store.looked()
        return None if seconds is None else datetime.fromtimestamp(seconds)

    def was_looked_through(self) -> bool:
        """Whether each of its folders has been indexed, at least in part, since it was made."""
        return all(b"" in self._store.places(number) for number in self._roots.values())

    def is_being_indexed(self) -> bool:
        """Whether somebody, perhaps another process, is indexing this library now."""
        try:
            with WriterLock(self.file, self.name, patience=0):
                return False
        except LibraryBusy:
            return True

    def _scopes(self, folder: Path | None) -> list[Scope]:
        if folder is None:
            return [Scope(number, path, b"") for path, number in self._roots.items()]
        resolved = folder.resolve()
        for path, number in self._roots.items():
            if resolved == path or path in resolved.parents:
                return [Scope(number, path, relative_name(resolved, path))]
        raise FolderOutside(path=folder, name=self.name, folders=", ".join(map(str, self.folders)))


def index_folder(
    folder: Path | None,
    encoder: LibraryEncoder,
    progress: Progress = no_progress,
    cancelled: Cancelled = never_cancelled,
    name: str | None = None,
) -> IndexReport:
    """`Library.open_or_create` and `Library.index`; a damaged library is made anew.

    That is, all its folders are indexed, and the report's ``damage`` says what was set aside.
    Without a folder, all of the library ``name`` is indexed. No library is made for a folder
    without photos.

    Raises:
        LibraryUnknown: there is none of this name to be indexed.
        NoPhotos: the folder is in no library, and has none; also what the methods raise.
    """
    if folder is not None and cards.card_of(folder.resolve()) is None:
        holds = holds_photos(folder, cancelled)
        if holds is None:
            return IndexReport(cancelled=True)
        if not holds:
            raise NoPhotos(path=folder)

    def attempt() -> IndexReport:
        if folder is None:
            found = Library.named(name or "")
            if found is None:
                raise LibraryUnknown(name=name)
        else:
            found = Library.open_or_create(folder, name)
        with closing(found) as library:
            part = folder if library.was_looked_through() else None
            return library.index(part, encoder, progress, cancelled)

    try:
        return attempt()
    except LibraryDamaged as error:
        log.warning("%s", error)
        report = attempt()
        report.damage = error
        return report


@contextmanager
def _closed_on_error(store: Store) -> Iterator[None]:
    try:
        yield
    except BaseException:
        store.close()
        raise
