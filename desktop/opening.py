"""Shows a photo in the system's own viewer, or where a file lies in the system's file manager."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from engine.decode import PHOTO_SUFFIXES
from engine.errors import PhotoMissing, PhotoNotShown

# Seconds in which a program that can't do it says so; one that can may stay open.
TELLS_SOON = 2.0


def open_photo(photo: Path) -> None:
    """Show a photo in the viewer that the system has for it.

    Raises:
        PhotoMissing: it is not there any more.
        PhotoNotShown: there is no such program, or it did not start.
    """
    _check(photo)
    if photo.suffix.lower() not in PHOTO_SUFFIXES:
        # Systems go by the name, and might run what is a picture only by its content.
        raise PhotoNotShown(path=photo, reason=f"{photo.suffix or photo.name}?")
    _start(command(photo), photo)


def show_in_folder(file: Path) -> None:
    """Show where a photo, or another file, lies; raises what `open_photo` does."""
    _check(file)
    _start(command(file, in_folder=True), file)


def command(photo: Path, in_folder: bool = False, system: str = sys.platform) -> list[str] | str:
    """What is run to show a photo, or its folder; a string where the program reads its line itself.

    Args:
        system: as `sys.platform` names it.
    """
    path = photo.absolute()
    if system == "win32":
        # Explorer wants quotes within the argument; names can't have any there.
        return f'explorer.exe /select,"{path}"' if in_folder else f'explorer.exe "{path}"'
    if system == "darwin":
        return ["open", "-R", str(path)] if in_folder else ["open", str(path)]
    return ["xdg-open", str(path.parent if in_folder else path)]


def _check(photo: Path) -> None:
    if not photo.is_file():
        raise PhotoMissing(path=photo)


def _start(what: list[str] | str, photo: Path) -> None:
    try:
        started = subprocess.Popen(
            what, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise PhotoNotShown(path=photo, reason=error.strerror or error) from error
    with suppress(subprocess.TimeoutExpired):
        # Explorer ends with 1 whatever came of it.
        if started.wait(TELLS_SOON) and sys.platform != "win32":
            raise PhotoNotShown(path=photo, reason=f"{what[0]}: {started.returncode}")


def _environment() -> dict[str, str]:
    """That of the person's session: the standalone program looks for libraries in itself first."""
    found = dict(os.environ)
    if getattr(sys, "frozen", False):
        before = found.pop("LD_LIBRARY_PATH_ORIG", None)
        found.pop("LD_LIBRARY_PATH", None)
        if before:
            found["LD_LIBRARY_PATH"] = before
    return found
