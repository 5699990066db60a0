"""What the user chose, kept in settings.json in the data folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from desktop.place import Place, read_place
from engine.types import DeviceChoice

log = logging.getLogger(__name__)

Kind = TypeVar("Kind", bound=StrEnum)


class Theme(StrEnum):
    """Light or dark; SYSTEM is as the system is, also when that changes."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Choices:
    """What is chosen.

    Attributes:
        language: a locale file's name ("en", "zh-CN"); None follows the system.
        device: what is to run the model from the next start on.
        greeted: the first steps were taken or put away, and are not offered again.
        window: where the window was last.
        folders: by what it was for, the folder that was used last, as it was typed.
    """

    language: str | None = None
    theme: Theme = Theme.SYSTEM
    device: DeviceChoice = DeviceChoice.AUTO
    greeted: bool = False
    window: Place | None = None
    folders: Mapping[str, str] = field(default_factory=dict)


class Settings:
    """Choices that survive a restart; safe to use from several threads.

    A missing or damaged file means the defaults, and a damaged choice the default of that one:
    settings are never worth refusing to start for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._choices = _read(path)

    @property
    def choices(self) -> Choices:
        """What is chosen now."""
        return self._choices

    def choose(self, **choices: Any) -> None:
        """Keep some choices, by their names in `Choices`.

        A disk that can't be written to costs only the memory of them.
        """
        with self._lock:
            self._choices = replace(self._choices, **choices)
            try:
                _write(self._path, self._choices)
            except OSError as error:
                log.warning("settings were not saved to %s: %s", self._path, error)

    def use_folder(self, purpose: str, folder: str) -> None:
        """Keep which folder was used last for something."""
        if self._choices.folders.get(purpose) != folder:
            self.choose(folders={**self._choices.folders, purpose: folder})


def _read(path: Path) -> Choices:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        language, greeted = found.get("language"), found.get("greeted")
    except FileNotFoundError:
        return Choices()
    except (OSError, ValueError, AttributeError) as error:
        log.warning("settings in %s can't be read, using the defaults: %s", path, error)
        return Choices()
    return Choices(
        language=language if isinstance(language, str) else None,
        theme=_one_of(Theme, found.get("theme"), Theme.SYSTEM),
        device=_one_of(DeviceChoice, found.get("device"), DeviceChoice.AUTO),
        greeted=greeted is True,
        window=read_place(found.get("window")),
        folders=_texts(found.get("folders")),
    )


def _one_of(kind: type[Kind], found: object, default: Kind) -> Kind:
    return next((choice for choice in kind if choice == found), default)


def _texts(found: object) -> dict[str, str]:
    if not isinstance(found, dict):
        return {}
    return {purpose: text for purpose, text in found.items() if isinstance(text, str)}


def _write(path: Path, choices: Choices) -> None:
    # Written beside and renamed, so that a crash leaves the old file whole.
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(choices), indent=2) + "\n", encoding="utf-8")
    part.replace(path)
