"""What a model that looks at the photo again for each pair takes on this computer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.architecture import LOOKING_AGAIN
from engine.errors import PhotoError
from engine.matcher import Matcher, load_matcher
from engine.pack import Pack
from engine.samples import sample_photos
from engine.types import Caption

if TYPE_CHECKING:
    from engine.batch import BatchOptions

# Photos that are tried until one can be read.
_TRIED = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """What comparing pairs in full takes on this computer.

    Attributes:
        pairs: how many there are.
        each: seconds that one of them took.
    """

    pairs: int
    each: float

    @property
    def seconds(self) -> float:
        """For all of them."""
        return self.pairs * self.each

    @property
    def minutes(self) -> int:
        """For all of them, rounded; 1 at least."""
        return max(1, round(self.seconds / 60))


def cost_of(
    matcher: Matcher, photos: Sequence[Path], captions: Sequence[Caption], options: BatchOptions
) -> Cost | None:
    """Of a batch, measured beforehand; None if the model looks once only, or can't be measured."""
    if not matcher.looks_again:
        return None
    each = seconds_per_pair(matcher, photos, captions[0].text)
    return None if each is None else Cost(len(photos) * options.width(len(captions)), each)


def seconds_on_samples(pack: Pack) -> float | None:
    """`seconds_per_pair` on a photo that comes with PairLens; None if the model looks once only.

    Raises as `load_matcher`.
    """
    if pack.manifest.architecture not in LOOKING_AGAIN:
        return None
    return seconds_per_pair(load_matcher(pack.folder), sample_photos(), "a photo")


def seconds_per_pair(matcher: Matcher, photos: Sequence[Path], caption: str) -> float | None:
    """Measured on the first photo that can be read; None if none of the first few can.

    Raises CaptionEmpty.
    """
    texts, first = matcher.encode_captions([caption]), np.zeros(1, np.int64)
    for photo in photos[:_TRIED]:
        try:
            pixels = matcher.prepare(photo)
        except PhotoError:
            continue
        images = matcher.encode(pixels[None])
        matcher.logits(images, texts, first, first)  # the first run of all is a slow one
        start = time.perf_counter()
        matcher.logits(images, texts, first, first)
        return time.perf_counter() - start
    return None
