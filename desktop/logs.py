"""Rotating logs, so that what went wrong can be looked up and the terminal stays readable."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE_NAME = "pairlens.log"


def configure(folder: Path) -> Path:
    """Send everything that is logged in this process to a file in ``folder``.

    Returns:
        The log file. At most four files of 1 MB are kept.
    """
    path = folder / FILE_NAME
    handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    return path


def quiet_pywebview() -> None:
    """pywebview adds its own handler to stderr at import; the log file is enough."""
    logger = logging.getLogger("pywebview")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
