"""Where each file of the standalone program comes from: a package, Python, a library, PairLens."""

from __future__ import annotations

import os
import re
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

# What PyInstaller calls a file of the bundle: its name in there, where it is now, and its kind.
Entry = tuple[str, str, str]

# Where wheels keep copies of libraries that are not their own; on Windows also beside all packages.
CARRIED = re.compile(r"(\.libs|\.dylibs)/|^rawpy/(libraw|vcomp)|(^|/)(lib)?raw_r\.|^lib[^/]+\.dll$")
LIBRARY = re.compile(r"\.(so(\.[\d.]+)?|dylib|dll)$", re.IGNORECASE)
FONT = re.compile(r"\.(woff2?|ttf|otf)$", re.IGNORECASE)
PYTHON = re.compile(r"(lib)?python3[\d.]*(\.dll|\.so|\.dylib|$)", re.IGNORECASE)


class UnknownOriginError(Exception):
    """A file is going to be shipped and nobody can say whose it is."""


@dataclass(slots=True)
class Origins:
    """What a bundle is made of.

    Attributes:
        packages: canonical name -> the package.
        libraries: file names of shared libraries that are no package by themselves.
        of_the_system: file name of those that this computer's system brought -> where it lies.
        fonts: file names of fonts.
    """

    packages: dict[str, Distribution] = field(default_factory=dict)
    libraries: set[str] = field(default_factory=set)
    of_the_system: dict[str, Path] = field(default_factory=dict)
    fonts: set[str] = field(default_factory=set)


def canonical(name: str) -> str:
    """A package's name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def origins(
    entries: Iterable[Entry],
    root: Path,
    packages: Iterable[Distribution] | None = None,
    python: Sequence[Path] | None = None,
) -> Origins:
    """Sort the files of a bundle by whose they are.

    Args:
        root: the project; what lies in it is its own.
        packages: those of the environment that it is built in.
        python: the folders of Python itself.

    Raises:
        UnknownOriginError: a file is of no package, not Python's, and no library that is known
            to be taken from the system.
    """
    owner: dict[str, Distribution] = {}
    folders: dict[str, Distribution] = {}
    for package in distributions() if packages is None else packages:
        for file in package.files or ():
            place = _real(Path(str(package.locate_file(file))))
            owner[place] = package
            if len(file.parts) > 1:
                top = _real(Path(str(package.locate_file(file.parts[0]))))
                folders.setdefault(top, package)
    own = tuple(_real(one) + os.sep for one in (python or _python_folders()))
    project = _real(root) + os.sep

    found = Origins()
    for name, source, kind in entries:
        if kind == "SYMLINK" or not Path(source or "").is_absolute():
            continue
        place = _real(Path(source))
        file = Path(name).name
        if FONT.search(file):
            found.fonts.add(file)
        if CARRIED.search(name.replace("\\", "/")) and LIBRARY.search(file):
            found.libraries.add(file)
        package = owner.get(place) or _by_folder(place, folders)
        if package is not None:
            found.packages[canonical(package.metadata["Name"])] = package
        elif place.startswith(project) or place.startswith(own) or PYTHON.match(file):
            continue
        elif LIBRARY.search(file):
            found.libraries.add(file)
            found.of_the_system[file] = Path(source)
        else:
            raise UnknownOriginError(f"{name} comes from {source}, which is of no package")
    return found


def _real(path: Path) -> str:
    # The folder, not the file: a package's file may itself be a link to elsewhere.
    return os.path.normcase(_resolved(path.parent) / path.name)


@cache
def _resolved(folder: Path) -> Path:
    return folder.resolve()


def _by_folder(place: str, folders: dict[str, Distribution]) -> Distribution | None:
    """The package in whose folder a file lies that no package lists: it was made there later."""
    return next(
        (package for top, package in folders.items() if place.startswith(top + os.sep)), None
    )


def _python_folders() -> list[Path]:
    paths = sysconfig.get_paths()
    # site-packages lie within, but what is in there was looked up first.
    return [Path(paths[key]) for key in ("stdlib", "platstdlib")]
