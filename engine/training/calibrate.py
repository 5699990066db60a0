"""What is fitted on the validation split when the weights are done: two decisions.

Both with the int8 graphs that ship, since those are what users get.
"""

from __future__ import annotations

import math

import numpy as np

from engine.calibration import Calibration, fit_calibration
from engine.confidence import SearchConfidence, fit_search_confidence
from engine.evaluation import encode_photos, pair_scores
from engine.matcher import Matcher
from engine.training.corpus import read_labels
from engine.training.run import UNFIT_QUERIES, Run
from engine.types import ImageFeatures

# Searches are tried among so large shares of the photos: the rule must hold for small and large
# libraries.
LIBRARY_SHARES = (0.03, 0.1, 0.3, 1.0)
LIBRARIES = 8  # of each size
# Share of the queries that fit nothing which may be shown as matching.
MOST_FALSE_ALARMS = 0.05


def calibrate_pairs(run: Run, matcher: Matcher, images: ImageFeatures) -> Calibration:
    """Fit the match probability: each photo with a right and a random wrong caption."""
    scores = []
    for captions in run.by_language("val").values():
        texts = matcher.encode_captions(captions.flat()[0])
        scores.append(pair_scores(matcher, images, texts, captions))
    return fit_calibration(
        np.concatenate([score.logits for score in scores]),
        np.concatenate([score.actual for score in scores]),
    )


def calibrate_searches(run: Run, matcher: Matcher, images: ImageFeatures) -> SearchConfidence:
    """Fit when a search says that nothing fits.

    With everyday queries that no validation photo fits, in libraries of several sizes that are
    drawn from the validation photos.
    """
    generator = np.random.default_rng(run.recipe.seed)
    queries = read_labels(UNFIT_QUERIES)
    asked = {"en": [query.english for query in queries], "zh": [query.chinese for query in queries]}
    sizes = {math.ceil(share * len(images)) for share in LIBRARY_SHARES}
    drawn = {
        size: [generator.permutation(len(images))[:size] for _ in range(LIBRARIES)]
        for size in sizes
    }
    best = {}
    for language in run.recipe.languages:
        similarity = matcher.similarity(images, matcher.encode_captions(asked[language]))
        best[language] = {
            size: np.concatenate([similarity[rows].max(axis=0) for rows in libraries])
            for size, libraries in drawn.items()
        }
    return fit_search_confidence(best, MOST_FALSE_ALARMS)


def check_images(run: Run, matcher: Matcher) -> ImageFeatures:
    """The validation photos, encoded as the program does it."""
    return encode_photos(matcher, run.check_photos)
