"""Where data, cache and logs live."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePath
from typing import TypeVar

import platformdirs

from engine.errors import OutputUnwritable

AnyPath = TypeVar("AnyPath", bound=PurePath)

APP = "PairLens"
HOME_VARIABLE = "PAIRLENS_HOME"
PACK_VARIABLE = "PAIRLENS_PACK"


def _place(kind: str, default: str) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    return _made(Path(home) / kind if home else Path(default))


def _made(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputUnwritable(path=path, reason=error.strerror or error) from error
    return path


def data_dir() -> Path:
    """Libraries and settings; under ``$PAIRLENS_HOME/data`` if that is set.

    This and the others are made when missing. Raises OutputUnwritable where they can't be.
    """
    return _place("data", platformdirs.user_data_dir(APP, appauthor=False))


def cache_dir() -> Path:
    """What can be made again: thumbnails and temporary files."""
    return _place("cache", platformdirs.user_cache_dir(APP, appauthor=False))


def log_dir() -> Path:
    """Rotating logs."""
    return _place("logs", platformdirs.user_log_dir(APP, appauthor=False))


def libraries_dir() -> Path:
    """One SQLite file per library."""
    return _made(data_dir() / "libraries")


def packs_dir() -> Path:
    """A folder for each model pack that was imported."""
    return _made(data_dir() / "models")


def resources_dir() -> Path:
    """Files shipped with the program (model pack, locales, icons, samples); read-only."""
    return Path(__file__).resolve().parent.parent / "resources"


def locale_file(language: str) -> Path:
    """The words of one language, by name: {"report.title": ...}."""
    return resources_dir() / "locales" / f"{language}.json"


def languages() -> list[str]:
    """The names of the languages there are words for, sorted."""
    return sorted(path.stem for path in locale_file("en").parent.glob("*.json"))


def shipped_pack_dir() -> Path:
    """The default model pack; `engine.installed.used` says which one is in use."""
    return resources_dir() / "models" / "default"


def on_disk(path: AnyPath, windows: bool = sys.platform == "win32") -> AnyPath:
    r"""The path to open a file by. Windows takes more than 260 characters after ``\\?\`` only."""
    text = str(path)
    # 248 is the limit of folders; "." and ".." mean nothing after the prefix.
    if not windows or len(text) < 248 or text.startswith("\\\\?\\") or ".." in path.parts:
        return path
    if text.startswith("\\\\"):
        return type(path)("\\\\?\\UNC\\" + text[2:])
    return type(path)("\\\\?\\" + text) if path.is_absolute() else path
