"""A file that tells of a crash, and that is gone when the program ended as it should.

A crash of the interpreter, an exception that nobody caught and a killed process all leave it; the
next start finds it, says so once and keeps what it holds for a report.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import IO

from desktop.scratch import is_alive

log = logging.getLogger(__name__)

PREFIX = "crash-"
LAST = "last-crash.txt"


class CrashLog:
    """One file per process in ``folder``, from now until `close`.

    Attributes:
        earlier: what an earlier process noted before it crashed, empty where it could not; None if
            all have ended as they should, or that was told before.
    """

    def __init__(self, folder: Path) -> None:
        self.earlier = _take_earlier(folder)
        self._path = folder / f"{PREFIX}{os.getpid()}.txt"
        self._file: IO[str] | None = None
        try:
            self._file = self._path.open("w", encoding="utf-8")
        except OSError as error:
            log.warning("a crash will leave no trace: %s", error)
            return
        faulthandler.enable(self._file)
        self._before = sys.excepthook, threading.excepthook
        sys.excepthook = self._uncaught
        threading.excepthook = lambda told: self._uncaught(
            told.exc_type, told.exc_value, told.exc_traceback
        )

    def readable(self, log_file: Path) -> Path | None:
        """Where to read of an earlier crash: in what it noted, else in the program's log."""
        if self.earlier is None:
            return None
        return self.earlier if self.earlier.stat().st_size else log_file

    def close(self) -> None:
        """Nothing that comes now is a crash any more."""
        if self._file is None:
            return
        faulthandler.disable()
        sys.excepthook, threading.excepthook = self._before
        empty = self._file.tell() == 0
        self._file.close()
        self._file = None
        if empty:
            self._path.unlink(missing_ok=True)

    def _uncaught(
        self,
        kind: type[BaseException],
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if issubclass(kind, SystemExit | KeyboardInterrupt):
            return
        told = (kind, error or kind(), trace)
        log.critical("an exception that nobody caught", exc_info=told)
        if self._file is not None:
            self._file.write(logging.Formatter().formatException(told) + "\n")
            self._file.flush()


def _take_earlier(folder: Path) -> Path | None:
    """What is left of crashes, in one file; empty ones only show that there was a crash."""
    left = [
        path
        for path in sorted(folder.glob(f"{PREFIX}*.txt"))
        if (pid := path.stem.removeprefix(PREFIX)).isdigit() and not is_alive(int(pid))
    ]
    if not left:
        return None
    noted = "".join(path.read_text(encoding="utf-8", errors="replace") for path in left)
    last = folder / LAST
    last.write_text(noted, encoding="utf-8")
    for path in left:
        path.unlink(missing_ok=True)
    return last
