"""What a graph may not ask for, and that it is found before ONNX Runtime sees the file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.architecture import FUSION, expected
from engine.errors import PackUnsupported
from engine.matcher import load_matcher
from engine.onnx_file import read_signature
from engine.pack import open_pack, read_manifest
from tests.fixtures.tiny_pack import TinyPack, rewrite_manifest

IMAGE = "image.int8.onnx"


@pytest.fixture
def pack(tiny_pack: TinyPack, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_pack.folder, tmp_path / "pack"))


def tampered(pack: Path, edit: Callable[[onnx.ModelProto], object], name: str = IMAGE) -> None:
    """Change a graph, and measure it again as whoever made the pack would."""
    model = onnx.load(pack / name)
    edit(model)
    (pack / name).write_bytes(model.SerializeToString())
    rewrite_manifest(pack, read_manifest(pack), remeasured=True)


def put_outside(tensor: onnx.TensorProto, where: str) -> None:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", where


def in_a_branch(model: onnx.ModelProto, tensor: onnx.TensorProto) -> None:
    """Hang a tensor into a graph within the graph."""
    branch = helper.make_graph([], "branch", [], [], [tensor])
    model.graph.node[0].attribute.append(helper.make_attribute("then_branch", branch))


@pytest.mark.parametrize("graph", ["image", "text", "memory", "fusion"])
@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_every_graph_of_ours_is_read_as_onnx_runtime_reads_it(
    tiny_pack: TinyPack, graph: str, precision: str
) -> None:
    path = tiny_pack.graphs / f"{graph}.{precision}.onnx"
    wanted = expected(FUSION, tiny_pack.recipe.model)
    assert wanted is not None
    found = read_signature(path)
    assert found == wanted.graphs[graph]
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for values, seen in (
        (found.inputs, session.get_inputs()),
        (found.outputs, session.get_outputs()),
    ):
        assert [value.name for value in values] == [one.name for one in seen]
        assert [len(value.shape) for value in values] == [len(one.shape) for one in seen]


def test_weights_in_another_file_are_refused_though_onnx_runtime_would_read_them(
    pack: Path,
) -> None:
    values = np.ones((4, 4), np.float32)
    (pack / "weights.txt").write_bytes(values.tobytes())
    tensor = numpy_helper.from_array(values, "w")
    put_outside(tensor, "weights.txt")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4])],
        [tensor],
    )
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    (pack / IMAGE).write_bytes(model.SerializeToString())
    ort.InferenceSession(str(pack / IMAGE), providers=["CPUExecutionProvider"])

    with pytest.raises(ValueError, match="another file"):
        read_signature(pack / IMAGE)
    rewrite_manifest(pack, read_manifest(pack), remeasured=True)
    with pytest.raises(PackUnsupported, match=f"{IMAGE}: its weights are in another file"):
        open_pack(pack)


@pytest.mark.parametrize("where", ["../../secret", "/etc/passwd", IMAGE, "C:\\secret"])
def test_no_name_of_another_file_is_let_through(pack: Path, where: str) -> None:
    tampered(pack, lambda model: put_outside(model.graph.initializer[0], where))
    with pytest.raises(PackUnsupported, match="another file"):
        load_matcher(pack)


def test_weights_outside_are_found_in_attributes_and_graphs_within_the_graph(pack: Path) -> None:
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "w")
    put_outside(tensor, "elsewhere")

    def in_an_attribute(model: onnx.ModelProto) -> None:
        model.graph.node[0].attribute.append(helper.make_attribute("value", tensor))

    model = onnx.load(pack / IMAGE)
    for hide in (in_an_attribute, lambda model: in_a_branch(model, tensor)):
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        hide(changed)
        (pack / IMAGE).write_bytes(changed.SerializeToString())
        with pytest.raises(ValueError, match="another file"):
            read_signature(pack / IMAGE)


def test_a_place_is_refused_even_where_nothing_says_that_it_is_used(pack: Path) -> None:
    def only_a_place(model: onnx.ModelProto) -> None:
        entry = model.graph.initializer[0].external_data.add()
        entry.key, entry.value = "location", "elsewhere"

    tampered(pack, only_a_place)
    with pytest.raises(PackUnsupported, match="another file"):
        open_pack(pack)


@pytest.mark.parametrize("domain", ["evil", "com.microsoft", "ai.onnx.ml", "ai.onnx.contrib"])
def test_operators_of_others_are_refused(pack: Path, domain: str) -> None:
    tampered(pack, lambda model: setattr(model.graph.node[0], "domain", domain))
    with pytest.raises(PackUnsupported, match=f"operators of '{domain}'"):
        open_pack(pack)


def test_operators_of_others_are_found_in_graphs_within_the_graph(pack: Path) -> None:
    def hide(model: onnx.ModelProto) -> None:
        node = helper.make_node("Run", [], ["y"], domain="evil")
        branch = helper.make_graph([node], "branch", [], [])
        model.graph.node[-1].attribute.append(helper.make_attribute("body", branch))

    tampered(pack, hide)
    with pytest.raises(PackUnsupported, match="operators of 'evil'"):
        open_pack(pack)


def test_functions_of_its_own_training_and_sparse_weights_are_refused(pack: Path) -> None:
    opset = [helper.make_opsetid("", 18)]
    whole = onnx.load(pack / IMAGE)

    def function(model: onnx.ModelProto) -> None:
        model.functions.append(helper.make_function("mine", "f", ["x"], ["y"], [], opset))

    def sparse(model: onnx.ModelProto) -> None:
        model.graph.sparse_initializer.add().dims.append(1 << 40)

    for edit, words in (
        (function, "functions"),
        (sparse, "sparse"),
        (lambda model: model.training_info.add(), "training"),
    ):
        model = onnx.ModelProto()
        model.CopyFrom(whole)
        edit(model)
        (pack / IMAGE).write_bytes(model.SerializeToString())
        with pytest.raises(ValueError, match=words):
            read_signature(pack / IMAGE)


def test_weights_that_claim_more_than_the_file_holds_are_refused(pack: Path) -> None:
    def claim(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        del tensor.dims[:]
        tensor.dims.extend([1 << 30, 1 << 30])

    tampered(pack, claim)
    with pytest.raises(PackUnsupported, match="larger than the file"):
        open_pack(pack)


@pytest.mark.parametrize(
    "edit",
    [
        lambda graph: setattr(graph.input[0], "name", "picture"),
        lambda graph: setattr(graph.output[0], "name", "vectors"),
        lambda graph: setattr(graph.input[0].type.tensor_type, "elem_type", TensorProto.DOUBLE),
        lambda graph: setattr(graph.input[0].type.tensor_type.shape.dim[1], "dim_value", 4),
        lambda graph: setattr(graph.output[0].type.tensor_type.shape.dim[1], "dim_value", 1 << 40),
        lambda graph: graph.output.pop(),
        lambda graph: graph.input.append(
            helper.make_tensor_value_info("more", TensorProto.FLOAT, [1])
        ),
        lambda graph: graph.input[0].type.tensor_type.shape.dim.pop(),
    ],
)
def test_a_graph_that_takes_or_gives_something_else_is_refused(
    pack: Path, edit: Callable[[onnx.GraphProto], object]
) -> None:
    tampered(pack, lambda model: edit(model.graph))
    with pytest.raises(PackUnsupported, match=f"{IMAGE}: it takes and gives"):
        open_pack(pack)


def test_a_graph_of_another_size_than_the_manifests_is_refused(pack: Path) -> None:
    manifest = read_manifest(pack)
    rewrite_manifest(pack, replace(manifest, model=replace(manifest.model, embedding=25)))
    with pytest.raises(PackUnsupported, match=r"embeddings' float32\[any, 25\]"):
        open_pack(pack)


def test_a_graph_the_model_has_no_use_for_is_refused(pack: Path) -> None:
    shutil.copy(pack / IMAGE, pack / "spy.int8.onnx")
    manifest = read_manifest(pack)
    files = manifest.files | {"spy.int8.onnx": manifest.files[IMAGE]}
    rewrite_manifest(pack, replace(manifest, files=files))
    with pytest.raises(PackUnsupported, match="no such graph"):
        open_pack(pack)


def test_a_pack_of_an_unknown_architecture_is_refused(pack: Path) -> None:
    rewrite_manifest(pack, replace(read_manifest(pack), architecture="remote-code"))
    with pytest.raises(PackUnsupported, match="architecture is remote-code"):
        open_pack(pack)


def test_no_cut_or_changed_graph_makes_the_reader_fail_in_another_way(
    pack: Path, tmp_path: Path
) -> None:
    whole = (pack / "memory.int8.onnx").read_bytes()
    rng, path = np.random.default_rng(1), tmp_path / "graph.onnx"
    for cut in rng.integers(0, len(whole), 60):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"^(it|a|an) "):
            read_signature(path)
    refused = 0
    for _ in range(200):
        content = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 3000), 20):
            content[place] = rng.integers(256)
        path.write_bytes(content)
        try:
            read_signature(path)
        except ValueError:
            refused += 1
    assert refused


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a graph",
        b"\x80" * 40,  # a number without an end
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  # a graph longer than anything
        b"\x3a\x00\x3a\x00",  # two graphs, which some readers would join
        b"\x3b\x3c",  # a group
        b"\x38\x01",  # a number where the graph should be
        b"\x3a\x04\x0a\x02\x0a\x09",  # a node that reaches beyond its graph
    ],
)
def test_what_is_no_graph_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "graph.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^(it|a|an|the file) "):
        read_signature(path)


def test_graphs_nested_without_end_are_refused(tmp_path: Path) -> None:
    """A node with an attribute with a graph with a node, again and again."""
    part = b""
    for _ in range(3000):
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            part = tag + _length(len(part)) + part
    path = tmp_path / "graph.onnx"
    path.write_bytes(b"\x3a" + _length(len(part)) + part)
    with pytest.raises(ValueError, match="nested"):
        read_signature(path)


def _length(number: int) -> bytes:
    made = b""
    while number > 127:
        made += bytes([number & 127 | 128])
        number >>= 7
    return made + bytes([number])
