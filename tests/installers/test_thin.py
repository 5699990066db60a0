"""Smaller libraries that still do what they did, and none of x265."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import contents
import pytest
import thin


def compiled(path: Path, code: str, *options: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-g", "-o", path, "-x", "c", "-", "-x", "none", *options],
        input=code, text=True, check=True,
    )  # fmt: skip
    return path


@pytest.fixture
def libheif(tmp_path: Path) -> Path:
    """A library that asks x265 for an encoder, as libheif does."""
    folder = tmp_path / "pillow_heif.libs"
    encoder = compiled(
        folder / "libx265-12ab.so.7", "void *x265_api_get_7(void) { return (void *) 1; }",
        "-Wl,-soname,libx265-12ab.so.7",
    )  # fmt: skip
    return compiled(
        folder / "libheif-34cd.so.1",
        "void *x265_api_get_7(void); int has_encoder(void) { return x265_api_get_7() != 0; }",
        str(encoder), "-Wl,-rpath,$ORIGIN",
    )  # fmt: skip


def test_libheif_finds_no_encoder_and_loads_all_the_same(libheif: Path, tmp_path: Path) -> None:
    entries = [
        (f"pillow_heif.libs/{path.name}", str(path), "BINARY") for path in libheif.parent.iterdir()
    ]
    kept = contents.used(entries)
    assert [name for name, _, _ in kept] == ["pillow_heif.libs/libheif-34cd.so.1"]

    ((name, source, kind),) = thin.instead_of_x265(kept, tmp_path / "work")

    assert (name, kind) == ("pillow_heif.libs/libx265-12ab.so.7", "BINARY")
    Path(source).replace(libheif.parent / "libx265-12ab.so.7")
    assert ctypes.CDLL(str(libheif)).has_encoder() == 0


def test_a_libheif_without_x265_gets_nothing(tmp_path: Path) -> None:
    plain = compiled(tmp_path / "libheif-56ef.so.1", "int decode(void) { return 1; }")
    entry = (f"pillow_heif.libs/{plain.name}", str(plain), "BINARY")
    assert thin.instead_of_x265([entry], tmp_path / "work") == []


def test_symbols_of_debuggers_go_and_functions_stay(tmp_path: Path) -> None:
    whole = compiled(tmp_path / "lap" / "_lapjv.so", "int answer(void) { return 42; }")
    qt = ("PySide6/QtCore.abi3.so", str(whole), "EXTENSION")
    ((name, source, _), untouched) = thin.without_symbols(
        [("lap/_lapjv.so", str(whole), "EXTENSION"), qt], tmp_path / "work"
    )
    assert name == "lap/_lapjv.so"
    assert Path(source).stat().st_size < whole.stat().st_size
    assert ctypes.CDLL(source).answer() == 42
    assert untouched == qt


def test_a_library_that_strip_would_break_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = compiled(tmp_path / "lap" / "_lapjv.so", "int answer(void) { return 42; }")
    assert thin.loadable(whole)
    entry = ("lap/_lapjv.so", str(whole), "EXTENSION")
    monkeypatch.setattr(thin, "loadable", lambda library: False)
    assert thin.without_symbols([entry], tmp_path / "work") == [entry]


def test_a_segment_beside_its_page_is_seen(tmp_path: Path) -> None:
    library = compiled(tmp_path / "one.so", "int answer(void) { return 42; }")
    data = bytearray(library.read_bytes())
    begin, _size, _count = thin.TABLE.unpack_from(data)
    kind, offset, address, page = thin.ENTRY.unpack_from(data, begin)
    assert kind == thin.LOADED
    thin.ENTRY.pack_into(data, begin, kind, offset + 16, address, page)
    library.write_bytes(data)
    assert not thin.loadable(library)
