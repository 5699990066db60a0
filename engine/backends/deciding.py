"""Models that decide by looking at the photo again, on the CPU through ONNX Runtime.

What they need of a photo is carried from `encode_images` to `logits` as `ImageFeatures.tokens`: the
bytes of float32 numbers, as they are.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from engine.backends.onnx import OnnxGraphs, graph_file
from engine.patches import PLACE
from engine.types import BoolArray, ByteArray, FloatArray, ImageFeatures, IntArray, TextFeatures

# Each pair takes as much as encoding a photo; more at once only take memory.
PAIRS_AT_ONCE = 8


class _Decider(OnnxGraphs):
    """Runs a fusion that takes what it needs of a photo, ids and a mask, pair by pair."""

    def __init__(self, folder: Path, graphs: Sequence[str], prefix: str) -> None:
        """``prefix`` comes before the names of the graphs' files."""
        names = [prefix + graph for graph in graphs]
        small = (folder / graph_file(names[0], "int8")).is_file()
        super().__init__(folder, names, "int8" if small else "fp32")
        self._prefix = prefix

    def with_threads(self, threads: int) -> Self:
        """See `Backend.with_threads`: so large a model keeps all cores busy as it is."""
        return self

    @abstractmethod
    def _fuse(self, photos: FloatArray, ids: IntArray, mask: BoolArray) -> FloatArray:
        """Logits float32 [P] of what is carried of photos [P,K,C], ids and mask [P,L]."""

    def logits(
        self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
    ) -> FloatArray:
        """See `Backend.logits`."""
        result = np.empty(len(photos), np.float32)
        lengths = texts.mask.sum(axis=1)
        # Photo by photo, captions of like length together.
        order = np.lexsort((lengths[captions], photos))
        for start in range(0, len(order), PAIRS_AT_ONCE):
            part = order[start : start + PAIRS_AT_ONCE]
            chosen = captions[part]
            longest = max(2, int(lengths[chosen].max()))
            ids = texts.tokens[chosen, :longest, 0].astype(np.int64)
            carried = _numbers(images.tokens[photos[part]])
            result[part] = self._fuse(carried, ids, texts.mask[chosen, :longest])
        return result

    def _run(self, graph: str, **inputs: np.ndarray) -> list[np.ndarray]:
        return self.run_graph(self._prefix + graph, **inputs)


class BlipBackend(_Decider):
    """Runs the three graphs of BLIP for retrieval.

    Args:
        folder: the pack's folder, already verified.
        prefix: `engine.architecture.DECIDER` where it is part of a pair, and only decides.
    """

    def __init__(self, folder: Path, prefix: str = "") -> None:
        graphs = ("fusion", "image") if prefix else ("fusion", "image", "text")
        super().__init__(folder, graphs, prefix)

    def encode_images(self, pixels: FloatArray) -> ImageFeatures:
        """See `Backend.encode_images`."""
        embeddings, tokens = self._run("image", pixels=pixels)
        return ImageFeatures(embeddings, _bytes(tokens))

    def encode_texts(self, ids: IntArray, mask: BoolArray) -> TextFeatures:
        """See `Backend.encode_texts`; the tokens are the ids."""
        if self._prefix:
            return _ids_alone(ids, mask)
        (embeddings,) = self._run("text", ids=ids, mask=mask)
        return TextFeatures(embeddings, ids[..., None].astype(np.float32), mask)

    def _fuse(self, photos: FloatArray, ids: IntArray, mask: BoolArray) -> FloatArray:
        (logits,) = self._run("fusion", tokens=photos, ids=ids, mask=mask)
        return logits


class ViltBackend(_Decider):
    """Runs the one graph of ViLT for retrieval; the arguments are those of `BlipBackend`."""

    def __init__(self, folder: Path, prefix: str = "") -> None:
        super().__init__(folder, ("fusion",), prefix)

    def encode_images(self, pixels: FloatArray) -> ImageFeatures:
        """See `Backend.encode_images`: nothing is computed of a photo alone."""
        return ImageFeatures(np.empty((len(pixels), 0), np.float32), _bytes(pixels))

    def encode_texts(self, ids: IntArray, mask: BoolArray) -> TextFeatures:
        """See `Backend.encode_texts`; the tokens are the ids."""
        return _ids_alone(ids, mask)

    def _fuse(self, photos: FloatArray, ids: IntArray, mask: BoolArray) -> FloatArray:
        # Patches that no photo here has need not be computed with.
        most = int(photos[..., -PLACE].sum(axis=1).max())
        (logits,) = self._run("fusion", patches=photos[:, :most], ids=ids, mask=mask)
        return logits


def _ids_alone(ids: IntArray, mask: BoolArray) -> TextFeatures:
    empty = np.empty((len(ids), 0), np.float32)
    return TextFeatures(empty, ids[..., None].astype(np.float32), mask)


def _bytes(values: FloatArray) -> ByteArray:
    """Float32 [N,K,C] as int8 [N,K,4C], the same bytes."""
    return np.ascontiguousarray(values, np.float32).view(np.int8)


def _numbers(carried: ByteArray) -> FloatArray:
    """Inverse of `_bytes`."""
    return np.ascontiguousarray(carried).view(np.float32)
