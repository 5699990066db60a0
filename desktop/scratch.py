"""A private folder for uploads and exports that is gone when the program is."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


class Scratch:
    """One folder per process under ``cache``, readable by nobody else.

    Folders left behind by processes that died are removed when a new one is made.
    """

    def __init__(self, cache: Path) -> None:
        parent = cache / "sessions"
        parent.mkdir(parents=True, exist_ok=True)
        for left in parent.iterdir():
            if not (left.name.isdigit() and is_alive(int(left.name))):
                shutil.rmtree(left, ignore_errors=True)
        self.folder = parent / str(os.getpid())
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)

    def make(self, name: str) -> Path:
        """A folder of that name inside, as private."""
        path = self.folder / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def remove(self) -> None:
        """Delete everything in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def is_alive(pid: int) -> bool:
    """Whether there is a process of that number, anybody's."""
    if sys.platform == "win32":
        # os.kill(pid, 0) would end the process there.
        import ctypes

        query_limited_information = 0x1000
        handle = ctypes.windll.kernel32.OpenProcess(query_limited_information, False, pid)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
