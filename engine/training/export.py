"""From trained weights to ONNX graphs in fp32 and int8, with parity checks that raise."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

from engine.backends.onnx import GRAPHS, OnnxBackend, graph_file
from engine.config import ModelConfig
from engine.nn import FusionModel
from engine.training.quantise import quantise_products

log = logging.getLogger(__name__)

OPSET = 18
# Largest relative error against torch, by the norm of all of a graph's output. Convolutions round
# their activations as well as their weights, layer after layer.
_TOLERANCE = {"fp32": 1e-4, "int8": 0.05, "image int8": 0.08}
# What a convolution reads is clipped where it is larger than this share of it, in percent.
_PERCENTILE = 99.999


class ParityError(Exception):
    """An exported graph does not compute what torch computes."""


class _Images(nn.Module):
    def __init__(self, model: FusionModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        return self.model.encode_images(pixels)


class _Texts(nn.Module):
    def __init__(self, model: FusionModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        return self.model.encode_texts(ids, mask)


class _Memory(nn.Module):
    def __init__(self, model: FusionModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        return self.model.fusion.memory(tokens)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What graphs are traced and compared with: pixels [B,3,S,S], ids [B,L], mask bool [B,L]."""

    pixels: Tensor
    ids: Tensor
    mask: Tensor


def random_inputs(config: ModelConfig, seed: int) -> Inputs:
    """Noise and random words, of odd sizes and with padding."""
    generator = torch.Generator().manual_seed(seed)
    count, length = 5, min(9, config.max_tokens)
    pixels = torch.randn(count, 3, config.image_size, config.image_size, generator=generator)
    ids = torch.randint(3, config.vocabulary, (count, length), generator=generator)
    mask = torch.arange(length) < torch.randint(2, length + 1, (count, 1), generator=generator)
    mask[0] = True
    return Inputs(pixels, ids, mask)


@torch.inference_mode()
def _graph_inputs(model: FusionModel, inputs: Inputs) -> dict[str, tuple[Tensor, ...]]:
    """Inputs of every graph: what torch would hand on from graph to graph."""
    seen, tokens = model.encode_images(inputs.pixels)
    read, text = model.encode_texts(inputs.ids, inputs.mask)
    memory = model.fusion.memory(tokens)
    return {
        "image": (inputs.pixels,),
        "text": (inputs.ids, inputs.mask),
        "memory": (tokens,),
        "fusion": (memory, text, inputs.mask, (seen * read).sum(dim=1)),
    }


def _modules(model: FusionModel) -> Iterator[tuple[str, nn.Module, list[str], list[str]]]:
    yield "image", _Images(model), ["pixels"], ["embeddings", "tokens"]
    yield "text", _Texts(model), ["ids", "mask"], ["embeddings", "tokens"]
    yield "memory", _Memory(model), ["tokens"], ["memory"]
    yield "fusion", model.fusion, ["memory", "text", "mask", "similarity"], ["logits"]


def export_fp32(model: FusionModel, folder: Path) -> None:
    """Write the four fp32 graphs. Batch size and caption length stay free."""
    batch = torch.export.Dim("batch", min=1, max=1024)
    length = torch.export.Dim("length", min=1, max=model.config.max_tokens)
    shapes: dict[str, tuple[dict[int, torch.export.Dim], ...]] = {
        "image": ({0: batch},),
        "text": ({0: batch, 1: length}, {0: batch, 1: length}),
        "memory": ({0: batch},),
        "fusion": ({0: batch}, {0: batch, 1: length}, {0: batch, 1: length}, {0: batch}),
    }
    samples = _graph_inputs(model, random_inputs(model.config, seed=0))
    for graph, module, inputs, outputs in _modules(model):
        torch.onnx.export(
            module.eval(),
            samples[graph],
            folder / graph_file(graph, "fp32"),
            input_names=inputs,
            output_names=outputs,
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=shapes[graph],
            external_data=False,
            verbose=False,
        )


class _OneByOne:
    """Feeds pixels float32 [B,3,S,S] to ONNX Runtime's calibration, which wants equal batches."""

    def __init__(self, pixels: np.ndarray) -> None:
        self._rest = iter(pixels)

    def get_next(self) -> dict[str, np.ndarray] | None:
        photo = next(self._rest, None)
        return None if photo is None else {"pixels": photo[None]}


def _quantise_convolutions(path: Path, pixels: np.ndarray) -> None:
    """Make a graph's convolutions integer ones, their activations on scales found on real photos.

    Their weights have 7 bits: with 8, processors without VNNI overflow the 16-bit sums.
    """
    quantize_static(
        path,
        path,
        _OneByOne(pixels),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.Percentile,
        extra_options={"CalibPercentile": _PERCENTILE},
    )


def quantise_int8(folder: Path, reduce_range: bool, photos: Tensor) -> None:
    """Write the int8 graphs beside the fp32 ones, per channel.

    Matrix products find the scale of their activations as they run (dynamic); convolutions have
    theirs from ``photos`` (static), for a scale found anew for each layer costs them more than it
    saves. Word embeddings are stored in 8 bits.

    Args:
        reduce_range: 7-bit weights in matrix products as well.
        photos: float32 [B,3,S,S], of the kind the model was trained on.
    """
    for graph in GRAPHS:
        with tempfile.TemporaryDirectory() as scratch:
            prepared = Path(scratch) / f"{graph}.onnx"
            quant_pre_process(
                str(folder / graph_file(graph, "fp32")),
                str(prepared),
                skip_symbolic_shape=True,
            )
            if graph == "image":
                _quantise_convolutions(prepared, photos.numpy())
            quantise_products(prepared, folder / graph_file(graph, "int8"), reduce_range)


def tolerance(graph: str, precision: str) -> float:
    """The largest relative error against torch that a graph may have."""
    return _TOLERANCE["image int8" if (graph, precision) == ("image", "int8") else precision]


def check_parity(
    model: FusionModel, folder: Path, precision: str, inputs: Inputs
) -> dict[str, float]:
    """Compare every graph's outputs with torch's.

    Give real photos and captions: on noise a trained model's logits say little, and errors of
    quantisation look large beside them.

    Returns the relative error of each graph, 0 to 1. Raises ParityError above `tolerance`.
    """
    backend, errors = OnnxBackend(folder, precision), {}
    samples = _graph_inputs(model, inputs)
    for graph, module, names, _ in _modules(model):
        with torch.inference_mode():
            expected = module(*samples[graph])
        feed = {name: value.numpy() for name, value in zip(names, samples[graph], strict=True)}
        found = backend.run_graph(graph, **feed)
        wanted = expected if isinstance(expected, tuple) else (expected,)
        errors[graph] = max(
            float(np.linalg.norm(a - b.numpy()) / np.linalg.norm(b.numpy()))
            for a, b in zip(found, wanted, strict=True)
        )
    log.info("%s parity: %s", precision, errors)
    bad = {
        graph: error for graph, error in errors.items() if not error <= tolerance(graph, precision)
    }
    if bad:
        raise ParityError(f"{precision} graphs differ from torch by {bad}")
    return errors
