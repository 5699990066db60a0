"""One run over a library's photos: what is new is encoded, what vanished leaves the results."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from engine import __version__
from engine.decode import read_details
from engine.encoding import PhotoEncoder, failure, in_order
from engine.errors import (
    LibraryDamaged,
    PhotoDamaged,
    PhotoEmpty,
    PhotoError,
    PhotoMissing,
    PhotoNotAnImage,
    PhotoTooLarge,
    PhotoUnreadable,
    PhotoWithoutPreview,
)
from engine.fingerprint import fingerprint
from engine.installed import is_here
from engine.paths import on_disk
from engine.photos import Walk, walk
from engine.places import is_away, mount_of
from engine.store import CHUNK, Failure, PhotoRow, Store
from engine.types import Cancelled, FloatArray, PhotoDetails, PhotoFailure, Progress

_SETTLED_AT_ONCE = 256
# How long what is known of a deleted photo is kept, so that it comes back for free.
GONE_KEPT_DAYS = 90
# Verdicts on what a file holds: they stand until the file changes. The others (no permission, no
# such file) say something about the moment, and are tried again each time.
_LASTING = {
    kind.code: kind
    for kind in (PhotoEmpty, PhotoNotAnImage, PhotoDamaged, PhotoTooLarge, PhotoWithoutPreview)
}


class LibraryEncoder(PhotoEncoder, Protocol):
    """A `PhotoEncoder` whose features are kept; a `Matcher` is one."""

    @property
    def pack_folder(self) -> Path:
        """Where the model pack is: as long as it is there, its features can be searched."""
        ...


@dataclass(slots=True)
class IndexReport:
    """What became of the photos of one `Library.index`.

    Unless cancelled, ``total`` is the sum of ``indexed``, ``unchanged``, ``reused`` and the number
    of failures.

    Attributes:
        total: photos found.
        indexed: encoded now.
        unchanged: not read at all, as they were the same when last seen.
        reused: new or touched files whose content was known (moved, copied, returned).
        removed: gone from the folder, and so from the results.
        offline: not looked at, because their drive or network share is not connected; they stay.
        failures: photos that can't be used, each with its reason.
        cancelled: whether the work was ended early; what was done is kept.
        damage: set where the library's file was damaged, and this made a new one.
    """

    total: int = 0
    indexed: int = 0
    unchanged: int = 0
    reused: int = 0
    removed: int = 0
    offline: int = 0
    failures: list[PhotoFailure] = field(default_factory=list)
    cancelled: bool = False
    damage: LibraryDamaged | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """A folder to be looked at: a root of a library, or one within it.

    Attributes:
        root: the root's id in the store.
        path: the root's folder.
        under: the folder relative to that, as the store spells it; empty for the root itself.
    """

    root: int
    path: Path
    under: bytes

    @property
    def folder(self) -> Path:
        """The folder itself."""
        return self.path / os.fsdecode(self.under)

    def name(self, path: Path) -> bytes:
        """How the store spells a path below the root."""
        return relative_name(path, self.path)


@dataclass(frozen=True, slots=True)
class _Task:
    """One photo to be looked at.

    Attributes:
        fingerprint: where it is known already, the file not having changed.
        kept: whether the index has content of this path, which an error that may pass must not
            take away.
    """

    root: int
    path: Path
    name: bytes
    size: int
    mtime_ns: int
    fingerprint: bytes | None
    kept: bool


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A task with its outcome: pixels to be encoded, known content (neither), or an error."""

    task: _Task
    fingerprint: bytes | None = None
    details: PhotoDetails | None = None
    pixels: FloatArray | None = None
    error: PhotoError | None = None

    def row(self) -> PhotoRow:
        task, reason = self.task, None
        if self.error is not None:
            # The path is known from the row itself, and may be another by the time it is read.
            fields = {key: value for key, value in self.error.fields.items() if key != "path"}
            reason = Failure(self.error.code, fields, __version__)
        return PhotoRow(task.name, task.size, task.mtime_ns, self.fingerprint, reason, self.details)


class IndexRun:
    """Brings a store up to date. Few photos are in memory at once, however many there are."""

    def __init__(
        self, store: Store, encoder: LibraryEncoder, progress: Progress, cancelled: Cancelled
    ) -> None:
        self._store = store
        self._encoder = encoder
        self._progress = progress
        self._cancelled = cancelled
        self._report = IndexReport()
        self._done = 0
        self._fresh: list[_Prepared] = []
        self._settled: list[_Prepared] = []

    def run(self, scopes: Sequence[Scope], everything: bool) -> IndexReport:
        """Look at folders and do what is to be done; Ctrl-C ends it early with a report.

        Args:
            everything: whether the scopes are all of the library. Only then can it be told that
                content is gone for good, and that the features of removed packs are of no use.

        Raises:
            FolderMissing: a folder within a root is not there.
        """
        report = self._report
        try:
            found = [(scope, walked) for scope in scopes if (walked := self._look(scope))]
            report.total = sum(walked.total for _, walked in found)
            self._advance(0)
            self._work(found)
            for scope, _ in found:
                if not scope.under and not report.cancelled:
                    self._store.set_looked(scope.root)
            if everything and not report.cancelled:
                self._store.prune(time.time() - GONE_KEPT_DAYS * 24 * 3600)
                # What is offline is known by these alone, should their pack be imported again.
                if not report.offline:
                    self._drop_removed()
        except KeyboardInterrupt:
            report.cancelled = True
        report.failures.sort(key=lambda failure: failure.photo)
        return report

    def _drop_removed(self) -> None:
        """Drop what models encoded whose packs are not here any more: nobody can search it."""
        self._store.drop(
            [
                each.model_id
                for each in self._store.generations()
                if each.model_id != self._encoder.model_id and not is_here(each.model_id, each.pack)
            ]
        )

    def _look(self, scope: Scope) -> Walk | None:
        """Walk a folder and take from the results what vanished; None if it is out of reach."""
        mounts = self._store.places(scope.root)
        if any(_is_within(scope.under, name) for name in away_among(scope.path, mounts)):
            self._report.offline += self._store.count(scope.root, scope.under)
            return None
        walked = walk(scope.folder, self._cancelled)
        if not walked.whole:
            self._report.cancelled = True
            return walked
        # Asked again: a drive may be unplugged while its folders are being walked.
        away = away_among(scope.path, mounts)
        self._forget_vanished(scope, walked, away)
        fresh = {scope.name(place): mount_of(place) for place in walked.places}
        # A folder within a drive is no place of its own: the walk just began there.
        if scope.under and scope.under not in mounts:
            fresh.pop(scope.under, None)
        kept = {
            name: mount
            for name, mount in mounts.items()
            if name in away or not _is_within(name, scope.under)
        }
        if mounts != (now := kept | fresh):
            self._store.set_places(scope.root, now)
        return walked

    def _forget_vanished(self, scope: Scope, walked: Walk, away: Sequence[bytes]) -> None:
        out_of_sight = _below(scope.name(folder) for folder in walked.unreadable)
        offline = _below(away)
        names = {scope.name(folder): set(names) for folder, names in walked.folders}

        def vanished() -> Iterator[bytes]:
            for path in self._store.present(scope.root, scope.under):
                folder, _, name = path.rpartition(b"/")
                if os.fsdecode(name) in names.get(folder, ()) or path.startswith(out_of_sight):
                    continue
                if path.startswith(offline):
                    self._report.offline += 1
                else:
                    yield path

        gone = vanished()
        while part := list(islice(gone, CHUNK)):
            self._store.mark_gone(scope.root, part)
            self._report.removed += len(part)

    def _work(self, found: Sequence[tuple[Scope, Walk]]) -> None:
        # Twice a batch waits at most.
        ahead, threads = 2 * self._encoder.batch_size, self._encoder.decode_threads
        with closing(in_order(self._prepare, self._tasks(found), ahead, threads)) as results:
            for prepared in results:
                if prepared.pixels is None:
                    self._settled.append(prepared)
                else:
                    self._fresh.append(prepared)
                if len(self._fresh) >= self._encoder.batch_size:
                    self._encode()
                if len(self._settled) >= _SETTLED_AT_ONCE:
                    self._settle()
                if self._cancelled():
                    self._report.cancelled = True
                    break
        if not self._report.cancelled:
            self._encode()
        self._settle()

    def _tasks(self, found: Sequence[tuple[Scope, Walk]]) -> Iterator[_Task]:
        """The photos that must be looked at; the report counts the others."""
        for scope, walked in found:
            for folder, names in walked.folders:
                for start in range(0, len(names), CHUNK):
                    if self._report.cancelled or self._cancelled():
                        self._report.cancelled = True
                        return
                    paths = [folder / name for name in names[start : start + CHUNK]]
                    yield from self._tasks_among(scope, {scope.name(path): path for path in paths})

    def _tasks_among(self, scope: Scope, photos: dict[bytes, Path]) -> Iterator[_Task]:
        known = self._store.known(scope.root, list(photos))
        contents = {row.fingerprint for row in known.values() if row.fingerprint is not None}
        encoded = self._store.encoded(self._encoder.model_id, contents)
        quiet = 0
        for name, path in photos.items():
            row = known.get(name)
            kept = row is not None and row.fingerprint is not None and not row.gone
            try:
                status = on_disk(path).stat()
            except OSError:
                # Gone or out of reach since the walk: reading it will find the words.
                yield _Task(scope.root, path, name, 0, 0, None, kept)
                continue
            stamp = (status.st_size, status.st_mtime_ns)
            if row is None or (row.size, row.mtime_ns) != stamp:
                yield _Task(scope.root, path, name, *stamp, None, kept)
            elif not row.gone and row.fingerprint in encoded and row.details is not None:
                self._report.unchanged += 1
                quiet += 1
            elif not row.gone and (error := _lasting(row.failure, path)) is not None:
                self._report.failures.append(failure(path, error))
                quiet += 1
            else:
                yield _Task(scope.root, path, name, *stamp, row.fingerprint, kept)
        self._advance(quiet)

    def _prepare(self, task: _Task) -> _Prepared:
        """Read one photo (in a thread)."""
        try:
            fingerprint = task.fingerprint or read_fingerprint(task.path)
            details = read_details(task.path)
            if self._store.encoded(self._encoder.model_id, [fingerprint]):
                return _Prepared(task, fingerprint, details)
            return _Prepared(task, fingerprint, details, self._encoder.prepare(task.path))
        except PhotoError as error:
            return _Prepared(task, error=error)

    def _encode(self) -> None:
        """Encode and commit the photos whose pixels are ready."""
        batch, self._fresh = self._fresh, []
        if not batch:
            return
        pixels = np.stack([item.pixels for item in batch if item.pixels is not None])
        features = self._encoder.encode(pixels)
        if self._encoder.looks_again:  # tokens of a megabyte and more for each photo
            features = features.without_tokens()
        # One commit for each root: nearly always there is one.
        for root in sorted({item.task.root for item in batch}):
            rows = [n for n, item in enumerate(batch) if item.task.root == root]
            self._store.save_encoded(
                root,
                [batch[n].row() for n in rows],
                self._encoder.model_id,
                features.rows(np.array(rows)),
                self._encoder.pack_folder,
            )
        self._report.indexed += len(batch)
        self._advance(len(batch))

    def _settle(self) -> None:
        """Commit the photos that need no encoding: known content, and failures."""
        batch, self._settled = self._settled, []
        kept = [item for item in batch if not (item.task.kept and _may_pass(item.error))]
        for root in sorted({item.task.root for item in kept}):
            self._store.save(root, [item.row() for item in kept if item.task.root == root])
        for item in batch:
            if item.error is None:
                self._report.reused += 1
            else:
                self._report.failures.append(failure(item.task.path, item.error))
        self._advance(len(batch))

    def _advance(self, count: int) -> None:
        self._done += count
        self._progress(self._done, self._report.total)


def relative_name(path: Path, root: Path) -> bytes:
    """How a store spells a path: relative to its root, "/" between its parts, "" for the root.

    Raises:
        ValueError: it is not below the root.
    """
    relative = path.relative_to(root)
    return b"" if relative == Path() else os.fsencode(relative.as_posix())


def away_among(root: Path, mounts: Mapping[bytes, Path]) -> list[bytes]:
    """Those folders of `Store.places` that are out of reach, the root (empty) included."""
    known = {b"": Path(root.anchor), **mounts}
    return [
        name
        for name, mount in known.items()
        if is_away(root / os.fsdecode(name), mount, root=not name)
    ]


def _below(names: Iterable[bytes]) -> tuple[bytes, ...]:
    """What the paths below folders begin with."""
    return tuple(name + b"/" if name else b"" for name in names)


def _is_within(name: bytes, under: bytes) -> bool:
    return not under or name == under or name.startswith(under + b"/")


def _may_pass(error: PhotoError | None) -> bool:
    return error is not None and error.code not in _LASTING


def read_fingerprint(path: Path) -> bytes:
    """16 bytes that stand for the file's content. Raises PhotoMissing or PhotoUnreadable."""
    try:
        return fingerprint(path)
    except FileNotFoundError:
        raise PhotoMissing(path=path) from None
    except OSError as error:
        raise PhotoUnreadable(path=path, reason=error.strerror or str(error)) from error


def _lasting(failure: Failure | None, path: Path) -> PhotoError | None:
    """A stored failure as the error it was, if trying again would end the same way."""
    kind = None if failure is None else _LASTING.get(failure.code)
    if failure is None or kind is None or failure.version != __version__:
        return None
    return kind(path=path, **failure.fields)
