"""A small ImageNet classifier whose feature maps teach the image encoder. Training only.

The teacher is MobileNetV2 (arXiv 1801.04381) as an int8 TensorFlow Lite file; none of its weights
goes into a model pack.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import flatbuffers
import numpy as np
import torch
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from torch import Tensor
from tqdm import tqdm

from engine.training.photos import whole
from engine.types import FloatArray

MODEL_FILE = "tf2_mobilenet_v2_1.0_224_ptq.tflite"
SIDE = 224


class Level(NamedTuple):
    """A depth at which the teacher is read: side of its square grid, and numbers per cell."""

    grid: int
    channels: int


# What it sees of edges and textures, of parts, of things, and the features its classifier reads.
EARLY, MIDDLE, LATE, FEATURES = LEVELS = (
    Level(28, 32), Level(14, 96), Level(7, 320), Level(7, 1280),
)  # fmt: skip
# The teacher's first class is "background": no photo is labelled so.
_BACKGROUND = 1
_BATCH = 64


class ImageTeacher:
    """Maps of the teacher at every level, and its classifier.

    Args:
        folder: holds the TensorFlow Lite file.
        threads: photos that are described at the same time.

    Raises ValueError when the file is no MobileNetV2 of the shape that is expected.

    Attributes:
        weight, bias: float32 [1000,1280] and [1000], the classifier that reads the mean of the
            features over a photo's cells.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        content, self._tensors, classifier, bias = _open_up((folder / MODEL_FILE).read_bytes())
        self._interpreters = [
            Interpreter(model_content=content, num_threads=1) for _ in range(threads)
        ]
        for interpreter in self._interpreters:
            interpreter.allocate_tensors()
        probe = self._interpreters[0]
        self._input = probe.get_input_details()[0]["index"]
        steps = {out["index"]: out["quantization"] for out in probe.get_output_details()}
        self._steps = [steps[tensor] for tensor in self._tensors]
        self.weight: FloatArray = classifier[_BACKGROUND:]
        self.bias: FloatArray = bias[_BACKGROUND:]
        self._pool = ThreadPoolExecutor(threads)

    def describe(self, photos: Tensor) -> list[Tensor]:
        """RGB float32 [B,3,224,224] from 0 to 1 -> for each of `LEVELS` a map [B,C,grid,grid]."""
        images = (photos * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
        raw = [np.empty((len(images), *_shape(level)[1:]), dtype=np.int8) for level in LEVELS]

        def look(worker: int) -> None:
            interpreter = self._interpreters[worker]
            for row in range(worker, len(images), len(self._interpreters)):
                interpreter.set_tensor(self._input, images[row : row + 1])
                interpreter.invoke()
                for maps, tensor in zip(raw, self._tensors, strict=True):
                    maps[row] = interpreter.get_tensor(tensor)[0]

        list(self._pool.map(look, range(len(self._interpreters))))
        return [
            (torch.from_numpy(maps).permute(0, 3, 1, 2).float() - zero) * scale
            for maps, (scale, zero) in zip(raw, self._steps, strict=True)
        ]


def whole_features(teacher: ImageTeacher, photos: np.ndarray, kept: Path) -> Tensor:
    """What the classifier reads of whole photos uint8 [N,side,side,3]: float32 [N,1280].

    Asked once: the answers are kept in the file ``kept``.
    """
    if not kept.exists():
        found = []
        for start in tqdm(
            range(0, len(photos), _BATCH), desc=kept.stem, unit="batch", disable=None
        ):
            part = np.array(photos[start : start + _BATCH])  # torch wants to own what it reads
            found.append(teacher.describe(whole(len(part)).cut(part, SIDE))[-1].mean(dim=(2, 3)))
        partial = kept.with_suffix(".partial.npy")
        np.save(partial, torch.cat(found).half().numpy())
        partial.rename(kept)
    return torch.from_numpy(np.load(kept)).float()


def _shape(level: Level) -> list[int]:
    return [1, level.grid, level.grid, level.channels]


def _open_up(content: bytes) -> tuple[bytes, list[int], FloatArray, FloatArray]:
    """Make the levels' maps outputs of the graph, and read the classifier out of it.

    Returns the changed file, the maps' tensor numbers, and the classifier's float32 weights
    [1001,1280] and bias [1001].
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    # Of each shape the last one: what a group of blocks ends in.
    ends = {
        tuple(graph.tensors[operator.outputs[0]].shape): operator.outputs[0]
        for operator in graph.operators
    }
    maps = [ends.get(tuple(_shape(level))) for level in LEVELS]
    weights = [
        index
        for index, tensor in enumerate(graph.tensors)
        if list(tensor.shape) == [1001, 1, 1, FEATURES.channels]
    ]
    if None in maps or len(weights) != 1:
        raise ValueError(f"the teacher is not the MobileNetV2 that is expected ({MODEL_FILE})")
    found = [int(tensor) for tensor in maps if tensor is not None]
    graph.outputs = [*graph.outputs, *found]
    (layer,) = [operator for operator in graph.operators if weights[0] in list(operator.inputs)]

    def values(index: int, kind: type[np.generic]) -> FloatArray:
        tensor = graph.tensors[index]
        raw = np.frombuffer(bytes(model.buffers[tensor.buffer].data), dtype=kind)
        scale = np.asarray(tensor.quantization.scale, dtype=np.float32)
        shaped = raw.astype(np.float32).reshape(len(scale), -1) if len(scale) > 1 else raw * scale
        result: FloatArray = (shaped * scale[:, None] if len(scale) > 1 else shaped).astype("f4")
        return result

    weight = values(weights[0], np.int8).reshape(1001, FEATURES.channels)
    bias = values(layer.inputs[2], np.int32).reshape(1001)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output()), found, weight, bias
