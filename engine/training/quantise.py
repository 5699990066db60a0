"""Matrix products in 8 bits, and large weights stored so: the same for every model's graphs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantFormat, QuantizationMode, QuantType
from optimum.onnxruntime import ORTQuantizer
from optimum.onnxruntime.configuration import QuantizationConfig

# Float weights of fewer numbers than this stay as they are.
_LARGE = 4096


def quantise_products(graph: Path, out: Path, reduce_range: bool = False) -> None:
    """Quantise a graph's matrix products per channel and store its other large weights in 8 bits.

    The products find the scale of their activations as they run (dynamic).

    Args:
        graph: prepared by ONNX Runtime's `quant_pre_process`; stays as it is.
        reduce_range: 7-bit weights.
    """
    with tempfile.TemporaryDirectory() as scratch:
        ORTQuantizer(graph).quantize(
            QuantizationConfig(
                is_static=False,
                format=QuantFormat.QOperator,
                mode=QuantizationMode.IntegerOps,
                activations_dtype=QuantType.QUInt8,
                weights_dtype=QuantType.QInt8,
                per_channel=True,
                reduce_range=reduce_range,
                operators_to_quantize=["MatMul", "Gemm"],
                nodes_to_exclude=_kept_in_float(graph),
            ),
            save_dir=Path(scratch),
            file_suffix="quantized",
        )
        made = Path(scratch) / f"{graph.stem}_quantized.onnx"
        _store_in_8_bits(made)
        out.write_bytes(made.read_bytes())


def _kept_in_float(path: Path) -> list[str]:
    """Matrix products that int8 would spoil.

    Those of two computed values: attention, which it would slow and blur. And the last one, to
    the logit: beside the similarity's weight, a hundred times the others, they would round to 0.
    """
    graph = onnx.load(path).graph
    weights = {initializer.name: initializer.dims for initializer in graph.initializer}
    kept: list[str] = []
    for node in graph.node:
        if node.op_type in ("MatMul", "Gemm"):
            shape = weights.get(node.input[1])
            if shape is None or 1 in shape:
                # The quantiser renames a Gemm so before it looks at what to leave out.
                kept += [node.name, f"{node.name}_MatMul"]
    return kept


def _store_in_8_bits(path: Path) -> None:
    """Store a graph's remaining large float weights as int8 with a scale for each first-axis row.

    They are computed with in float all the same: a cast and a product, which ONNX Runtime folds
    when it loads the graph, make them what they were. A quarter of the size on disk.
    """
    model = onnx.load(path)
    kept, made, nodes = [], [], []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _LARGE or values.ndim < 2:
            kept.append(weight)
            continue
        step = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True) / 127
        step = np.maximum(step, np.finfo(np.float32).tiny).astype(np.float32)
        name = weight.name
        rounded = np.round(values / step).astype(np.int8)
        made += [
            numpy_helper.from_array(rounded, f"{name}.stored"),
            numpy_helper.from_array(step, f"{name}.step"),
        ]
        nodes += [
            helper.make_node("Cast", [f"{name}.stored"], [f"{name}.cast"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}.cast", f"{name}.step"], [name]),
        ]
    rest = list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept + made)
    model.graph.node.extend(nodes + rest)
    onnx.save(model, path)
