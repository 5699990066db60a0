"""From logits to match probabilities."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.types import BoolArray, FloatArray

Vector = NDArray[np.float64]


def logistic(log_odds: Vector) -> Vector:
    """Probabilities, 0 to 1, of log-odds of any shape."""
    # tanh form: no overflow for large values of either sign.
    result: Vector = 0.5 * (1 + np.tanh(0.5 * log_odds))
    return result


def probability_of(log_odds: FloatArray | Vector) -> FloatArray:
    """Match probabilities float32, 0 to 1, of their log-odds, of any shape."""
    result: FloatArray = logistic(np.asarray(log_odds, np.float64)).astype(np.float32)
    return result


def probability_above(log_odds: FloatArray) -> Vector:
    """The smallest probabilities float32 (as float64) above those of log-odds, of any shape.

    2, which nothing reaches, for infinite log-odds.
    """
    above = np.nextafter(probability_of(log_odds), np.float32(2)).astype(np.float64)
    return np.where(np.isposinf(log_odds), 2.0, above)


@dataclass(frozen=True, slots=True)
class Calibration:
    """probability = sigmoid(scale * logit + bias); a pair matches from ``threshold`` on.

    The probability answers: of pairs with such a logit, drawn from a set in which every photo
    stands once with a right caption and once with a random wrong one, what share is right?

    Attributes:
        fitted: whether scale and bias were found on such pairs. Where not, they are what the
            model brought along, and the probability is only a number that rises with the logit.
    """

    scale: float
    bias: float
    threshold: float
    fitted: bool = True

    def log_odds(self, logits: FloatArray) -> Vector:
        """Log-odds float64 of the match probabilities of logits float32, of any shape."""
        result: Vector = self.scale * logits.astype(np.float64) + self.bias
        return result

    def probability(self, logits: FloatArray) -> FloatArray:
        """Match probabilities float32 [P], 0 to 1, of logits float32 [P]."""
        return probability_of(self.log_odds(logits))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        """Read what `to_dict` wrote. Raises KeyError, TypeError or ValueError if it is not that."""
        scale, bias, threshold = (values[key] for key in ("scale", "bias", "threshold"))
        if not all(type(value) in (int, float) for value in (scale, bias, threshold)):
            raise TypeError("calibration: scale, bias and threshold must be numbers")
        if not np.all(np.isfinite((scale, bias))) or not 0 <= threshold <= 1:
            raise ValueError("calibration: finite numbers, and a threshold from 0 to 1")
        fitted = values.get("fitted", True)  # format 3 knew no other
        if not isinstance(fitted, bool):
            raise TypeError("calibration: fitted is true or false")
        return cls(scale, bias, threshold, fitted)


def fit_calibration(
    logits: FloatArray, actual: BoolArray, threshold: float = 0.5, steps: int = 100
) -> Calibration:
    """Scale and bias with the least cross-entropy on logits [P] with truth bool [P].

    Platt scaling (1999). Raises ValueError when only one kind of pair is given.
    """
    if actual.all() or not actual.any():
        raise ValueError("calibration needs both matching and wrong pairs")
    inputs = np.column_stack((logits.astype(np.float64), np.ones(len(logits))))
    # Platt's smoothed targets keep a perfectly separable set from growing without end.
    positives, negatives = int(actual.sum()), int((~actual).sum())
    target = np.where(actual, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(weights: Vector) -> float:
        said = inputs @ weights
        return float((np.logaddexp(0, said) - target * said).sum())

    # Newton's method: the loss is convex.
    weights = np.zeros(2)
    for _ in range(steps):
        predicted = logistic(inputs @ weights)
        gradient = inputs.T @ (predicted - target)
        curvature = inputs.T @ (inputs * (predicted * (1 - predicted))[:, None])
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        # Far from the minimum a whole step can lead uphill.
        while loss(weights - step) > loss(weights) and np.abs(step).max() > 1e-10:
            step /= 2
        weights -= step
        if np.abs(step).max() < 1e-10:
            break
    return Calibration(float(weights[0]), float(weights[1]), threshold)
