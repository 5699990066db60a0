"""What worse photos and mistyped captions cost."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageFilter

from engine import metrics
from engine.calibration import Vector
from engine.decode import decode
from engine.evaluation.features import EncodedSet, encode_photos
from engine.evaluation.pairs import PairScores, random_pairs
from engine.evaluation.shares import by_photo, pair_auc
from engine.matcher import Matcher
from engine.preprocess import to_pixels
from engine.types import FloatArray, ImageFeatures, Progress, no_progress

# Side of the square at which photos are made worse: what is measured must not depend on the
# photo's or the model's size.
SIDE = 192
MISTYPED_WORDS = 2

Corruption = Callable[[Image.Image, np.random.Generator], Image.Image]


def blurred(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Gaussian blur with a radius of 2 pixels."""
    return image.filter(ImageFilter.GaussianBlur(2))


def noisy(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Gaussian noise with a deviation of 0.1 on values of 0 to 1."""
    values = np.asarray(image) + generator.normal(0, 0.1 * 255, (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def compressed(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Saved as JPEG of quality 10 and opened again."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=10)
    return Image.open(file).convert("RGB")


def darkened(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Every value times 0.35."""
    return image.point(lambda value: value * 0.35)


CORRUPTIONS: Final[dict[str, Corruption]] = {
    "blurred": blurred,
    "noisy": noisy,
    "compressed": compressed,
    "darkened": darkened,
}


class CorruptedPhotos:
    """Encodes photos made worse between decoding and preprocessing. See `PhotoEncoder`."""

    def __init__(self, matcher: Matcher, corruption: Corruption) -> None:
        self.model_id = matcher.model_id
        self.batch_size = matcher.batch_size
        self.decode_threads = matcher.decode_threads
        self.looks_again = matcher.looks_again
        self._matcher = matcher
        self._corruption = corruption

    def prepare(self, photo: Path) -> FloatArray:
        """Pixels float32 [3,S,S] of the worse photo. Raises PhotoError."""
        image = decode(photo, least_side=2 * SIDE)
        image = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
        # Of the name: photos are prepared in several threads, in no fixed order.
        generator = np.random.default_rng(zlib.crc32(os.fsencode(photo.name)))
        how = self._matcher.pack.manifest.preprocessing
        return to_pixels(self._corruption(image, generator), how)

    def encode(self, pixels: FloatArray) -> ImageFeatures:
        """Features of pixels float32 [B,3,S,S]."""
        return self._matcher.encode(pixels)


def mistyped(caption: str, generator: np.random.Generator) -> str:
    """Two words of the caption with a letter left out or swapped with the next one.

    Words of fewer than three letters are left alone.
    """
    words = caption.split()
    long = [number for number, word in enumerate(words) if len(word) >= 3]
    for number in generator.permutation(long)[:MISTYPED_WORDS]:
        word = words[number]
        at = int(generator.integers(len(word) - 1))
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        shorter = word[:at] + word[at + 1 :]
        # Swapping two equal letters is no mistake.
        words[number] = swapped if generator.random() < 0.5 and swapped != word else shorter
    return " ".join(words)


def measure_robustness(
    matcher: Matcher, encoded: EncodedSet, clean: PairScores, progress: Progress = no_progress
) -> dict[str, Any]:
    """Pair AUC of `random_pairs` under each corruption, and how far it is below the clean one.

    Photos are made worse at 192 x 192 pixels. Intervals are over photos, those of a drop over the
    same photos clean and worse.
    """
    photos, rows, _ = random_pairs(encoded.captions)
    before = by_photo(clean.logits)
    result: dict[str, Any] = {}
    for name, corruption in CORRUPTIONS.items():
        worse = CorruptedPhotos(matcher, corruption)
        images = encode_photos(worse, encoded.captions.photos, progress)
        result[name] = _drop(before, by_photo(matcher.logits(images, encoded.texts, photos, rows)))
    generator = np.random.default_rng(0)
    flat, _ = encoded.captions.flat()
    used, place = np.unique(rows, return_inverse=True)
    texts = matcher.encode_captions([mistyped(flat[row], generator) for row in used])
    logits = matcher.logits(encoded.images, texts, photos, place)
    return result | {"mistyped": _drop(before, by_photo(logits))}


def _drop(before: Vector, after: Vector) -> dict[str, Any]:
    def drop(drawn: Vector) -> float:
        return pair_auc(drawn[:, :2]) - pair_auc(drawn[:, 2:])

    both = np.hstack((before, after))
    return {
        "auc": pair_auc(after),
        "auc_interval": metrics.bootstrap_interval(after, pair_auc),
        "drop": drop(both),
        "drop_interval": metrics.bootstrap_interval(both, drop),
    }
