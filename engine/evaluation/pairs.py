"""Single pairs: does this caption describe this photo?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from engine import metrics
from engine.calibration import Vector
from engine.caption_set import CaptionSet
from engine.evaluation.features import EncodedSet
from engine.evaluation.shares import by_photo, pair_auc, right_then_wrong
from engine.matcher import Matcher
from engine.types import BoolArray, FloatArray, ImageFeatures, IntArray, TextFeatures

_DECISION: Final = ("accuracy", "precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class PairScores:
    """Logits [P] of pairs of which half match, and the truth bool [P]."""

    logits: FloatArray
    actual: BoolArray


def random_pairs(captions: CaptionSet, seed: int = 0) -> tuple[IntArray, IntArray, BoolArray]:
    """Each photo with one of its captions and with a random caption of another photo.

    Returns photo rows [2N], caption rows [2N] (of `CaptionSet.flat`) and the truth bool [2N]; the
    right pairs come first, and both halves go through the photos in order.
    """
    generator = np.random.default_rng(seed)
    count = np.array([len(texts) for texts in captions.captions])
    first = np.cumsum(count) - count
    photos = np.arange(len(count))
    other = (photos + generator.integers(1, len(count), size=len(count))) % len(count)
    right = first + generator.integers(0, count)
    wrong = first[other] + generator.integers(0, count[other])
    return np.tile(photos, 2), np.concatenate((right, wrong)), right_then_wrong(len(count))


def pair_scores(
    matcher: Matcher, images: ImageFeatures, texts: TextFeatures, captions: CaptionSet
) -> PairScores:
    """Fusion logits of `random_pairs`."""
    photos, rows, actual = random_pairs(captions)
    return PairScores(matcher.logits(images, texts, photos, rows), actual)


def measure_pairs(matcher: Matcher, encoded: EncodedSet, scores: PairScores) -> dict[str, Any]:
    """How `random_pairs` are ordered and decided, from their `pair_scores`.

    Intervals are over photos: a photo's right and wrong pair stay together.
    """
    photos, rows, actual = random_pairs(encoded.captions)
    similarity = by_photo(encoded.similarity[photos, rows])
    logits = by_photo(scores.logits)
    probability = matcher.probability(scores.logits)
    said = by_photo(probability >= matcher.threshold)
    result: dict[str, Any] = {
        "count": len(actual),
        "auc": pair_auc(logits),
        "auc_interval": metrics.bootstrap_interval(logits, pair_auc),
        "similarity_auc": pair_auc(similarity),
        "similarity_auc_interval": metrics.bootstrap_interval(similarity, pair_auc),
        "threshold": matcher.threshold,
    }
    for name in _DECISION:
        statistic = partial(_decided, name)
        result[name] = statistic(said)
        result[f"{name}_interval"] = metrics.bootstrap_interval(said, statistic)
    both = by_photo(probability)
    return result | {
        "calibration_error": _calibration_error(both),
        "calibration_error_interval": metrics.bootstrap_interval(both, _calibration_error),
    }


def _calibration_error(probability: Vector) -> float:
    return metrics.expected_calibration_error(
        probability.T.ravel().astype(np.float32), right_then_wrong(len(probability))
    )


def _decided(name: str, said: Vector) -> float:
    found = metrics.decision(said.T.ravel() > 0, right_then_wrong(len(said)))
    return float(getattr(found, name))


def measure_hard_pairs(matcher: Matcher, encoded: EncodedSet) -> dict[str, Any]:
    """The right captions of `random_pairs` against, for each photo, the most similar wrong caption.

    Contaminated on purpose: the caption of another photo that is most similar to a photo often
    describes it as well, so even a perfect judge stays below 1. The similarity has chosen the wrong
    captions and can't be measured on them; compare the fusion of two packs only.
    """
    photos, rows, _ = random_pairs(encoded.captions)
    count = len(encoded.relevant)
    wrong = np.where(encoded.relevant, -np.inf, encoded.similarity).argmax(axis=1)
    pairs = np.concatenate((rows[:count], wrong))
    logits = by_photo(matcher.logits(encoded.images, encoded.texts, photos, pairs))
    return {
        "count": len(pairs),
        "auc": pair_auc(logits),
        "auc_interval": metrics.bootstrap_interval(logits, pair_auc),
    }
