"""What makes the Linux program smaller than its wheels, and keeps x265 out of it."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from origins import Entry

# Its wheels hold no symbols any more, and its libraries are so large that looking takes long.
UNTOUCHED = re.compile(r"PySide6/(?!Qt/lib/libicu)")
# Of an ELF file of 64 bits: where its table of segments is, and a segment that is loaded.
TABLE, ENTRY, LOADED = struct.Struct("<32xQ14xHH"), struct.Struct("<I4xQQ24xQ"), 1


def without_symbols(entries: Iterable[Entry], work: Path) -> list[Entry]:
    """The same entries, with copies in ``work`` in place of libraries that had symbols.

    Some libraries stay as they are: where tools moved their parts about, strip breaks them.
    """
    thin = []
    for name, source, kind in entries:
        if kind in ("BINARY", "EXTENSION") and not UNTOUCHED.match(name):
            target = work / name
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["strip", "--strip-unneeded", "-o", target, source], check=True)
            if loadable(target) and target.stat().st_size < Path(source).stat().st_size:
                source = str(target)
        thin.append((name, source, kind))
    return thin


def loadable(library: Path) -> bool:
    """Whether every segment lies in the file as the loader wants it, page for page."""
    data = library.read_bytes()
    begin, size, count = TABLE.unpack_from(data)
    segments = [ENTRY.unpack_from(data, begin + size * number) for number in range(count)]
    return all(
        (offset - address) % page == 0 for kind, offset, address, page in segments if kind == LOADED
    )


def instead_of_x265(entries: Iterable[Entry], work: Path) -> list[Entry]:
    """A library for libheif to be linked to in place of x265, if it asks for that.

    x265 only writes HEIC, which PairLens never does; it takes 23 MB and is under the GPL. libheif
    asks it for an encoder when one is wanted, and takes a null for "there is none".
    """
    for name, source, _kind in entries:
        if not re.match(r"pillow_heif\.libs/libheif", name):
            continue
        asked = re.search(r"NEEDED.*\[(libx265\S*)\]", _say("readelf", "--dynamic", source))
        if asked is None:
            return []
        functions = re.findall(r" U (x265_\w+)", _say("nm", "--dynamic", source))
        code = "".join(f"void *{function}(void) {{ return 0; }}\n" for function in functions)
        target = work / asked[1]
        work.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O2", "-s", f"-Wl,-soname,{asked[1]}", "-o", target,
             "-x", "c", "-"],
            input=code, text=True, check=True,
        )  # fmt: skip
        return [(f"pillow_heif.libs/{asked[1]}", str(target), "BINARY")]
    return []


def _say(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
