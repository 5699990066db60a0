"""Whose work is shipped with the program, and under which licence."""

from __future__ import annotations

import json
import logging
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from engine import paths
from engine.doctor import packages_needed

log = logging.getLogger(__name__)

# Written beside the other resources when the program is packaged.
SHIPPED = "licences.json"
TEXTS = ("licen", "copying", "notice")


class Licence(NamedTuple):
    """A package, its licence in a word or a few, and the licence's text, which may be empty."""

    name: str
    version: str
    licence: str
    text: str


def shipped_licences() -> list[Licence]:
    """Of everything that comes with the program; from source, of the packages it needs."""
    try:
        found = json.loads((paths.resources_dir() / SHIPPED).read_text(encoding="utf-8"))
        return [
            Licence(*(str(one[field]) for field in Licence._fields))
            for one in sorted(found, key=lambda one: str(one["name"]).lower())
        ]
    except FileNotFoundError:
        return installed_licences()
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("the list of licences can't be read: %s", error)
        return installed_licences()


def installed_licences() -> list[Licence]:
    """Of the packages that the program needs, as they are installed."""
    found = []
    for name in sorted(packages_needed(), key=str.lower):
        try:
            found.append(_of(metadata.distribution(name)))
        except metadata.PackageNotFoundError:
            continue
    return found


def _of(package: metadata.Distribution) -> Licence:
    about = package.metadata
    named = _first(about, "License-Expression") or _classified(about.get_all("Classifier") or [])
    first = _first(about, "License").splitlines()
    # Some put the whole text where the name belongs.
    named = named or (first[0] if first else "")
    return Licence(about["Name"], package.version, named, _text(package))


def _first(about: metadata.PackageMetadata, field: str) -> str:
    return str((about.get_all(field) or [""])[0]).strip()


def _classified(classifiers: list[str]) -> str:
    kinds = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: ")]
    return ", ".join(kind for kind in kinds if kind != "OSI Approved")


def _text(package: metadata.Distribution) -> str:
    texts = []
    for file in package.files or []:
        inside = ".dist-info" in file.parts[0]
        if inside and Path(file.name).name.lower().startswith(TEXTS):
            try:
                texts.append(file.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError):
                continue
    return "\n\n".join(texts)


def program_licence() -> str:
    """The text of the program's own licence, wherever it is installed; empty where it isn't."""
    beside = paths.resources_dir().parent / "LICENSE"
    if beside.is_file():
        return beside.read_text(encoding="utf-8")
    try:
        return _text(metadata.distribution("pairlens"))
    except metadata.PackageNotFoundError:
        return ""
