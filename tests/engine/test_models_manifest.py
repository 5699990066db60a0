"""A manifest from a stranger: wrong types and absurd claims are damage, the new is passed over."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import PackDamaged, PackError, PackUnsupported
from engine.manifest_json import LARGEST
from engine.pack import MANIFEST, open_pack, read_manifest
from engine.pack_content import largest
from engine.paths import shipped_pack_dir
from tests.fixtures.packs import change_manifest

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The default pack without its large files: what is wrong here is found before they matter."""
    folder = tmp_path / "pack"
    folder.mkdir()
    shutil.copy(shipped_pack_dir() / MANIFEST, folder)
    return folder


def sets(*keys: str, to: object) -> Edit:
    def edit(values: dict[str, Any]) -> None:
        for key in keys[:-1]:
            values = values[key]
        values[keys[-1]] = to

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        *(sets(key, to=7) for key in ("name", "version", "licence", "notice", "architecture")),
        *(sets(key, to="text") for key in ("model", "preprocessing", "calibration", "search")),
        *(sets(key, to=None) for key in ("languages", "files", "metrics", "model", "name")),
        sets("languages", to=[1]),
        sets("languages", to="en"),
        sets("name", to=""),
        sets("name", to="two\nlines"),
        sets("name", to="a\x1b[31m"),
        sets("version", to="9" * 200),
        sets("notice", to="n" * 5000),
        sets("notice", to="\x1b]0;evil\x07"),
        sets("licence", to="MIT\u202egnp"),
        sets("languages", to=["en\r"]),
        sets("files", "LICENSE", to=[]),
        sets("files", "LICENSE", to={}),
        sets("files", "LICENSE", "size", to="1070"),
        sets("files", "LICENSE", "size", to=-1),
        sets("files", "LICENSE", "size", to=True),
        sets("files", "LICENSE", "size", to=1e300),
        sets("files", "LICENSE", "sha256", to="../../etc/passwd"),
        sets("files", "LICENSE", "sha256", to="A" * 64),
        sets("files", "LICENSE", "optional", to="yes"),
        sets("model", "width", to="256"),
        sets("model", "width", to=256.0),
        sets("model", "width", to=True),
        sets("model", "vocabulary", to=2**60),
        sets("model", "fusion_layers", to=10**6),
        sets("model", "heads", to=0),
        sets("model", "image_size", to=-32),
        sets("model", "channels", to=[1, 2, 3, 4, "5"]),
        sets("model", "residuals", to=5),
        sets("model", "remote_code", to="model.py"),
        sets("preprocessing", "size", to="192"),
        sets("preprocessing", "size", to=10**6),
        sets("preprocessing", "mean", to=[0, "0", None]),
        sets("calibration", "scale", to="1"),
        sets("calibration", "scale", to=float("nan")),
        sets("calibration", "threshold", to=7),
        sets("search", "base", to={"en": "0.2"}),
        lambda values: values.pop("files"),
        lambda values: values["calibration"].pop("bias"),
    ],
)
def test_a_value_of_a_wrong_type_or_size_is_damage(pack: Path, edit: Edit) -> None:
    change_manifest(pack, edit)
    with pytest.raises(PackDamaged):
        read_manifest(pack)


@pytest.mark.parametrize("value", [None, [], {}, 3.0, "4", True])
def test_a_format_or_kind_of_a_wrong_type_is_another_time_s(pack: Path, value: object) -> None:
    for key in ("format", "kind"):
        before = (pack / MANIFEST).read_bytes()
        change_manifest(pack, sets(key, to=value))
        if not (key == "format" and value == 3.0):
            with pytest.raises((PackUnsupported, PackDamaged)):
                read_manifest(pack)
        (pack / MANIFEST).write_bytes(before)


def test_what_this_version_does_not_know_is_passed_over(pack: Path) -> None:
    before = read_manifest(pack)
    change_manifest(pack, sets("colour", to={"of": "the box"}))
    change_manifest(pack, sets("files", "LICENSE", "language", to="en"))
    change_manifest(pack, sets("calibration", "method", to="Platt"))
    assert read_manifest(pack) == before


@pytest.mark.parametrize(
    "name",
    [
        "model.pkl", "weights.pt", "weights.bin", "model.pth", "code.py", "modeling.PY", "lib.so",
        "run.sh", "a.exe", "README", "image.onnx.data", "image.ort", "more.zip", "more.pairlens",
        "image.int8.onnx.", "image.onnx ", " a.onnx", ".hidden.json", "-rf.txt", "CON.txt",
        "aux.json", "lpt1.x.onnx", "a\\b.onnx", "C:a.onnx", "a:b.json", "a/b.json", "../a.json",
        "/a.json", "ä.txt", "a\0.txt", "a\n.txt", "manifest.json", "Manifest.json",
        "a" * 120 + ".txt", "image.INT8.onnx",
    ],
)  # fmt: skip
def test_a_file_that_no_pack_may_hold_is_refused_by_its_name(pack: Path, name: str) -> None:
    entry = {"sha256": "0" * 64, "size": 1, "optional": True}
    change_manifest(pack, sets("files", name, to=entry))
    with pytest.raises(PackDamaged):
        read_manifest(pack)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 400_000,
        b'{"a":' * 200_000,
        b'{"format": 3, "a": ' + b"[" * 50 + b"]" * 50 + b"}",
        b'{"size": ' + b"9" * 100_000 + b"}",
        b" " * (LARGEST + 1),
        b"\xff\xfe{\0}\0",
        b"\x80\x04\x95",
    ],
)
def test_a_manifest_too_large_too_deep_or_no_json_is_damage(pack: Path, content: bytes) -> None:
    (pack / MANIFEST).write_bytes(content)
    with pytest.raises(PackDamaged):
        read_manifest(pack)


def test_a_manifest_without_end_is_not_read_to_the_end(pack: Path) -> None:
    with (pack / MANIFEST).open("wb") as file:
        file.truncate(1 << 40)  # takes no room on the drive
    with pytest.raises(PackDamaged, match="larger than"):
        read_manifest(pack)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped_pack_dir(), tmp_path / "whole"))


def replaced(pack: Path, name: str, content: bytes, **more: Any) -> None:
    """Put another file in, listed as it is."""
    (pack / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    entry = {"sha256": digest, "size": len(content), "optional": False}
    change_manifest(pack, sets("files", name, to=entry))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.json", b"\x80\x04\x95pickle"),
        ("tokenizer.json", b"[]"),
        ("notes.txt", b"PK\x03\x04" + bytes(range(256))),
        ("MODEL_CARD.md", b"\x7fELF\0\0"),
        ("LICENSE", b"text\0more"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(
    whole: Path, name: str, content: bytes
) -> None:
    replaced(whole, name, content)
    with pytest.raises(PackUnsupported, match=name):
        open_pack(whole)


def test_a_tokenizer_that_is_too_large_is_refused(whole: Path) -> None:
    size = largest("tokenizer.json") + 1
    replaced(whole, "tokenizer.json", b"{}" + b" " * (size - 2))
    with pytest.raises(PackUnsupported, match="larger than"):
        open_pack(whole)


def test_pixels_of_another_size_than_the_models_are_refused(whole: Path) -> None:
    change_manifest(whole, sets("preprocessing", "size", to=4000))
    with pytest.raises(PackUnsupported, match=r"\(3, 4000, 4000\)"):
        open_pack(whole)


def test_a_claim_of_more_bytes_than_any_drive_has_is_refused_unread(whole: Path) -> None:
    change_manifest(whole, sets("files", "image.int8.onnx", "size", to=2**60))
    with pytest.raises(PackDamaged, match="wrong size"):
        open_pack(whole)


def test_a_file_that_is_a_folder_or_a_device_is_missing(whole: Path) -> None:
    (whole / "LICENSE").unlink()
    (whole / "LICENSE").mkdir()
    with pytest.raises(PackDamaged, match="LICENSE is missing"):
        open_pack(whole)
    (whole / "LICENSE").rmdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(whole / "LICENSE")
        with pytest.raises(PackDamaged, match="LICENSE is missing"):
            open_pack(whole)


def test_the_shipped_pack_passes_every_check() -> None:
    try:
        assert open_pack(shipped_pack_dir()).manifest.kind == "both"
    except PackError as error:
        pytest.fail(str(error))


def test_what_is_written_is_what_is_read(pack: Path) -> None:
    manifest = read_manifest(pack)
    (pack / MANIFEST).write_text(json.dumps(manifest.to_dict()), encoding="utf-8")
    assert read_manifest(pack) == manifest
