"""Encoded captions that fit into memory however many they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.matcher import Matcher
from engine.types import FloatArray, ImageFeatures, IntArray, TextFeatures

# Text tokens are some ten kB a caption: of so many they are kept, of more they are made again for
# the few that each batch of photos needs.
KEPT = 1024


class CaptionBank:
    """M captions of which photos are shown the likely ones or all. Raises CaptionEmpty."""

    def __init__(self, matcher: Matcher, captions: Sequence[str]) -> None:
        self._matcher = matcher
        self._captions = captions
        self._texts: TextFeatures | None = None
        if len(captions) <= KEPT:
            self._texts = matcher.encode_captions(captions)
            embeddings = self._texts.embeddings
        else:
            embeddings = np.concatenate(
                [
                    matcher.encode_captions(captions[start : start + KEPT]).embeddings
                    for start in range(0, len(captions), KEPT)
                ]
            )
        empty = np.empty((len(captions), 0))
        self._embedded = TextFeatures(
            embeddings, empty[..., None].astype(np.float32), empty.astype(np.bool_)
        )

    def __len__(self) -> int:
        return len(self._captions)

    def nearest(self, images: ImageFeatures, width: int) -> IntArray:
        """For each of N photos the ``width`` most similar captions, in caption order: [N, width].

        All of them where there are no more.
        """
        if width >= len(self):
            return np.broadcast_to(np.arange(len(self)), (len(images), len(self)))
        similarity = self._matcher.similarity(images, self._embedded)
        return np.sort(np.argsort(-similarity, axis=1, kind="stable")[:, :width], axis=1)

    def log_odds(self, images: ImageFeatures, photos: IntArray, captions: IntArray) -> FloatArray:
        """Log-odds float32 [P] of the pairs (photos[p], captions[p]), given by number."""
        texts = self._texts
        if texts is None:
            wanted, captions = np.unique(captions, return_inverse=True)
            texts = self._matcher.encode_captions([self._captions[number] for number in wanted])
        logits = self._matcher.logits(images, texts, photos, captions)
        return self._matcher.log_odds(logits).astype(np.float32)
