"""Models of two encoders that only their embeddings join, on the CPU through ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.backends.onnx import OnnxGraphs, precision_of
from engine.config import DualConfig
from engine.fusing import paired_similarity
from engine.types import BoolArray, FloatArray, ImageFeatures, IntArray, TextFeatures


class DualBackend(OnnxGraphs):
    """Runs the two graphs of such a model; what it says of a pair is the similarity.

    Args:
        folder: the pack's folder, already verified.
        config: the model's sizes from the manifest.
    """

    def __init__(self, folder: Path, config: DualConfig) -> None:
        super().__init__(folder, ("image", "text"), precision_of(folder))
        self._masked = config.masked

    def encode_images(self, pixels: FloatArray) -> ImageFeatures:
        """See `Backend.encode_images`."""
        (embeddings,) = self.run_graph("image", pixels=pixels)
        return ImageFeatures(embeddings, np.empty((len(pixels), 0, 0), np.int8))

    def encode_texts(self, ids: IntArray, mask: BoolArray) -> TextFeatures:
        """See `Backend.encode_texts`."""
        inputs = {"ids": ids} | ({"mask": mask} if self._masked else {})
        (embeddings,) = self.run_graph("text", **inputs)
        return TextFeatures(embeddings, np.empty((*ids.shape, 0), np.float32), mask)

    def logits(
        self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
    ) -> FloatArray:
        """See `Backend.logits`."""
        return paired_similarity(images, texts, photos, captions)
