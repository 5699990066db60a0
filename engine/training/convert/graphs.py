"""Another's model as ONNX graphs, in float and in 8 bits."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization.shape_inference import quant_pre_process

from engine.backends.onnx import graph_file
from engine.training.convert.foreign import Graph, NotConvertible
from engine.training.export import OPSET
from engine.training.quantise import quantise_products

# The most photos or captions at once. Captions have a beginning and an end at least.
MOST, SHORTEST = 4096, 2


def export(graph: Graph, longest: int, folder: Path) -> None:
    """Write a graph in fp32; captions of up to ``longest`` tokens. Raises NotConvertible."""
    sizes = {
        "batch": torch.export.Dim("batch", min=1, max=MOST),
        "length": torch.export.Dim("length", min=SHORTEST, max=longest),
        "patches": torch.export.Dim("patches", min=1, max=MOST),
    }
    names = list(graph.samples)
    shapes = tuple({axis: sizes[size] for axis, size in graph.free[name].items()} for name in names)
    # A shortcut of torch's attention that has no operator in ONNX.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        torch.onnx.export(
            graph.module.eval(),
            tuple(graph.samples.values()),
            folder / graph_file(graph.name, "fp32"),
            input_names=names,
            output_names=graph.outputs,
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=shapes,
            external_data=False,
            verbose=False,
        )
    except Exception as error:  # torch raises whatever it meets, protobuf where it is too large
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise NotConvertible(f"its {graph.name} graph can't be written: {reason}") from error


def quantise(graph: Graph, source: Path, folder: Path) -> None:
    """Write a graph of ``source`` in int8."""
    with tempfile.TemporaryDirectory() as scratch:
        prepared = Path(scratch) / f"{graph.name}.onnx"
        quant_pre_process(
            str(source / graph_file(graph.name, "fp32")), str(prepared), skip_symbolic_shape=True
        )
        quantise_products(prepared, folder / graph_file(graph.name, "int8"))
