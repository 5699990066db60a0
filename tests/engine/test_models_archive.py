"""`.pairlens` files made to do harm: refused before they are unpacked, or while they are."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import OutputUnwritable, PackError, PackFileUnusable
from engine.pack import MANIFEST, open_pack
from engine.pack_file import opened, write_pack_file
from engine.pack_install import import_file
from engine.paths import packs_dir, shipped_pack_dir
from tests.fixtures.packs import change_manifest, repacked

Entries = list[tuple[Any, bytes]]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of another name, without the large weights: nothing here is ever run."""
    folder = tmp_path_factory.mktemp("small") / "pack"
    ignored = shutil.ignore_patterns("weights.safetensors")
    shutil.copytree(shipped_pack_dir(), folder, ignore=ignored)
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_bytes(tokenizer.read_bytes() + b"\n")
    digest = hashlib.sha256(tokenizer.read_bytes()).hexdigest()
    entry = {"sha256": digest, "size": tokenizer.stat().st_size}
    change_manifest(folder, lambda values: values["files"].update({"tokenizer.json": entry}))
    change_manifest(folder, lambda values: values.update(name="Small"))
    return folder


@pytest.fixture(scope="module")
def archive(small: Path) -> Path:
    out = small.parent / "small.pairlens"
    write_pack_file(open_pack(small), out)
    return out


@pytest.fixture(autouse=True)
def nothing_gets_out(tmp_path: Path) -> Iterator[None]:
    """Whatever a test imports, nothing is written beside the folder of packs."""
    before = {path for path in tmp_path.rglob("*") if "pairlens-home" not in path.parts}
    yield
    assert not [path for path in tmp_path.rglob("evil*") if path not in before]


def refused(path: Path, words: str) -> None:
    """Importing the file fails with these words and leaves nothing."""
    with pytest.raises(PackFileUnusable, match=words) as caught:
        import_file(path)
    assert caught.value.fields["path"] == path
    left = [one.name for one in packs_dir().iterdir() if not one.name.startswith("packs.lock")]
    assert left == []


def with_more(archive: Path, out: Path, *more: tuple[Any, bytes]) -> Path:
    shutil.copy(archive, out)
    with zipfile.ZipFile(out, "a") as file:
        for name, content in more:
            file.writestr(name, content)
    return out


def test_a_pack_file_is_the_same_bytes_each_time_and_unpacks_to_the_same_pack(
    small: Path, archive: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.pairlens"
    write_pack_file(open_pack(small), again)
    assert again.read_bytes() == archive.read_bytes()
    imported = import_file(archive)
    assert imported.fresh
    for path in small.iterdir():
        assert (imported.pack.folder / path.name).read_bytes() == path.read_bytes()
    assert open_pack(imported.pack.folder).model_id == open_pack(small).model_id


def test_a_file_that_is_there_is_not_written_over(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.pairlens"
    out.write_text("mine")
    with pytest.raises(OutputUnwritable, match="already"):
        write_pack_file(open_pack(small), out)
    assert out.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.pairlens", "pairlens-home"]


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt", "../../evil.txt", "/tmp/evil.txt", "a/evil.txt", "a/../../evil.txt",
        "..\\evil.txt", "C:\\evil.txt", "C:evil.txt", "\\\\host\\share\\evil.txt", "evil/",
        "evíl.txt", "", ".", "..",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(archive: Path, tmp_path: Path, name: str) -> None:
    entry = zipfile.ZipInfo("x")
    entry.filename = name
    refused(
        with_more(archive, tmp_path / "a.pairlens", (entry, b"evil")), "plain name|not name|link"
    )


def test_a_name_that_python_would_cut_at_a_zero_is_refused(archive: Path, tmp_path: Path) -> None:
    def edit(entry: zipfile.ZipInfo, content: bytes) -> Entries:
        if entry.filename != "LICENSE":
            return [(entry, content)]
        entry.filename = "LICENSE\0evil"
        return [(entry, content)]

    refused(repacked(archive, tmp_path / "a.pairlens", edit), "not name|missing|differ")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_links_and_devices_are_refused(archive: Path, tmp_path: Path, kind: int) -> None:
    def edit(entry: zipfile.ZipInfo, content: bytes) -> Entries:
        if entry.filename == "LICENSE":
            entry.external_attr = (kind | 0o777) << 16
        return [(entry, content)]

    refused(repacked(archive, tmp_path / "a.pairlens", edit), "link or a device")


@pytest.mark.parametrize("name", ["LICENSE", "License", "MANIFEST.JSON", "manifest.json"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_capitals_or_not_is_refused(
    archive: Path, tmp_path: Path, name: str
) -> None:
    refused(with_more(archive, tmp_path / "a.pairlens", (name, b"evil")), "twice")


@pytest.mark.parametrize("name", ["evil.txt", "evil.pkl", "inner.zip", "inner.pairlens"])
def test_what_the_manifest_does_not_name_is_refused(
    archive: Path, tmp_path: Path, name: str
) -> None:
    refused(with_more(archive, tmp_path / "a.pairlens", (name, b"evil")), "does not name")


def test_an_archive_within_is_refused_and_never_opened(small: Path, tmp_path: Path) -> None:
    pack = Path(shutil.copytree(small, tmp_path / "pack"))
    with zipfile.ZipFile(pack / "notes.txt", "w") as inner:
        inner.writestr("evil.txt", b"\xff\0" * 1000)
    content = (pack / "notes.txt").read_bytes()
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    change_manifest(pack, lambda values: values["files"].update({"notes.txt": entry}))
    out = tmp_path / "a.pairlens"
    with zipfile.ZipFile(out, "w") as file:
        for path in pack.iterdir():
            file.write(path, path.name)
    refused(out, "notes.txt")


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
def test_encrypted_entries_are_refused(archive: Path, tmp_path: Path, flag: int) -> None:
    content = bytearray(archive.read_bytes())
    place = content.index(b"PK\x01\x02")
    content[place + 8 : place + 10] = struct.pack("<H", flag)
    path = tmp_path / "a.pairlens"
    path.write_bytes(content)
    refused(path, "encrypted")


def test_other_ways_of_packing_are_refused(archive: Path, tmp_path: Path) -> None:
    def edit(entry: zipfile.ZipInfo, content: bytes) -> Entries:
        entry.compress_type = zipfile.ZIP_LZMA
        return [(entry, content)]

    refused(repacked(archive, tmp_path / "a.pairlens", edit), "not allowed")


def test_a_bomb_that_says_so_is_refused_before_it_is_unpacked(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.pairlens"
    with zipfile.ZipFile(out, "w") as file:
        for path in small.iterdir():
            content = b"\0" * (30 << 20) if path.name == "image.int8.onnx" else path.read_bytes()
            file.writestr(path.name, content, zipfile.ZIP_DEFLATED)
    refused(out, "would grow")


def claimed(archive: Path, out: Path, name: str, size: int) -> Path:
    """Make the list of contents claim another size of an entry."""
    content = bytearray(archive.read_bytes())
    place = content.index(b"PK\x01\x02")
    while content[place + 46 : place + 46 + len(name)] != name.encode():
        place = content.index(b"PK\x01\x02", place + 1)
    content[place + 24 : place + 28] = struct.pack("<I", size)
    out.write_bytes(content)
    return out


def test_a_bomb_that_claims_to_be_small_is_stopped_at_its_claim(
    small: Path, tmp_path: Path
) -> None:
    size = (small / "image.int8.onnx").stat().st_size
    made = tmp_path / "made.pairlens"
    with zipfile.ZipFile(made, "w") as file:
        for path in small.iterdir():
            content = b"\0" * (100 << 20) if path.name == "image.int8.onnx" else path.read_bytes()
            file.writestr(path.name, content, zipfile.ZIP_DEFLATED)
    refused(claimed(made, tmp_path / "a.pairlens", "image.int8.onnx", size), "Bad CRC|longer")


@pytest.mark.parametrize("size", [0, 10, 0xFFFFFFFF])
def test_a_claim_that_is_not_the_manifests_is_refused(
    archive: Path, tmp_path: Path, size: int
) -> None:
    refused(claimed(archive, tmp_path / "a.pairlens", "fusion.int8.onnx", size), "size|grow")


def test_a_manifest_that_claims_more_bytes_than_any_drive_has_is_refused(
    archive: Path, tmp_path: Path
) -> None:
    def edit(entry: zipfile.ZipInfo, content: bytes) -> Entries:
        if entry.filename != MANIFEST:
            return [(entry, content)]
        values = json.loads(content)
        values["files"]["weights.safetensors"]["size"] = 2**60
        return [(entry, json.dumps(values).encode())]

    refused(repacked(archive, tmp_path / "a.pairlens", edit), f"claims {2**60} bytes")


def test_entries_that_lie_over_each_other_are_refused(archive: Path, tmp_path: Path) -> None:
    content = bytearray(archive.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 1)
    third = content.index(b"PK\x01\x02", second + 1)
    content[third + 42 : third + 46] = content[second + 42 : second + 46]
    path = tmp_path / "a.pairlens"
    path.write_bytes(content)
    refused(path, "over each other")


def test_a_huge_list_of_contents_is_refused_unread(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "many.pairlens"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(70_000):  # more than fit without ZIP64
            file.writestr(f"{number}.txt", b"")
    refused(path, "list of contents")
    content = bytearray(archive.read_bytes())
    content[-10:-6] = struct.pack("<I", 1 << 30)
    path.write_bytes(content)
    refused(path, "list of contents")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(archive: Path, tmp_path: Path, share: float) -> None:
    content = archive.read_bytes()
    path = tmp_path / "cut.pairlens"
    path.write_bytes(content[: int(len(content) * share)])
    refused(path, "no ZIP")


def test_a_changed_byte_is_found(archive: Path, tmp_path: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "changed.pairlens"
    path.write_bytes(content)
    refused(path, "Bad CRC")


def test_a_file_that_differs_from_its_checksum_is_refused(archive: Path, tmp_path: Path) -> None:
    def edit(entry: zipfile.ZipInfo, content: bytes) -> Entries:
        if entry.filename == "LICENSE":
            content = content[:-1] + b"!"
        return [(entry, content)]

    refused(repacked(archive, tmp_path / "a.pairlens", edit), "LICENSE has the wrong checksum")


@pytest.mark.parametrize("dropped", [MANIFEST, "LICENSE", "image.int8.onnx"])
def test_a_missing_file_is_named(archive: Path, tmp_path: Path, dropped: str) -> None:
    def edit(entry: zipfile.ZipInfo, content: bytes) -> Entries:
        return [] if entry.filename == dropped else [(entry, content)]

    refused(repacked(archive, tmp_path / "a.pairlens", edit), dropped)


def test_a_hostile_manifest_is_refused_before_anything_is_unpacked(
    archive: Path, tmp_path: Path
) -> None:
    for hostile in (b"[" * 500_000, b"{}", b"\x80\x04", b"x" * (2 << 20)):

        def edit(entry: zipfile.ZipInfo, content: bytes, hostile: bytes = hostile) -> Entries:
            return [(entry, hostile if entry.filename == MANIFEST else content)]

        path = repacked(archive, tmp_path / "a.pairlens", edit)
        with pytest.raises(PackFileUnusable), opened(path):
            pass


def test_no_changed_byte_of_the_structure_makes_it_fail_in_another_way(
    archive: Path, tmp_path: Path
) -> None:
    content = archive.read_bytes()
    begin = content.index(b"PK\x01\x02")
    path = tmp_path / "a.pairlens"
    for place in range(begin, len(content), 23):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        into = tmp_path / "into"
        into.mkdir()
        try:
            with opened(path) as packed:
                packed.unpack(into)
        except (PackError, OSError):
            pass
        shutil.rmtree(into)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(PackFileUnusable, match=r"Is a directory|Permission"):
        import_file(tmp_path)
    with pytest.raises(PackFileUnusable, match="No such file"):
        import_file(tmp_path / "nowhere.pairlens")
    if os.name == "posix":
        with pytest.raises(PackFileUnusable, match="ZIP"):
            import_file(Path(os.devnull))
