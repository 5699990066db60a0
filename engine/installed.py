"""Which model packs are here, and which one is in use.

Imported packs have a folder each in `paths.packs_dir`; the default one comes with the program. What
was chosen is kept beside the imported packs, for the command line and the window alike.
`PAIRLENS_PACK` goes before it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeVar

from engine import paths
from engine.errors import (
    OutputUnwritable,
    PackAmbiguous,
    PackError,
    PackMissing,
    PackNotStored,
    PackReplaced,
    PackUnknown,
)
from engine.pack import Manifest, read_manifest

log = logging.getLogger(__name__)

T = TypeVar("T")

CURRENT, DEFAULT = "current", "default"


class Why(Enum):
    """What made a pack the one in use."""

    VARIABLE = "PAIRLENS_PACK names it"
    CHOSEN = "it was chosen"
    DEFAULT = "it is the default"


@dataclass(frozen=True, slots=True)
class InUse:
    """The pack in use.

    Attributes:
        replaced: why the one that was chosen is not it; None if it is, or if none was chosen.
    """

    folder: Path
    why: Why
    replaced: PackReplaced | None = None


@dataclass(frozen=True, slots=True)
class Installed:
    """A pack that is here. Its files have not been checked.

    Attributes:
        manifest: None where it can't be read, for the reason in ``error``.
    """

    folder: Path
    manifest: Manifest | None
    error: PackError | None = None

    @property
    def title(self) -> str:
        """Name and version, or where it is."""
        if self.manifest is None:
            return self.folder.name
        return f"{self.manifest.name} {self.manifest.version}"

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        if not self.folder.is_dir():
            return 0
        return sum(file.stat().st_size for file in self.folder.iterdir() if file.is_file())

    def is_called(self, name: str) -> bool:
        """Whether a person may mean it: by name, name and version, model id or folder."""
        names = [self.folder.name]
        if self.manifest is not None:
            names += [self.manifest.name, self.title, self.manifest.model_id]
        return name.casefold() in [one.casefold() for one in names]


def used(load: Callable[[Path], T]) -> tuple[T, InUse]:
    """Load the pack in use, in whichever way: `open_pack`, `read_manifest`, or the whole model.

    Where the one that was chosen can't be loaded, the default one is; the log then tells why, as
    does `InUse.replaced`. Raises PackError where the default one, or the one that `PAIRLENS_PACK`
    names, can't be loaded.
    """
    if variable := os.environ.get(paths.PACK_VARIABLE):
        return load(Path(variable)), InUse(Path(variable), Why.VARIABLE)
    shipped, replaced = paths.shipped_pack_dir(), None
    if (chosen := chosen_folder()) is not None:
        try:
            return load(chosen), InUse(chosen, Why.CHOSEN)
        except (PackError, OSError) as error:
            replaced = PackReplaced(path=chosen, reason=_reason(error))
            log.warning("%s", replaced)
    return load(shipped), InUse(shipped, Why.DEFAULT, replaced)


def _reason(error: PackError | OSError) -> object:
    if isinstance(error, PackMissing):
        return "it is not there any more"
    return error.fields.get("reason", error) if isinstance(error, PackError) else error


def chosen_folder() -> Path | None:
    """The imported pack that was chosen, there or not; None for the default one."""
    try:
        packs = paths.packs_dir()
    except OutputUnwritable:  # without a data folder nothing was chosen
        return None
    try:
        name = json.loads(_choice_file().read_text(encoding="utf-8"))["pack"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("which model pack was chosen can't be read from %s: %s", _choice_file(), error)
        return None
    # A folder of ours, not a way out of it.
    plain = isinstance(name, str) and Path(name).name == name and not name.startswith(".")
    return packs / name if plain else None


def choose(folder: Path | None) -> None:
    """Remember an imported pack as the one to use; None for the default one.

    Raises:
        PackNotStored: the choice can't be written down.
    """
    file = _choice_file()
    try:
        if folder is None:
            file.unlink(missing_ok=True)
            return
        part = file.with_suffix(".part")
        part.write_text(json.dumps({"pack": folder.name}) + "\n", encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise PackNotStored(path=file, reason=error.strerror or error) from error


def _choice_file() -> Path:
    return paths.packs_dir() / "chosen.json"


def imported() -> list[Installed]:
    """The packs that were imported, sorted by folder; damaged ones too."""
    # Folders that begin with a dot are those of an import or a removal under way.
    folders = [folder for folder in paths.packs_dir().iterdir() if not folder.name.startswith(".")]
    return [look(folder) for folder in sorted(folders) if folder.is_dir()]


def packs() -> list[Installed]:
    """The default pack, the imported ones, and the one `PAIRLENS_PACK` names if it is another."""
    found = [look(paths.shipped_pack_dir()), *imported()]
    variable = os.environ.get(paths.PACK_VARIABLE)
    if variable and not any(_same(pack.folder, Path(variable)) for pack in found):
        found.append(look(Path(variable)))
    return found


def look(folder: Path) -> Installed:
    """A pack by its manifest, without checking its files."""
    try:
        return Installed(folder, read_manifest(folder))
    except PackError as error:
        return Installed(folder, None, error)


def find(name: str) -> Installed:
    """The pack that a person means: "current", "default", or see `Installed.is_called`.

    Raises:
        PackUnknown: there is none.
        PackAmbiguous: there are several.
    """
    if name.casefold() == CURRENT:
        return look(used(read_manifest)[1].folder)
    if name.casefold() == DEFAULT:
        return look(paths.shipped_pack_dir())
    found = [pack for pack in packs() if pack.is_called(name)]
    if not found:
        raise PackUnknown(name=name)
    if len(found) > 1:
        ids = (pack.manifest.model_id if pack.manifest else pack.folder.name for pack in found)
        raise PackAmbiguous(name=name, found=", ".join(ids))
    return found[0]


def is_here(model_id: str, folder: Path | None) -> bool:
    """Whether the pack of a model is still among `packs`, or in the folder where it was."""
    known = [look(folder)] if folder is not None else []
    return any(
        pack.manifest is not None and pack.manifest.model_id == model_id
        for pack in (*known, *packs())
    )


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
