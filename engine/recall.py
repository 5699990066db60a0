"""Features of photos that a library has encoded already, for work on folders."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from engine.errors import LibraryError
from engine.index import Library
from engine.snapshot import Snapshot
from engine.types import ImageFeatures, IntArray

log = logging.getLogger(__name__)


class Recall:
    """What a snapshot knows of photos that are still as they were when they were indexed.

    Attributes:
        growing: whether the library was being indexed when the snapshot was taken.
    """

    def __init__(self, snapshot: Snapshot, folder: Path, growing: bool) -> None:
        """Look photos up that are named as a walk of ``folder`` names them, or by full paths."""
        self.growing = growing
        self._snapshot = snapshot
        self._given, self._real = folder, folder.resolve()
        self._rows = {path: (row, *seen) for row, path, *seen in snapshot.seen()}

    def row(self, photo: Path) -> int | None:
        """The photo's row, or None where it is not known or its size or time is another now."""
        if photo.is_relative_to(self._given):
            photo = self._real / photo.relative_to(self._given)
        elif not photo.is_absolute():
            return None
        known = self._rows.get(photo)
        if known is None:
            return None
        row, size, mtime_ns = known
        try:
            status = photo.stat()
        except OSError:  # gone, and whoever reads it finds the words
            return None
        return row if (status.st_size, status.st_mtime_ns) == (size, mtime_ns) else None

    def features(self, rows: IntArray) -> ImageFeatures:
        """Embeddings float32 [R, E] and tokens int8 [R, K, C] of rows int64 [R]."""
        return self._snapshot.features(rows)


@contextmanager
def recalled(folder: Path, model_id: str) -> Iterator[Recall | None]:
    """What is indexed of a folder for a model; None if no library has it, or none that opens.

    A damaged index has then been set aside: the work goes on without it.
    """
    try:
        library = Library.find(folder)
    except LibraryError as error:
        log.warning("%s", error)
        library = None
    if library is None:
        yield None
        return
    with closing(library):
        growing = library.is_being_indexed()
        with closing(library.snapshot(folder, model_id)) as snapshot:
            yield Recall(snapshot, folder, growing)
