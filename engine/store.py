"""One library on disk: an SQLite file with photos, what failed, and features by fingerprint.

Features belong to content (fingerprint) and model, not to a path: a moved or copied photo keeps
them, and the features of two models live side by side.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from types import TracebackType

import numpy as np

from engine.errors import (
    LibraryBusy,
    LibraryDamaged,
    LibraryTooNew,
    OutputUnwritable,
    PairLensError,
)
from engine.types import ImageFeatures, IntArray

# The statements of each version, never changed once released: a library remembers in user_version
# how many it has been through. Embeddings and tokens are apart, so that reading all of the former
# does not drag the latter, four times larger, from the disk.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE roots (
            id INTEGER PRIMARY KEY,
            path BLOB NOT NULL UNIQUE           -- absolute, as the file system spells it
        )""",
        """CREATE TABLE photos (
            id INTEGER PRIMARY KEY,
            root INTEGER NOT NULL REFERENCES roots (id) ON DELETE CASCADE,
            path BLOB NOT NULL,                 -- relative to the root, "/" between its parts
            size INTEGER NOT NULL,              -- bytes
            mtime_ns INTEGER NOT NULL,
            fingerprint BLOB,                   -- NULL where the photo failed
            error TEXT,                         -- JSON, NULL where it did not
            UNIQUE (root, path)
        )""",
        "CREATE INDEX photos_by_fingerprint ON photos (fingerprint)",
        """CREATE TABLE models (
            id INTEGER PRIMARY KEY,
            model_id TEXT NOT NULL UNIQUE,
            embedding_size INTEGER NOT NULL,    -- E
            token_count INTEGER NOT NULL,       -- K
            token_size INTEGER NOT NULL         -- C
        )""",
        """CREATE TABLE features (
            id INTEGER PRIMARY KEY,
            model INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
            fingerprint BLOB NOT NULL,
            embedding BLOB NOT NULL,            -- float16 [E], little-endian
            UNIQUE (model, fingerprint)
        )""",
        """CREATE TABLE tokens (
            feature INTEGER PRIMARY KEY REFERENCES features (id) ON DELETE CASCADE,
            data BLOB NOT NULL                  -- float16 [K, C], little-endian
        )""",
    ),
    # Tokens are int8 [K, C] from here on. Earlier features are dropped: indexing makes them again.
    ("DELETE FROM tokens", "DELETE FROM features", "DELETE FROM models"),
)

_HALF = np.dtype("<f2")
_CHUNK = 512
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNWRITABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a photo failed, as stored: a PhotoError's code and fields, and who said so.

    Attributes:
        version: the PairLens that tried; a later one may be able to read the photo.
    """

    code: str
    fields: dict[str, object]
    version: str


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """One photo as it was when last looked at; either ``fingerprint`` or ``failure`` is set.

    Attributes:
        path: relative to the root, ``/`` between its parts, as `os.fsencode` gives it, so that
            any name the file system allows survives.
        size: bytes.
    """

    path: bytes
    size: int
    mtime_ns: int
    fingerprint: bytes | None = None
    failure: Failure | None = None


class Store:
    """An open library file. Its methods may be called from several threads.

    Any of them may raise LibraryDamaged (the file has then been set aside and this object is
    closed), LibraryBusy, or OutputUnwritable (disk full, folder read-only).
    """

    def __init__(self, path: Path) -> None:
        """Open a library file, making or bringing it up to date as needed.

        Raises:
            LibraryTooNew: a newer PairLens made it; it is left alone.
        """
        self.path = path
        self._guard = threading.RLock()
        self._connection = _connect(path)
        try:
            with self._translated():
                self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA page_size = 16384")  # heeded only while the file is still empty
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run("PRAGMA foreign_keys = ON")
        version = self._version()
        if version > len(MIGRATIONS):
            raise LibraryTooNew(path=self.path)
        if version < len(MIGRATIONS):
            self._migrate()
        tables = {name for (name,) in run("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"roots", "photos", "models", "features", "tokens"} <= tables:
            raise self._damaged("it holds something else")

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _migrate(self) -> None:
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            # Asked again inside: another process may have migrated while this one waited.
            for number in range(self._version(), len(MIGRATIONS)):
                for statement in MIGRATIONS[number]:
                    run(statement)
                run(f"PRAGMA user_version = {number + 1}")
            run("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def close(self) -> None:
        """Let go of the file; further calls fail. May be called twice."""
        with self._guard:
            self._connection.close()

    def check(self) -> None:
        """Read the whole file looking for damage.

        Raises:
            LibraryDamaged: some was found.
        """
        with self._reading() as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise self._damaged(str(verdict))

    # Roots

    def roots(self) -> list[tuple[int, Path]]:
        """Id and folder of every root, in the order they were added."""
        with self._reading() as connection:
            rows = connection.execute("SELECT id, path FROM roots ORDER BY id").fetchall()
        return [(number, Path(os.fsdecode(path))) for number, path in rows]

    def add_root(self, folder: Path) -> None:
        """Record a root; nothing happens if it is one already."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO roots (path) VALUES (?) ON CONFLICT (path) DO NOTHING",
                (os.fsencode(folder),),
            )

    # Photos

    def photos(self, root: int, under: bytes) -> Iterator[PhotoRow]:
        """What is known of the photos below ``under`` (relative; empty for the whole root)."""
        first, beyond = _range(under)
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT path, size, mtime_ns, fingerprint, error FROM photos"
                " WHERE root = ? AND path >= ? AND path < ?",
                (root, first, beyond),
            ).fetchall()
        for path, size, mtime_ns, fingerprint, error in rows:
            yield PhotoRow(path, size, mtime_ns, fingerprint, self._failure(error))

    def _failure(self, error: str | None) -> Failure | None:
        try:
            return None if error is None else Failure(**json.loads(error))
        except (ValueError, TypeError):
            raise self._damaged("an unreadable error record") from None

    def save(self, root: int, photos: Iterable[PhotoRow]) -> None:
        """Record photos whose features are already here, or that failed; all or none."""
        with self._writing() as connection:
            _upsert(connection, root, photos)

    def save_encoded(
        self, root: int, photos: Sequence[PhotoRow], model_id: str, features: ImageFeatures
    ) -> None:
        """Record photos together with their new features; all or none.

        Args:
            photos: B rows, each with its fingerprint.
            features: of these B photos, in the same order.

        Raises:
            ValueError: shapes that don't fit the photos or this model's earlier features, or
                tokens that are not packed.
        """
        if not len(photos) == len(features.embeddings) == len(features.tokens):
            raise ValueError(
                f"{len(photos)} photos, {len(features.embeddings)} embeddings, "
                f"{len(features.tokens)} tokens"
            )
        if features.tokens.dtype != np.int8:
            raise ValueError(f"tokens are {features.tokens.dtype}, not int8")
        shape = (features.embeddings.shape[1], *features.tokens.shape[1:])
        embeddings = features.embeddings.astype(_HALF)
        with self._writing() as connection:
            model = _model(connection, model_id, shape)
            for row, photo in enumerate(photos):
                cursor = connection.execute(
                    "INSERT INTO features (model, fingerprint, embedding) VALUES (?, ?, ?)"
                    " ON CONFLICT (model, fingerprint) DO NOTHING",
                    (model, photo.fingerprint, embeddings[row].tobytes()),
                )
                if cursor.rowcount:  # 0 for the second of two equal files
                    connection.execute(
                        "INSERT INTO tokens (feature, data) VALUES (?, ?)",
                        (cursor.lastrowid, features.tokens[row].tobytes()),
                    )
            _upsert(connection, root, photos)

    def forget(self, root: int, paths: Iterable[bytes]) -> None:
        """Drop photos from the results. Their features stay until `prune`."""
        with self._writing() as connection:
            connection.executemany(
                "DELETE FROM photos WHERE root = ? AND path = ?", ((root, path) for path in paths)
            )

    def prune(self) -> None:
        """Drop the features that no photo refers to any more."""
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM features WHERE NOT EXISTS"
                " (SELECT 1 FROM photos WHERE photos.fingerprint = features.fingerprint)"
            )

    # Features

    def encoded(self, model_id: str) -> set[bytes]:
        """Fingerprints of all content that has features of this model."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT fingerprint FROM features JOIN models ON models.id = features.model"
                " WHERE model_id = ?",
                (model_id,),
            )
            return {fingerprint for (fingerprint,) in rows}

    def load(self, root: int, under: bytes, model_id: str) -> tuple[list[bytes], ImageFeatures]:
        """The features of all photos below ``under`` (relative; empty for the whole root).

        Returns:
            N paths sorted as `Path` sorts, and their features in the same order: embeddings
            float32 [N, E] of length 1, tokens int8 [N, K, C].
        """
        first, beyond = _range(under)
        with self._reading() as connection:
            connection.execute("BEGIN")  # one state of the file for all the queries
            try:
                model = connection.execute(
                    "SELECT id, embedding_size, token_count, token_size FROM models"
                    " WHERE model_id = ?",
                    (model_id,),
                ).fetchone() or (0, 0, 0, 0)
                rows = connection.execute(
                    "SELECT photos.path, features.id FROM photos"
                    " JOIN features ON features.fingerprint = photos.fingerprint"
                    " WHERE features.model = ? AND root = ? AND path >= ? AND path < ?",
                    (model[0], root, first, beyond),
                ).fetchall()
                rows.sort(key=lambda row: PurePath(os.fsdecode(row[0])))
                ids = np.fromiter((row[1] for row in rows), np.int64, len(rows))
                features = self._fill(ids, *model[1:])
            finally:
                self._roll_back()
        return [row[0] for row in rows], features

    def _fill(self, ids: IntArray, width: int, count: int, size: int) -> ImageFeatures:
        """Read features by id into arrays, a chunk at a time so that no second copy is held."""
        embeddings = np.empty((len(ids), width), np.float32)
        tokens = np.empty((len(ids), count, size), np.int8)
        order = np.argsort(ids, kind="stable")
        unique, starts = np.unique(ids[order], return_index=True)
        ends = np.append(starts[1:], len(ids))
        for begin in range(0, len(unique), _CHUNK):
            wanted = unique[begin : begin + _CHUNK]
            rows = self._connection.execute(
                "SELECT embedding, data FROM features LEFT JOIN tokens ON feature = id"
                f" WHERE id IN ({','.join('?' * len(wanted))}) ORDER BY id",
                wanted.tolist(),
            ).fetchall()
            # Equal files share one feature: each read row goes to all the photos that have it.
            copies = ends[begin : begin + _CHUNK] - starts[begin : begin + _CHUNK]
            source = np.repeat(np.arange(len(wanted)), copies)
            target = order[starts[begin] : starts[begin] + len(source)]
            vectors = np.frombuffer(self._joined([row[0] for row in rows], width * 2), _HALF)
            embeddings[target] = vectors.reshape(-1, width)[source]
            packed = np.frombuffer(self._joined([row[1] for row in rows], count * size), np.int8)
            tokens[target] = packed.reshape(-1, count, size)[source]
        # float16 on disk moved the length by up to 0.05 %.
        embeddings /= np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
        return ImageFeatures(embeddings, tokens)

    def _joined(self, blobs: list[bytes | None], size: int) -> bytes:
        whole = [blob for blob in blobs if blob is not None and len(blob) == size]
        if len(whole) != len(blobs):
            raise self._damaged("features of the wrong length")
        return b"".join(whole)

    # Locking and errors

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._guard, self._translated():
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._guard, self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        # Some errors have ended the transaction, or (damage) closed the file, already.
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            pass

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            # The low byte is the kind of error, the rest its details.
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _CORRUPT:
                raise self._damaged(str(error)) from error
            named = _named(code, error, self.path)
            if named is None:
                raise
            raise named from error

    def _damaged(self, reason: str) -> LibraryDamaged:
        """Set the file aside, so that indexing again starts afresh."""
        self.close()
        aside = _free_name(self.path)
        for ending in ("", "-wal", "-shm"):
            # A write-ahead log left behind would be taken for the next file's.
            try:
                Path(f"{self.path}{ending}").replace(f"{aside}{ending}")
            except FileNotFoundError:
                continue
            except PermissionError:  # Windows, while another process has it open
                raise LibraryBusy(path=self.path) from None
        return LibraryDamaged(path=self.path, reason=reason, aside=aside)


class WriterLock:
    """Held while a library is being indexed, so that only one process does it at a time.

    It is an exclusive SQLite lock on a file beside the library: the same on every system, and gone
    with the process however that ends.
    """

    def __init__(self, library: Path, folder: Path) -> None:
        """Take the lock.

        Raises:
            LibraryBusy: somebody else holds it. ``folder`` is named in the message.
        """
        path = library.with_suffix(".lock")
        try:
            self._connection = sqlite3.connect(
                path, timeout=0, isolation_level=None, check_same_thread=False
            )
        except sqlite3.DatabaseError as error:
            raise OutputUnwritable(path=path, reason=error) from error
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            self._connection.close()
            named = _named(getattr(error, "sqlite_errorcode", 0) & 0xFF, error, folder)
            if named is None:
                raise
            raise named from error

    def __enter__(self) -> WriterLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    except sqlite3.DatabaseError as error:
        raise OutputUnwritable(path=path, reason=error) from error


def _named(code: int, error: sqlite3.DatabaseError, path: Path) -> PairLensError | None:
    if code in _BUSY:
        return LibraryBusy(path=path)
    if code in _UNWRITABLE:
        return OutputUnwritable(path=path, reason=error)
    return None


def _range(under: bytes) -> tuple[bytes, bytes]:
    """Bounds for the paths below a relative folder: "0" is the character after "/"."""
    return (under + b"/", under + b"0") if under else (b"", b"\xff" * 8)


def _upsert(connection: sqlite3.Connection, root: int, photos: Iterable[PhotoRow]) -> None:
    connection.executemany(
        "INSERT INTO photos (root, path, size, mtime_ns, fingerprint, error)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (root, path) DO UPDATE SET size = excluded.size,"
        " mtime_ns = excluded.mtime_ns, fingerprint = excluded.fingerprint, error = excluded.error",
        (
            (root, row.path, row.size, row.mtime_ns, row.fingerprint, _as_json(row.failure))
            for row in photos
        ),
    )


def _as_json(failure: Failure | None) -> str | None:
    if failure is None:
        return None
    return json.dumps(asdict(failure), default=str)


def _model(connection: sqlite3.Connection, model_id: str, shape: tuple[int, ...]) -> int:
    row = connection.execute(
        "SELECT id, embedding_size, token_count, token_size FROM models WHERE model_id = ?",
        (model_id,),
    ).fetchone()
    if row is None:
        cursor = connection.execute(
            "INSERT INTO models (model_id, embedding_size, token_count, token_size)"
            " VALUES (?, ?, ?, ?)",
            (model_id, *shape),
        )
        return int(cursor.lastrowid or 0)
    if tuple(row[1:]) != shape:
        raise ValueError(f"model {model_id}: features of shape {shape}, earlier {row[1:]}")
    return int(row[0])


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{number}")).exists():
        number += 1
    return aside
