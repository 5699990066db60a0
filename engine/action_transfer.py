"""One journalled step: carried out, taken back, or, after an interruption, told from the disk.

The order of writing makes every moment tellable. A copy is written to a hidden partial file beside
its target; once it is whole, the journal gets its fingerprint; only then it is renamed, never onto
something. A move on one drive is that renaming alone; across drives it is such a copy, read back,
and the source is deleted last. What folders hold is seen onto the disk for many steps together, by
`finish`, before the journal says that they are done.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from engine.action_files import (
    Kept,
    copy_to_partial,
    examine,
    holds,
    look,
    one_file,
    remove,
    rename_new,
    same_place,
    sync_folder,
    unchanged,
)
from engine.action_journal import Entry, Journal, StepState
from engine.action_plan import Names
from engine.errors import (
    PhotoChangedSince,
    PhotoChanging,
    PhotoMissing,
    PhotoNotTransferred,
    PhotoOnlyCopy,
    PhotoPlaceTaken,
)
from engine.fingerprint import fingerprint


def carry_out(journal: Journal, entry: Entry) -> Entry:
    """Do a planned step; where its name is taken by now, under another one.

    Returns it as it was done, for `finish`. Raises PhotoError or OSError; what is on the disk then
    is for `settle` to say.
    """
    make_folder(journal, entry.action, entry.target.parent)
    kept = examine(entry.source, moving=entry.kind == "move")
    target = entry.target
    while True:
        entry = journal.begin(entry, target, kept)
        try:
            _transfer(journal, entry, entry.source, target)
            return entry
        except FileExistsError:
            target = _free(entry.target)
            if target == entry.target:
                raise
            entry.target.with_name(entry.partial).unlink(missing_ok=True)


def take_back(journal: Journal, entry: Entry) -> Entry:
    """Undo a step that was done; returns it for `finish`.

    Raises:
        PhotoError: it was left as it is, and why.
        OSError: what is on the disk then is for `settle` to say.
    """
    if entry.kind == "copy":
        _remove_copy(journal, entry)
    else:
        _move_back(journal, entry)
    return entry


def finish(journal: Journal, entries: Sequence[Entry], state: StepState) -> None:
    """See onto the disk what steps did; then write down that they are DONE, or UNDONE.

    Many at once, because it is the drive that takes its time. A kill before leaves steps under way,
    and each can be told.
    """
    failed = set()
    for folder in {folder for entry in entries for folder in _touched(entry)}:
        try:
            sync_folder(folder)
        except OSError:
            failed.add(folder)
    journal.mark(state, *(entry for entry in entries if failed.isdisjoint(_touched(entry))))
    for entry in entries:
        if not failed.isdisjoint(_touched(entry)):
            settle(journal, journal.entry(entry))


def _touched(entry: Entry) -> set[Path]:
    """The folders in which names changed."""
    there = {entry.target.parent}
    return there if entry.kind == "copy" else there | {entry.source.parent}


def settle(journal: Journal, entry: Entry) -> StepState:
    """Find out from the disk where an interrupted step stands, and write it down.

    What is half there is removed. The state stays what it was while that can't be told because a
    folder is not there or can't be read.
    """
    undoing = entry.state is StepState.UNDOING
    try:
        arrived = _arrived(entry, undoing)
    except OSError:
        arrived = None
    if arrived is None:
        return entry.state
    if undoing:
        state = StepState.UNDONE if arrived else StepState.DONE
    else:
        state = StepState.DONE if arrived else StepState.NOT_DONE
    journal.mark(state, entry)
    return state


def make_folder(journal: Journal, action: int, folder: Path) -> None:
    """Make a folder, but not the one it is in: a drive that is gone must not be made up."""
    if not folder.is_dir():
        journal.add_folder(action, folder)
        folder.mkdir()
        sync_folder(folder.parent)


def _free(target: Path) -> Path:
    return target.with_name(Names.in_folder(target.parent).take(target.name, target.suffix))


def _transfer(journal: Journal, entry: Entry, here: Path, there: Path) -> None:
    """Bring a photo to its target, or back to its source. FileExistsError if a file is there."""
    if entry.kind == "move" and _renamed(here, there):
        return
    partial = there.with_name(entry.partial)
    copy = copy_to_partial(here, partial)
    if entry.kind == "move" and fingerprint(partial) != copy.fingerprint:
        raise OSError(errno.EIO, "the copy is not what was written")
    journal.copied(entry, copy)
    rename_new(partial, there)
    if entry.kind == "move":
        sync_folder(there.parent)
        if entry.kept is None or look(here) != Kept(entry.kept.size, entry.kept.mtime_ns):
            raise PhotoChanging(path=here)
        remove(here)


def _renamed(here: Path, there: Path) -> bool:
    try:
        rename_new(here, there)
    except OSError as error:
        if error.errno == errno.EXDEV:
            return False
        raise
    return True


def _remove_copy(journal: Journal, entry: Entry) -> None:
    target, kept = entry.target, entry.kept
    if not target.parent.is_dir():
        raise PhotoMissing(path=target)
    there = kept is not None and os.path.lexists(target)
    if kept is not None and there:
        if not unchanged(target, kept):
            raise PhotoChangedSince(path=target)
        if not holds(entry.source, kept) or same_place(entry.source, target):
            raise PhotoOnlyCopy(path=target, source=entry.source)
    journal.mark(StepState.UNDOING, entry)
    if there:
        remove(target)


def _move_back(journal: Journal, entry: Entry) -> None:
    target, source, kept = entry.target, entry.source, entry.kept
    found = look(target)
    if found is None or kept is None:
        raise PhotoMissing(path=target)
    if found != Kept(kept.size, kept.mtime_ns):
        raise PhotoChangedSince(path=target)
    if not source.parent.is_dir():
        raise PhotoNotTransferred(path=target, target=source, reason="its folder is gone")
    journal.mark(StepState.UNDOING, entry)
    try:
        _transfer(journal, journal.entry(entry), target, source)
    except FileExistsError:
        raise PhotoPlaceTaken(path=target, target=source) from None


def _arrived(entry: Entry, undoing: bool) -> bool | None:
    """Whether an interrupted step, or its undoing, took place; None if that can't be told."""
    if entry.state is StepState.PLANNED:
        return False
    if not entry.target.parent.is_dir():
        return None
    if undoing and entry.kind == "copy":
        return not os.path.lexists(entry.target)
    if undoing:
        here, there, copy = entry.target, entry.source, entry.back
    else:
        here, there, copy = entry.source, entry.target, entry.kept
    if copy is not None and copy.fingerprint is None:
        copy = None
    partial = there.with_name(entry.partial)
    if entry.kind == "copy":
        return _published(partial, there, copy)
    if not here.parent.is_dir() or not there.parent.is_dir() or entry.kept is None:
        return None
    if copy is None:
        partial.unlink(missing_ok=True)
        return _was_renamed(here, there, entry.kept)
    return _was_moved(here, there, partial, copy)


def _published(partial: Path, there: Path, copy: Kept | None) -> bool:
    """Whether a copy got its name; the partial file is removed."""
    if os.path.lexists(partial):
        linked = one_file(partial, there)
        partial.unlink()
        return linked
    return copy is not None and unchanged(there, copy)


def _was_renamed(here: Path, there: Path, kept: Kept) -> bool:
    if one_file(here, there):
        there.unlink()
        return False
    was = Kept(kept.size, kept.mtime_ns)
    if look(here) == was:
        return False
    return look(there) == was or (os.path.lexists(there) and not os.path.lexists(here))


def _was_moved(here: Path, there: Path, partial: Path, copy: Kept) -> bool:
    """Across drives: with both files whole, the copy goes and the photo stays."""
    waiting = os.path.lexists(partial)
    published = _published(partial, there, copy)
    if waiting and not published:
        return False
    if holds(here, copy):
        if published:
            remove(there)
            sync_folder(there.parent)
        return False
    return os.path.lexists(there) or not os.path.lexists(here)
