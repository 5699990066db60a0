"""Copy and move photos as planned, keep a journal, and undo.

A plan comes from `engine.action_plan`. Whatever happens in between (a kill, a full disk, a drive
pulled out), each photo is in its old place or in its new one, and the journal says which; an action
that was interrupted is recognised when the journal is next used.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from engine.action_journal import OPEN, TO_UNDO, Entry, Journal, Record, StepState
from engine.action_plan import Kind, Plan
from engine.action_transfer import carry_out, finish, make_folder, settle, take_back
from engine.encoding import failure
from engine.errors import (
    ActionError,
    ActionMissing,
    ActionsBusy,
    DiskFull,
    FolderMissing,
    PhotoError,
    PhotoMissing,
    PhotoNotTransferred,
    SpaceMissing,
    TargetUnwritable,
    TargetVanished,
)
from engine.types import Cancelled, PhotoFailure, Progress, never_cancelled, no_progress

# Steps after which the drive is waited for. As many are told from the disk after a kill.
AT_ONCE = 256
_FULL = {errno.ENOSPC, errno.EDQUOT}


class ActionState(StrEnum):
    """Where an action stands.

    INTERRUPTED: some of its photos are where they were, because it was cancelled or killed, the
    disk was full or the folder vanished. PARTLY_UNDONE: undone, but for what was left alone.
    """

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"
    UNDONE = "undone"
    PARTLY_UNDONE = "partly undone"


@dataclass(frozen=True, slots=True)
class Action:
    """One entry of the list.

    Attributes:
        total: photos it was about.
        done: photos that it brought to their new place and that are not undone.
        unknown: photos of which that can't be told, because their folder is not there now; 0 while
            it is running.
    """

    id: int
    kind: Kind
    into: Path
    began: datetime
    state: ActionState
    total: int
    done: int
    unknown: int


@dataclass(slots=True)
class ActionReport:
    """What became of a plan, or of undoing an action.

    Attributes:
        action: its number in the journal.
        total: steps there were.
        done: (from, to) of each photo that was copied, moved, or, when undoing, taken back.
        failures: photos that were left where they are, each with its reason.
        stopped: why it ended early, if it did; what was done is kept.
        cancelled: whether it ended early because that was asked for.
    """

    action: int
    total: int
    done: list[tuple[Path, Path]] = field(default_factory=list)
    failures: list[PhotoFailure] = field(default_factory=list)
    stopped: ActionError | None = None
    cancelled: bool = False


def check(plan: Plan) -> None:
    """Find out beforehand what would keep a plan from being run at all.

    Raises:
        FolderMissing: the folder that everything goes into is not there and can't be made.
        TargetUnwritable: nothing can be written there.
        SpaceMissing: there is not enough room for it.
    """
    _check_target(plan.into)
    _check_space(plan)


def run(
    plan: Plan,
    journal: Journal,
    progress: Progress = no_progress,
    cancelled: Cancelled = never_cancelled,
) -> ActionReport:
    """Carry out a plan, step by step.

    A photo that can't be copied or moved is named and the others go on. A full disk, a vanished
    folder or a wish to cancel end it between two photos, and it can be undone as far as it came.

    Raises:
        ActionsBusy, JournalUnusable, and what `check` raises: nothing was done.
    """
    with journal.lock():
        _settle_all(journal)
        check(plan)
        action = journal.add(plan)
        report = ActionReport(action, len(plan.steps))
        try:
            report.stopped = _run_steps(plan, journal, report, progress, cancelled)
            journal.drop_planned()
            _remove_empty_folders(journal, action)
        except ActionError as error:  # the journal can't be written
            report.stopped = error
        return report


def undo(
    journal: Journal,
    action: int | None = None,
    progress: Progress = no_progress,
    cancelled: Cancelled = never_cancelled,
) -> ActionReport:
    """Undo an action, or the last one that there is something of to undo.

    Moved photos go back. Copies are deleted if they are still what was copied and the photo is
    still where it was. Everything else is left alone and named. It may be repeated.

    Raises:
        ActionMissing, ActionsBusy, JournalUnusable: nothing was done.
    """
    with journal.lock():
        _settle_all(journal)
        chosen = _to_undo(journal, action)
        unknown = journal.entries(chosen, StepState.BEGUN, StepState.UNDOING)
        entries = journal.entries(chosen, StepState.DONE)[::-1]
        report = ActionReport(chosen, len(entries) + len(unknown))
        for entry in unknown:
            _add_failure(report, entry.target, PhotoMissing(path=entry.target))
        try:
            for start in range(0, len(entries), AT_ONCE):
                if report.stopped or report.cancelled:
                    break
                _undo_some(journal, entries, start, report, progress, cancelled)
            _remove_empty_folders(journal, chosen)
        except ActionError as error:  # the journal can't be written
            report.stopped = error
        return report


def list_actions(journal: Journal) -> list[Action]:
    """What was copied and moved, the newest first.

    A journal in which something is under way is settled before, unless somebody is acting now: then
    that is running. One in which nothing is, as nearly always, is only read.
    """
    records = journal.actions()
    open_ = any(not record.counts.keys().isdisjoint(OPEN) for record in records)
    if not open_ and not journal.with_idle_folders():
        return [_action(record, running=False) for record in records]
    try:
        # Read before somebody else can begin, whose first steps would look interrupted.
        with journal.lock():
            _settle_all(journal)
            return [_action(record, running=False) for record in journal.actions()]
    except ActionsBusy:
        return [_action(record, running=True) for record in journal.actions()]


def _run_steps(
    plan: Plan, journal: Journal, report: ActionReport, progress: Progress, cancelled: Cancelled
) -> ActionError | None:
    """Do what there is to do; returns why it ended early, if it did."""
    try:
        make_folder(journal, report.action, plan.into)
        drive = plan.into.stat().st_dev
    except OSError as error:
        return _stopping(error, plan.into) or TargetVanished(path=plan.into)
    done = 0
    while entries := journal.following(report.action, done, AT_ONCE):
        with _finishing(journal, StepState.DONE) as finished:
            for entry in entries:
                if cancelled():
                    report.cancelled = True
                    return None
                # An empty mount point, or nothing, is what is left of a drive that is gone.
                if not _is_there(plan.into, drive):
                    return TargetVanished(path=plan.into)
                if stop := _run_step(journal, entry, plan.into, drive, report, finished):
                    return stop
                done += 1
                progress(done, report.total)
    return None


def _run_step(
    journal: Journal,
    entry: Entry,
    into: Path,
    drive: int,
    report: ActionReport,
    finished: list[Entry],
) -> ActionError | None:
    try:
        entry = carry_out(journal, entry)
        finished.append(entry)
    except (PhotoError, OSError) as problem:
        entry = journal.entry(entry)
        if settle(journal, entry) is not StepState.DONE:
            if stop := _stopping(problem, into):
                return stop
            if not _is_there(into, drive):
                return TargetVanished(path=into)
            journal.fail(entry)
            _add_failure(report, entry.source, _named(problem, entry.source, entry.target))
            return None
    report.done.append((entry.source, entry.target))
    return None


def _undo_some(
    journal: Journal,
    entries: Sequence[Entry],
    start: int,
    report: ActionReport,
    progress: Progress,
    cancelled: Cancelled,
) -> None:
    """Undo `AT_ONCE` steps; the report says whether it is to end then."""
    with _finishing(journal, StepState.UNDONE) as finished:
        for number, entry in enumerate(entries[start : start + AT_ONCE], start=start + 1):
            if cancelled():
                report.cancelled = True
                return
            report.stopped = _undo_step(journal, entry, report, finished)
            if report.stopped:
                return
            progress(number, len(entries))


def _undo_step(
    journal: Journal, entry: Entry, report: ActionReport, finished: list[Entry]
) -> ActionError | None:
    try:
        finished.append(take_back(journal, entry))
    except (PhotoError, OSError) as problem:
        entry = journal.entry(entry)
        undoing = entry.state is StepState.UNDOING
        if not undoing or settle(journal, entry) is not StepState.UNDONE:
            _add_failure(report, entry.target, _named(problem, entry.target, entry.source))
            return _stopping(problem, entry.source.parent)
    report.done.append((entry.target, entry.source))
    return None


@contextmanager
def _finishing(journal: Journal, state: StepState) -> Iterator[list[Entry]]:
    """Takes steps that were carried out, to be finished together at the end."""
    carried_out: list[Entry] = []
    yield carried_out
    if carried_out:
        finish(journal, carried_out, state)


def _named(error: PhotoError | OSError, here: Path, there: Path) -> PhotoError:
    if isinstance(error, PhotoError):
        return error
    reason = error.strerror or str(error)
    return PhotoNotTransferred(path=here, target=there, reason=reason)


def _add_failure(report: ActionReport, photo: Path, error: PhotoError) -> None:
    report.failures.append(failure(photo, error))


def _stopping(error: PhotoError | OSError, folder: Path) -> DiskFull | None:
    """The reason to go no further, if this is one."""
    full = isinstance(error, OSError) and error.errno in _FULL
    return DiskFull(path=folder) if full else None


def _is_there(folder: Path, drive: int) -> bool:
    try:
        return folder.is_dir() and folder.stat().st_dev == drive
    except OSError:
        return False


def _check_target(into: Path) -> None:
    folder = into if os.path.lexists(into) else into.parent
    if not folder.is_dir():
        raise FolderMissing(path=folder)
    if not os.access(folder, os.W_OK):
        raise TargetUnwritable(path=folder)


def _check_space(plan: Plan) -> None:
    """Raise SpaceMissing if a drive has not enough room for what is to be copied onto it."""
    needed: Counter[int] = Counter()
    folders: dict[int, Path] = {}
    for step in plan.steps:
        folder = step.target.parent
        while not folder.exists():
            folder = folder.parent
        drive = folder.stat().st_dev
        folders[drive] = folder
        if plan.kind == "copy" or not _is_there(step.source.parent, drive):
            needed[drive] += step.size
    for drive, size in needed.items():
        free = shutil.disk_usage(folders[drive]).free
        if size > free:
            raise SpaceMissing(path=plan.into, needed=_megabytes(size), free=_megabytes(free))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"


def _settle_all(journal: Journal) -> None:
    """Find out where the steps stand that were under way when their process ended."""
    dropped = journal.drop_planned()
    entries = journal.unsettled()
    for entry in entries:
        settle(journal, entry)
    for action in {entry.action for entry in entries}.union(dropped, journal.with_idle_folders()):
        _remove_empty_folders(journal, action)


def _remove_empty_folders(journal: Journal, action: int) -> None:
    """Remove the folders that the action made and that hold nothing, unless photos belong there."""
    in_use = {entry.target.parent for entry in journal.entries(action, *TO_UNDO)}
    for folder in reversed(journal.folders(action)):
        if folder not in in_use:
            with suppress(OSError):  # not empty, or not there
                folder.rmdir()
    if not in_use:
        journal.forget_folders(action)


def _to_undo(journal: Journal, action: int | None) -> int:
    for record in journal.actions():
        if action in (None, record.id) and not record.counts.keys().isdisjoint(TO_UNDO):
            return record.id
    raise ActionMissing()


def _action(record: Record, running: bool) -> Action:
    count = Counter(record.counts)
    unknown = count[StepState.BEGUN] + count[StepState.UNDOING]
    left = count[StepState.DONE] + unknown
    if running and unknown + count[StepState.PLANNED]:
        state, unknown = ActionState.RUNNING, 0
    elif count[StepState.UNDONE] or count[StepState.UNDOING]:
        state = ActionState.PARTLY_UNDONE if left else ActionState.UNDONE
    elif count[StepState.PLANNED] + count[StepState.BEGUN] + count[StepState.NOT_DONE]:
        state = ActionState.INTERRUPTED
    else:
        state = ActionState.DONE
    return Action(
        record.id, record.kind, record.into, datetime.fromtimestamp(record.began).astimezone(),
        state, count.total(), count[StepState.DONE], unknown,
    )  # fmt: skip
