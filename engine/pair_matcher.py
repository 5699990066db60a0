"""A matcher of two models: the embeddings of one find, the fusion of the other decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.architecture import BLIP, DECIDER, DUAL, VILT
from engine.deciding import BlipConfig, PairConfig
from engine.device import open_foreign
from engine.matcher import Matcher
from engine.pace import DEFAULT, Pace
from engine.pack import TOKENIZER, Manifest, Pack
from engine.tokenizer import Tokenizer
from engine.types import FloatArray, ImageFeatures, IntArray, TextFeatures


class PairMatcher(Matcher):
    """Behaves as the finder where photos are found, and as the decider where pairs are judged.

    Args:
        pack: a verified pack of two models.
        finder, decider: matchers of each.
        pace: how photos are encoded.
    """

    def __init__(self, pack: Pack, finder: Matcher, decider: Matcher, pace: Pace = DEFAULT) -> None:
        super().__init__(pack, finder._backend, finder._tokenizer, pace)
        self._finder, self._decider = finder, decider

    def _at(self, pace: Pace) -> Matcher:
        if pace == self._pace:
            return self
        return PairMatcher(self.pack, self._finder._at(pace), self._decider, pace)

    def prepare(self, photo: Path) -> FloatArray:
        """Pixels float32 [F]: the finder's, then the decider's. Raises PhotoError."""
        parts = self._finder.prepare(photo), self._decider.prepare(photo)
        return np.concatenate([part.ravel() for part in parts])

    def encode(self, pixels: FloatArray) -> ImageFeatures:
        """Features of pixels float32 [B, F]."""
        found, judged = (
            matcher.pack.manifest.preprocessing.shape for matcher in (self._finder, self._decider)
        )
        cut = math.prod(found)
        return ImageFeatures(
            self._finder.encode(pixels[:, :cut].reshape(-1, *found)).embeddings,
            self._decider.encode(pixels[:, cut:].reshape(-1, *judged)).tokens,
        )

    def encode_captions(self, captions: Sequence[str], blank: bool = False) -> TextFeatures:
        """See `Matcher.encode_captions`."""
        read = self._decider.encode_captions(captions, blank)
        found = self._finder.encode_captions(captions, blank)
        return TextFeatures(found.embeddings, read.tokens, read.mask)

    def logits(
        self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
    ) -> FloatArray:
        """What the decider says, see `Matcher.logits`."""
        return self._decider.logits(images, texts, photos, captions)


def open_pair(pack: Pack) -> PairMatcher:
    """A matcher of a verified pack of two models. Raises whatever its parts do."""
    config, about = pack.manifest.model, pack.manifest
    assert isinstance(config, PairConfig)
    architecture = BLIP if isinstance(config.decider, BlipConfig) else VILT
    found = replace(about, architecture=DUAL, model=config.finder)
    judged = replace(
        about,
        architecture=architecture,
        model=config.decider,
        preprocessing=config.preprocessing,
        tokenizer=config.tokenizer,
    )
    return PairMatcher(pack, _part(pack, found, ""), _part(pack, judged, DECIDER))


def _part(pack: Pack, about: Manifest, prefix: str) -> Matcher:
    tokenizer = Tokenizer(
        pack.folder / f"{prefix}{TOKENIZER}", about.model.max_tokens, about.tokenizer
    )
    if tokenizer.size > about.model.vocabulary:
        raise ValueError(f"{prefix}{TOKENIZER} has more tokens than the model")
    backend = open_foreign(pack.folder, about.model, prefix)
    return Matcher(Pack(pack.folder, about), backend, tokenizer)
