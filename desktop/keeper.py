"""Keeps indexes up to date: where the person asks, and by itself where the library in use changes.

All indexing of the window goes through here and is done by the `JobRunner`, so that there is one
writer. What the person asks for is a job of its own. Changes that are watched for are taken up by
one quiet job, which gives way to everything else and comes back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.jobs import Job, JobRunner, Snapshot, State
from engine.cards import Card, card_named, card_of, read_card, rename
from engine.errors import (
    FolderMissing,
    FolderTaken,
    LibraryBusy,
    LibraryDamaged,
    LibraryIndexing,
    LibraryUnknown,
)
from engine.index import Library, index_folder
from engine.indexing import IndexReport
from engine.types import Cancelled, PhotoFailure, Progress
from engine.watch import Watcher

if TYPE_CHECKING:
    from engine.matcher import Matcher

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class News:
    """What became of the library in use by itself since somebody last looked.

    Attributes:
        added: photos that can be found now: new, changed or come back.
        renewed: photos encoded by a new model, as an earlier one had encoded more of them.
        removed: photos that are gone.
        failures: photos that can't be used, and could be or were not there before.
        damage: set where its file was damaged, and has been made anew.
        error: why changes could not be taken up the last time; None if they were.
    """

    added: int = 0
    renewed: int = 0
    removed: int = 0
    failures: tuple[PhotoFailure, ...] = ()
    damage: LibraryDamaged | None = None
    error: Exception | None = None


class Keeper:
    """See the module. Its methods may be called from several threads.

    Args:
        matcher: gives the matcher, waiting for it as needed; may raise PackError.
    """

    def __init__(self, jobs: JobRunner, matcher: Callable[[], Matcher]) -> None:
        self._jobs = jobs
        self._matcher = matcher
        # A watch is begun and ended outside the lock: its end waits for what it is telling.
        self._switching = threading.Lock()
        self._lock = threading.RLock()
        self._asked: Job[IndexReport] | None = None
        self._asked_for: tuple[Path | None, str | None] = (None, None)
        self._used: Card | None = None
        self._watchers: list[Watcher] = []
        self._due: set[Path] = set()
        self._quiet: Job[bool] | None = None
        self._quiet_open = False
        self._paused = False
        self._resting: set[str] = set()
        self._renewing = False
        self._begun: set[Path] = set()
        self._failed: set[Path] = set()
        self._news = News()
        self._closed = False

    # What the person asks for

    def index(
        self, folder: Path | None, name: str | None = None, damage: LibraryDamaged | None = None
    ) -> Job[IndexReport]:
        """Index as `index_folder` does, now.

        What is under way already is not begun twice. ``damage`` is what the report is to tell of,
        if that is known before.
        """

        def work(progress: Progress, cancelled: Cancelled) -> IndexReport:
            if cancelled():
                return IndexReport(cancelled=True)
            encoder = self._matcher().tuned().indexer
            report = index_folder(folder, encoder, progress, cancelled, name)
            report.damage = report.damage or damage
            return report

        with self._lock:
            begun = self.under_way if self._asked_for == (folder, name) else None
            if begun is not None and not begun.snapshot().cancelling:
                return begun
            self._asked_for = folder, name
            card = self._card_asked_for()
            if card is not None:
                self._resting.discard(card.name)
            self._asked = self._jobs.submit(work)
            return self._asked

    @property
    def asked(self) -> Job[IndexReport] | None:
        """What was asked for last, finished or not."""
        return self._asked

    @property
    def under_way(self) -> Job[IndexReport] | None:
        """What was asked for last, while it has not finished."""
        job = self._asked
        return None if job is None or job.finished else job

    @property
    def asked_for(self) -> tuple[Path | None, str | None]:
        """The folder and the name of the library that `asked` is about."""
        return self._asked_for

    @property
    def quiet(self) -> Job[bool] | None:
        """The job that takes up changes, while there is one."""
        with self._lock:
            return self._quiet if self._quiet_open else None

    def pause(self) -> None:
        """Let the indexing rest, asked for or not, until `resume`."""
        with self._lock:
            job = self.current
            if job is not None:
                self._paused = job.quiet
                job.pause()

    def resume(self) -> None:
        """Let paused indexing go on."""
        with self._lock:
            self._paused = False
            job = self.current
            if job is not None:
                job.resume()

    def cancel(self) -> None:
        """End the indexing; the library is left as it is until somebody asks to index it."""
        with self._lock:
            job = self.current
            card = self._used if job is self._quiet else self._card_asked_for()
            if job is not None:
                job.cancel()
            if card is not None:
                self._resting.add(card.name)
        if card is not None and card == self._used:
            self._switch_to(None)

    def is_indexing(self, name: str) -> bool:
        """Whether it is this program that is indexing a library now."""
        with self._lock:
            cards = [self._used if self.quiet is not None else None]
            if self.under_way is not None:
                cards.append(self._card_asked_for())
            return any(card is not None and card.name == name for card in cards)

    def let_go(self, name: str) -> None:
        """End all that is going on with a library, so that it can be deleted, and wait for that."""
        with self._lock:
            card = self._card_asked_for()
            jobs: list[Job[IndexReport] | Job[bool]] = []
            if self._asked is not None and card is not None and card.name == name:
                jobs.append(self._asked)
            in_use = self._used is not None and self._used.name == name
            if in_use and self._quiet is not None:
                jobs.append(self._quiet)
            self._resting.discard(name)
        if in_use:
            self._switch_to(None)
        for job in jobs:
            job.cancel()
            # One that waits will see that it is cancelled before it does anything.
            if job.snapshot().state is State.RUNNING:
                job.wait()

    def rename(self, name: str, to: str) -> Card:
        """Call a library something else, as `engine.cards.rename` does, and go on watching it.

        Raises:
            LibraryIndexing: it is being indexed, or that waits for its turn; and what else that
                raises.
        """
        if self.is_indexing(name):
            raise LibraryIndexing(name=name)
        card = rename(name, to)
        with self._lock:
            folder, asked = self._asked_for
            if asked is not None and asked.casefold() == name.casefold():
                self._asked_for = folder, card.name
            if name in self._resting:
                self._resting = self._resting - {name} | {card.name}
            in_use = self._used is not None and self._used.file == card.file
        if in_use:
            self._switch_to(card)
        return card

    def _card_asked_for(self) -> Card | None:
        folder, name = self._asked_for
        if name is not None:
            return card_named(name)
        return None if folder is None else card_of(folder.resolve())

    @property
    def current(self) -> Job[IndexReport] | Job[bool] | None:
        """What pausing and cancelling is about: what was asked for, or else the quiet job."""
        return self.under_way or self.quiet

    def snapshot(self) -> Snapshot | None:
        """Where `current` stands; None also while a quiet job only looks for what to do."""
        job = self.current
        if job is None:
            return None
        at = job.snapshot()
        return None if job.quiet and not at.has_found_work else at

    # What is done by itself

    def use(self, name: str) -> None:
        """Watch this library's folders from now on, and no other's.

        A library whose indexing the person cancelled is left alone until they ask for it.
        """
        card = card_named(name)
        with self._lock:
            if card is not None and card == self._used:
                self._submit()  # what could not be done before, another program being at it
                return
            if card is None or card.name in self._resting:
                card = None
        self._switch_to(card)

    def renew(self) -> None:
        """Look through the library in use again, as another model answers now."""
        with self._lock:
            card = self._used
        if card is not None:
            self._switch_to(card)

    @property
    def in_use(self) -> bool:
        """Whether a library is watched."""
        return self._used is not None

    @property
    def renewing(self) -> bool:
        """Whether the quiet job does again, with a new model, what an earlier one did."""
        return self._renewing

    @property
    def news(self) -> News:
        """What happened by itself since `read_news`."""
        return self._news

    def read_news(self) -> None:
        """Begin to count anew, as the person is shown the library as it is now."""
        with self._lock:
            self._news = News(error=self._news.error)

    def close(self) -> None:
        """Watch nothing and begin nothing any more; to be called before the runner is closed."""
        with self._lock:
            self._closed = True
        self._switch_to(None)

    def _switch_to(self, card: Card | None) -> None:
        with self._switching:
            with self._lock:
                ended, self._watchers = self._watchers, []
                self._used, self._due = None, set()
                self._begun, self._failed = set(), set()
                self._news, self._paused = News(), False
                if self._quiet is not None:
                    self._quiet.cancel()
            for watcher in ended:
                watcher.stop()
            with self._lock:
                if card is None or self._closed:
                    return
                self._used = card
                self._watchers = [
                    Watcher(folder, partial(self._changed, card)) for folder in card.folders
                ]
            for watcher in self._watchers:
                watcher.start()

    def _changed(self, card: Card, folders: list[Path]) -> None:
        """Called by the watchers, in their threads."""
        with self._lock:
            if card == self._used:
                self._due.update(folders)
                self._submit()

    def _submit(self) -> None:
        """Begin to take up what is due, unless that is being done; under the lock."""
        if self._due and self._used is not None and not self._quiet_open and not self._closed:
            self._quiet_open = True
            self._quiet = self._jobs.submit(partial(self._take_up, self._used), quiet=True)
            if self._paused:
                self._quiet.pause()

    def _take_up(self, card: Card, progress: Progress, cancelled: Cancelled) -> bool:
        failed = True
        try:
            while not cancelled() and (due := self._next(card)):
                self._index_quietly(card, due, progress, cancelled)
            failed = False
        finally:
            with self._lock:
                self._quiet_open = False
                if not failed:
                    self._submit()  # what came since, or is left as this job gave way
        return True

    def _next(self, card: Card) -> set[Path]:
        """Folders to be looked through together: all of the library, or else one."""
        with self._lock:
            if card != self._used or not self._due:
                return set()
            due = self._due if self._due >= set(card.folders) else {min(self._due)}
            self._due = self._due - due
            return due

    def _index_quietly(
        self, card: Card, due: set[Path], progress: Progress, cancelled: Cancelled
    ) -> None:
        folder = None if due >= set(card.folders) else min(due)
        try:
            encoder = self._matcher().tuned().indexer
            now = read_card(card.file)  # another program may have renamed it
            if now is None:
                raise LibraryUnknown(name=card.name)
            damage, self._renewing = _standing(card, encoder.model_id)
            try:
                report = index_folder(folder, encoder, progress, cancelled, now.name)
            except FolderTaken:  # it is another library's too; this one has it from further up
                report = index_folder(None, encoder, progress, cancelled, now.name)
        except FolderMissing:  # deleted since; the one above it has been told as well
            return
        except Exception as error:
            with self._lock:
                if card == self._used:
                    self._news = replace(self._news, error=error)
                    if isinstance(error, LibraryBusy):
                        self._due |= due
            raise
        report.damage = report.damage or damage
        with self._lock:
            if card == self._used:
                if report.cancelled:
                    self._due |= due
                self._tell(report, due & set(card.folders))

    def _tell(self, report: IndexReport, roots: set[Path]) -> None:
        """Add a report, of these folders of the library or of one below, to the news."""
        news, count = self._news, report.indexed + report.reused
        # What a folder brings along that was not looked at before is no news.
        tell = roots <= self._begun
        fresh = [failure for failure in report.failures if failure.photo not in self._failed]
        self._begun |= roots
        self._failed |= {failure.photo for failure in report.failures}
        self._news = News(
            added=news.added + (0 if self._renewing else count),
            renewed=news.renewed + (count if self._renewing else 0),
            removed=news.removed + report.removed,
            failures=(*news.failures, *(fresh if tell else ())),
            damage=report.damage or news.damage,
        )


def _standing(card: Card, model_id: str) -> tuple[LibraryDamaged | None, bool]:
    """What is wrong with a library's file, and whether an older model has encoded more of it."""
    try:
        with closing(Library(card)) as library:
            return None, bool(library.ahead_of(model_id))
    except LibraryDamaged as error:
        return error, False
