"""ICU's data with two languages: made-up ones, and those of the wheel as ICU itself reads them."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import icu
import pytest

# Sorts three words by the rules of a language, which come from the library's data.
SORT = """
import ctypes, functools, sys
library = ctypes.CDLL(sys.argv[1])
version = sys.argv[1].rpartition(".")[2]
opened, compare = library[f"ucol_open_{version}"], library[f"ucol_strcoll_{version}"]
opened.restype = ctypes.c_void_p
status = ctypes.c_int(0)
rules = ctypes.c_void_p(opened(sys.argv[2].encode(), ctypes.byref(status)))
assert rules and status.value <= 0, status.value
def order(one, other):
    return compare(rules, one.encode("utf-16-le"), len(one), other.encode("utf-16-le"), len(other))
print(",".join(sorted(sys.argv[3].split(","), key=functools.cmp_to_key(order))).encode())
"""


def common_data(items: dict[str, bytes]) -> bytes:
    """ICU's form, with these items."""
    head = struct.pack(
        "<HBBHHBBBB4s4s4s", 32, 0xDA, 0x27, 20, 0, 0, 0, 2, 0, b"CmnD", b"\1\0\0\0", b""
    )
    head = head.ljust(32, b"\0")
    names, contents = b"", b""
    first = 4 + 8 * len(items)
    room = -(-(first + sum(len(name) + 1 for name in items)) // 16) * 16
    table = struct.pack("<I", len(items))
    for name, content in items.items():
        table += struct.pack("<II", first + len(names), room + len(contents))
        names += name.encode() + b"\0"
        contents += content.ljust(-(-len(content) // 16) * 16, b"\0")
    return head + (table + names).ljust(room, b"\xaa") + contents


def test_what_is_left_reads_as_if_it_had_been_alone() -> None:
    items = {"t/coll/de.res": b"German" * 9, "t/coll/zh.res": b"Chinese", "t/root.res": b"root" * 7}
    kept = {name: content for name, content in items.items() if "de" not in name}
    assert icu.without(icu.LEFT_OUT, common_data(items)) == common_data(kept)
    assert icu.without(re.compile("nothing"), common_data(items)) == common_data(items)


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("t/de.res", True), ("t/unit/sr_Latn_RS.res", True), ("t/brkitr/khmerdict.dict", True),
        ("t/en_GB.res", False), ("t/zone/zh_Hant_TW.res", False), ("t/coll/root.res", False),
        ("t/pool.res", False), ("t/timezoneTypes.res", False), ("t/brkitr/line.brk", False),
        ("t/gb18030.cnv", False), ("t/nfkc.nrm", False),
    ],
)  # fmt: skip
def test_only_languages_that_pairlens_does_not_speak_go(name: str, left_out: bool) -> None:
    assert bool(icu.LEFT_OUT.match(name)) is left_out


def test_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="common data"):
        icu.without(icu.LEFT_OUT, b"\x20\0" + bytes(64))


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "zebra,apple,\u00e4rger"), ("zh", "\u5f20,\u738b,\u674e"), ("sv", "zebra,apple,boat")],
)
def test_qts_icu_sorts_with_it_as_before(tmp_path: Path, language: str, words: str) -> None:
    package = distribution("pyside6-essentials")
    libraries = [
        Path(str(package.locate_file(file)))
        for file in package.files or ()
        if file.name.startswith("libicu")
    ]
    whole = next(path for path in libraries if path.name.startswith("libicudata"))
    for path in libraries:
        shutil.copy(path, tmp_path / path.name)
    (entry,) = icu.with_two_languages(
        [(f"PySide6/Qt/lib/{whole.name}", str(whole), "BINARY")], tmp_path / "work"
    )
    (tmp_path / whole.name).unlink()
    shutil.move(entry[1], tmp_path / whole.name)
    assert (tmp_path / whole.name).stat().st_size < whole.stat().st_size / 2

    said = [
        subprocess.run(
            [sys.executable, "-c", SORT, str(path), language, words],
            capture_output=True, text=True, check=True,
        ).stdout
        for folder in (whole.parent, tmp_path)
        for path in folder.glob("libicui18n.so.*")
    ]  # fmt: skip
    assert len(said) == 2
    assert said[0] == said[1]
