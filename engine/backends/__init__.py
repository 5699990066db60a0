"""Backends run a model pack's graphs. Each library is imported only in its own file."""

from __future__ import annotations

from typing import Protocol

from engine.types import BoolArray, FloatArray, ImageFeatures, IntArray, TextFeatures


class Backend(Protocol):
    """What a matcher needs of a model, whichever library runs it. Stateless and thread-safe."""

    @property
    def device(self) -> str:
        """Where it runs, in words for the user: "CPU (ONNX Runtime, int8)"."""
        ...

    def with_threads(self, threads: int) -> Backend:
        """The same model with so many threads for the image graph, where that can be chosen.

        0 leaves it to the library.
        """
        ...

    def encode_images(self, pixels: FloatArray) -> ImageFeatures:
        """Pixels float32 [N, ...], shaped as `Preprocessing.shape` -> features of N photos.

        A model that keeps nothing of a photo but its embedding has tokens [N,0,0].
        """
        ...

    def encode_texts(self, ids: IntArray, mask: BoolArray) -> TextFeatures:
        """Ids int64 [M,L] and mask bool [M,L] -> embeddings and tokens of M captions."""
        ...

    def logits(
        self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
    ) -> FloatArray:
        """What the model says of the pairs (photos[p], captions[p]): float32 [P].

        The pairs are given by row number, in any order, and each may occur more than once.
        """
        ...
