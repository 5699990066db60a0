"""A matcher of two models: the embeddings of one find, the fusion of the other decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np

from engine.architecture import BLIP, DECIDER, VILT
from engine.backends import Backend
from engine.deciding import BlipConfig, PairConfig
from engine.device import open_foreign
from engine.matcher import Matcher, open_tokenizer
from engine.pace import DEFAULT, Pace
from engine.pack import Pack
from engine.tokenizer import Tokenizer
from engine.types import FloatArray, ImageFeatures, IntArray, TextFeatures


class PairMatcher(Matcher):
    """Is the matcher of the finder, to which that of the decider adds what judges pairs.

    Args:
        pack: a verified pack of two models.
        backend, tokenizer: the finder's.
        decider: a matcher of the other model.
        pace: how photos are encoded.
    """

    def __init__(
        self,
        pack: Pack,
        backend: Backend,
        tokenizer: Tokenizer,
        decider: Matcher,
        pace: Pace = DEFAULT,
    ) -> None:
        super().__init__(pack, backend, tokenizer, pace)
        self._decider = decider

    @property
    def indexer(self) -> Matcher:
        """The finder alone: an index keeps nothing of what the decider makes of a photo."""
        return Matcher(self.pack, self._backend, self._tokenizer, self._pace)

    def _made_of(self, backend: Backend, pace: Pace) -> Self:
        return type(self)(self.pack, backend, self._tokenizer, self._decider, pace)

    def prepare(self, photo: Path) -> FloatArray:
        """Pixels float32 [F]: the finder's, then the decider's. Raises PhotoError."""
        parts = super().prepare(photo), self._decider.prepare(photo)
        return np.concatenate([part.ravel() for part in parts])

    def encode(self, pixels: FloatArray) -> ImageFeatures:
        """Features of pixels float32 [B, F]."""
        found, judged = (
            matcher.pack.manifest.preprocessing.shape for matcher in (self, self._decider)
        )
        cut = math.prod(found)
        return ImageFeatures(
            super().encode(pixels[:, :cut].reshape(-1, *found)).embeddings,
            self._decider.encode(pixels[:, cut:].reshape(-1, *judged)).tokens,
        )

    def encode_captions(self, captions: Sequence[str], blank: bool = False) -> TextFeatures:
        """See `Matcher.encode_captions`."""
        read = self._decider.encode_captions(captions, blank)
        found = super().encode_captions(captions, blank)
        return TextFeatures(found.embeddings, read.tokens, read.mask)

    def logits(
        self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
    ) -> FloatArray:
        """What the decider says, see `Matcher.logits`."""
        return self._decider.logits(images, texts, photos, captions)


def open_pair(pack: Pack, config: PairConfig) -> PairMatcher:
    """A matcher of a verified pack of two models. Raises whatever its parts do."""
    judged = replace(
        pack.manifest,
        architecture=BLIP if isinstance(config.decider, BlipConfig) else VILT,
        model=config.decider,
        preprocessing=config.preprocessing,
        tokenizer=config.tokenizer,
    )
    decider = Matcher(
        Pack(pack.folder, judged),
        open_foreign(pack.folder, config.decider, DECIDER),
        open_tokenizer(pack.folder, judged, DECIDER),
    )
    return PairMatcher(
        pack,
        open_foreign(pack.folder, config.finder),
        open_tokenizer(pack.folder, pack.manifest),
        decider,
    )
