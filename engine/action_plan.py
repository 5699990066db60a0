"""What copying or moving photos would do, step by step. Looks at the disk, changes nothing.

Only the photos themselves are acted on: sidecar files beside them (XMP, AAE, a Live Photo's video)
stay where they are.

A photo that is a link to a file kept elsewhere is copied as what it leads to. It is not moved:
moving the link would break it, and moving the file behind it would change a folder that nobody
chose. Photos in folders that are reached through a link are like any others.
"""

from __future__ import annotations

import csv
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.action_files import examine
from engine.encoding import failure
from engine.errors import PhotoError, ResultUnreadable
from engine.types import BatchRow, PhotoFailure

Kind = Literal["copy", "move"]

RESULT_COLUMNS = frozenset({"photo", "caption", "match", "rank"})
# Bytes. A caption may be a whole paragraph; a path on Windows often may not exceed 260 characters.
LONGEST_FOLDER_NAME = 100
# Bytes; what the file systems of all three systems allow.
LONGEST_NAME = 255

_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"/\\|?*', "_"))
_RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"
}


@dataclass(frozen=True, slots=True)
class Step:
    """One photo to be brought from ``source`` to ``target``, both absolute; ``size`` in bytes."""

    source: Path
    target: Path
    size: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps to be run by `engine.actions.run`.

    Attributes:
        into: the folder that everything goes into or below, absolute. It may not exist yet.
        steps: in the order of the photos given.
        already_there: photos that are in the folder they belong in.
        staying: photos that no caption fits, or whose content nobody could read.
        failures: photos that can't be acted on, each with its reason.
    """

    kind: Kind
    into: Path
    steps: list[Step]
    already_there: list[Path]
    staying: list[Path]
    failures: list[PhotoFailure]

    @property
    def size(self) -> int:
        """Bytes of all the steps' photos."""
        return sum(step.size for step in self.steps)


def plan_selection(photos: Iterable[Path], into: Path, kind: Kind = "copy") -> Plan:
    """Bring the photos into one folder."""
    planner = _Planner(kind, into)
    for photo in photos:
        planner.add(photo, planner.into)
    return planner.plan([])


def plan_by_caption(
    rows: Iterable[BatchRow], into: Path, kind: Kind = "copy", unmatched: str | None = None
) -> Plan:
    """Bring each photo into the folder, below ``into``, of its best caption if that matches.

    A caption that has a label gives its folder that name.

    Args:
        rows: the outcome of a batch; only rows of rank 1 count, and the first for each photo.
        unmatched: the name of a folder for the photos that no caption fits; without it they stay.
            Photos that could not be read (rows without a rank) always stay.
    """
    planner = _Planner(kind, into)
    folders = _Folders(planner.into)
    # First, so that no caption gets the folder that was asked for by name.
    rest = folders.of(unmatched) if unmatched is not None else None
    staying: list[Path] = []
    seen: set[Path] = set()
    for row in rows:
        if row.rank not in (1, None) or row.photo in seen:
            continue
        seen.add(row.photo)
        if row.rank == 1 and row.match and row.caption is not None:
            planner.add(row.photo, folders.of(row.label or row.caption))
        elif row.rank == 1 and rest is not None:
            planner.add(row.photo, rest)
        else:
            staying.append(row.photo)
    return planner.plan(staying)


def read_result(path: Path) -> list[BatchRow]:
    """The rows of a CSV file that a batch was saved as, without probabilities.

    A photo without a full path is looked for in the current folder, then beside the file. Raises
    ResultUnreadable.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            missing = RESULT_COLUMNS - set(reader.fieldnames or ())
            if missing:
                raise ResultUnreadable(path=path, reason=f"no column {', '.join(sorted(missing))}")
            rows = list(reader)
    except (OSError, csv.Error) as error:
        raise ResultUnreadable(path=path, reason=str(error)) from error
    return [_row(path, number, row) for number, row in enumerate(rows, start=2)]


def _row(path: Path, number: int, row: dict[str, str | None]) -> BatchRow:
    photo, match, rank = row["photo"], (row["match"] or "").lower(), row["rank"]
    if not photo or match not in ("true", "false", "") or (rank and not rank.isdecimal()):
        raise ResultUnreadable(path=path, reason=f"line {number} is not a row of a batch")
    here = Path(photo)
    if not here.is_absolute() and not here.exists():
        here = path.parent / here
    answer = match == "true" if match else None
    return BatchRow(
        here,
        row["caption"] or None,
        row.get("label") or None,
        match=answer,
        rank=int(rank) if rank else None,
    )


def folder_name(caption: str) -> str:
    """A caption as the name of a folder that Windows, macOS and Linux all accept."""
    whole = unicodedata.normalize("NFC", " ".join(caption.split()))
    # Control and format characters: invisible, and some turn the direction of what follows.
    shown = "".join(c for c in whole if unicodedata.category(c)[0] != "C")
    # Windows drops dots and spaces at the end; a dot at the start hides the folder.
    name = _clipped(shown.translate(_FORBIDDEN).strip(". "), LONGEST_FOLDER_NAME).rstrip(". ")
    if name.partition(".")[0].rstrip().lower() in _RESERVED:
        name = f"_{name}"
    return name or "_"


def key(name: str) -> str:
    """Equal for two names that some file system takes for the same."""
    return unicodedata.normalize("NFC", name).casefold()


class Names:
    """The names that are taken in a folder, compared by `key`."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {key(name) for name in taken}
        # Up to which number a name's suffixes are taken: thousands of photos may share a name.
        self._numbers: dict[str, int] = {}

    @classmethod
    def in_folder(cls, folder: Path) -> Names:
        """Those that are there now; none if there is no such folder."""
        try:
            return cls(entry.name for entry in folder.iterdir())
        except OSError:
            return cls(())

    def take(self, name: str, suffix: str = "") -> str:
        """The name, or ``name (2)`` and so on, whichever is free; it is taken from now on.

        Args:
            suffix: the end of ``name`` that stays at the end, such as ".jpg".
        """
        stem = name.removesuffix(suffix)
        number = self._numbers.get(key(name), 1)
        candidate = name
        while key(candidate) in self._taken:
            number += 1
            ending = f" ({number}){suffix}"
            candidate = _clipped(stem, LONGEST_NAME - len(os.fsencode(ending))) + ending
        self._numbers[key(name)] = number
        self._taken.add(key(candidate))
        return candidate


def _clipped(text: str, limit: int) -> str:
    """As much of the start as fits into ``limit`` bytes of a file name."""
    while len(os.fsencode(text)) > limit:
        text = text[:-1]
    return text


class _Folders:
    """A folder for each caption; no two captions share one, on any file system."""

    def __init__(self, into: Path) -> None:
        self._into = into
        self._by_caption: dict[str, Path] = {}
        # A file that has the name of a caption is in the way; a folder is what we want.
        self._names = Names(_files_in(into))

    def of(self, caption: str) -> Path:
        if caption not in self._by_caption:
            self._by_caption[caption] = self._into / self._names.take(folder_name(caption))
        return self._by_caption[caption]


def _files_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if not entry.is_dir()]
    except OSError:
        return []


class _Planner:
    def __init__(self, kind: Kind, into: Path) -> None:
        self.kind = kind
        self.into = into.absolute()
        self._steps: list[Step] = []
        self._already_there: list[Path] = []
        self._failures: list[PhotoFailure] = []
        self._names: dict[Path, Names] = {}
        self._seen: set[Path] = set()
        self._real: dict[Path, Path] = {}

    def _resolved(self, folder: Path) -> Path:
        if folder not in self._real:
            self._real[folder] = folder.resolve()
        return self._real[folder]

    def add(self, photo: Path, folder: Path) -> None:
        source = photo.absolute()
        place = self._resolved(source.parent) / source.name
        if place in self._seen:
            return
        self._seen.add(place)
        try:
            size = examine(source, moving=self.kind == "move").size
        except PhotoError as error:
            self._failures.append(failure(photo, error))
            return
        if place.parent == self._resolved(folder):
            self._already_there.append(photo)
            return
        if folder not in self._names:
            self._names[folder] = Names.in_folder(folder)
        name = self._names[folder].take(source.name, source.suffix)
        self._steps.append(Step(source, folder / name, size))

    def plan(self, staying: list[Path]) -> Plan:
        return Plan(self.kind, self.into, self._steps, self._already_there, staying, self._failures)
