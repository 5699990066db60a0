"""Importing, calibrating and removing model packs; a crash at any moment leaves whole ones."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine import paths
from engine.action_files import sync_folder
from engine.calibration import Calibration
from engine.errors import (
    LibraryBusy,
    PackError,
    PackFileUnusable,
    PackNotCalibratable,
    PackNotRemovable,
    PackNotStored,
    PacksBusy,
)
from engine.installed import Installed, choose, chosen_folder, find, imported, look
from engine.pack import MANIFEST, Manifest, open_pack
from engine.pack_file import opened
from engine.sqlite_file import WriterLock
from engine.types import Progress, no_progress

_IMPORTING, _REMOVING = ".import-", ".removed-"


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import.

    Attributes:
        fresh: whether the pack was not here before.
    """

    pack: Installed
    fresh: bool


@dataclass(frozen=True, slots=True)
class Removed:
    """What came of a removal.

    Attributes:
        size: bytes that this freed.
        was_in_use: whether it was the chosen one; the default one is in use since.
    """

    pack: Installed
    size: int
    was_in_use: bool


def import_file(path: Path, progress: Progress = no_progress) -> Imported:
    """Import a `.pairlens` file. What is here already stays; what is here damaged is replaced.

    Progress is told in bytes.

    Raises:
        PackFileUnusable: it is no pack, a damaged one, or one that may not be used.
        SpaceMissing: there is no room for it.
        PackNotStored: it can't be written.
        PacksBusy: somebody else is at it.
    """
    try:
        with opened(path) as packed:
            return _import(path, packed.manifest, lambda into: packed.unpack(into, progress))
    except OSError as error:  # reading it: what writing raises was translated further in
        raise PackFileUnusable(path=path, reason=error.strerror or error) from error


def import_folder(folder: Path) -> Imported:
    """Import the folder of a pack; only what its manifest names is copied.

    Raises PackMissing, PackDamaged or PackUnsupported; and as `import_file`.
    """
    pack = open_pack(folder)

    def copy(into: Path) -> None:
        for name in (MANIFEST, *pack.manifest.files):
            if (folder / name).is_file():
                with (folder / name).open("rb") as source, (into / name).open("xb") as file:
                    shutil.copyfileobj(source, file)
                    file.flush()
                    os.fsync(file.fileno())

    return _import(folder, pack.manifest, copy)


def remove(name: str) -> Removed:
    """Remove an imported pack; see `find` for the name.

    Raises PackUnknown, PackAmbiguous, PackNotRemovable, PackNotStored or PacksBusy.
    """
    with _changing():
        pack = find(name)
        if pack.folder.parent != paths.packs_dir():
            raise PackNotRemovable(path=pack.folder)
        size, was_in_use = pack.size, pack.folder == chosen_folder()
        _set_aside(pack.folder)
        if was_in_use:
            choose(None)
        _sweep()
    return Removed(pack, size, was_in_use)


def recalibrate(name: str, calibration: Calibration) -> Installed:
    """Write a calibration into an imported pack's manifest; see `find` for the name.

    What computes stays as it is, and so does the model id, by which libraries know the pack. A
    crash leaves the old manifest or the new one.

    Raises PackUnknown, PackAmbiguous, PackNotCalibratable, PackNotStored or PacksBusy; and
    PackMissing, PackDamaged or PackUnsupported.
    """
    with _changing():
        folder = calibratable(name).folder
        open_pack(folder)
        file, part = folder / MANIFEST, folder / f".{MANIFEST}.part"
        # As plain values, so that nothing is lost that this version does not know.
        values = json.loads(file.read_text(encoding="utf-8"))
        values["calibration"] = calibration.to_dict()
        content = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
        with part.open("w", encoding="utf-8") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
        sync_folder(folder)
        return look(folder)


def calibratable(name: str) -> Installed:
    """The imported pack of this name. Raises PackUnknown, PackAmbiguous or PackNotCalibratable."""
    pack = find(name)
    if pack.folder.parent != paths.packs_dir():
        raise PackNotCalibratable(path=pack.folder)
    return pack


def _import(source: Path, manifest: Manifest, write: Callable[[Path], None]) -> Imported:
    with _changing():
        target = paths.packs_dir() / _folder_name(manifest)
        for pack in (look(paths.shipped_pack_dir()), *imported()):
            if pack.manifest is not None and pack.manifest.model_id == manifest.model_id:
                if _is_whole(pack.folder):
                    return Imported(pack, fresh=False)
                target = pack.folder if pack.folder.parent == paths.packs_dir() else target
        made = Path(tempfile.mkdtemp(prefix=_IMPORTING, dir=paths.packs_dir()))
        try:
            write(made)
            _check(made, source)
            made.chmod(0o755)  # made for one person alone
            sync_folder(made)
            if target.exists():
                _set_aside(target)
            made.rename(target)
            sync_folder(paths.packs_dir())
        finally:
            _sweep()
        return Imported(look(target), fresh=True)


def _check(made: Path, source: Path) -> None:
    try:
        open_pack(made)
    except PackError as error:
        reason = error.fields.get("reason", error)
        raise PackFileUnusable(path=source, reason=reason) from error


def _is_whole(folder: Path) -> bool:
    try:
        open_pack(folder)
    except (PackError, OSError):
        return False
    return True


@contextmanager
def _changing() -> Iterator[None]:
    """Alone with the folder of packs; what killed processes left behind is gone."""
    folder = paths.packs_dir()
    try:
        with WriterLock(folder / "packs", folder):
            _sweep()
            yield
    except LibraryBusy as error:
        raise PacksBusy(path=folder) from error
    except OSError as error:
        raise PackNotStored(path=folder, reason=error.strerror or error) from error


def _set_aside(folder: Path) -> None:
    """Take a pack from the others at once; its files may take a while to delete."""
    aside = Path(tempfile.mkdtemp(prefix=_REMOVING, dir=folder.parent))
    folder.rename(aside / folder.name)


def _sweep() -> None:
    for folder in paths.packs_dir().iterdir():
        if folder.name.startswith((_IMPORTING, _REMOVING)):
            shutil.rmtree(folder, ignore_errors=True)


def _folder_name(manifest: Manifest) -> str:
    """Names and versions may hold anything; the end of the model id makes it the only one."""

    def plain(text: str) -> str:
        return re.sub(r"[^a-z0-9.]+", "-", text.casefold()).strip("-.")[:40]

    ending = manifest.model_id.rpartition("-")[2]
    parts = (plain(manifest.name) or "pack", plain(manifest.version), ending)
    return "-".join(part for part in parts if part)
