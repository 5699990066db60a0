from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from engine.backends import Backend
from engine.backends.onnx import GRAPHS, OnnxBackend, graph_file
from engine.backends.torch import TorchBackend
from engine.token_format import TOKEN_STEP, pack_tokens, unpack_tokens
from engine.training.export import Inputs, ParityError, check_parity, tolerance
from engine.types import ByteArray
from tests.fixtures.tiny_pack import TinyPack, random_model


@pytest.fixture(scope="module")
def plain(tiny_pack: TinyPack) -> TorchBackend:
    return TorchBackend(tiny_pack.folder, tiny_pack.recipe.model)


@pytest.fixture(scope="module")
def fp32(tiny_pack: TinyPack) -> OnnxBackend:
    return OnnxBackend(tiny_pack.graphs, "fp32")


@pytest.fixture(scope="module")
def int8(tiny_pack: TinyPack) -> OnnxBackend:
    return OnnxBackend(tiny_pack.folder)


@pytest.fixture(scope="module")
def inputs(tiny_pack: TinyPack) -> Inputs:
    return tiny_pack.inputs


def everything(
    backend: Backend, inputs: Inputs, batch: int, length: int, kept: ByteArray | None = None
) -> dict[str, np.ndarray]:
    """All outputs for ``batch`` pairs of captions of ``length`` tokens, some of them padded.

    The fusion reads ``kept`` in place of the image tokens of this backend.
    """
    pixels = inputs.pixels[:batch].numpy()
    generator = np.random.default_rng(batch)
    ids = generator.integers(3, 100, (batch, length))
    mask = np.arange(length) < generator.integers(2, length + 1, (batch, 1))
    mask[0] = True
    images, texts = backend.encode_images(pixels), backend.encode_texts(ids, mask)
    memory = backend.fusion_memory(images.tokens if kept is None else kept)
    similarity = np.einsum("pe,pe->p", images.embeddings, texts.embeddings)
    return {
        "image embeddings": images.embeddings,
        "image tokens": unpack_tokens(images.tokens),
        "text embeddings": texts.embeddings,
        "text tokens": texts.tokens[mask],
        "memory": memory,
        "logits": backend.fuse(memory, texts.tokens, mask, similarity),
    }


SIZES = [(1, 2), (1, 24), (3, 7), (17, 12), (17, 24)]  # 24 is the longest caption


@pytest.mark.parametrize(("batch", "length"), SIZES)
def test_fp32_in_onnx_runtime_equals_torch(
    plain: TorchBackend, fp32: OnnxBackend, inputs: Inputs, batch: int, length: int
) -> None:
    wanted = everything(plain, inputs, batch, length)
    kept = pack_tokens(wanted["image tokens"])
    for name, found in everything(fp32, inputs, batch, length, kept).items():
        assert found.shape == wanted[name].shape
        # Between two steps of the packed tokens, the last digit decides which way they round.
        close = 1.01 * TOKEN_STEP if name == "image tokens" else 1e-4
        np.testing.assert_allclose(found, wanted[name], rtol=0, atol=close, err_msg=name)


@pytest.mark.parametrize(("batch", "length"), SIZES)
def test_int8_stays_near_torch_within_the_stated_tolerance(
    plain: TorchBackend, int8: OnnxBackend, inputs: Inputs, batch: int, length: int
) -> None:
    wanted = everything(plain, inputs, batch, length)
    scale = float(np.std(everything(plain, inputs, 17, 12)["logits"]))
    for name, found in everything(int8, inputs, batch, length).items():
        error = float(np.linalg.norm(found - wanted[name]))
        # A single logit may be near 0: it is held against what logits usually are.
        size = scale * batch**0.5 if name == "logits" else float(np.linalg.norm(wanted[name]))
        # Errors add up from graph to graph here; the exporter's check takes each by itself.
        graph = "text" if name.startswith("text") else "image"
        assert error <= 2 * tolerance(graph, "int8") * size, name
        assert found.dtype == np.float32


def test_every_backend_gives_the_promised_types_and_shapes(
    plain: TorchBackend, fp32: OnnxBackend, int8: OnnxBackend, inputs: Inputs
) -> None:
    config = {"E": 24, "K": 4, "C": 16, "D": 32}
    for backend in (plain, fp32, int8):
        images = backend.encode_images(inputs.pixels[:3].numpy())
        assert images.embeddings.shape == (3, config["E"])
        assert images.tokens.shape == (3, config["K"], config["C"])
        assert (images.embeddings.dtype, images.tokens.dtype) == (np.float32, np.int8)
        np.testing.assert_allclose(np.linalg.norm(images.embeddings, axis=1), 1, atol=1e-5)
        texts = backend.encode_texts(inputs.ids[:3].numpy(), inputs.mask[:3].numpy())
        assert texts.embeddings.shape == (3, config["E"])
        assert texts.tokens.shape == (*inputs.ids[:3].shape, config["D"])
        np.testing.assert_allclose(np.linalg.norm(texts.embeddings, axis=1), 1, atol=1e-5)
        assert backend.fusion_memory(images.tokens).shape == (3, 2, 2, 2, 4, 16)


def test_a_backend_says_where_it_runs(
    plain: TorchBackend, fp32: OnnxBackend, int8: OnnxBackend
) -> None:
    assert "torch" in plain.device
    assert "ONNX Runtime" in fp32.device
    assert "fp32" in fp32.device
    assert "int8" in int8.device


def test_int8_graphs_hold_integer_products_and_convolutions_and_keep_attention_in_float(
    tiny_pack: TinyPack,
) -> None:
    for graph in GRAPHS:
        nodes = onnx.load(tiny_pack.folder / graph_file(graph, "int8")).graph.node
        kinds = [node.op_type for node in nodes]
        assert "MatMulInteger" in kinds, graph
        assert "ConvInteger" not in kinds
    nodes = onnx.load(tiny_pack.folder / graph_file("image", "int8")).graph.node
    made_by = {name: node.op_type for node in nodes for name in node.output}
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    assert convolutions
    for node in convolutions:
        assert {made_by[name] for name in node.input[:2]} == {"DequantizeLinear"}, node.name
    smaller = tiny_pack.folder / graph_file("fusion", "int8")
    assert smaller.stat().st_size < (tiny_pack.graphs / graph_file("fusion", "fp32")).stat().st_size


def test_the_last_layer_keeps_its_small_weights_beside_the_similaritys_large_one(
    tiny_pack: TinyPack, int8: OnnxBackend, plain: TorchBackend, inputs: Inputs
) -> None:
    # In int8 with one scale for all, weights a hundredth of the largest would all round to 0.
    graph = onnx.load(tiny_pack.folder / graph_file("fusion", "int8")).graph
    kept = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    weights = tiny_pack.model.fusion.match.weight.detach().numpy()
    assert any(
        value.size == weights.size and np.allclose(np.sort(value.ravel()), np.sort(weights.ravel()))
        for value in kept.values()
    )


def test_the_parity_check_passes_for_what_was_exported(tiny_pack: TinyPack, inputs: Inputs) -> None:
    for precision in ("fp32", "int8"):
        errors = check_parity(tiny_pack.model, tiny_pack.graphs, precision, inputs)
        assert set(errors) == set(GRAPHS)
        assert all(0 <= error <= tolerance(graph, precision) for graph, error in errors.items())


def test_the_parity_check_raises_for_graphs_of_other_weights(
    tiny_pack: TinyPack, inputs: Inputs
) -> None:
    other = random_model(tiny_pack.recipe.model, seed=1)
    for precision in ("fp32", "int8"):
        with pytest.raises(ParityError, match=precision):
            check_parity(other, tiny_pack.graphs, precision, inputs)


@pytest.mark.parametrize("graph", GRAPHS)
def test_the_parity_check_names_the_graph_that_was_tampered_with(
    tiny_pack: TinyPack, tmp_path: Path, inputs: Inputs, graph: str
) -> None:
    shutil.copytree(tiny_pack.graphs, tmp_path, dirs_exist_ok=True)
    path = tmp_path / graph_file(graph, "fp32")
    changed = onnx.load(path)
    largest = max(changed.graph.initializer, key=lambda entry: len(entry.raw_data))
    # Turned round: adding a constant would be undone by the next layer norm.
    value = np.ascontiguousarray(numpy_helper.to_array(largest)[::-1])
    largest.CopyFrom(numpy_helper.from_array(value, largest.name))
    onnx.save(changed, path)
    with pytest.raises(ParityError, match=f"fp32 graphs differ from torch by {{'{graph}'"):
        check_parity(tiny_pack.model, tmp_path, "fp32", inputs)


def test_the_parity_check_does_not_take_nan_for_agreement(
    tiny_pack: TinyPack, inputs: Inputs
) -> None:
    broken = random_model(tiny_pack.recipe.model)
    with torch.no_grad():
        broken.fusion.match.bias.fill_(torch.nan)
    with pytest.raises(ParityError, match="fusion"):
        check_parity(broken, tiny_pack.graphs, "fp32", inputs)
