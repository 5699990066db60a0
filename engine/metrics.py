"""Metrics as pure functions of scores. All take numpy arrays and return floats, 0 to 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Decision:
    """How well yes/no answers fit: each 0 to 1; precision is 0 when nothing was said to match."""

    accuracy: float
    precision: float
    recall: float
    f1: float


def decision(predicted: BoolArray, actual: BoolArray) -> Decision:
    """Accuracy, precision, recall and F1 of bool [P] answers against bool [P] truth."""
    hits = int(np.sum(predicted & actual))
    said, true = int(predicted.sum()), int(actual.sum())
    precision = hits / said if said else 0.0
    recall = hits / true if true else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return Decision(float(np.mean(predicted == actual)), precision, recall, f1)


def best_ranks(scores: FloatArray, relevant: BoolArray) -> IntArray:
    """For each query (row) the rank, from 0, of its best relevant candidate.

    Args:
        scores: float32 [Q, C], higher is better.
        relevant: bool [Q, C], at least one True in each row.

    A candidate with the same score as the relevant one counts as ranked before it, so constant
    scores earn nothing.
    """
    best = np.where(relevant, scores, -np.inf).max(axis=1, keepdims=True)
    ranks: IntArray = ((scores >= best) & ~relevant).sum(axis=1).astype(np.int64)
    return ranks


def recall_at(ranks: IntArray, k: int) -> float:
    """Share of queries whose best relevant candidate is among the first ``k``."""
    return float(np.mean(ranks < k))


def auc(scores: FloatArray, actual: BoolArray) -> float:
    """Chance that a random positive outranks a random negative; ties count half.

    The area under the ROC curve as a Mann-Whitney U (Hanley and McNeil 1982).
    Raises ValueError when one of the two classes is empty.
    """
    positives, negatives = scores[actual], np.sort(scores[~actual])
    if not len(positives) or not len(negatives):
        raise ValueError("the area under the curve needs both matching and wrong pairs")
    below = np.searchsorted(negatives, positives, side="left")
    not_above = np.searchsorted(negatives, positives, side="right")
    return float((below + not_above).mean() / (2 * len(negatives)))


def expected_calibration_error(
    probabilities: FloatArray, actual: BoolArray, bins: int = 15
) -> float:
    """Mean gap between probability and frequency over equally filled bins.

    Expected calibration error (Guo et al., arXiv 1706.04599, section 2) with bins of equal mass,
    which do not leave most pairs in two bins.
    """
    order = np.argsort(probabilities, kind="stable")
    gaps = [
        abs(float(probabilities[part].mean()) - float(actual[part].mean())) * len(part)
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return sum(gaps) / len(probabilities)


def bootstrap_interval(
    values: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], float] = lambda sample: float(np.mean(sample)),
    *,
    rounds: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % percentile interval of ``statistic`` over resampled first-axis items of ``values``."""
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(values), size=(rounds, len(values)))
    results = [statistic(values[rows]) for rows in drawn]
    low, high = np.percentile(results, [2.5, 97.5])
    return float(low), float(high)
