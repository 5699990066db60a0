"""Whether anything that a search found really fits its words: a decision of its own.

A match probability is about one pair, on pairs of which half match. A search looks at the best of
many photos, and the best of many is high by chance alone, so its answer to "does anything fit?"
is a rule of its own, fitted on searches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.calibration import Vector, fit_logistic, logistic
from engine.types import BoolArray, FloatArray

FEATURES = 3
# On features of mean 0 and deviation 1, in all and not for each query: a feature that says nothing
# gets no weight, and hundreds of queries outweigh it by far.
RIDGE = 0.1


def search_features(similarity: FloatArray, reference: FloatArray, log_odds: Vector) -> Vector:
    """What the rule knows of Q searches: float64 [Q, 3].

    Args:
        similarity: float32 [Q, N], each query to the N photos that compete.
        reference: float32 [Q, R], each query to a fixed set of photos, the pack's.
        log_odds: float64 [Q, S], of the match probabilities of each query's shortlist.

    1. How far the best similarity stands out, in standard deviations of the query's similarity to
       the reference set. That set is fixed because a library may be of one kind: among photos of
       beaches no beach stands out, and "beach" still fits them.
    2. The largest log-odds.
    3. log N: the best of N unrelated photos grows like sqrt(2 log N) standard deviations.
    """
    # A reference that says the same to everything must not divide by nothing.
    spread = np.maximum(reference.std(axis=1, dtype=np.float64), 1e-6)
    stands_out = (similarity.max(axis=1) - reference.mean(axis=1, dtype=np.float64)) / spread
    competing = np.full(len(similarity), np.log(similarity.shape[1]))
    return np.column_stack((stands_out, log_odds.max(axis=1), competing))


@dataclass(frozen=True, slots=True)
class SearchConfidence:
    """probability = sigmoid(weights . features + bias); confident from ``threshold`` on.

    Attributes:
        weights: one for each of the `search_features`.
        bias: log-odds where all features are 0.
        threshold: of the probability; above 1 when nothing may be called a match.
    """

    weights: tuple[float, ...]
    bias: float
    threshold: float

    def __post_init__(self) -> None:
        if len(self.weights) != FEATURES:
            raise ValueError(f"search confidence: {FEATURES} weights, not {len(self.weights)}")
        if not np.all(np.isfinite((*self.weights, self.bias, self.threshold))):
            raise ValueError("search confidence: weights, bias and threshold must be finite")

    def probability(self, features: Vector) -> Vector:
        """How probably something fits, float64 [Q] 0 to 1, of `search_features` [Q, 3].

        On searches like those it was fitted on, of which as many fit as did there.
        """
        return logistic(features @ np.array(self.weights) + self.bias)

    def confident(self, features: Vector) -> BoolArray:
        """Whether something fits, bool [Q], of `search_features` [Q, 3]."""
        result: BoolArray = self.probability(features) >= self.threshold
        return result

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SearchConfidence:
        """Read what `to_dict` wrote. Raises TypeError or ValueError when the values don't fit."""
        return cls(**{**values, "weights": tuple(values["weights"])})

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"weights": list(self.weights)}


def fit_search_confidence(
    features: Vector, fits: BoolArray, most_false_alarms: float
) -> SearchConfidence:
    """The rule with the least cross-entropy on Q searches, and a threshold that keeps it honest.

    Args:
        features: float64 [Q, 3], see `search_features`.
        fits: bool [Q], whether one of the photos fits the query.
        most_false_alarms: share, 0 to 1, of the queries that don't fit which may be called a match.

    The threshold is the lowest with which no more than that share of the given queries that don't
    fit reaches it. Queries of equal probability fall on the same side, so where ties straddle the
    share all of them are refused. Raises ValueError when only one kind of query is given.
    """
    if fits.all() or not fits.any():
        raise ValueError("search confidence needs both queries that fit and queries that don't")
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread < 1e-9] = 1.0  # constant: becomes 0 and gets no weight
    scaled, bias = fit_logistic((features - mean) / spread, fits, ridge=RIDGE)
    weights = scaled / spread
    rule = SearchConfidence(
        tuple(float(weight) for weight in weights), bias - float(weights @ mean), 0.0
    )
    wrong = np.sort(rule.probability(features[~fits]))[::-1]
    # The hair keeps 0.29 of 100 at 29.
    allowed = int(most_false_alarms * len(wrong) + 1e-9)
    if allowed >= len(wrong):
        return rule
    return SearchConfidence(rule.weights, rule.bias, float(np.nextafter(wrong[allowed], np.inf)))
