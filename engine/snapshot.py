"""A library as it stands at one moment, read in chunks: what is written meanwhile is not seen."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import LibraryDamaged
from engine.query import Orientation, PhotoFilter
from engine.sqlite_file import SqliteFile
from engine.store import CHUNK, HALF, Store, path_range
from engine.types import FloatArray, ImageFeatures, IntArray, PhotoDetails

# Photos whose embeddings a search has in memory at once: 4 MB.
AT_ONCE = 4096
EVERY_PHOTO = PhotoFilter()
# By the columns of a photo; NULL where its details are still to be read.
_ORIENTATIONS = {
    Orientation.LANDSCAPE: "width > height",
    Orientation.PORTRAIT: "width < height",
    Orientation.SQUARE: "width = height",
}


class Snapshot(SqliteFile):
    """A view of a library for one model; ``rows`` name photos in everything it gives.

    Photos that are gone, that failed, or that this model has not encoded yet are not among them,
    nor are those that a filter leaves out. To be closed after use; see `SqliteFile` for what is
    raised.

    Attributes:
        photos: int64 [N], ids, sorted by path (part by part, as bytes).
        filtered: how many photos the filter left out.
        waiting: how many further photos have to be indexed first: this model has not encoded
            them yet, or the filter asks for details that were not kept when they were indexed.
    """

    def __init__(
        self,
        store: Store,
        model_id: str,
        scope: Sequence[tuple[int, Path, bytes]],
        only: PhotoFilter = EVERY_PHOTO,
        unlike: bytes | None = None,
    ) -> None:
        """Look at the photos below folders.

        Args:
            scope: for each folder the id and path of its root, and the folder relative to that.
            only: which photos there are wanted.
            unlike: a fingerprint; photos with this content are kept apart, see `same`.
        """
        super().__init__(store.path)
        self._store = store
        self._roots = {number: path for number, path, _ in scope}
        try:
            with self.translated():
                self._begin(model_id, scope, only, unlike)
        except BaseException:
            self.close()
            raise

    def _begin(
        self,
        model_id: str,
        scope: Sequence[tuple[int, Path, bytes]],
        only: PhotoFilter,
        unlike: bytes | None,
    ) -> None:
        run = self._connection.execute
        self._connection.create_function("path_order", 1, _path_order, deterministic=True)
        run("PRAGMA query_only = ON")
        run("BEGIN")
        model, width, count, size = run(
            "SELECT id, embedding_size, token_count, token_size FROM models WHERE model_id = ?",
            (model_id,),
        ).fetchone() or (0, 0, 0, 0)
        self._model, self._shape = model, (width, count, size)
        photos, features, same = array("q"), array("q"), array("q")
        self.filtered = self.waiting = 0
        condition, values = _condition(only)
        for root, _, under in scope:
            for photo, feature, wanted, is_same in run(
                f"SELECT photos.id, features.id, {condition}, photos.fingerprint IS ?"
                " FROM photos LEFT JOIN features"
                " ON features.model = ? AND features.fingerprint = photos.fingerprint"
                " WHERE root = ? AND path >= ? AND path < ?"
                " AND gone IS NULL AND photos.fingerprint IS NOT NULL ORDER BY path_order(path)",
                (*values, unlike, model, root, *path_range(under)),
            ):
                if is_same:
                    same.append(photo)
                elif wanted == 0:
                    self.filtered += 1
                elif wanted is None or feature is None:
                    self.waiting += 1
                else:
                    photos.append(photo)
                    features.append(feature)
        self.photos: IntArray = np.frombuffer(photos, np.int64)
        self._same: IntArray = np.frombuffer(same, np.int64)
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
        return self._paths(self.photos[rows])

    def seen(self) -> Iterator[tuple[int, Path, int, int]]:
        """Row, path, size in bytes and mtime in ns of each photo when it was last looked at."""
        row = {photo: number for number, photo in enumerate(self.photos.tolist())}
        columns = "id, root, path, size, mtime_ns"
        for number, root, path, *seen in self._select(columns, "photos", self.photos):
            yield row[number], self._roots[root] / os.fsdecode(path), *seen

    def same(self) -> list[Path]:
        """Where the photos are that have the content which was to be kept apart."""
        return self._paths(self._same)

    def _paths(self, photos: IntArray) -> list[Path]:
        found: dict[int, Path] = {}
        for number, root, path in self._select("id, root, path", "photos", photos):
            found[number] = self._roots[root] / os.fsdecode(path)
        return [found[number] for number in photos.tolist()]

    def details(self, rows: IntArray) -> list[PhotoDetails | None]:
        """What is known of photos besides their features; None where that is still to be read."""
        found: dict[int, PhotoDetails | None] = {}
        columns = "id, taken, width, height"
        for number, taken, width, height in self._select(columns, "photos", self.photos[rows]):
            found[number] = None if width is None else PhotoDetails(taken, width, height)
        return [found[number] for number in self.photos[rows].tolist()]

    def embeddings(self, rows: IntArray) -> FloatArray:
        """Embeddings float32 [R, E] of length 1."""
        return self._embeddings(self._gather("id, embedding", "features", rows, 2 * self._shape[0]))

    def embedding_of(self, fingerprint: bytes) -> FloatArray | None:
        """The embedding float32 [1, E] of this content, if the model has encoded it."""
        with self.reading() as connection:
            found = connection.execute(
                "SELECT embedding FROM features WHERE model = ? AND fingerprint = ?",
                (self._model, fingerprint),
            ).fetchone()
        return None if found is None else self._embeddings(found[0])

    def similarity(self, vectors: FloatArray, at_once: int = AT_ONCE) -> FloatArray:
        """Similarities float32 [Q, N] of embeddings float32 [Q, E] to all photos.

        Only ``at_once`` photos' embeddings are in memory.
        """
        found = np.empty((len(vectors), len(self)), np.float32)
        for rows in self.chunks(at_once):
            found[:, rows] = (self.embeddings(rows) @ vectors.T).T
        return found

    def _embeddings(self, data: bytes) -> FloatArray:
        found = np.frombuffer(data, HALF).reshape(-1, self._shape[0]).astype(np.float32)
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


def _condition(only: PhotoFilter) -> tuple[str, list[str | int]]:
    """A filter in SQL, and its values; NULL where a photo's details are not known."""
    parts = ["1"]
    values: list[str | int] = []
    for part, value in (
        # Moments begin with their day, so that text compares as time does.
        ("taken >= ?", only.after and only.after.isoformat()),
        ("taken < ?", only.before and only.before.isoformat()),
        ("width >= ?", only.min_width),
        ("height >= ?", only.min_height),
    ):
        if value:
            parts.append(part)
            values.append(value)
    if only.orientation is not None:
        parts.append(_ORIENTATIONS[only.orientation])
    return f"({' AND '.join(parts)})", values


def _path_order(path: bytes) -> bytes:
    """Folders are sorted part by part: "/" comes before every other character."""
    return path.replace(b"/", b"\0")
