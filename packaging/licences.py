"""The licences of everything that the standalone program carries.

PyInstaller's recipe calls `report` with the very files that go in. It ends the build over anything
whose licence is unknown or does not let us pass it on; what it finds becomes licences.json, which
the window shows, and THIRD-PARTY.txt.
"""

from __future__ import annotations

import json
import lzma
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import Distribution
from pathlib import Path

from licence_tables import ALIASES, FONTS, GRANTED, LIBRARIES, NAMED
from origins import Origins, canonical
from spdx import LicenceError, allowed

HERE = Path(__file__).resolve().parent
TEXTS = HERE / "licence_texts"
TEXT_FILE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS|ThirdPartyNotices)", re.IGNORECASE)
NO_NAME = ("unknown", "")
CHROMIUM = "Chromium, in Qt WebEngine"
# Made by chromium_notices.py; Qt WebEngine's version ends in that of Chromium they were made for.
NOTICES, NOTICES_ARE_FOR = TEXTS / "Chromium.txt.xz", "140"
# The text that stands for an SPDX name where a part brings none.
STANDARD = {
    "Apache-2.0": HERE.parent / "LICENSE",
    "BSD-3-Clause": TEXTS / "BSD-3-Clause.txt",
    "GPL-2.0-or-later": TEXTS / "GPL-2.0.txt",
    "JasPer-2.0": TEXTS / "JasPer-2.0.txt",
    "LGPL-2.1-only": TEXTS / "LGPL-2.1.txt",
    "LGPL-3.0-only": TEXTS / "LGPL-3.0.txt",
    "LGPL-3.0-or-later": TEXTS / "LGPL-3.0.txt",
    "MIT": TEXTS / "MIT.txt",
    "MPL-2.0": TEXTS / "MPL-2.0.txt",
    "OFL-1.1": TEXTS / "OFL-1.1.txt",
}
HEADER = """\
What PairLens carries, and under which licences
===============================================

PairLens itself is under the Apache License 2.0. Everything below belongs to others and may be
passed on under the terms given with it. It is unchanged, but that on Linux some was left out:
symbols of debuggers, of ICU's data the languages that PairLens does not speak, and the encoder
x265, which the text of pillow-heif names.

Qt and PySide6 are used under the GNU LGPL 3.0: they lie as separate files in the program's folder
and may be replaced there by versions of your own; so may libheif, libde265 and LibRaw. The sources
are those of the versions named, from the projects' own sites.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the program, as licences.json lists it; ``licence`` is an SPDX expression."""

    name: str
    version: str
    licence: str
    text: str


def licence_of(package: Distribution) -> str:
    """The SPDX expression of a package, from its metadata or from what a person looked up.

    Raises:
        LicenceError: neither says.
    """
    metadata = package.metadata
    name = canonical(metadata["Name"])
    if name in GRANTED or name in NAMED:
        return (GRANTED.get(name) or NAMED[name]).licence
    classifiers = [
        line.rpartition("::")[2].strip()
        for line in metadata.get_all("Classifier") or ()
        if line.startswith("License ::")
    ]
    said = [metadata.get("License-Expression"), metadata.get("License"), *classifiers]
    for words in said:
        named = (words or "").strip()
        expression = ALIASES.get(named.lower(), named)
        if named.lower() not in NO_NAME and _is_expression(expression):
            return expression
    raise LicenceError(
        f"{metadata['Name']} {metadata['Version']} does not say its licence: {said}. Look it up "
        "and name it in packaging/licence_tables.py, with the reason."
    )


def _is_expression(text: str) -> bool:
    try:
        allowed(text)
    except LicenceError:
        return False
    return True


def _check(key: str, name: str, licence: str) -> str:
    if key in GRANTED and GRANTED[key].licence == licence:
        return licence
    if not allowed(licence):
        raise LicenceError(
            f"{name} is under {licence}, which is not among the licences that let us pass it on. "
            "Leave it out of the bundle, or decide in packaging/licence_tables.py."
        )
    return licence


def _text_of(package: Distribution, licence: str) -> str:
    texts = []
    for file in sorted(package.files or (), key=str):
        shallow = len(file.parts) <= 2 or file.parts[0].endswith(".dist-info")
        if shallow and TEXT_FILE.match(file.name) and not file.name.endswith((".py", ".pyc")):
            path = Path(str(package.locate_file(file)))
            texts.append(path.read_text(encoding="utf-8", errors="replace").strip())
    if texts:
        return "\n\n".join(dict.fromkeys(texts))
    author = package.metadata.get("Author") or package.metadata.get("Author-email")
    return f"Copyright {author or 'its authors'}\n\n{standard_text(licence)}"


def standard_text(licence: str) -> str:
    """The texts of the licences an expression names, as far as they are kept here."""
    names = re.findall(r"[A-Za-z0-9.\-]+", licence)
    files = dict.fromkeys(STANDARD[name] for name in names if name in STANDARD)
    if any(file.name == "LGPL-3.0.txt" for file in files):
        # It is the GPL 3 with more rights, and refers to its text.
        files[TEXTS / "GPL-3.0.txt"] = None
    return "\n\n".join(file.read_text(encoding="utf-8").strip() for file in files)


def _known(file: str, table: Iterable[tuple[str, str, str]], what: str) -> tuple[str, str]:
    for pattern, name, licence in table:
        if re.match(pattern, file, re.IGNORECASE):
            return name, licence
    raise LicenceError(
        f"the {what} {file} is not known: name it in packaging/licence_tables.py, or leave it out "
        "of the bundle"
    )


def _libraries(found: Origins) -> list[Part]:
    parts = {}
    for file in sorted(found.libraries):
        name, licence = _known(file, LIBRARIES, "library")
        key = "microsoft-runtime" if "Microsoft" in name else canonical(name)
        text = _debians_text(found.of_the_system.get(file)) or standard_text(licence)
        text = text or "Its text is with the package that carries it."
        if key in GRANTED:
            text = f"{GRANTED[key].why}.\n\n{text}"
        parts[name] = Part(name, "", _check(key, name, licence), text)
    return list(parts.values())


def _debians_text(library: Path | None) -> str:
    """What the package of Debian says of a library; nothing of another's, or on other systems."""
    if library is None or shutil.which("dpkg-query") is None:
        return ""
    said = subprocess.run(
        ["dpkg-query", "--search", f"*/{library.name}"], capture_output=True, text=True, check=False
    )
    for line in said.stdout.splitlines():
        package, _, place = line.rpartition(": ")
        if Path(place).resolve() == library.resolve():
            text = Path("/usr/share/doc") / package.partition(":")[0] / "copyright"
            return text.read_text(encoding="utf-8").strip()
    return ""


def _fonts(files: Iterable[str]) -> list[Part]:
    parts = {}
    for file in sorted(files):
        name, licence = _known(file, FONTS, "font")
        parts[name] = Part(name, "", _check(name, name, licence), standard_text(licence))
    return list(parts.values())


def _python() -> Part:
    folder = Path(sysconfig.get_paths()["stdlib"])
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for place in (
        folder / "LICENSE.txt",
        Path(sys.base_prefix) / "LICENSE.txt",
        Path("/usr/share/doc") / here / "copyright",
    ):
        if place.is_file():
            text = place.read_text(encoding="utf-8", errors="replace")
            return Part("Python", platform.python_version(), "Python-2.0", text)
    raise LicenceError(f"Python's own licence is not in {folder}")


def _model_pack(root: Path) -> Part:
    pack = root / "resources" / "models" / "default"
    manifest = json.loads((pack / "manifest.json").read_text(encoding="utf-8"))
    text = f"{manifest['notice']}\n\n{(pack / 'LICENSE').read_text(encoding='utf-8')}"
    licence = _check("pairlens-model-pack", "the model pack", manifest["licence"])
    return Part(f"Model pack {manifest['name']}", manifest["version"], licence, text)


def _chromium(found: Origins) -> list[Part]:
    engine = found.packages.get("pyside6-webengine")
    if engine is None:
        return []
    chromium = engine.version.rpartition(".")[2]
    if chromium != NOTICES_ARE_FOR:
        raise LicenceError(
            f"Qt WebEngine {engine.version} holds Chromium {chromium}, and the notices at hand are "
            f"for {NOTICES_ARE_FOR}: make them anew (packaging/chromium_notices.py)"
        )
    text = (
        "Qt WebEngine holds the web engine of Chromium. Chromium's own code is under the licence "
        "below; the notices and licences of the parts it takes from others are in CHROMIUM.txt, "
        "beside THIRD-PARTY.txt in the program's folder of resources.\n\n"
        "Copyright The Chromium Authors\n\n"
    )
    texts = standard_text("BSD-3-Clause") + "\n\n" + standard_text("LGPL-2.1-only")
    return [Part(CHROMIUM, engine.version, "BSD-3-Clause AND LGPL-2.1-or-later", text + texts)]


def report(found: Origins, root: Path) -> list[Part]:
    """Everything that is shipped and is not PairLens's own code, by name.

    Raises:
        LicenceError: the first part that must not be shipped.
    """
    packages = []
    for name, package in found.packages.items():
        if name == "pairlens":
            continue
        licence = _check(name, package.metadata["Name"], licence_of(package))
        packages.append(
            Part(package.metadata["Name"], package.version, licence, _text_of(package, licence))
        )
    parts = [
        _model_pack(root),
        _python(),
        *packages,
        *_libraries(found),
        *_fonts(found.fonts),
        *_chromium(found),
    ]
    return sorted(parts, key=lambda part: part.name.lower())


def write(parts: list[Part], folder: Path) -> list[Path]:
    """The report in ``folder``; returns the paths of its files.

    licences.json, THIRD-PARTY.txt, and CHROMIUM.txt where Chromium is a part.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed, readable = folder / "licences.json", folder / "THIRD-PARTY.txt"
    listed.write_text(
        json.dumps([asdict(part) for part in parts], ensure_ascii=False, indent=1) + "\n",
        encoding="utf-8",
    )
    lines = [HEADER, *(f"{part.name} {part.version}: {part.licence}" for part in parts), ""]
    first: dict[str, str] = {}
    for part in parts:
        title = f"{part.name} {part.version}".strip()
        text = part.text
        if first.setdefault(text, title) != title:
            text = f"The text is the one given with {first[text]}."
        lines += ["", "=" * 78, title, part.licence, "=" * 78, "", text, ""]
    readable.write_text("\n".join(lines), encoding="utf-8")
    files = [listed, readable]
    if any(part.name == CHROMIUM for part in parts):
        notices = folder / "CHROMIUM.txt"
        notices.write_bytes(lzma.decompress(NOTICES.read_bytes()))
        files.append(notices)
    return files
