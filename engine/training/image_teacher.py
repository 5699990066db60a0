"""A small ImageNet classifier whose feature maps teach the image encoder. Training only.

The teacher is MobileNetV2 (arXiv 1801.04381) as an int8 TensorFlow Lite file; none of its weights
goes into a model pack.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from engine.types import FloatArray

MODEL_FILE = "tf2_mobilenet_v2_1.0_224_ptq.tflite"
SIDE = 224
# Side of the square grid on which the teacher describes a photo, and numbers per cell.
GRID, CHANNELS = 7, 1280
# Feature maps end in ReLU6.
CEILING = 6.0
# The teacher's first class is "background": no photo is labelled so.
_BACKGROUND = 1


class ImageTeacher:
    """Feature maps and the classifier of the teacher.

    Args:
        folder: holds the TensorFlow Lite file.
        threads: photos that are described at the same time.

    Raises ValueError when the file is no MobileNetV2 of the shape that is expected.
    """

    def __init__(self, folder: Path, threads: int = 2) -> None:
        content, feature, classifier, bias = _open_up((folder / MODEL_FILE).read_bytes())
        self._feature = feature
        self._interpreters = [
            Interpreter(model_content=content, num_threads=1) for _ in range(threads)
        ]
        for interpreter in self._interpreters:
            interpreter.allocate_tensors()
        probe = self._interpreters[0]
        self._input = probe.get_input_details()[0]["index"]
        self._scale, self._zero = next(
            found["quantization"]
            for found in probe.get_output_details()
            if found["index"] == feature
        )
        self.weight: FloatArray = classifier[_BACKGROUND:]
        self.bias: FloatArray = bias[_BACKGROUND:]
        self._pool = ThreadPoolExecutor(threads)

    def feature_maps(self, images: np.ndarray) -> np.ndarray:
        """RGB uint8 [B,224,224,3] -> feature maps uint8 [B,7,7,1280]; 255 stands for `CEILING`."""
        parts = np.array_split(np.arange(len(images)), len(self._interpreters))

        def describe(worker: int) -> list[np.ndarray]:
            interpreter = self._interpreters[worker]
            maps = []
            for row in parts[worker]:
                interpreter.set_tensor(self._input, images[row : row + 1])
                interpreter.invoke()
                raw = interpreter.get_tensor(self._feature)[0]
                # int8 from -128 to 127 is 0 to CEILING; as uint8 it is the same in 255 steps.
                maps.append((raw.astype(np.int16) - self._zero).astype(np.uint8))
            return maps

        described = self._pool.map(describe, range(len(parts)))
        return np.stack([one for maps in described for one in maps])


def _open_up(content: bytes) -> tuple[bytes, int, FloatArray, FloatArray]:
    """Make the last feature map an output of the graph, and read the classifier out of it.

    Returns the changed file, the map's tensor number, and the classifier's float32 weights
    [1001,1280] and bias [1001].
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    maps = [
        index
        for index, tensor in enumerate(graph.tensors)
        if list(tensor.shape) == [1, GRID, GRID, CHANNELS]
    ]
    weights = [
        index
        for index, tensor in enumerate(graph.tensors)
        if list(tensor.shape) == [1001, 1, 1, CHANNELS]
    ]
    if len(maps) != 1 or len(weights) != 1:
        raise ValueError(f"the teacher is not the MobileNetV2 that is expected ({MODEL_FILE})")
    graph.outputs = [*graph.outputs, maps[0]]
    (layer,) = [operator for operator in graph.operators if weights[0] in list(operator.inputs)]

    def values(index: int, kind: type[np.generic]) -> FloatArray:
        tensor = graph.tensors[index]
        raw = np.frombuffer(bytes(model.buffers[tensor.buffer].data), dtype=kind)
        scale = np.asarray(tensor.quantization.scale, dtype=np.float32)
        shaped = raw.astype(np.float32).reshape(len(scale), -1) if len(scale) > 1 else raw * scale
        result: FloatArray = (shaped * scale[:, None] if len(scale) > 1 else shaped).astype("f4")
        return result

    weight = values(weights[0], np.int8).reshape(1001, CHANNELS)
    bias = values(layer.inputs[2], np.int32).reshape(1001)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output()), maps[0], weight, bias
