"""Pairs through a fusion: grouped so that little is computed twice and little spent on padding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from engine.types import BoolArray, ByteArray, FloatArray, ImageFeatures, IntArray, TextFeatures

# Large enough for the processor to work at full speed, small enough to stay in its caches.
PAIRS_AT_ONCE = 64
# Photos whose fusion memory (about 200 kB each) is held at a time, and computed at once: what
# passes between the layers of so few stays in the processor's caches.
PHOTOS_AT_ONCE = 256
MEMORY_AT_ONCE = 8


class Fusion(Protocol):
    """A model of which a photo's share of the fusion is computed once, for all captions."""

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


def fused_logits(
    fusion: Fusion,
    images: ImageFeatures,
    texts: TextFeatures,
    photos: IntArray,
    captions: IntArray,
) -> FloatArray:
    """Fusion logits float32 [P] of the pairs (photos[p], captions[p]), given by row number.

    A photo's share of the fusion is computed once for all its captions, and captions of
    like length are fused together so that little is spent on padding.
    """
    result = np.empty(len(photos), dtype=np.float32)
    lengths = texts.mask.sum(axis=1)
    order = np.argsort(photos, kind="stable")
    for members in _runs(photos, order, PHOTOS_AT_ONCE):
        rows, place = np.unique(photos[members], return_inverse=True)
        memory = _memory(fusion, images.tokens[rows])
        by_length = np.argsort(lengths[captions[members]], kind="stable")
        for start in range(0, len(members), PAIRS_AT_ONCE):
            part = by_length[start : start + PAIRS_AT_ONCE]
            chosen = captions[members[part]]
            longest = int(lengths[chosen].max())
            result[members[part]] = fusion.fuse(
                memory[place[part]],
                texts.tokens[chosen, :longest],
                texts.mask[chosen, :longest],
                paired_similarity(images, texts, rows[place[part]], chosen),
            )
    return result


def paired_similarity(
    images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
) -> FloatArray:
    """Similarities float32 [P] of the pairs (photos[p], captions[p]), given by row number."""
    seen, read = images.embeddings[photos], texts.embeddings[captions]
    result: FloatArray = np.einsum("pe,pe->p", seen, read)
    return result


def _memory(fusion: Fusion, tokens: ByteArray) -> FloatArray:
    parts = np.array_split(tokens, -(-len(tokens) // MEMORY_AT_ONCE))
    return np.concatenate([fusion.fusion_memory(part) for part in parts])


def _runs(photos: IntArray, order: IntArray, size: int) -> Iterator[IntArray]:
    """Cut pair numbers, sorted by photo, into runs of at most ``size`` different photos each."""
    ordered = photos[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    for first in range(0, len(starts), size):
        end = starts[first + size] if first + size < len(starts) else len(order)
        yield order[starts[first] : end]
