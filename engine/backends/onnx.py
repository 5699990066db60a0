"""The model on the CPU through ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Self

import numpy as np

# ONNX Runtime looks up a telemetry host unless this is set before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort

from engine.fusing import fused_logits
from engine.token_format import pack_tokens, unpack_tokens
from engine.types import (
    BoolArray,
    ByteArray,
    FloatArray,
    ImageFeatures,
    IntArray,
    TextFeatures,
)

GRAPHS = ("image", "text", "memory", "fusion")


def graph_file(graph: str, precision: str) -> str:
    """Name of a graph's file in a model pack: "image.int8.onnx"."""
    return f"{graph}.{precision}.onnx"


def precision_of(folder: Path) -> str:
    """The precision of the graphs to run of a pack: "int8", or "fp32" where it has no others."""
    return "int8" if (folder / graph_file("image", "int8")).is_file() else "fp32"


def _session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Spinning threads take the cores that decode the next photos.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class OnnxGraphs:
    """Runs graphs of a model pack, one of which, "image", turns pixels into features.

    Args:
        folder: the pack's folder, already verified.
        graphs: their names.
        precision: "int8" or "fp32".
        threads: that compute at once; 0 leaves it to ONNX Runtime, which takes one for each core.
    """

    def __init__(
        self, folder: Path, graphs: Sequence[str], precision: str = "int8", threads: int = 0
    ) -> None:
        self._folder = folder
        self._precision = precision
        self._sessions = {
            graph: _session(folder / graph_file(graph, precision), threads) for graph in graphs
        }

    @property
    def device(self) -> str:
        """Where it runs, in words."""
        return f"CPU (ONNX Runtime {ort.__version__}, {self._precision})"

    def with_threads(self, threads: int) -> Self:
        """See `Backend.with_threads`. The other graphs' sessions are shared."""
        other = copy(self)
        image = _session(self._folder / graph_file("image", self._precision), threads)
        other._sessions = self._sessions | {"image": image}
        return other

    def run_graph(self, graph: str, **inputs: np.ndarray) -> list[np.ndarray]:
        """Outputs of one graph for named inputs; the exporter checks parity with it."""
        return list(self._sessions[graph].run(None, inputs))


class OnnxBackend(OnnxGraphs):
    """Runs the four graphs of PairLens's own model; the arguments are those of `OnnxGraphs`."""

    def __init__(self, folder: Path, precision: str = "int8", threads: int = 0) -> None:
        super().__init__(folder, GRAPHS, precision, threads)

    def encode_images(self, pixels: FloatArray) -> ImageFeatures:
        """See `Backend.encode_images`."""
        embeddings, tokens = self.run_graph("image", pixels=pixels)
        return ImageFeatures(embeddings, pack_tokens(tokens))

    def encode_texts(self, ids: IntArray, mask: BoolArray) -> TextFeatures:
        """See `Backend.encode_texts`."""
        embeddings, tokens = self.run_graph("text", ids=ids, mask=mask)
        return TextFeatures(embeddings, tokens, mask)

    def fusion_memory(self, tokens: ByteArray) -> FloatArray:
        """See `engine.fusing.Fusion`."""
        (memory,) = self.run_graph("memory", tokens=unpack_tokens(tokens))
        return memory

    def fuse(
        self, memory: FloatArray, tokens: FloatArray, mask: BoolArray, similarity: FloatArray
    ) -> FloatArray:
        """See `engine.fusing.Fusion`."""
        (logits,) = self.run_graph(
            "fusion", memory=memory, text=tokens, mask=mask, similarity=similarity
        )
        return logits

    def logits(
        self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
    ) -> FloatArray:
        """See `Backend.logits`."""
        return fused_logits(self, images, texts, photos, captions)
