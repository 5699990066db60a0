"""A library as it stands at one moment, read in chunks: what is written meanwhile is not seen."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import LibraryDamaged
from engine.sqlite_file import SqliteFile
from engine.store import CHUNK, HALF, Store, path_range
from engine.types import FloatArray, ImageFeatures, IntArray, PhotoDetails


class Snapshot(SqliteFile):
    """A view of a library for one model; ``rows`` name photos in everything it gives.

    Photos that are gone, that failed, or that this model has not encoded yet are not among them.
    To be closed after use; see `SqliteFile` for what is raised.

    Attributes:
        photos: int64 [N], ids, sorted by path (part by part, as bytes).
        waiting: how many further photos this model has not encoded yet.
    """

    def __init__(
        self, store: Store, model_id: str, scope: Sequence[tuple[int, Path, bytes]]
    ) -> None:
        """Look at the photos below folders.

        Args:
            scope: for each folder the id and path of its root, and the folder relative to that.
        """
        super().__init__(store.path)
        self._store = store
        self._roots = {number: path for number, path, _ in scope}
        try:
            with self.translated():
                self._begin(model_id, scope)
        except BaseException:
            self.close()
            raise

    def _begin(self, model_id: str, scope: Sequence[tuple[int, Path, bytes]]) -> None:
        run = self._connection.execute
        self._connection.create_function("path_order", 1, _path_order, deterministic=True)
        run("PRAGMA query_only = ON")
        run("BEGIN")
        model, width, count, size = run(
            "SELECT id, embedding_size, token_count, token_size FROM models WHERE model_id = ?",
            (model_id,),
        ).fetchone() or (0, 0, 0, 0)
        self._shape = (width, count, size)
        photos, features = array("q"), array("q")
        self.waiting = 0
        for root, _, under in scope:
            for photo, feature in run(
                "SELECT photos.id, features.id FROM photos LEFT JOIN features"
                " ON features.model = ? AND features.fingerprint = photos.fingerprint"
                " WHERE root = ? AND path >= ? AND path < ?"
                " AND gone IS NULL AND photos.fingerprint IS NOT NULL ORDER BY path_order(path)",
                (model, root, *path_range(under)),
            ):
                if feature is None:
                    self.waiting += 1
                else:
                    photos.append(photo)
                    features.append(feature)
        self.photos: IntArray = np.frombuffer(photos, np.int64)
        self._features: IntArray = np.frombuffer(features, np.int64)

    def __len__(self) -> int:
        return len(self.photos)

    def damaged(self, reason: str) -> LibraryDamaged:
        """Set the file aside, nobody of us having it open any more."""
        self.close()
        return self._store.damaged(reason)

    def chunks(self, size: int = CHUNK) -> Iterator[IntArray]:
        """All rows, in path order, at most ``size`` at a time."""
        for start in range(0, len(self), size):
            yield np.arange(start, min(start + size, len(self)))

    def paths(self, rows: IntArray) -> list[Path]:
        """Where photos are, absolute."""
        found: dict[int, Path] = {}
        for number, root, path in self._select("id, root, path", "photos", self.photos[rows]):
            found[number] = self._roots[root] / os.fsdecode(path)
        return [found[number] for number in self.photos[rows].tolist()]

    def details(self, rows: IntArray) -> list[PhotoDetails | None]:
        """What is known of photos besides their features; None where that is still to be read."""
        found: dict[int, PhotoDetails | None] = {}
        columns = "id, taken, width, height"
        for number, taken, width, height in self._select(columns, "photos", self.photos[rows]):
            found[number] = None if width is None else PhotoDetails(taken, width, height)
        return [found[number] for number in self.photos[rows].tolist()]

    def embeddings(self, rows: IntArray) -> FloatArray:
        """Embeddings float32 [R, E] of length 1."""
        width = self._shape[0]
        data = self._gather("id, embedding", "features", rows, 2 * width)
        found = np.frombuffer(data, HALF).reshape(-1, width).astype(np.float32)
        # float16 on disk moved the length by up to 0.05 %.
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        return found

    def features(self, rows: IntArray) -> ImageFeatures:
        """Embeddings float32 [R, E] of length 1 and tokens int8 [R, K, C]."""
        _, count, size = self._shape
        data = self._gather("feature, data", "tokens", rows, count * size)
        tokens = np.frombuffer(data, np.int8).reshape(-1, count, size)
        return ImageFeatures(self.embeddings(rows), tokens)

    def _gather(self, columns: str, table: str, rows: IntArray, size: int) -> bytes:
        """One blob for each row; equal files share one feature."""
        wanted = self._features[rows]
        found: dict[int, bytes] = dict(self._select(columns, table, np.unique(wanted)))
        blobs = [found.get(number, b"") for number in wanted.tolist()]
        if any(len(blob) != size for blob in blobs):
            raise self.damaged("features of the wrong length")
        return b"".join(blobs)

    def _select(self, columns: str, table: str, ids: IntArray) -> Iterator[tuple[Any, ...]]:
        key = columns.partition(",")[0]
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK].tolist()
            marks = ",".join("?" * len(part))
            with self.reading() as connection:
                yield from connection.execute(
                    f"SELECT {columns} FROM {table} WHERE {key} IN ({marks})", part
                ).fetchall()


def _path_order(path: bytes) -> bytes:
    """Folders are sorted part by part: "/" comes before every other character."""
    return path.replace(b"/", b"\0")
