"""Where data, cache and logs live."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

APP = "PairLens"
HOME_VARIABLE = "PAIRLENS_HOME"
PACK_VARIABLE = "PAIRLENS_PACK"


def _place(kind: str, default: str) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    path = Path(home) / kind if home else Path(default)
    path.mkdir(parents=True, exist_ok=True)
    return path


def data_dir() -> Path:
    """Libraries and settings. Made when missing; under ``$PAIRLENS_HOME/data`` if that is set."""
    return _place("data", platformdirs.user_data_dir(APP, appauthor=False))


def cache_dir() -> Path:
    """What can be made again: thumbnails and temporary files."""
    return _place("cache", platformdirs.user_cache_dir(APP, appauthor=False))


def log_dir() -> Path:
    """Rotating logs."""
    return _place("logs", platformdirs.user_log_dir(APP, appauthor=False))


def libraries_dir() -> Path:
    """One SQLite file per library."""
    path = data_dir() / "libraries"
    path.mkdir(exist_ok=True)
    return path


def resources_dir() -> Path:
    """Files shipped with the program (model pack, locales, icons, samples); read-only."""
    return Path(__file__).resolve().parent.parent / "resources"


def locale_file(language: str) -> Path:
    """The words of one language, by name: {"report.title": ...}."""
    return resources_dir() / "locales" / f"{language}.json"


def languages() -> list[str]:
    """The names of the languages there are words for, sorted."""
    return sorted(path.stem for path in locale_file("en").parent.glob("*.json"))


def default_pack_dir() -> Path:
    """The model pack in use: ``$PAIRLENS_PACK`` if set, else the one shipped."""
    chosen = os.environ.get(PACK_VARIABLE)
    return Path(chosen) if chosen else resources_dir() / "models" / "default"
