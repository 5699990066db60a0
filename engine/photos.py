"""Find the photos of a folder."""

from __future__ import annotations

import heapq
import logging
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal

from engine.decode import PHOTO_SUFFIXES
from engine.errors import FolderMissing
from engine.paths import on_disk
from engine.types import Cancelled, never_cancelled

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Walk:
    """What was found under a folder.

    Attributes:
        folders: those that hold photos, sorted by path, each with the sorted names of its files
            that are named like photos.
        unreadable: folders that could not be listed. Nothing is known about what they hold: their
            photos are not to be taken for deleted.
        places: folders at which another drive begins, the folder itself included.
        whole: False where the walk was cancelled.
    """

    folders: list[tuple[Path, list[str]]] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)
    places: list[Path] = field(default_factory=list)
    whole: bool = True

    @property
    def total(self) -> int:
        """How many photos there are."""
        return sum(len(names) for _, names in self.folders)

    @property
    def photos(self) -> list[Path]:
        """All photos, sorted by path."""
        return sorted(folder / name for folder, names in self.folders for name in names)


def walk(folder: Path, cancelled: Cancelled = never_cancelled) -> Walk:
    """Look through a folder and all below it.

    Hidden files and folders are left out. Links to folders are followed, each real folder being
    visited once, so that loops end; a folder inside is listed under its own path rather than a
    link's.

    Raises:
        FolderMissing: there is no such folder.
    """
    found = Walk()
    for _ in _look_through(folder, cancelled, found):
        pass
    found.folders.sort()
    return found


def holds_photos(folder: Path, cancelled: Cancelled = never_cancelled) -> bool | None:
    """Whether there are photos in a folder or below it; looks no further than the first.

    Returns:
        None where it was cancelled before that could be told.

    Raises:
        FolderMissing: there is no such folder.
    """
    found = Walk()
    if any(_look_through(folder, cancelled, found)):
        return True
    return False if found.whole else None


def _look_through(folder: Path, cancelled: Cancelled, found: Walk) -> Iterator[str]:
    """Names of photos as they are met; ``found``, but for its order, is whole at the end."""
    if not on_disk(folder).is_dir():
        raise FolderMissing(path=folder)
    seen: set[tuple[int, int]] = set()
    # Each with the drive of the folder above it.
    folders: list[tuple[Path, int | None]] = [(folder, None)]
    links: list[tuple[Path, int | None]] = []  # a heap: which of two links counts must not vary
    while folders or links:
        if cancelled():
            found.whole = False
            break
        here, above = folders.pop() if folders else heapq.heappop(links)
        try:
            status = on_disk(here).stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            names: list[str] = []
            with os.scandir(on_disk(here)) as entries:
                for entry in entries:
                    kind = _kind(entry)
                    if kind == "folder":
                        folders.append((here / entry.name, status.st_dev))
                    elif kind == "link":
                        heapq.heappush(links, (here / entry.name, status.st_dev))
                    elif kind == "photo":
                        names.append(entry.name)
                        yield entry.name
        except OSError as error:
            log.warning("%s: this folder was left out (%s)", here, error.strerror or error)
            found.unreadable.append(here)
            continue
        if status.st_dev != above:
            found.places.append(here)
        if names:
            found.folders.append((here, sorted(names)))


def find_photos(folder: Path) -> list[Path]:
    """The photos in a folder and all below it, sorted by path; see `walk`.

    Folders that can't be listed are left out with a warning in the log.

    Raises:
        FolderMissing: there is no such folder.
    """
    return walk(folder).photos


def locate(photo: Path, beside: Path | None) -> Path:
    """Where a photo named in a list is: beside the list, else in the current folder."""
    if beside is None or photo.is_absolute():
        return photo
    found = beside / photo
    return photo if photo.exists() and not found.exists() else found


def _kind(entry: os.DirEntry[str]) -> Literal["folder", "link", "photo"] | None:
    """What to do with an entry; a link leads to a folder, a photo may be reached through one."""
    if entry.name.startswith("."):
        return None
    if sys.platform == "win32":
        if entry.stat(follow_symlinks=False).st_file_attributes & stat.FILE_ATTRIBUTE_HIDDEN:
            return None
    try:
        if entry.is_dir():
            return "link" if entry.is_symlink() else "folder"
        if PurePath(entry.name).suffix.lower() in PHOTO_SUFFIXES and entry.is_file():
            return "photo"
    except OSError:  # a link that leads round in a circle, or where we may not look
        return None
    return None
