"""What each search needs of all photos of a library, in memory from one search to the next."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from sqlite3 import Cursor
from typing import Any

import numpy as np

from engine.pace import usable_cores
from engine.sqlite_file import SqliteFile
from engine.store import HALF
from engine.types import FloatArray, IntArray

# Rows read at once.
CHUNK = 1024
# Embeddings kept in one piece: 16 MB. What is added copies one piece at most.
PIECE = 16384
# Days as 20241231; -1 where something is still to be read. No join: it takes as long as all this.
_PHOTOS = """SELECT root, path, fingerprint, id,
        ifnull(CAST(replace(substr(taken, 1, 10), '-', '') AS INTEGER), -1),
        ifnull(width, -1), ifnull(height, -1)
    FROM photos WHERE gone IS NULL AND fingerprint IS NOT NULL"""
_ENCODED = "SELECT fingerprint, id FROM features WHERE model = ?"
# Never by the index of the models: to go through all rows in their order is many times faster.
_EMBEDDINGS = "SELECT id, embedding FROM features WHERE +model = ? AND id > ? ORDER BY id"


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose photos and embeddings these are: a library file, as it was made, and a model."""

    file: Path
    library: bytes
    model_id: str


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The photos of a library at one moment: those that are there and did not fail.

    Those of a root stand together, sorted by path, part by part, as bytes.

    Attributes:
        changes: how often the library had been changed, see `Store.changing`.
        model: the model's id in the file; 0 if it has encoded nothing.
        shape: the sizes E, K and C of its features.
        spans: where the photos of each root begin and end.
        photos: int64 [N], their ids.
        features: int64 [N], the ids of their features by the model; 0 where there are none.
        contents: int64 [N], hashes of the fingerprints, which for 1,000,000 photos are all
            different but for a chance of 1 in 10 million.
        days: int64 [N], the days on which they were taken, as 20241231; -1 where it is not known.
        widths, heights: int64 [N], pixels of the upright photo; -1 where they are not known.
    """

    origin: Origin
    changes: int
    model: int
    shape: tuple[int, int, int]
    spans: dict[int, tuple[int, int]]
    photos: IntArray
    features: IntArray
    contents: IntArray
    days: IntArray
    widths: IntArray
    heights: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """The embeddings of photos, each content's once.

    Attributes:
        rows: the photos.
        features: int64 [F], ids, ascending.
        contents: int64 [F], what `Rows.contents` has for them.
        pieces: float32 [P, E] each, P together F; of length 1, in the order of ``features``.
        places: int64 [N], for each photo its place among them; where it has none, any.
    """

    rows: Rows
    features: IntArray
    contents: IntArray
    pieces: tuple[FloatArray, ...]
    places: IntArray

    def similarity(self, vectors: FloatArray) -> FloatArray:
        """Similarities float32 [Q, N] of embeddings float32 [Q, E] to all photos.

        Those of photos without an embedding mean nothing.
        """
        if not self.pieces:
            return np.zeros((len(vectors), len(self.places)), np.float32)
        each = np.empty((len(vectors), sum(map(len, self.pieces))), np.float32)
        ends = np.cumsum([len(piece) for piece in self.pieces])

        def compare(number: int) -> None:
            piece, end = self.pieces[number], ends[number]
            for row, vector in enumerate(vectors):
                # Not `@`, whose matrix products are far from what memory gives on some processors.
                np.einsum("pe,e->p", piece, vector, out=each[row, end - len(piece) : end])

        threads = min(len(self.pieces), usable_cores())
        if threads == 1:
            compare(0)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(compare, range(len(self.pieces))))
        result: FloatArray = each[:, self.places]
        return result


class Resident:
    """Keeps one library, for one model. Several threads may use it.

    What is kept is never changed, only replaced, so that whoever has it may go on with it. After a
    change all photos are read again, but only those embeddings that are new.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: Rows | None = None
        self._embeddings: Embeddings | None = None

    def clear(self) -> None:
        """Free the memory."""
        with self._lock:
            self._rows = self._embeddings = None

    def rows(self, file: SqliteFile, model_id: str) -> Rows:
        """The photos as an open library file shows them, which is to be within a transaction."""
        with self._lock, file.reading() as connection:
            library, changes = connection.execute("SELECT library, changes FROM state").fetchone()
            origin, kept = Origin(file.path, library, model_id), self._rows
            if kept is None or (kept.origin, kept.changes) != (origin, changes):
                if kept is not None and kept.origin != origin:
                    self._rows = self._embeddings = None  # not in memory beside what comes now
                self._rows = kept = _read_rows(file, origin, changes)
            return kept

    def embeddings(self, file: SqliteFile, rows: Rows) -> Embeddings:
        """The embeddings of photos that `rows` gave for this file in this transaction."""
        with self._lock:
            kept = self._embeddings
            if kept is not None and kept.rows.origin != rows.origin:
                kept = None
            if kept is None or kept.rows is not rows:
                self._embeddings = kept = _renewed(file, rows, kept)
            return kept


def unpacked(data: bytes, width: int) -> FloatArray:
    """Embeddings float32 [F, width] of length 1 from how they are stored."""
    found = np.frombuffer(data, HALF).reshape(-1, width).astype(np.float32)
    # float16 on disk moved the length by up to 0.05 %.
    lengths = np.sqrt(np.einsum("fe,fe->f", found, found))
    found /= np.maximum(lengths, 1e-12)[:, None]
    return found


def path_order(path: bytes) -> bytes:
    """Sorts folders part by part: "/" comes before every other character."""
    return path.replace(b"/", b"\0")


def _read_rows(file: SqliteFile, origin: Origin, changes: int) -> Rows:
    with file.reading() as connection:
        model, *shape = connection.execute(
            "SELECT id, embedding_size, token_count, token_size FROM models WHERE model_id = ?",
            (origin.model_id,),
        ).fetchone() or (0, 0, 0, 0)
        paths: list[bytes] = []
        columns = [array("q") for _ in range(6)]
        for root, path, fingerprint, *others in _columns(connection.execute(_PHOTOS)):
            paths += map(path_order, path)
            for column, values in zip(
                columns, (root, map(hash, fingerprint), *others), strict=True
            ):
                column.extend(values)
        encoded, ids = array("q"), array("q")
        for fingerprint, number in _columns(connection.execute(_ENCODED, (model,))):
            encoded.extend(map(hash, fingerprint))
            ids.extend(number)
    by_path = np.array(sorted(range(len(paths)), key=paths.__getitem__), np.int64)
    roots = np.frombuffer(columns[0], np.int64)
    order = by_path[np.argsort(roots[by_path], kind="stable")]
    roots, contents, photos, days, widths, heights = (
        np.frombuffer(column, np.int64)[order] for column in columns
    )
    features = _looked_up(contents, np.frombuffer(encoded, np.int64), np.frombuffer(ids, np.int64))
    numbers, begins = np.unique(roots, return_index=True)
    ends = np.searchsorted(roots, numbers, side="right")
    bounds = zip(begins.tolist(), ends.tolist(), strict=True)
    spans = dict(zip(numbers.tolist(), bounds, strict=True))
    return Rows(
        origin, changes, model, (shape[0], shape[1], shape[2]), spans,
        photos, features, contents, days, widths, heights,
    )  # fmt: skip


def _columns(cursor: Cursor) -> Iterator[tuple[tuple[Any, ...], ...]]:
    """Rows, not all in memory at once, as columns."""
    while part := cursor.fetchmany(CHUNK):
        yield tuple(zip(*part, strict=True))


def _looked_up(wanted: IntArray, keys: IntArray, values: IntArray) -> IntArray:
    """The value int64 [N] of each key that is wanted, 0 where it is not among the keys."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    order = np.argsort(keys)
    keys, values = keys[order], values[order]
    places = np.searchsorted(keys[:-1], wanted)
    found: IntArray = np.where(keys[places] == wanted, values[places], 0)
    return found


def _renewed(file: SqliteFile, rows: Rows, kept: Embeddings | None) -> Embeddings:
    """The embeddings of photos, of which those that are kept are not read again."""
    wanted, first = np.unique(rows.features, return_index=True)
    contents = rows.contents[first]
    if len(wanted) and not wanted[0]:
        wanted, contents = wanted[1:], contents[1:]
    features, known = wanted[:0], contents[:0]
    pieces: tuple[FloatArray, ...] = ()
    # An id may have come to stand for another content since, and what is no longer needed is to
    # go some day: then all are read again.
    if kept is not None and _serves(kept, wanted, contents):
        features, known, pieces = kept.features, kept.contents, kept.pieces
    last = int(features[-1]) if len(features) else 0
    new = wanted > last
    features, known = np.append(features, wanted[new]), np.append(known, contents[new])
    if new.any():
        pieces = _joined(pieces, _read(file, rows, wanted[new], last))
    places = np.minimum(np.searchsorted(features, rows.features), max(len(features) - 1, 0))
    return Embeddings(rows, features, known, pieces, places)


def _serves(kept: Embeddings, wanted: IntArray, contents: IntArray) -> bool:
    """Whether all that is wanted is kept, but for what came after it, and not much else."""
    if not 0 < len(kept.features) <= 2 * len(wanted):
        return False
    old = wanted <= kept.features[-1]
    places = np.searchsorted(kept.features, wanted[old])
    return bool(
        (kept.features[places] == wanted[old]).all()
        and (kept.contents[places] == contents[old]).all()
    )


def _read(file: SqliteFile, rows: Rows, wanted: IntArray, last: int) -> Iterator[FloatArray]:
    """The embeddings of these features, all of them after ``last``, piece by piece."""
    size, found = 2 * rows.shape[0], 0
    with file.reading() as connection:
        for ids, every in _columns(connection.execute(_EMBEDDINGS, (rows.model, last))):
            numbers = np.array(ids)
            chosen = wanted[np.searchsorted(wanted[:-1], numbers)] == numbers
            blobs = list(compress(every, chosen.tolist()))
            if blobs and set(map(len, blobs)) != {size}:
                raise file.damaged("features of the wrong length")
            found += len(blobs)
            if blobs:
                yield unpacked(b"".join(blobs), rows.shape[0])
    if found != len(wanted):
        raise file.damaged("features of the wrong length")


def _joined(pieces: tuple[FloatArray, ...], more: Iterator[FloatArray]) -> tuple[FloatArray, ...]:
    """Pieces with further ones, of which neighbours become one as long as that is small enough."""
    done, last, length = list(pieces[:-1]), list(pieces[-1:]), sum(map(len, pieces[-1:]))
    for piece in more:
        if length + len(piece) > PIECE:
            done.append(np.concatenate(last))
            last, length = [], 0
        last.append(piece)
        length += len(piece)
    return (*done, np.concatenate(last))
