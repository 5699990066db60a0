"""Backends run a model pack's graphs. Each library is imported only in its own file."""

from __future__ import annotations

from typing import Protocol

from engine.types import BoolArray, ByteArray, FloatArray, ImageFeatures, IntArray, TextFeatures


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
        """Pixels float32 [N,3,S,S] -> embeddings and packed tokens of N photos."""
        ...

    def encode_texts(self, ids: IntArray, mask: BoolArray) -> TextFeatures:
        """Ids int64 [M,L] and mask bool [M,L] -> embeddings and tokens of M captions."""
        ...

    def fusion_memory(self, tokens: ByteArray) -> FloatArray:
        """Packed tokens int8 [N,K,C] -> what the fusion keeps of N photos for every caption.

        Keys and values float32 [N,layers,2,heads,K,D/heads].
        """
        ...

    def fuse(
        self, memory: FloatArray, tokens: FloatArray, mask: BoolArray, similarity: FloatArray
    ) -> FloatArray:
        """Logits float32 [P] of P pairs.

        Takes memory [P,...], text tokens [P,L,D], mask [P,L] and similarity float32 [P].
        """
        ...
