"""A threshold that at most one in N unrelated photos reaches, estimated on the photos at hand.

The match probability is calibrated on other people's photos. In a folder of flowers "tulips" gets
a high probability from every flower, so whoever wants few false alarms *there* has to look there.

**Method.** For each caption the photos of the folder are ordered by score. With all of them
unrelated, the threshold would stand just above the k-th best, k being the most for which
(k + 1) / (n + 1) <= 1/N: a further unrelated photo, drawn like the n, then reaches it with at most
that probability (conformal prediction), whatever the distribution of the scores. But some photos do
fit, and counting them as unrelated would let nothing but the best of them match. So each photo
counts with a weight: the probability that it is unrelated. It is 1, unless

1. the caption is the photo's best of the whole set: a photo that another caption describes better
   is unrelated to this one as far as we can tell; and
2. its calibrated log-odds say so, with two corrections: the share of photos that fit is the
   folder's and not one half (found by expectation maximisation, Saerens et al. 2002), and the
   log-odds are lowered until those of the folder's median photo are `MEDIAN_LOG_ODDS` at most: a
   model that finds most of a folder fitting is more likely to be wrong about that kind of photo.

**It assumes** that fewer than half of the photos fit a caption, that the set has captions for most
of what is in the folder, and that unrelated photos to come are like those in it.

**It fails safe** (fewer matches than could be) where more than half of the photos fit, where
captions of the set overlap, and with a single caption: nothing can then be told from a photo that
fits, all photos count as unrelated, and at most n/N of them match. **It fails unsafe** (more false
alarms than asked for) where the folder holds many photos that no caption of the set describes and
that the model is sure about: they pass for photos that fit. Numbers are in docs/lab-log.md.
"""

from __future__ import annotations

import numpy as np

from engine.calibration import Vector, logistic
from engine.types import BoolArray, FloatArray

# About one in eight: the most that a photo from the middle of the folder may be thought to fit.
MEDIAN_LOG_ODDS = -2.0
EM_STEPS = 100
# Beyond this, odds overflow long before they mean anything.
LARGEST_LOG_ODDS = 30.0


def thresholds_for(log_odds: FloatArray, false_alarms: int) -> FloatArray:
    """For each of M captions the log-odds above which a photo matches: float32 [M].

    Args:
        log_odds: float32 [N, M], each photo with each caption.
        false_alarms: at most one in so many unrelated photos is to match.

    Infinite where too few photos are unrelated to the caption to tell what is as rare as that.
    """
    best = log_odds.argmax(axis=1)
    several = log_odds.shape[1] > 1
    return np.array(
        [
            highest_unrelated(scores, 1 - _fits(scores, (best == column) & several), false_alarms)
            for column, scores in enumerate(log_odds.T)
        ],
        dtype=np.float32,
    )


def highest_unrelated(scores: FloatArray, unrelated: Vector, false_alarms: int) -> float:
    """The score above which at most one in ``false_alarms`` unrelated photos is to be expected.

    Args:
        scores: float32 [N].
        unrelated: float64 [N], the probability of each to be unrelated.

    Infinite when the photos are too few to tell.
    """
    allowed = (unrelated.sum() + 1) / false_alarms - 1
    # Rounding must not cost the last place of an exact fit.
    if allowed < -1e-9 or not len(scores):
        return float("inf")
    order = np.argsort(-scores, kind="stable")
    above = np.searchsorted(np.cumsum(unrelated[order]), allowed + 1e-9, side="right")
    return float(scores[order[above]]) if above < len(scores) else float("-inf")


def _fits(scores: FloatArray, wins: BoolArray) -> Vector:
    """The probability of each photo to fit the caption, float64 [N]; 0 where it does not win."""
    lowered = scores.astype(np.float64) - max(0.0, float(np.median(scores)) - MEDIAN_LOG_ODDS)
    lowered = np.clip(lowered, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    share = 0.1
    for _ in range(EM_STEPS):
        fits = logistic(lowered + np.log(share / (1 - share)))
        share = float(np.clip(fits.mean(), 1e-9, 1 - 1e-9))
    return np.where(wins, fits, 0.0)
