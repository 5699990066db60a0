"""Rotating logs, so that what went wrong can be looked up and the terminal stays readable.

Beside the log proper a short one is kept that names nothing of the person's: what a report for a
bug may be made of.
"""

from __future__ import annotations

import logging
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE_NAME = "pairlens.log"
NAMELESS_NAME = "nameless.log"
OURS = ("engine", "desktop")
HIDDEN = "…"


class NamelessFormatter(logging.Formatter):
    """Writes of a record what our own source says, and nothing that was filled in.

    Photo names, captions and folders can't be told from other words afterwards, so they are never
    written: of what fills a sentence only numbers and kinds of errors are kept, of an error its
    kind and where in the source it was raised. Of other libraries, which fill in their sentences
    themselves, no sentence is kept at all.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One record as lines of text."""
        lines = [_sentence(record)]
        if record.exc_info and record.exc_info[1] is not None:
            lines += _origin(record.exc_info[1])
        bare = logging.makeLogRecord(
            {**record.__dict__, "msg": "\n  ".join(lines), "args": None, "exc_info": None,
             "exc_text": None, "stack_info": None}
        )  # fmt: skip
        return super().format(bare)


def _sentence(record: logging.LogRecord) -> str:
    if record.name.split(".")[0] not in OURS or not isinstance(record.msg, str):
        return HIDDEN
    filled = record.args if isinstance(record.args, tuple) else (record.args,)
    try:
        return record.msg % tuple(map(_nameless, filled)) if record.args else record.msg
    except (TypeError, ValueError):
        return record.msg


def _nameless(value: object) -> object:
    if isinstance(value, int | float):
        return value
    return _kind(value) if isinstance(value, BaseException) else HIDDEN


def _kind(error: BaseException) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return type(error).__name__ + (f" {number}" if number is not None else "")


def _origin(error: BaseException) -> list[str]:
    """The kinds of an error and of what led to it, each with its way through the source."""
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(lines) < 100:
        lines.append(_kind(seen))
        for frame in traceback.extract_tb(seen.__traceback__):
            # The last two names are of a package and its module, not of where it is installed.
            place = "/".join(Path(frame.filename).parts[-2:])
            lines.append(f"  {place}:{frame.lineno} {frame.name}")
        seen = seen.__cause__ or seen.__context__
    return lines


def configure(folder: Path) -> Path:
    """Send everything that is logged in this process to a file in ``folder``.

    Returns:
        The log file. At most four files of 1 MB are kept.
    """
    path = folder / FILE_NAME
    handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    nameless = RotatingFileHandler(
        folder / NAMELESS_NAME, maxBytes=100_000, backupCount=1, encoding="utf-8"
    )
    nameless.setFormatter(NamelessFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    root.addHandler(nameless)
    root.setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    return path


def quiet_pywebview() -> None:
    """pywebview adds its own handler to stderr at import; the log file is enough."""
    logger = logging.getLogger("pywebview")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
