"""Which of Debian's packages a frozen program needs: what its libraries ask for and it lacks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engine.doctor import LINUX_LIBRARIES  # noqa: E402  (found through the line above)

# More than the doctor looks for: what comes with those packages, and what every system has.
LIBRARIES = LINUX_LIBRARIES | {
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXrender.so.1": "libxrender1",
    "libbrotlicommon.so.1": "libbrotli1",
    "libbrotlidec.so.1": "libbrotli1",
    "libcups.so.2": "libcups2",
    "libexpat.so.1": "libexpat1",
    "libfreetype.so.6": "libfreetype6",
    "libgcc_s.so.1": "libgcc-s1",
    "libgio-2.0.so.0": "libglib2.0-0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgobject-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libnspr4.so": "libnspr4",
    "libnssutil3.so": "libnss3",
    "libplc4.so": "libnspr4",
    "libplds4.so": "libnspr4",
    "libsmime3.so": "libnss3",
    "libstdc++.so.6": "libstdc++6",
    "libudev.so.1": "libudev1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-dri2.so.0": "libxcb-dri2-0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinput.so.0": "libxcb-xinput0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxshmfence.so.1": "libxshmfence1",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}
# Part of the C library.
C_LIBRARY = re.compile(r"(ld-linux|lib(c|m|dl|pthread|rt|util|resolv|anl|mvec)\.so)")
# What 64-bit time renamed in Debian 13 and Ubuntu 24.04.
RENAMED = ("libasound2", "libcups2", "libglib2.0-0")
# Asked for by name while it runs, which no library tells: fonts, their list, keyboards.
UNTOLD = ("fontconfig-config", "fonts-dejavu-core", "xkb-data")
# Left out where its libraries are missing, with no harm: GNOME's own file dialogs.
OPTIONAL = ("libqgtk3.so",)
READELF = re.compile(r"\((NEEDED|SONAME)\).*\[([^\]]+)\]")


class UnknownLibraryError(Exception):
    """A library is asked for that is neither in the program nor in a package that is known."""


def elf_files(folder: Path) -> list[Path]:
    """Programs and libraries in ``folder``, links left out."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    found.append(path)
    return found


def depends(folder: Path) -> list[str]:
    """What goes into Depends: packages, with both names where they changed theirs.

    Raises:
        UnknownLibraryError: nobody provides a library that something in ``folder`` asks for.
    """
    files = elf_files(folder)
    present = {path.name for path in folder.rglob("*.so*")}
    asked: dict[str, Path] = {}
    newest = (2, 17)
    for file in files:
        if file.name in OPTIONAL:
            continue
        said = subprocess.run(
            ["readelf", "--wide", "--dynamic", "--version-info", str(file)],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        for kind, name in READELF.findall(said):
            if kind == "NEEDED":
                asked.setdefault(name, file)
            else:
                present.add(name)
        for minor in re.findall(r"Name: GLIBC_2\.(\d+)", said):
            newest = max(newest, (2, int(minor)))
    packages = {f"libc6 (>= {newest[0]}.{newest[1]})", *UNTOLD}
    for name, file in asked.items():
        if name in present or C_LIBRARY.match(name):
            continue
        if name not in LIBRARIES:
            raise UnknownLibraryError(f"{file} needs {name}, and no package is known to hold it")
        packages.add(_either(LIBRARIES[name]))
    return sorted(packages | {_either(package) for package in _opened_later()})


def _opened_later() -> Iterable[str]:
    # Qt and the web engine open some by name.
    return (LINUX_LIBRARIES[name] for name in ("libGL.so.1", "libEGL.so.1", "libxcb-dri3.so.0"))


def _either(package: str) -> str:
    return f"{package}t64 | {package}" if package in RENAMED else package
