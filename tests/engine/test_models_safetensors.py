"""Weights are judged by their header, before torch or anything else makes room for them."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.architecture import FUSION, expected
from engine.errors import PackUnsupported
from engine.pack import open_pack, read_manifest
from engine.safetensors_file import read_shapes
from tests.fixtures.tiny_pack import TinyPack, rewrite_manifest

WEIGHTS = "weights.safetensors"


def written(path: Path, header: object, content: bytes = b"\0" * 8) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content)
    return path


def entry(kind: object = "F32", shape: object = (2,), span: object = (0, 8)) -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": span}


def test_the_shapes_that_are_expected_are_those_of_the_model_itself(tiny_pack: TinyPack) -> None:
    wanted = expected(FUSION, tiny_pack.recipe.model)
    assert wanted is not None
    model = {name: tuple(value.shape) for name, value in tiny_pack.model.state_dict().items()}
    assert wanted.weights == model
    assert read_shapes(tiny_pack.folder / WEIGHTS) == model


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    header = {"__metadata__": {"format": "pt"}, "a": entry(shape=[2, 1]), "b": entry(span=[8, 16])}
    path = written(tmp_path / WEIGHTS, header, b"\0" * 16)
    assert read_shapes(path) == {"a": (2, 1), "b": (2,)}


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"not JSON", "Expecting value"),
        (b"[" * 100_000, "nested"),
        ([], "no object"),
        ({"__metadata__": {"a": 1}, "a": entry()}, "metadata"),
        (b'{"a": 1, "a": 2}', "twice"),
        ({"a": 7}, "not described"),
        ({"a": entry(kind="PICKLE")}, "another type"),
        ({"a": entry(kind=["F32"])}, "another type"),
        ({"a": entry(shape="2")}, "shape"),
        ({"a": entry(shape=[2.0])}, "shape"),
        ({"a": entry(shape=[True, 2])}, "shape"),
        ({"a": entry(shape=[-2])}, "shape"),
        ({"a": entry(shape=[1 << 60])}, "shape"),
        ({"a": entry(shape=[1 << 40, 1 << 40])}, "as long as"),
        ({"a": entry(span=[0])}, "shape"),
        ({"a": entry(span=[8, 0])}, "as long as"),
        ({"a": entry(span=[0, 1 << 40], shape=[1 << 38])}, "make up the file"),
        ({"a": entry(span=[4, 12])}, "overlap or leave gaps"),
        ({"a": entry(shape=[1], span=[0, 4])}, "make up the file"),
        ({"a": entry(), "b": entry()}, "overlap"),
        ({}, "make up the file"),
    ],
)
def test_a_header_that_does_not_describe_its_file_is_refused(
    tmp_path: Path, header: object, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        read_shapes(written(tmp_path / WEIGHTS, header))


@pytest.mark.parametrize("content", [b"", b"\0" * 7, b"\xff" * 8, struct.pack("<Q", 1 << 60)])
def test_a_header_longer_than_the_file_is_refused_unread(tmp_path: Path, content: bytes) -> None:
    (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(ValueError, match="claims"):
        read_shapes(tmp_path / WEIGHTS)


def test_a_header_of_many_megabytes_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / WEIGHTS).open("wb") as file:
        file.write(struct.pack("<Q", 50 << 20))
        file.truncate(60 << 20)
    with pytest.raises(ValueError, match="claims"):
        read_shapes(tmp_path / WEIGHTS)


@pytest.mark.parametrize(
    "edit",
    [
        lambda header: header.update({"more": header.pop("log_scale")}),
        lambda header: header["describe.bias"].update(shape=[1, 1280]),
    ],
)
def test_weights_that_do_not_fit_the_manifest_are_refused(
    tiny_pack: TinyPack, tmp_path: Path, edit: Callable[[dict[str, Any]], object]
) -> None:
    pack = Path(shutil.copytree(tiny_pack.folder, tmp_path / "pack"))
    content = (pack / WEIGHTS).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    edit(header)
    written(pack / WEIGHTS, header, content[8 + length :])
    rewrite_manifest(pack, read_manifest(pack), remeasured=True)
    with pytest.raises(PackUnsupported, match=f"{WEIGHTS}: its tensor"):
        open_pack(pack)
