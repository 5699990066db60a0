"""What the user chose, kept in settings.json in the data folder."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choices:
    """``language`` is a locale file's name ("en", "zh-CN"); None follows the system."""

    language: str | None = None


class Settings:
    """Choices that survive a restart; safe to use from several threads.

    A missing or damaged file means the defaults: settings are never worth refusing to start for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._choices = _read(path)

    @property
    def choices(self) -> Choices:
        """What is chosen now."""
        return self._choices

    def choose_language(self, language: str) -> None:
        """Keep the language; a disk that can't be written to costs only the memory of it."""
        with self._lock:
            self._choices = replace(self._choices, language=language)
            try:
                _write(self._path, self._choices)
            except OSError as error:
                log.warning("settings were not saved to %s: %s", self._path, error)


def _read(path: Path) -> Choices:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        language = found.get("language")
    except FileNotFoundError:
        return Choices()
    except (OSError, ValueError, AttributeError) as error:
        log.warning("settings in %s can't be read, using the defaults: %s", path, error)
        return Choices()
    return Choices(language=language if isinstance(language, str) else None)


def _write(path: Path, choices: Choices) -> None:
    # Written beside and renamed, so that a crash leaves the old file whole.
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(choices), indent=2) + "\n", encoding="utf-8")
    part.replace(path)
