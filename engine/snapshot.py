"""A library as it stands at one moment: what is written meanwhile is not seen."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import LibraryDamaged
from engine.query import Orientation, PhotoFilter
from engine.resident import Resident, Rows, path_order, unpacked
from engine.sqlite_file import SqliteFile
from engine.store import CHUNK, Store
from engine.types import BoolArray, FloatArray, ImageFeatures, IntArray, PhotoDetails

EVERY_PHOTO = PhotoFilter()
# Of width and height.
_ORIENTATIONS = {
    Orientation.LANDSCAPE: np.greater,
    Orientation.PORTRAIT: np.less,
    Orientation.SQUARE: np.equal,
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
        resident: Resident | None = None,
    ) -> None:
        """Look at the photos below folders.

        Args:
            scope: for each folder the id and path of its root, and the folder relative to that.
            only: which photos there are wanted.
            unlike: a fingerprint; photos with this content are kept apart, see `same`.
            resident: what is kept in memory of the library; by default nothing is.
        """
        super().__init__(store.path)
        self._store = store
        self._resident = resident or Resident()
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
        run("PRAGMA query_only = ON")
        run("BEGIN")
        self._all = self._resident.rows(self, model_id)
        there = [self._below(root, under) for root, _, under in scope]
        rows = np.concatenate([np.arange(first, beyond) for first, beyond in there])
        same = np.zeros(len(rows), np.bool_)
        if unlike is not None:
            found = run("SELECT id FROM photos WHERE fingerprint = ?", (unlike,)).fetchall()
            same = np.isin(self._all.photos[rows], [number for (number,) in found])
        wanted, known = _passing(self._all, rows, only)
        encoded = self._all.features[rows] > 0
        self._rows = rows[wanted & known & encoded & ~same]
        self.photos: IntArray = self._all.photos[self._rows]
        self._same: IntArray = self._all.photos[rows[same]]
        self.filtered = int((known & ~wanted & ~same).sum())
        self.waiting = len(rows) - len(self._rows) - len(self._same) - self.filtered

    def _below(self, root: int, under: bytes) -> tuple[int, int]:
        """Where the photos below a folder begin and end among all."""
        first, beyond = self._all.spans.get(root, (0, 0))
        if not under:
            return first, beyond
        # Looked up one by one: paths would need more memory than all else that is kept of photos.
        ordered, low = range(first, beyond), path_order(under + b"/")
        begin = bisect_left(ordered, low, key=self._order_of)
        end = bisect_left(ordered, low[:-1] + b"\1", key=self._order_of)
        return first + begin, first + end

    def _order_of(self, row: int) -> bytes:
        (path,) = self._connection.execute(
            "SELECT path FROM photos WHERE id = ?", (int(self._all.photos[row]),)
        ).fetchone()
        return path_order(path)

    def __len__(self) -> int:
        return len(self.photos)

    def damaged(self, reason: str) -> LibraryDamaged:
        """Set the file aside, nobody of us having it open any more."""
        self.close()
        return self._store.damaged(reason)

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
        width = self._all.shape[0]
        return unpacked(self._gather("id, embedding", "features", rows, 2 * width), width)

    def embedding_of(self, fingerprint: bytes) -> FloatArray | None:
        """The embedding float32 [1, E] of this content, if the model has encoded it."""
        with self.reading() as connection:
            found = connection.execute(
                "SELECT embedding FROM features WHERE model = ? AND fingerprint = ?",
                (self._all.model, fingerprint),
            ).fetchone()
        return None if found is None else unpacked(found[0], self._all.shape[0])

    def similarity(self, vectors: FloatArray) -> FloatArray:
        """Similarities float32 [Q, N] of embeddings float32 [Q, E] to all photos."""
        found = self._resident.embeddings(self, self._all).similarity(vectors)
        # Nearly always all photos are wanted, in their order.
        return found if len(self) == found.shape[1] else found[:, self._rows]

    def features(self, rows: IntArray) -> ImageFeatures:
        """Embeddings float32 [R, E] of length 1 and tokens int8 [R, K, C]."""
        _, count, size = self._all.shape
        data = self._gather("feature, data", "tokens", rows, count * size)
        tokens = np.frombuffer(data, np.int8).reshape(len(rows), count, size)
        return ImageFeatures(self.embeddings(rows), tokens)

    def _gather(self, columns: str, table: str, rows: IntArray, size: int) -> bytes:
        """One blob for each row; equal files share one feature."""
        wanted = self._all.features[self._rows[rows]]
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


def _passing(photos: Rows, rows: IntArray, only: PhotoFilter) -> tuple[BoolArray, BoolArray]:
    """Whether photos pass a filter, bool [R], and whether that is known, bool [R]."""
    every = np.ones(len(rows), np.bool_)
    if only == EVERY_PHOTO:
        return every, every
    days, widths, heights = photos.days[rows], photos.widths[rows], photos.heights[rows]
    passing = every & (widths >= only.min_width) & (heights >= only.min_height)
    if only.after:
        passing &= days >= _day(only.after)
    if only.before:
        passing &= days < _day(only.before)
    if only.orientation is not None:
        passing &= _ORIENTATIONS[only.orientation](widths, heights)
    return passing, widths >= 0


def _day(day: date) -> int:
    return int(day.strftime("%Y%m%d"))
