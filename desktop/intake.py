"""What people hand to the window, told apart: photos, folders, models, and what can't be used.

It comes by drop, by paste, by a dialog or from the command line, as paths: nothing is copied.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from engine.errors import NoPhotos, PairLensError, PhotoError, PhotoMissing
from engine.paths import on_disk
from engine.types import PhotoFailure

# Seconds that looking for a first photo in all the folders may take; a share may be slow.
PATIENCE = 2.0


@dataclass(slots=True)
class Intake:
    """What came in, each kind in the order in which it came.

    Attributes:
        photos: files that are photos, or at least begin like one.
        folders: those that hold photos, or may hold some.
        packs: model packs as files.
        unusable: files and folders that can't be used, each with its reason.
    """

    photos: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    packs: list[Path] = field(default_factory=list)
    unusable: list[PhotoFailure] = field(default_factory=list)


def as_path(given: str) -> Path:
    """A path as it is given, or that of a ``file:`` URI; absolute."""
    parts = urlsplit(given) if given.lower().startswith("file:") else None
    if parts is None:
        return Path(given).absolute()
    share = f"//{parts.netloc}" if parts.netloc not in ("", "localhost") else ""
    return Path(url2pathname(share + parts.path)).absolute()


def is_there(path: Path) -> bool:
    """Whether there is a file or folder of that name; any name may be asked for."""
    try:
        return on_disk(path).exists()
    except (OSError, ValueError):  # no name could be as long, or hold such a character
        return False


def told_apart(given: Iterable[str]) -> Intake:
    """Sort paths and ``file:`` URIs out. What came twice is there once."""
    from engine.pack_file import ENDING

    came = Intake()
    until = time.monotonic() + PATIENCE
    for path in dict.fromkeys(map(as_path, given)):
        try:
            if is_there(path) and on_disk(path).is_dir():
                _check_folder(path, until)
                came.folders.append(path)
            elif path.suffix.lower() == ENDING and is_there(path):
                came.packs.append(path)
            else:
                _check_photo(path)
                came.photos.append(path)
        except (NoPhotos, PhotoError) as error:
            came.unusable.append(_unusable(path, error))
    return came


def _check_folder(folder: Path, until: float) -> None:
    from engine.photos import holds_photos

    if holds_photos(folder, lambda: time.monotonic() > until) is False:
        raise NoPhotos(path=folder)


def _check_photo(path: Path) -> None:
    from engine.decode import PHOTO_SUFFIXES, read_details

    if not is_there(path):
        raise PhotoMissing(path=path)
    # Of what is named like a photo, the view says more than the first bytes could.
    if path.suffix.lower() not in PHOTO_SUFFIXES:
        read_details(path)


def _unusable(path: Path, error: PairLensError) -> PhotoFailure:
    return PhotoFailure(path, str(error), error.code, dict(error.fields))
