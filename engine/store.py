"""One library on disk: an SQLite file with photos, what failed, and features by fingerprint.

Features belong to content (fingerprint) and model, not to a path: a moved or copied photo keeps
them, and the features of two models live side by side. What is read for searching and matching is
in `engine.snapshot`.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from sqlite3 import Connection, OperationalError

import numpy as np

from engine.errors import LibraryTooNew
from engine.schema import MIGRATIONS, TABLES
from engine.sqlite_file import SqliteFile
from engine.types import ImageFeatures, PhotoDetails

log = logging.getLogger(__name__)

HALF = np.dtype("<f2")
# Rows named in one statement, or fetched at once.
CHUNK = 512


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
        details: None where the photo failed, or was indexed before details were kept.
        gone: whether it was not there when last looked for. What is saved is there.
    """

    path: bytes
    size: int
    mtime_ns: int
    fingerprint: bytes | None = None
    failure: Failure | None = None
    details: PhotoDetails | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Generation:
    """What one model has encoded of a library.

    Attributes:
        pack: the model pack's folder when it last did; None if that was not kept.
        photos: how many of the photos that are there have its features.
        size: bytes that its features take, those of gone photos included.
    """

    model_id: str
    pack: Path | None
    photos: int
    size: int = 0


class Store(SqliteFile):
    """An open library file. Its methods may be called from several threads; see `SqliteFile`."""

    def __init__(self, path: Path) -> None:
        """Open a library file, making or bringing it up to date as needed.

        Raises:
            LibraryTooNew: a newer PairLens made it; it is left alone.
        """
        super().__init__(path)
        try:
            with self.translated():
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
        if not tables >= TABLES:
            raise self.damaged("it holds something else")

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

    def check(self) -> None:
        """Read the whole file looking for damage.

        Raises:
            LibraryDamaged: some was found.
        """
        with self.reading() as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise self.damaged(str(verdict))

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """`writing`, where it is about photos or features: if any changed, that is counted."""
        with self.writing() as connection:
            before = connection.total_changes
            yield connection
            if connection.total_changes != before:
                connection.execute("UPDATE state SET changes = changes + 1")

    # Roots, and the drives below them

    def roots(self) -> list[tuple[int, Path]]:
        """Id and folder of every root, sorted by path."""
        with self.reading() as connection:
            rows = connection.execute("SELECT id, path FROM roots").fetchall()
        found = [(number, Path(os.fsdecode(path))) for number, path in rows]
        return sorted(found, key=lambda root: root[1])

    def add_root(self, folder: Path) -> None:
        """Record a root; nothing happens if it is one already.

        Roots within it become part of it, with all that is known of their photos.
        """
        inner = [(n, root) for n, root in self.roots() if folder in root.parents]
        with self.changing() as connection:
            connection.execute(
                "INSERT INTO roots (path) VALUES (?) ON CONFLICT (path) DO NOTHING",
                (os.fsencode(folder),),
            )
            (new,) = connection.execute(
                "SELECT id FROM roots WHERE path = ?", (os.fsencode(folder),)
            ).fetchone()
            for number, root in inner:
                prefix = os.fsencode(root.relative_to(folder).as_posix()) + b"/"
                connection.execute(
                    "UPDATE photos SET root = ?, path = CAST(? || path AS BLOB) WHERE root = ?",
                    (new, prefix, number),
                )
                connection.execute("DELETE FROM roots WHERE id = ?", (number,))

    def set_looked(self, root: int) -> None:
        """Keep that all of a root was looked through now."""
        with self.writing() as connection:
            connection.execute("UPDATE roots SET looked = ? WHERE id = ?", (int(time.time()), root))

    def looked(self) -> float | None:
        """When all roots had been looked through, in seconds since 1970; None if one was not."""
        with self.reading() as connection:
            every, least = connection.execute(
                "SELECT count(*) = count(looked), min(looked) FROM roots"
            ).fetchone()
        return least if every else None

    def places(self, root: int) -> dict[bytes, Path]:
        """The folders of a root at which a drive begins, and where that drive is mounted.

        Folders are relative, the root itself being empty.
        """
        with self.reading() as connection:
            rows = connection.execute("SELECT path, mount FROM places WHERE root = ?", (root,))
            return {path: Path(os.fsdecode(mount)) for path, mount in rows}

    def set_places(self, root: int, places: dict[bytes, Path]) -> None:
        """Replace what `places` gives."""
        with self.writing() as connection:
            connection.execute("DELETE FROM places WHERE root = ?", (root,))
            connection.executemany(
                "INSERT INTO places (root, path, mount) VALUES (?, ?, ?)",
                ((root, path, os.fsencode(mount)) for path, mount in places.items()),
            )

    # Photos

    def known(self, root: int, paths: Sequence[bytes]) -> dict[bytes, PhotoRow]:
        """What is known of these photos, gone ones included."""
        found: dict[bytes, PhotoRow] = {}
        for part in _parts(paths):
            with self.reading() as connection:
                rows = connection.execute(
                    "SELECT path, size, mtime_ns, fingerprint, error, taken, width, height, gone"
                    f" FROM photos WHERE root = ? AND path IN ({_marks(part)})",
                    (root, *part),
                ).fetchall()
            for path, size, mtime_ns, fingerprint, error, taken, width, height, gone in rows:
                details = None if width is None else PhotoDetails(taken, width, height)
                failure = self._failure(error)
                found[path] = PhotoRow(
                    path, size, mtime_ns, fingerprint, failure, details, gone is not None
                )
        return found

    def _failure(self, error: str | None) -> Failure | None:
        try:
            return None if error is None else Failure(**json.loads(error))
        except (ValueError, TypeError):
            raise self.damaged("an unreadable error record") from None

    def present(self, root: int, under: bytes) -> Iterator[bytes]:
        """Paths of the photos below ``under`` that are not gone, few of them in memory at once."""
        first, beyond = path_range(under)
        while True:
            with self.reading() as connection:
                rows = connection.execute(
                    "SELECT path FROM photos WHERE root = ? AND path >= ? AND path < ?"
                    " AND gone IS NULL ORDER BY path LIMIT ?",
                    (root, first, beyond, CHUNK),
                ).fetchall()
            yield from (path for (path,) in rows)
            if len(rows) < CHUNK:
                return
            first = rows[-1][0] + b"\0"  # the smallest path after this one

    def count(self, root: int, under: bytes) -> int:
        """Number of photos below ``under`` that are not gone."""
        with self.reading() as connection:
            (number,) = connection.execute(
                "SELECT count(*) FROM photos WHERE root = ? AND path >= ? AND path < ?"
                " AND gone IS NULL",
                (root, *path_range(under)),
            ).fetchone()
        return int(number)

    def save(self, root: int, photos: Iterable[PhotoRow]) -> None:
        """Record photos whose features are already here, or that failed; all or none."""
        with self.changing() as connection:
            _upsert(connection, root, photos)

    def save_encoded(
        self,
        root: int,
        photos: Sequence[PhotoRow],
        model_id: str,
        features: ImageFeatures,
        pack: Path | None = None,
    ) -> None:
        """Record photos together with their new features; all or none.

        Args:
            photos: B rows, each with its fingerprint.
            features: of these B photos, in the same order.
            pack: the model pack's folder.

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
        embeddings = features.embeddings.astype(HALF)
        with self.changing() as connection:
            model = _model(connection, model_id, shape, pack)
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

    def mark_gone(self, root: int, paths: Iterable[bytes]) -> None:
        """Take photos out of the results. What is known of them stays until `prune`."""
        now = int(time.time())
        with self.changing() as connection:
            connection.executemany(
                "UPDATE photos SET gone = ? WHERE root = ? AND path = ?",
                ((now, root, path) for path in paths),
            )

    def prune(self, before: float) -> None:
        """Drop photos gone since before that time, and features no photo refers to any more.

        Args:
            before: seconds since 1970.
        """
        with self.changing() as connection:
            connection.execute("DELETE FROM photos WHERE gone < ?", (before,))
            connection.execute(
                "DELETE FROM features WHERE NOT EXISTS"
                " (SELECT 1 FROM photos WHERE photos.fingerprint = features.fingerprint)"
            )

    # Features

    def encoded(self, model_id: str, fingerprints: Collection[bytes]) -> set[bytes]:
        """Those of the fingerprints whose content has features of this model."""
        found: set[bytes] = set()
        for part in _parts(list(fingerprints)):
            with self.reading() as connection:
                rows = connection.execute(
                    "SELECT fingerprint FROM features JOIN models ON models.id = features.model"
                    f" WHERE model_id = ? AND fingerprint IN ({_marks(part)})",
                    (model_id, *part),
                )
                found.update(fingerprint for (fingerprint,) in rows)
        return found

    def models(self) -> list[str]:
        """The ids of the models that have encoded something."""
        with self.reading() as connection:
            return [model for (model,) in connection.execute("SELECT model_id FROM models")]

    def generations(self) -> list[Generation]:
        """What each model has encoded, the one with the most photos first."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT model_id, pack, (SELECT count(*) FROM photos JOIN features"
                " ON features.fingerprint = photos.fingerprint"
                " WHERE features.model = models.id AND gone IS NULL) AS photos,"
                " (SELECT count(*) FROM features WHERE model = models.id)"
                " * (2 * embedding_size + token_count * token_size)"
                " FROM models ORDER BY photos DESC, models.id"
            ).fetchall()
        return [
            Generation(model, None if pack is None else Path(os.fsdecode(pack)), photos, size)
            for model, pack, photos, size in rows
        ]

    def drop(self, models: Collection[str]) -> None:
        """Drop the features of these models, and give their room back to the drive."""
        if not models:
            return
        with self.changing() as connection:
            marks = ",".join("?" * len(models))
            connection.execute(f"DELETE FROM models WHERE model_id IN ({marks})", tuple(models))
        with self.reading() as connection:
            try:
                connection.execute("VACUUM")
            except OperationalError as error:
                # No room for a second copy, or somebody writes: what comes next takes the room.
                log.info("%s keeps its size: %s", self.path, error)


def path_range(under: bytes) -> tuple[bytes, bytes]:
    """Bounds for the paths below a relative folder: "0" is the character after "/"."""
    return (under + b"/", under + b"0") if under else (b"", b"\xff" * 8)


def _parts(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def _marks(values: Sequence[bytes]) -> str:
    return ",".join("?" * len(values))


def _upsert(connection: Connection, root: int, photos: Iterable[PhotoRow]) -> None:
    connection.executemany(
        "INSERT INTO photos (root, path, size, mtime_ns, fingerprint, error, taken, width, height)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (root, path) DO UPDATE SET"
        " size = excluded.size, mtime_ns = excluded.mtime_ns, fingerprint = excluded.fingerprint,"
        " error = excluded.error, taken = excluded.taken, width = excluded.width,"
        " height = excluded.height, gone = NULL",
        ((root, *_columns(row)) for row in photos),
    )


def _columns(row: PhotoRow) -> tuple[object, ...]:
    error = None if row.failure is None else json.dumps(asdict(row.failure), default=str)
    details = row.details
    about = (None,) * 3 if details is None else (details.taken, details.width, details.height)
    return (row.path, row.size, row.mtime_ns, row.fingerprint, error, *about)


def _model(connection: Connection, model_id: str, shape: tuple[int, ...], pack: Path | None) -> int:
    row = connection.execute(
        "SELECT id, embedding_size, token_count, token_size FROM models WHERE model_id = ?",
        (model_id,),
    ).fetchone()
    if row is None:
        cursor = connection.execute(
            "INSERT INTO models (model_id, embedding_size, token_count, token_size, pack)"
            " VALUES (?, ?, ?, ?, ?)",
            (model_id, *shape, None if pack is None else os.fsencode(pack)),
        )
        return int(cursor.lastrowid or 0)
    if tuple(row[1:]) != shape:
        raise ValueError(f"model {model_id}: features of shape {shape}, earlier {row[1:]}")
    return int(row[0])
