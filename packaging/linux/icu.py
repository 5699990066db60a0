"""Qt's copy of ICU with the data of PairLens's two languages.

ICU's data know how to sort, count and name currencies, units, regions and time zones in hundreds of
languages. Qt asks them for what its own dialogs sort and show; what is of no language and what is
English or Chinese stays, and for others ICU falls back to its root.
"""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from origins import Entry

LIBRARY = re.compile(r"(?:.*/)?libicudata\.so\.(\d+)$")
# Names of two or three letters are languages; the others hold what is of none. The dictionaries
# find words where nothing is written between them, which Qt leaves to its own tables.
LEFT_OUT = re.compile(r".*/(?!en[_.]|zh[_.])[a-z]{2,3}(_\w+)?\.res$|.*/brkitr/\w+\.dict$")
ALIGNED = 16


def with_two_languages(entries: Iterable[Entry], work: Path) -> list[Entry]:
    """The same entries, with a smaller libicudata made in ``work`` in place of the wheel's."""
    return [_smaller(entry, work) if LIBRARY.match(entry[0]) else entry for entry in entries]


def _smaller(entry: Entry, work: Path) -> Entry:
    name, source, kind = entry
    if kind == "SYMLINK":
        return entry
    work.mkdir(parents=True, exist_ok=True)
    data, target = work / "icu.dat", work / Path(name).name
    # All that the library holds is one object of this section.
    subprocess.run(
        ["objcopy", "-O", "binary", "--only-section=.rodata", source, data], check=True
    )  # fmt: skip
    data.write_bytes(without(LEFT_OUT, data.read_bytes()))
    symbol = f"icudt{Path(name).name.rpartition('.')[2]}_dat"
    subprocess.run(
        ["cc", "-shared", "-nostdlib", f"-Wl,-soname,{target.name}", "-o", target.name,
         "-x", "assembler", "-"],
        input=f".section .rodata\n.balign {ALIGNED}\n.globl {symbol}\n.type {symbol}, @object\n"
        f'{symbol}: .incbin "{data.name}"\n.size {symbol}, . - {symbol}\n'
        '.section .note.GNU-stack,"",@progbits\n',
        cwd=work, text=True, check=True,
    )  # fmt: skip
    return name, str(target), kind


def without(left_out: re.Pattern[str], data: bytes) -> bytes:
    """ICU's data without the items whose names fit.

    The form: a header whose length comes first; the number of items; for each, from the end of the
    header, where its name and where its content begins, in the order of the names; then these.

    Raises:
        ValueError: it is of another form.
    """
    (header,) = struct.unpack_from("<H", data)
    if data[2:4] != b"\xda\x27" or data[12:17] != b"CmnD\x01":
        raise ValueError("this is no common data of ICU, or of another form")
    (count,) = struct.unpack_from("<I", data, header)
    places = [struct.unpack_from("<II", data, header + 4 + 8 * number) for number in range(count)]
    ends = [begin for _, begin in places[1:]] + [len(data) - header]
    items = []
    for (at, begin), end in zip(places, ends, strict=True):
        name = data[header + at : data.index(b"\0", header + at)]
        if not left_out.match(name.decode("ascii")):
            items.append((name, data[header + begin : header + end]))

    names, contents, table = bytearray(), bytearray(), bytearray()
    first_name = 4 + 8 * len(items)
    first_content = _up(first_name + sum(len(name) + 1 for name, _ in items))
    for name, content in items:
        table += struct.pack("<II", first_name + len(names), first_content + len(contents))
        names += name + b"\0"
        contents += content.ljust(_up(len(content)), b"\0")
    body = struct.pack("<I", len(items)) + bytes(table + names)
    return data[:header] + body.ljust(first_content, b"\xaa") + contents


def _up(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED
