"""From logits to match probabilities."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from engine.types import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class Calibration:
    """probability = sigmoid(scale * logit + bias); a pair matches from ``threshold`` on.

    The probability answers: of pairs with such a logit, drawn from a set in which every photo
    stands once with a right caption and once with a random wrong one, what share is right?
    """

    scale: float
    bias: float
    threshold: float

    def probability(self, logits: FloatArray) -> FloatArray:
        """Match probabilities float32 [P], 0 to 1, of logits float32 [P]."""
        # tanh form: no overflow for large logits of either sign.
        half = 0.5 * (self.scale * logits.astype(np.float64) + self.bias)
        result: FloatArray = (0.5 * (1 + np.tanh(half))).astype(np.float32)
        return result

    def to_dict(self) -> dict[str, float]:
        """Plain values for JSON."""
        return asdict(self)


def fit_calibration(
    logits: FloatArray, actual: BoolArray, threshold: float = 0.5, steps: int = 100
) -> Calibration:
    """Scale and bias with the least cross-entropy on logits [P] with truth bool [P].

    Platt scaling (1999) by Newton's method: two parameters, a convex loss. Raises ValueError
    when only one kind of pair is given.
    """
    if actual.all() or not actual.any():
        raise ValueError("calibration needs both matching and wrong pairs")
    inputs = np.stack((logits.astype(np.float64), np.ones(len(logits))), axis=1)
    # Platt's smoothed targets keep a perfectly separable set from growing without end.
    positives, negatives = int(actual.sum()), int((~actual).sum())
    target = np.where(actual, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    weights = np.zeros(2)
    for _ in range(steps):
        predicted = 0.5 * (1 + np.tanh(0.5 * inputs @ weights))
        gradient = inputs.T @ (predicted - target)
        curvature = inputs.T @ (inputs * (predicted * (1 - predicted))[:, None])
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        weights -= step
        if np.abs(step).max() < 1e-10:
            break
    return Calibration(float(weights[0]), float(weights[1]), threshold)
