"""Photos and captions as the pack sees them, encoded once for everything that is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.caption_set import CaptionSet
from engine.encoding import PhotoEncoder, encode_in_order
from engine.errors import EvaluationDataMissing
from engine.matcher import Matcher
from engine.types import (
    BoolArray,
    FloatArray,
    ImageFeatures,
    IntArray,
    Progress,
    TextFeatures,
    no_progress,
)


def encode_photos(
    encoder: PhotoEncoder, photos: Sequence[Path], progress: Progress = no_progress
) -> ImageFeatures:
    """Features of all photos. Raises EvaluationDataMissing when one can't be used."""
    parts: list[ImageFeatures] = []
    done = 0
    for paths, images, failed in encode_in_order(encoder, photos):
        for failure in failed.values():
            raise EvaluationDataMissing(path=failure.photo, reason=failure.message)
        parts.append(images)
        done += len(paths)
        progress(done, len(photos))
    return ImageFeatures.joined(parts)


@dataclass(frozen=True, slots=True)
class EncodedSet:
    """N photos with their M captions in one language.

    Attributes:
        images: of the N photos.
        texts: of the M captions, in the order of `CaptionSet.flat`.
        relevant: bool [N, M], True where the caption is that photo's.
        similarity: float32 [N, M].
    """

    captions: CaptionSet
    images: ImageFeatures
    texts: TextFeatures
    relevant: BoolArray
    similarity: FloatArray

    @classmethod
    def encode(cls, matcher: Matcher, captions: CaptionSet, images: ImageFeatures) -> EncodedSet:
        """Encode the captions of photos whose ``images`` are at hand, in the same order."""
        flat, relevant = captions.flat()
        texts = matcher.encode_captions(flat)
        return cls(captions, images, texts, relevant, matcher.similarity(images, texts))

    @property
    def first(self) -> IntArray:
        """Row of each photo's first caption, int64 [N]."""
        rows: IntArray = self.relevant.argmax(axis=1)
        return rows

    @property
    def owner(self) -> IntArray:
        """Row of each caption's photo, int64 [M]."""
        rows: IntArray = self.relevant.argmax(axis=0)
        return rows


def some_texts(texts: TextFeatures, rows: IntArray) -> TextFeatures:
    """The captions of these rows."""
    return TextFeatures(texts.embeddings[rows], texts.tokens[rows], texts.mask[rows])


def some_images(images: ImageFeatures, rows: IntArray) -> ImageFeatures:
    """The photos of these rows."""
    return ImageFeatures(images.embeddings[rows], images.tokens[rows])
