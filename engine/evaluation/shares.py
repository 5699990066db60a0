"""Shares of a report, each with its bootstrap interval."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import metrics
from engine.calibration import Vector
from engine.types import BoolArray, FloatArray, IntArray


def share(name: str, values: Vector, owner: IntArray | None = None) -> dict[str, Any]:
    """The mean of ``values`` [P] and its 95 % interval, as ``name`` and ``name_interval``.

    Items of one ``owner`` (int [P], such as the photo of a caption) are drawn together: they say
    much the same, and drawing them one by one would make the interval too narrow.
    """
    if owner is None:
        owner = np.arange(len(values))
    _, place = np.unique(owner, return_inverse=True)
    sums = np.stack((np.bincount(place, values), np.bincount(place)), axis=1, dtype=np.float64)

    def mean(drawn: Vector) -> float:
        total, count = drawn.sum(axis=0)
        return float(total / count)

    return {name: mean(sums), f"{name}_interval": metrics.bootstrap_interval(sums, mean)}


def preferred(right: FloatArray, wrong: FloatArray) -> Vector:
    """1 where ``right`` [P] is above ``wrong`` [P], 0 where it is below; ties count half."""
    result: Vector = (np.sign(right.astype(np.float64) - wrong) + 1) / 2
    return result


def pair_auc(scores: Vector) -> float:
    """`metrics.auc` of scores [N, 2]: each photo with a right caption and with a wrong one."""
    return metrics.auc(scores.T.ravel().astype(np.float32), right_then_wrong(len(scores)))


def right_then_wrong(count: int) -> BoolArray:
    """The truth bool [2 * count] of pairs of which the first half are right."""
    return np.arange(2 * count) < count


def by_photo(values: FloatArray | BoolArray) -> Vector:
    """Values [2N] of pairs, the N right ones first, as float64 [N, 2]: one row a photo."""
    return values.reshape(2, -1).T.astype(np.float64)
