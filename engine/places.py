"""Drives and network shares that come and go: what is not connected is not deleted."""

from __future__ import annotations

import os
from pathlib import Path

from engine.paths import on_disk


def mount_of(folder: Path) -> Path:
    """Where the drive that holds a folder is mounted."""
    resolved = folder.resolve()
    for place in (resolved, *resolved.parents):
        if os.path.ismount(place):
            return place
    return Path(resolved.anchor)


def is_away(folder: Path, mount: Path, root: bool) -> bool:
    """Whether a folder is out of reach rather than deleted or emptied.

    It is when it has nothing in it, or isn't there, and its drive is no longer mounted at
    ``mount``. A folder that a person added (``root``) is never taken for deleted: when it isn't
    there it is away.
    """
    try:
        if not on_disk(folder).is_dir():
            return root or not os.path.ismount(mount)
        if os.path.ismount(mount):
            return False
        with os.scandir(on_disk(folder)) as entries:
            return next(entries, None) is None
    except OSError:  # a share that no longer answers
        return True
