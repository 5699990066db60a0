"""Captions with one edit: what the model understands beyond the words that are there."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import metrics
from engine.calibration import Vector
from engine.edited import EditedPair
from engine.evaluation.shares import preferred, share
from engine.matcher import Matcher
from engine.types import FloatArray, ImageFeatures, IntArray


def measure_edits(
    matcher: Matcher, images: ImageFeatures, pairs: list[EditedPair]
) -> dict[str, Any]:
    """How often the right one of two captions is chosen, for each kind of edit and in the mean.

    - ``fusion``, ``similarity``: by the fusion's logit, by similarity alone; ``gain`` is the
      difference.
    - ``blank``: by the logit without a photo. The pairs are balanced so that this should be half;
      what is above it the captions give away by themselves.

    Ties count half. Intervals are over photos, whose pairs are drawn together; ``mean`` is over
    kinds, each with the same weight. Rows of ``images`` are those that the pairs name.
    """
    texts = sorted({text for pair in pairs for text in (pair.right, pair.wrong)})
    row = {text: number for number, text in enumerate(texts)}
    encoded = matcher.encode_captions(texts)
    photos = np.array([pair.photo for pair in pairs])
    sides = [np.array([row[text] for text in side]) for side in _sides(pairs)]
    # Absent, as the fusion knows it: no tokens, and a similarity of 0.
    nothing = ImageFeatures(np.zeros_like(images.embeddings[:1]), np.zeros_like(images.tokens[:1]))
    similarity = matcher.similarity(images, encoded)

    def fused(seen: ImageFeatures, rows: IntArray) -> Vector:
        right, wrong = (matcher.logits(seen, encoded, rows, captions) for captions in sides)
        return preferred(right, wrong)

    similar: list[FloatArray] = [similarity[photos, captions] for captions in sides]
    correct = {
        "fusion": fused(images, photos),
        "similarity": preferred(*similar),
        "blank": fused(nothing, np.zeros_like(photos)),
    }
    correct["gain"] = correct["fusion"] - correct["similarity"]
    kinds = np.array([pair.kind for pair in pairs])
    names = list(dict.fromkeys(kinds.tolist()))
    place = np.array([names.index(kind) for kind in kinds])
    result: dict[str, Any] = {"kinds": {}, "mean": {"pairs": len(pairs)}}
    for kind in names:
        chosen = kinds == kind
        result["kinds"][kind] = {"pairs": int(chosen.sum())}
        for name, values in correct.items():
            result["kinds"][kind] |= share(name, values[chosen], photos[chosen])
    for name, values in correct.items():
        result["mean"] |= _mean_of_kinds(name, values, place, photos)
    return result


def _sides(pairs: list[EditedPair]) -> tuple[list[str], list[str]]:
    return [pair.right for pair in pairs], [pair.wrong for pair in pairs]


def _mean_of_kinds(name: str, values: Vector, place: IntArray, owner: IntArray) -> dict[str, Any]:
    """The mean over kinds of each kind's mean; ``place`` is the kind of a value."""
    _, who = np.unique(owner, return_inverse=True)
    kinds, cells = int(place.max()) + 1, who * (int(place.max()) + 1) + place
    size = (int(who.max()) + 1) * kinds
    sums, counts = (
        np.bincount(cells, weights, size).reshape(-1, kinds)
        for weights in (values, np.ones_like(values))
    )

    def mean(drawn: Vector) -> float:
        total, count = np.split(drawn.sum(axis=0), 2)
        return float(np.mean(total[count > 0] / count[count > 0]))

    both: Vector = np.hstack((sums, counts)).astype(np.float64)
    return {name: mean(both), f"{name}_interval": metrics.bootstrap_interval(both, mean)}
