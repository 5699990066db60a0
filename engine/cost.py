"""What a batch will take with a model that looks at the photo again for each pair."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.errors import PhotoError
from engine.matcher import Matcher

# Photos that are tried until one can be read.
_TRIED = 5


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
