"""An SQLite file of ours: opening, transactions, and what its errors mean to a user."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from engine.errors import LibraryBusy, LibraryDamaged, OutputUnwritable, PairLensError

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNWRITABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}
# A write-ahead log left behind would be taken for the next file's.
ENDINGS = ("", "-wal", "-shm")


class SqliteFile:
    """A connection that several threads may share.

    Whatever uses it may raise LibraryDamaged (the file has then been set aside and this object is
    closed), LibraryBusy, or OutputUnwritable (disk full, folder read-only).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.RLock()
        self._connection = _connect(path)

    def close(self) -> None:
        """Let go of the file; further calls fail. May be called twice."""
        with self._guard:
            self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, to this thread alone."""
        with self._guard, self.translated():
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is kept, or none."""
        with self._guard, self.translated():
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
    def translated(self) -> Iterator[None]:
        """SQLite's errors become ours."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            # The low byte is the kind of error, the rest its details.
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _CORRUPT:
                raise self.damaged(str(error)) from error
            named = _named(code, error, self.path)
            if named is None:
                raise
            raise named from error

    def damaged(self, reason: str) -> LibraryDamaged:
        """Set the file aside, so that indexing again starts afresh."""
        self.close()
        aside = _free_name(self.path)
        for ending in ENDINGS:
            try:
                Path(f"{self.path}{ending}").replace(f"{aside}{ending}")
            except FileNotFoundError:
                continue
            except PermissionError:  # Windows, while another process has it open
                raise LibraryBusy(path=self.path) from None
            except OSError as error:  # a folder that is read-only
                raise OutputUnwritable(path=self.path, reason=error.strerror) from error
        return LibraryDamaged(path=self.path, reason=reason, aside=aside)


class WriterLock:
    """Held while a library is being indexed, so that only one process does it at a time.

    It is an exclusive SQLite lock on a file beside the library: the same on every system, and gone
    with the process however that ends.
    """

    def __init__(self, library: Path, name: object, patience: float = 1.0) -> None:
        """Take the lock; ``patience`` seconds are for others who only look whether it is free.

        Raises:
            LibraryBusy: somebody else holds it. ``name`` is what the message calls the library.
        """
        path = lock_path(library)
        try:
            self._connection = sqlite3.connect(
                path, timeout=patience, isolation_level=None, check_same_thread=False
            )
        except sqlite3.DatabaseError as error:
            raise OutputUnwritable(path=path, reason=error) from error
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            self._connection.close()
            named = _named(getattr(error, "sqlite_errorcode", 0) & 0xFF, error, name)
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


def lock_path(library: Path) -> Path:
    """The file beside a library's whose lock `WriterLock` takes."""
    return library.with_suffix(".lock")


def aside_paths(library: Path) -> list[Path]:
    """What was set aside of a library as damaged, write-ahead logs included."""
    return sorted(library.parent.glob(f"{library.stem}.damaged-*"))


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    except sqlite3.DatabaseError as error:
        raise OutputUnwritable(path=path, reason=error) from error


def _named(code: int, error: sqlite3.DatabaseError, name: object) -> PairLensError | None:
    if code in _BUSY:
        return LibraryBusy(path=name)
    if code in _UNWRITABLE:
        return OutputUnwritable(path=name, reason=error)
    return None


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{number}")).exists():
        number += 1
    return aside
