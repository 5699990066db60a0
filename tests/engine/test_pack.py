from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import PackDamaged, PackMissing, PackUnsupported
from engine.matcher import load_matcher
from engine.pack import (
    FORMAT,
    MANIFEST,
    READABLE,
    TOKENIZER,
    WEIGHTS_FILE,
    open_pack,
    read_manifest,
)
from tests.fixtures.tiny_pack import TinyPack, rewrite_manifest


@pytest.fixture
def pack(tiny_pack: TinyPack, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_pack.folder, tmp_path / "pack"))


def change(pack: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    values = json.loads((pack / MANIFEST).read_text(encoding="utf-8"))
    edit(values)
    (pack / MANIFEST).write_text(json.dumps(values), encoding="utf-8")


def test_a_whole_pack_opens_and_says_what_it_is(pack: Path) -> None:
    manifest = open_pack(pack).manifest
    assert manifest.kind == "both"
    assert manifest.languages == ("en", "zh")
    assert "non-commercial" in manifest.notice
    assert (pack / "LICENSE").is_file()
    assert (pack / "MODEL_CARD.md").is_file()


def test_a_manifest_survives_being_written_and_read(pack: Path) -> None:
    manifest = read_manifest(pack)
    rewrite_manifest(pack, manifest)
    assert read_manifest(pack) == manifest


@pytest.mark.parametrize(
    "search", [[], {}, {"base": {}, "growth": 0.1}, {"base": {"en": 0.1}}, {"growth": 0.1}]
)
def test_a_search_rule_that_can_not_be_read_is_damage(pack: Path, search: object) -> None:
    change(pack, lambda values: values.update(search=search))
    with pytest.raises(PackDamaged):
        open_pack(pack)


@pytest.mark.parametrize("name", ["image.int8.onnx", TOKENIZER, "LICENSE", WEIGHTS_FILE])
def test_one_changed_byte_is_found_in_every_file(pack: Path, name: str) -> None:
    content = bytearray((pack / name).read_bytes())
    content[len(content) // 2] ^= 1
    (pack / name).write_bytes(content)
    with pytest.raises(PackDamaged, match=f"{name} has the wrong checksum"):
        open_pack(pack)


def test_weights_are_checked_too_though_the_processor_never_reads_them(pack: Path) -> None:
    content = bytearray((pack / WEIGHTS_FILE).read_bytes())
    content[-1] ^= 1
    (pack / WEIGHTS_FILE).write_bytes(content)
    with pytest.raises(PackDamaged, match="wrong checksum"):
        load_matcher(pack)


def test_a_half_copied_file_is_found_by_its_size(pack: Path) -> None:
    path = pack / "text.int8.onnx"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(PackDamaged, match="wrong size"):
        open_pack(pack)


def test_a_missing_graph_is_named(pack: Path) -> None:
    (pack / "fusion.int8.onnx").unlink()
    with pytest.raises(PackDamaged, match=r"fusion\.int8\.onnx is missing"):
        open_pack(pack)


def test_training_weights_may_be_left_out(pack: Path) -> None:
    (pack / WEIGHTS_FILE).unlink()
    assert load_matcher(pack).model_id == open_pack(pack).model_id


def test_no_folder_is_a_missing_pack(tmp_path: Path) -> None:
    with pytest.raises(PackMissing, match="PAIRLENS_PACK"):
        open_pack(tmp_path / "nowhere")


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 1, "kind": "both"}'])
def test_a_junk_manifest_is_a_damaged_or_unknown_pack(pack: Path, content: str) -> None:
    (pack / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises((PackDamaged, PackUnsupported)):
        open_pack(pack)


@pytest.mark.parametrize(
    ("key", "value"), [("format", min(READABLE) - 1), ("format", FORMAT + 1), ("kind", "oracle")]
)
def test_a_pack_of_another_time_is_refused_with_a_reason(pack: Path, key: str, value: Any) -> None:
    change(pack, lambda values: values.update({key: value}))
    with pytest.raises(PackUnsupported, match=str(value)):
        open_pack(pack)


def test_a_pack_of_the_format_before_is_read(pack: Path) -> None:
    now = read_manifest(pack)

    def earlier(values: dict[str, Any]) -> None:
        del values["tokenizer"], values["calibration"]["fitted"]
        for name in ("resample", "shorter", "patches"):
            del values["preprocessing"][name]
        values["format"] = 3

    change(pack, earlier)
    assert read_manifest(pack) == now
    assert now.calibration.fitted


@pytest.mark.parametrize("kind", ["embedding", "fusion"])
def test_a_pack_that_can_do_half_is_read_but_not_run(pack: Path, kind: str) -> None:
    change(pack, lambda values: values.update(kind=kind))
    assert open_pack(pack).manifest.kind == kind
    with pytest.raises(PackUnsupported, match=kind):
        load_matcher(pack)


@pytest.mark.parametrize("name", ["../outside.onnx", "/etc/passwd", "a/b.onnx", ".."])
def test_a_manifest_can_not_reach_outside_its_folder(pack: Path, name: str) -> None:
    entry = {"sha256": "0" * 64, "size": 1, "optional": False}
    change(pack, lambda values: values["files"].update({name: entry}))
    with pytest.raises(PackDamaged):
        open_pack(pack)


def test_a_graph_that_can_not_run_is_an_unusable_pack(pack: Path) -> None:
    (pack / "image.int8.onnx").write_bytes(b"not a graph")
    rewrite_manifest(pack, read_manifest(pack), remeasured=True)
    with pytest.raises(PackUnsupported):
        load_matcher(pack)


def test_the_model_id_follows_the_weights_and_not_the_card(pack: Path) -> None:
    before = read_manifest(pack)
    (pack / "MODEL_CARD.md").write_text("another card", encoding="utf-8")
    rewrite_manifest(pack, before, remeasured=True)
    assert read_manifest(pack).model_id == before.model_id
    image = pack / "image.int8.onnx"
    image.write_bytes(image.read_bytes() + b"\0")
    rewrite_manifest(pack, before, remeasured=True)
    assert read_manifest(pack).model_id != before.model_id


def test_the_model_id_names_the_architecture(pack: Path) -> None:
    manifest = replace(read_manifest(pack), architecture="another")
    assert manifest.model_id.startswith("another-")
