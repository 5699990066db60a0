"""Libraries: photos encoded once, kept by content, and read back for matching and search."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from engine import __version__
from engine.encoding import PhotoEncoder, failure, in_order
from engine.errors import (
    FolderMissing,
    PhotoDamaged,
    PhotoEmpty,
    PhotoError,
    PhotoMissing,
    PhotoNotAnImage,
    PhotoTooLarge,
    PhotoUnreadable,
)
from engine.paths import libraries_dir
from engine.photos import walk
from engine.store import Failure, PhotoRow, Store, WriterLock
from engine.types import (
    Cancelled,
    FloatArray,
    ImageFeatures,
    PhotoFailure,
    Progress,
    never_cancelled,
    no_progress,
)

log = logging.getLogger(__name__)

_SETTLED_AT_ONCE = 256
# Verdicts on what a file holds: they stand until the file changes. The others (no permission, no
# such file) say something about the moment, and are tried again each time.
_LASTING = {kind.code: kind for kind in (PhotoEmpty, PhotoNotAnImage, PhotoDamaged, PhotoTooLarge)}


@dataclass(slots=True)
class IndexReport:
    """What became of the photos of one `Library.index`.

    Unless cancelled, ``total`` is the sum of ``indexed``, ``unchanged``, ``reused`` and the number
    of failures.

    Attributes:
        total: photos found in the folder.
        indexed: encoded now.
        unchanged: not read at all, as they were the same when last seen.
        reused: new or touched files whose content was known (moved, copied).
        removed: gone from the folder, and so from the results.
        failures: photos that can't be used, each with its reason.
        cancelled: whether the work was ended early; what was done is kept.
    """

    total: int = 0
    indexed: int = 0
    unchanged: int = 0
    reused: int = 0
    removed: int = 0
    failures: list[PhotoFailure] = field(default_factory=list)
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class IndexedPhotos:
    """N photos, sorted by path, and their features in the same order."""

    paths: list[Path]
    features: ImageFeatures

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True, slots=True)
class _Task:
    """One photo to be looked at; ``fingerprint`` where it is known already."""

    path: Path
    name: bytes
    size: int
    mtime_ns: int
    fingerprint: bytes | None

    def row(self, fingerprint: bytes | None = None, failure: Failure | None = None) -> PhotoRow:
        return PhotoRow(self.name, self.size, self.mtime_ns, fingerprint, failure)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A task with its outcome: pixels to be encoded, known content (neither), or an error."""

    task: _Task
    fingerprint: bytes | None = None
    pixels: FloatArray | None = None
    error: PhotoError | None = None


class Library:
    """The index of one root folder. Its methods may be called from several threads.

    All of them may raise LibraryDamaged (the file was set aside: index again), LibraryBusy, or
    OutputUnwritable (the disk is full or read-only).
    """

    def __init__(self, store: Store, root_id: int, root: Path) -> None:
        """Use `find` or `open_or_create`."""
        self._store = store
        self._root_id = root_id
        self.root = root

    @classmethod
    def find(cls, folder: Path) -> Library | None:
        """The library whose root is this folder or the nearest one above it, if any."""
        folder = folder.resolve()
        for root in (folder, *folder.parents):
            path = _library_path(root)
            if not path.exists():
                continue
            store = Store(path)
            with _closed_on_error(store):
                roots = store.roots()
            if roots:
                return cls(store, *roots[0])
            # Its process was killed while making it: there is nothing in it.
            store.close()
        return None

    @classmethod
    def open_or_create(cls, folder: Path) -> Library:
        """The library that `find` finds, or a new one rooted at this folder.

        Raises:
            FolderMissing: there is no such folder to make a library for.
        """
        folder = folder.resolve()
        found = cls.find(folder)
        if found is not None:
            return found
        if not folder.is_dir():
            raise FolderMissing(path=folder)
        store = Store(_library_path(folder))
        with _closed_on_error(store):
            store.add_root(folder)
            return cls(store, *store.roots()[0])

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._store.close()

    def features(self, folder: Path, model_id: str) -> IndexedPhotos:
        """What is indexed of the photos in a folder and all below it, for one model.

        Photos that failed, or that this model has not encoded yet, are not among them.

        Raises:
            ValueError: the folder is not within the library's root.
        """
        names, features = self._store.load(self._root_id, self._relative(folder), model_id)
        return IndexedPhotos([self.root / os.fsdecode(name) for name in names], features)

    def index(
        self,
        folder: Path,
        encoder: PhotoEncoder,
        progress: Progress = no_progress,
        cancelled: Cancelled = never_cancelled,
    ) -> IndexReport:
        """Bring the index up to date with the photos in a folder and all below it.

        Photos are decoded in threads and encoded in batches; each batch is committed, so that
        being killed loses no more than the last one. ``cancelled`` and Ctrl-C end the work early
        with a report.

        Raises:
            FolderMissing: there is no such folder; nothing is forgotten then.
            LibraryBusy: another process is indexing this library.
            ValueError: the folder is not within the library's root.
        """
        under = self._relative(folder)
        found = walk(folder.resolve())
        with WriterLock(self._store.path, self.root):
            self._store.check()
            report = IndexReport(total=len(found.photos))
            try:
                photos = {self._name(path): path for path in found.photos}
                known = {row.path: row for row in self._store.photos(self._root_id, under)}
                self._forget_vanished(known, photos, found.unreadable, report)
                encoded = self._store.encoded(encoder.model_id)
                tasks = _tasks(photos, known, encoded, report)
                work = _Indexing(self._store, self._root_id, encoder, encoded, report, progress)
                work.run(tasks, cancelled)
                # Only a walk of everything can tell that content is gone for good, and an empty
                # folder is more likely a drive that is not connected than a wish.
                if not report.cancelled and not under and found.photos:
                    self._store.prune()
            except KeyboardInterrupt:
                report.cancelled = True
        report.failures.sort(key=lambda failure: failure.photo)
        return report

    def _relative(self, folder: Path) -> bytes:
        try:
            relative = folder.resolve().relative_to(self.root)
        except ValueError:
            raise ValueError(f"{folder} is not within {self.root}") from None
        return b"" if relative == Path() else os.fsencode(relative.as_posix())

    def _forget_vanished(
        self,
        known: dict[bytes, PhotoRow],
        photos: dict[bytes, Path],
        unreadable: list[Path],
        report: IndexReport,
    ) -> None:
        if self.root in unreadable:
            return
        out_of_sight = tuple(self._name(folder) + b"/" for folder in unreadable)
        gone = [name for name in known if name not in photos and not name.startswith(out_of_sight)]
        self._store.forget(self._root_id, gone)
        report.removed = len(gone)

    def _name(self, path: Path) -> bytes:
        return os.fsencode(path.relative_to(self.root).as_posix())


class _Indexing:
    """One run over the photos that need work, with what waits for the next commit."""

    def __init__(
        self,
        store: Store,
        root_id: int,
        encoder: PhotoEncoder,
        encoded: set[bytes],
        report: IndexReport,
        progress: Progress,
    ) -> None:
        self._store = store
        self._root_id = root_id
        self._encoder = encoder
        self._encoded = encoded
        self._report = report
        self._progress = progress
        self._done = report.unchanged + len(report.failures)
        self._fresh: list[_Prepared] = []
        self._settled: list[_Prepared] = []

    def run(self, tasks: list[_Task], cancelled: Cancelled) -> None:
        self._progress(self._done, self._report.total)
        # Twice a batch waits at most: memory stays flat however many photos there are.
        ahead = 2 * self._encoder.batch_size
        work = partial(_prepare, self._encoder, self._encoded)
        with closing(in_order(work, tasks, ahead)) as results:
            for prepared in results:
                if prepared.pixels is None:
                    self._settled.append(prepared)
                else:
                    self._fresh.append(prepared)
                if len(self._fresh) >= self._encoder.batch_size:
                    self._encode()
                if len(self._settled) >= _SETTLED_AT_ONCE:
                    self._settle()
                if cancelled():
                    self._report.cancelled = True
                    break
        if not self._report.cancelled:
            self._encode()
        self._settle()

    def _encode(self) -> None:
        """Encode and commit the photos whose pixels are ready."""
        batch, self._fresh = self._fresh, []
        if not batch:
            return
        pixels = np.stack([item.pixels for item in batch if item.pixels is not None])
        features = self._encoder.encode(pixels)
        rows = [item.task.row(item.fingerprint) for item in batch]
        self._store.save_encoded(self._root_id, rows, self._encoder.model_id, features)
        self._encoded.update(row.fingerprint for row in rows if row.fingerprint is not None)
        self._report.indexed += len(batch)
        self._advance(len(batch))

    def _settle(self) -> None:
        """Commit the photos that need no encoding: known content, and failures."""
        batch, self._settled = self._settled, []
        if not batch:
            return
        self._store.save(self._root_id, [_settled_row(item) for item in batch])
        for item in batch:
            if item.error is None:
                self._report.reused += 1
            else:
                self._report.failures.append(failure(item.task.path, item.error))
        self._advance(len(batch))

    def _advance(self, count: int) -> None:
        self._done += count
        self._progress(self._done, self._report.total)


def _tasks(
    photos: dict[bytes, Path],
    known: dict[bytes, PhotoRow],
    encoded: set[bytes],
    report: IndexReport,
) -> list[_Task]:
    """The photos that must be looked at; the report counts the others."""
    tasks: list[_Task] = []
    for name, path in photos.items():
        try:
            status = path.stat()
        except OSError:
            # Gone or out of reach since the walk: reading it will find the words.
            tasks.append(_Task(path, name, 0, 0, None))
            continue
        row = known.get(name)
        if row is None or (row.size, row.mtime_ns) != (status.st_size, status.st_mtime_ns):
            tasks.append(_Task(path, name, status.st_size, status.st_mtime_ns, None))
        elif row.fingerprint is not None and row.fingerprint in encoded:
            report.unchanged += 1
        elif row.failure is not None and (error := _lasting(row.failure, path)) is not None:
            report.failures.append(failure(path, error))
        else:
            tasks.append(_Task(path, name, row.size, row.mtime_ns, row.fingerprint))
    return tasks


def _prepare(encoder: PhotoEncoder, encoded: set[bytes], task: _Task) -> _Prepared:
    """Read one photo (in a thread)."""
    try:
        fingerprint = task.fingerprint or _fingerprint(task.path)
        if fingerprint in encoded:
            return _Prepared(task, fingerprint)
        return _Prepared(task, fingerprint, encoder.prepare(task.path))
    except PhotoError as error:
        return _Prepared(task, error=error)


def _fingerprint(path: Path) -> bytes:
    """16 bytes that stand for the file's content."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, partial(hashlib.blake2b, digest_size=16)).digest()
    except FileNotFoundError:
        raise PhotoMissing(path=path) from None
    except OSError as error:
        raise PhotoUnreadable(path=path, reason=error.strerror or str(error)) from error


def _settled_row(item: _Prepared) -> PhotoRow:
    if item.error is None:
        return item.task.row(item.fingerprint)
    # The path is known from the row itself, and may be another by the time it is read.
    fields = {key: value for key, value in item.error.fields.items() if key != "path"}
    return item.task.row(failure=Failure(item.error.code, fields, __version__))


def _lasting(failure: Failure, path: Path) -> PhotoError | None:
    """A stored failure as the error it was, if trying again would end the same way."""
    kind = _LASTING.get(failure.code)
    if kind is None or failure.version != __version__:
        return None
    return kind(path=path, **failure.fields)


@contextmanager
def _closed_on_error(store: Store) -> Iterator[None]:
    try:
        yield
    except BaseException:
        store.close()
        raise


def _library_path(root: Path) -> Path:
    """Where the library of a root lives; named so that a person can tell which is which."""
    name = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")[:40] or "library"
    spelled = os.fsencode(os.path.normcase(root))
    digest = hashlib.blake2b(spelled, digest_size=8).hexdigest()
    return libraries_dir() / f"{name}-{digest}.sqlite"
