"""How near the model is to what one core of this machine can compute.

    make bench

The peak is that of a large matrix product: float32 through NumPy's BLAS, and uint8 x int8 through
ONNX Runtime, which is what the quantised graphs run on. The model's operations are counted by torch
on the same weights, two for each product that is added.
"""

from __future__ import annotations

import os

# Before NumPy reads it: one core is what is compared.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper
from side_by_side import Spread, report, take_turns
from torch.utils.flop_counter import FlopCounterMode

from engine.backends.onnx import OnnxBackend
from engine.backends.torch import load_model
from engine.pack import open_pack
from engine.paths import shipped_pack_dir

SIZE, ROUNDS, PHOTOS, PAIRS, LENGTH = 1536, 7, 16, 64, 12


def float_product() -> Callable[[int], int]:
    left = np.random.default_rng(0).standard_normal((SIZE, SIZE), dtype=np.float32)

    def once(number: int) -> int:
        np.matmul(left, left)
        return 2 * SIZE**3

    return once


def integer_product(folder: Path) -> Callable[[int], int]:
    rng = np.random.default_rng(0)
    weight = helper.make_tensor(
        "b", TensorProto.INT8, (SIZE, SIZE), rng.integers(-64, 64, SIZE**2, np.int8).tolist()
    )
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["y"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, (SIZE, SIZE))],
        [helper.make_tensor_value_info("y", TensorProto.INT32, (SIZE, SIZE))],
        [weight],
    )
    file = folder / "product.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(made, file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options)
    left = rng.integers(0, 128, (SIZE, SIZE), np.uint8)

    def once(number: int) -> int:
        session.run(None, {"a": left})
        return 2 * SIZE**3

    return once


def counted(call: Callable[[], object]) -> int:
    """Floating point operations of a call, by torch's own count."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        call()
    return int(counter.get_total_flops())


def main() -> None:
    pack = open_pack(shipped_pack_dir())
    shape = pack.manifest.model
    model = load_model(pack.folder, shape)
    rng = np.random.default_rng(0)
    pixels = rng.standard_normal((PHOTOS, 3, shape.image_size, shape.image_size), np.float32)
    backend = OnnxBackend(pack.folder, threads=1)
    memory = backend.fusion_memory(backend.encode_images(pixels[:1]).tokens).repeat(PAIRS, axis=0)
    text = rng.standard_normal((PAIRS, LENGTH, shape.width), np.float32)
    mask, similarity = np.ones((PAIRS, LENGTH), np.bool_), np.zeros(PAIRS, np.float32)

    image_work = counted(lambda: model.encode_images(torch.from_numpy(pixels)))
    given = map(torch.from_numpy, (memory, text, mask, similarity))
    fusion_work = counted(lambda: model.fusion(*given))

    def images(number: int) -> int:
        backend.encode_images(pixels)
        return image_work

    def pairs(number: int) -> int:
        backend.fuse(memory, text, mask, similarity)
        return fusion_work

    with tempfile.TemporaryDirectory() as place:
        turns = take_turns(
            {
                "float32 product": float_product(), "int8 product": integer_product(Path(place)),
                "image graph, int8": images, "fusion graph, int8": pairs,
            },
            ROUNDS,
        )  # fmt: skip
    found = {
        name: Spread.of([1e-9 * one.items / one.processor for one in each])
        for name, each in turns.items()
    }
    peak = found["int8 product"].median
    lines = [
        f"a photo takes {1e-6 * image_work / PHOTOS:,.0f} million operations, a pair of"
        f" {LENGTH} text tokens {1e-6 * fusion_work / PAIRS:,.0f} million",
        *(
            f"{name}: {each} thousand million a processor second, {each.median / peak:.0%}"
            " of the int8 product's"
            for name, each in found.items()
        ),
    ]
    operations = {"photo": image_work / PHOTOS, "pair": fusion_work / PAIRS}
    report("limits", lines, {"operations": operations, **found})


if __name__ == "__main__":
    main()
