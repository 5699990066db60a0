"""The journal of what was copied and moved: one SQLite file, written before and after each step.

SQLite, because a write is there whole or not at all, however the process ends, and because the
libraries stand on it already. ``synchronous = FULL``: that a step begins has reached the disk
before the photo is touched. That steps are done is written for many at once: until then they are
under way, and where their photos are can be told.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from engine.action_files import Kept
from engine.action_plan import Kind, Plan
from engine.errors import ActionsBusy, JournalUnusable, LibraryBusy, OutputUnwritable
from engine.paths import data_dir
from engine.sqlite_file import SqliteFile, WriterLock

VERSION = 1

_TABLES = """
CREATE TABLE actions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,                 -- copy or move
    target BLOB NOT NULL,               -- the folder that everything goes into
    began INTEGER NOT NULL,             -- seconds since 1970
    token TEXT NOT NULL                 -- in the names of this action's partial files
);
CREATE TABLE folders (                  -- made by the action, or about to be
    action INTEGER NOT NULL REFERENCES actions (id),
    path BLOB NOT NULL
);
CREATE TABLE steps (
    action INTEGER NOT NULL REFERENCES actions (id),
    number INTEGER NOT NULL,
    source BLOB NOT NULL,
    target BLOB NOT NULL,
    state TEXT NOT NULL,
    size INTEGER,                       -- of the photo at the target; NULL until it is begun
    mtime_ns INTEGER,
    fingerprint BLOB,                   -- NULL unless it was copied
    back_size INTEGER,                  -- of the copy made at the source while undoing a move
    back_mtime_ns INTEGER,
    back_fingerprint BLOB,
    PRIMARY KEY (action, number)
) WITHOUT ROWID;
"""


class StepState(StrEnum):
    """Where a step stands; the photo is in its new place in DONE, in its old one otherwise.

    Only in BEGUN and UNDOING it may be either, which `engine.actions.settle` finds out.
    """

    PLANNED = "planned"
    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    NOT_DONE = "not done"
    UNDOING = "undoing"
    UNDONE = "undone"


# The states of steps whose photo is at its target, or may be.
TO_UNDO = (StepState.DONE, StepState.BEGUN, StepState.UNDOING)
UNSETTLED = (StepState.BEGUN, StepState.UNDOING)
# Those that there are only while somebody acts, or after they were interrupted.
OPEN = (StepState.PLANNED, *UNSETTLED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One step as the journal knows it.

    Attributes:
        kept: the photo at its target, once begun; with a fingerprint once a copy of it is whole.
        back: while a move is undone across drives: the copy beside the source, once whole.
        partial: the name of the file that a copy is written to before it gets its own.
    """

    action: int
    number: int
    kind: Kind
    source: Path
    target: Path
    state: StepState
    kept: Kept | None
    back: Kept | None
    partial: str


@dataclass(frozen=True, slots=True)
class Record:
    """One action as the journal knows it: ``began`` in seconds since 1970, steps by state."""

    id: int
    kind: Kind
    into: Path
    began: int
    counts: dict[StepState, int]


class Journal(SqliteFile):
    """An open journal. Every method may raise JournalUnusable, or ActionsBusy."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the journal of the program, or another one, making it as needed."""
        file = path or data_dir() / "actions.sqlite"
        try:
            super().__init__(file)
        except OutputUnwritable as error:
            raise JournalUnusable(path=file, reason=error.fields["reason"]) from error
        try:
            with self.translated():
                self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        with self.writing():
            (version,) = run("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise JournalUnusable(path=self.path, reason="a newer PairLens made it")
            if version == 0:
                for statement in _TABLES.split(";\n"):
                    run(statement)
                run(f"PRAGMA user_version = {VERSION}")

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held while photos are acted on, by one process at a time; gone with the process.

        Raises:
            ActionsBusy: somebody else holds it.
        """
        try:
            held = WriterLock(self.path, self.path)
        except LibraryBusy:
            raise ActionsBusy(path=self.path) from None
        except OutputUnwritable as error:
            raise JournalUnusable(path=self.path, reason=error.fields["reason"]) from error
        with held:
            yield

    # Writing

    def add(self, plan: Plan) -> int:
        """Write down a plan before anything of it is done; returns the action's id."""
        with self.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO actions (kind, target, began, token) VALUES (?, ?, ?, ?)",
                (plan.kind, os.fsencode(plan.into), int(time.time()), secrets.token_hex(8)),
            )
            action = int(cursor.lastrowid or 0)
            connection.executemany(
                "INSERT INTO steps (action, number, source, target, state) VALUES (?, ?, ?, ?, ?)",
                (
                    (action, n, os.fsencode(s.source), os.fsencode(s.target), StepState.PLANNED)
                    for n, s in enumerate(plan.steps, start=1)
                ),
            )
        return action

    def add_folder(self, action: int, folder: Path) -> None:
        """Write down a folder that the action is about to make."""
        with self.writing() as connection:
            connection.execute(
                "INSERT INTO folders (action, path) VALUES (?, ?)", (action, os.fsencode(folder))
            )

    def forget_folders(self, action: int) -> None:
        """Those folders of an action that are still there are not its business any more."""
        with self.writing() as connection:
            connection.execute("DELETE FROM folders WHERE action = ?", (action,))

    def begin(self, entry: Entry, target: Path, kept: Kept) -> Entry:
        """Write down that a step begins, where to, and what its photo is like now."""
        self._update(
            entry, "state = ?, target = ?", (StepState.BEGUN, os.fsencode(target)), "", kept
        )
        return self.entry(entry)

    def copied(self, entry: Entry, copy: Kept) -> None:
        """Write down that the copy for this step, or for its undoing, is whole."""
        back = "back_" if entry.state is StepState.UNDOING else ""
        self._update(entry, "state = ?", (entry.state,), back, copy)

    def mark(self, state: StepState, *entries: Entry) -> None:
        """Write down where steps stand; what was known of a copy back is forgotten."""
        with self.writing() as connection:
            connection.executemany(
                "UPDATE steps SET state = ?, back_size = NULL, back_mtime_ns = NULL,"
                " back_fingerprint = NULL WHERE action = ? AND number = ?",
                [(state, entry.action, entry.number) for entry in entries],
            )

    def fail(self, entry: Entry) -> None:
        """A step that was found not done failed for a reason of its own photo."""
        with self.writing() as connection:
            connection.execute(
                "UPDATE steps SET state = ? WHERE action = ? AND number = ? AND state = ?",
                (StepState.FAILED, entry.action, entry.number, StepState.NOT_DONE),
            )

    def drop_planned(self) -> list[int]:
        """The steps that were not begun will not be; returns the actions that have such."""
        with self.translated():
            found = self._connection.execute(
                "SELECT DISTINCT action FROM steps WHERE state = ?", (StepState.PLANNED,)
            ).fetchall()
        if found:
            with self.writing() as connection:
                connection.execute(
                    "UPDATE steps SET state = ? WHERE state = ?",
                    (StepState.NOT_DONE, StepState.PLANNED),
                )
        return [action for (action,) in found]

    def _update(
        self, entry: Entry, columns: str, values: Sequence[object], prefix: str, kept: Kept
    ) -> None:
        with self.writing() as connection:
            connection.execute(
                f"UPDATE steps SET {columns}, {prefix}size = ?, {prefix}mtime_ns = ?,"
                f" {prefix}fingerprint = ? WHERE action = ? AND number = ?",
                (
                    *values, kept.size, kept.mtime_ns, kept.fingerprint,
                    entry.action, entry.number,
                ),
            )  # fmt: skip

    # Reading

    def actions(self) -> list[Record]:
        """Every action, the newest first."""
        with self.translated():
            rows = self._connection.execute(
                "SELECT id, kind, actions.target, began, state, count(*) FROM actions"
                " JOIN steps ON action = id GROUP BY id, state ORDER BY id DESC"
            ).fetchall()
        found: dict[int, Record] = {}
        for number, kind, into, began, state, count in rows:
            record = found.setdefault(
                number, Record(number, kind, Path(os.fsdecode(into)), began, {})
            )
            record.counts[StepState(state)] = count
        return list(found.values())

    def entries(self, action: int, *states: StepState) -> list[Entry]:
        """The steps of an action in their order, of the given states or all."""
        return self._entries("action = ?", (action,), states)

    def following(self, action: int, number: int, count: int) -> list[Entry]:
        """At most ``count`` steps of an action, those after a number."""
        found = (action, number, number + count)
        return self._entries("action = ? AND number > ? AND number <= ?", found, ())

    def entry(self, entry: Entry) -> Entry:
        """The same step as it stands now."""
        return self._entries("action = ? AND number = ?", (entry.action, entry.number), ())[0]

    def unsettled(self) -> list[Entry]:
        """The steps of all actions that are under way, or were when their process ended."""
        return self._entries("1", (), UNSETTLED)

    def folders(self, action: int) -> list[Path]:
        """The folders that an action made, in their order."""
        with self.translated():
            rows = self._connection.execute(
                "SELECT path FROM folders WHERE action = ? ORDER BY rowid", (action,)
            ).fetchall()
        return [Path(os.fsdecode(path)) for (path,) in rows]

    def with_idle_folders(self) -> list[int]:
        """The actions that made folders, of whose photos none is, or may be, in them."""
        with self.translated():
            rows = self._connection.execute(
                "SELECT DISTINCT action FROM folders WHERE action NOT IN"
                " (SELECT action FROM steps WHERE state IN (?, ?, ?))",
                TO_UNDO,
            ).fetchall()
        return [action for (action,) in rows]

    def _entries(
        self, where: str, values: Iterable[object], states: Sequence[StepState]
    ) -> list[Entry]:
        if states:
            where += f" AND state IN ({', '.join('?' * len(states))})"
        with self.translated():
            rows = self._connection.execute(
                "SELECT action, number, kind, source, steps.target, state, token, size, mtime_ns,"
                " fingerprint, back_size, back_mtime_ns, back_fingerprint"
                f" FROM steps JOIN actions ON id = action WHERE {where} ORDER BY action, number",
                (*values, *states),
            ).fetchall()
        return [
            Entry(
                action, number, kind, Path(os.fsdecode(source)), Path(os.fsdecode(target)),
                StepState(state), _kept(*kept[:3]), _kept(*kept[3:]),
                f".pairlens-{token}-{number}.partial",
            )
            for action, number, kind, source, target, state, token, *kept in rows
        ]  # fmt: skip

    @contextmanager
    def translated(self) -> Iterator[None]:
        """SQLite's errors become those of actions."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise ActionsBusy(path=self.path) from error
            raise JournalUnusable(path=self.path, reason=error) from error


def _kept(size: int | None, mtime_ns: int | None, fingerprint: bytes | None) -> Kept | None:
    return None if size is None or mtime_ns is None else Kept(size, mtime_ns, fingerprint)
