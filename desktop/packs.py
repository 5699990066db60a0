"""What the Models view does with model packs: the work of its jobs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from desktop.jobs import Work
from engine import pack_install
from engine.cost import seconds_on_samples
from engine.errors import PackFixed, PairLensError
from engine.installed import choose, find
from engine.pack import open_pack
from engine.paths import PACK_VARIABLE, packs_dir, shipped_pack_dir
from engine.types import Cancelled, Progress

if TYPE_CHECKING:
    from desktop.keeper import Keeper
    from desktop.workbench import LazyMatcher


@dataclass(frozen=True, slots=True)
class PackChange:
    """What became of a model pack.

    Attributes:
        what: "here" where one that was to be imported had been before; "stopped" where that was
            cancelled, and "kept" where some of it had been fetched.
        title: its name and version.
        name: what `engine.installed.find` knows it by.
        size: bytes that were freed by removing it.
        calibrated: whether its percentages are match probabilities.
        seconds: that it takes for each pair here, where it looks at photos again for that.
    """

    what: Literal["imported", "here", "stopped", "kept", "used", "whole", "removed"]
    title: str
    name: str
    size: int = 0
    calibrated: bool = True
    seconds: float | None = None


# What came of files, each by itself: one that can't be imported does not keep the next from it.
Imports = list[PackChange | PairLensError]


@dataclass(slots=True)
class Doing:
    """What a job is at, in the words of ``key``; its own thread changes it as it goes on."""

    key: str
    fields: dict[str, str] = field(default_factory=dict)


class StoppedError(Exception):
    """Ends the work of a job that was cancelled."""


def stopping(progress: Progress, cancelled: Cancelled) -> Progress:
    """Passes progress on, and raises StoppedError once ``cancelled``."""

    def tell(done: int, total: int) -> None:
        if cancelled():
            raise StoppedError
        progress(done, total)

    return tell


def added(found: pack_install.Imported) -> PackChange:
    """What came of an import."""
    manifest = found.pack.manifest
    name = found.pack.folder.name if manifest is None else manifest.model_id
    calibrated = manifest is None or manifest.calibration.fitted
    what: Literal["imported", "here"] = "imported" if found.fresh else "here"
    return PackChange(what, found.pack.title, name, calibrated=calibrated)


def importing(files: Sequence[Path], uploads: Path, doing: Doing) -> Work[Imports]:
    """The work that imports `.pairlens` files, one after the other.

    A file in ``uploads`` is a copy of ours, and goes afterwards.
    """

    def work(progress: Progress, cancelled: Cancelled) -> Imports:
        came: Imports = []
        for file in files:
            doing.fields = {"file": file.name}
            try:
                came.append(added(pack_install.import_file(file, stopping(progress, cancelled))))
            except PairLensError as error:
                came.append(error)
            except StoppedError:
                return [*came, PackChange("stopped", file.name, file.name)]
            finally:
                if file.is_relative_to(uploads):
                    with suppress(OSError):
                        file.unlink()
        return came

    return work


def using(name: str, matcher: LazyMatcher, keeper: Keeper) -> Work[PackChange]:
    """The work that lets a pack answer, now and from the next start on.

    It raises PackFixed, and what `find`, `load_matcher` and `choose` do: nothing was changed then.
    """

    def work(_progress: Progress, _cancelled: Cancelled) -> PackChange:
        if variable := os.environ.get(PACK_VARIABLE):
            raise PackFixed(path=variable)
        pack = find(name)
        matcher.switch(pack.folder)  # what can't be run is not chosen
        choose(pack.folder if pack.folder.parent == packs_dir() else None)
        keeper.renew()
        return PackChange("used", pack.title, name)

    return work


def checking(name: str) -> Work[PackChange]:
    """The work that checks every file of a pack, and how long it takes where that is long.

    It raises what `find`, `open_pack` and `load_matcher` do.
    """

    def work(_progress: Progress, _cancelled: Cancelled) -> PackChange:
        pack = find(name)
        seconds = seconds_on_samples(open_pack(pack.folder))
        return PackChange("whole", pack.title, name, seconds=seconds)

    return work


def removing(name: str, matcher: LazyMatcher, keeper: Keeper) -> Work[PackChange]:
    """The work that deletes an imported pack; raises what `pack_install.remove` does.

    Where it was the one in use, the one that comes with PairLens answers.
    """

    def work(_progress: Progress, _cancelled: Cancelled) -> PackChange:
        removed = pack_install.remove(name)
        if removed.was_in_use and PACK_VARIABLE not in os.environ:
            matcher.switch(shipped_pack_dir())
            keeper.renew()
        return PackChange("removed", removed.pack.title, name, removed.size)

    return work
