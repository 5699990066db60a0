"""What is fitted on the validation split when the weights are done: two decisions.

Both with the int8 graphs that ship, since those are what users get.
"""

from __future__ import annotations

import numpy as np

from engine.calibration import Calibration, fit_calibration
from engine.confidence import SearchConfidence, fit_search_confidence
from engine.evaluation import encode_photos, pair_scores
from engine.matcher import Matcher
from engine.search import run_searches
from engine.training.corpus import read_labels
from engine.training.run import UNFIT_QUERIES, Run
from engine.types import ImageFeatures

# Searches are tried among so many photos: the rule must hold for small and large libraries.
LIBRARY_SIZES = (30, 100, 300, 1000)
# Share of the queries that fit nothing which may be shown as matching.
MOST_FALSE_ALARMS = 0.03


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

    In libraries of several sizes, drawn from the validation photos: a caption of each photo in
    it, and everyday queries that no validation photo fits.
    """
    generator = np.random.default_rng(run.recipe.seed)
    features, fits = [], []
    for language, captions in run.by_language("val").items():
        unfit = [
            label.english if language == "en" else label.chinese
            for label in read_labels(UNFIT_QUERIES)
        ]
        wrong = matcher.encode_captions(unfit)
        for size in LIBRARY_SIZES:
            rows = generator.permutation(len(captions.photos))[:size]
            library = ImageFeatures(images.embeddings[rows], images.tokens[rows])
            asked = rows[: min(size, 250)]
            right = matcher.encode_captions([captions.captions[row][0] for row in asked])
            for texts, fit in ((right, True), (wrong, False)):
                features.append(run_searches(matcher, library, texts).features)
                fits.append(np.full(len(texts), fit))
    return fit_search_confidence(np.concatenate(features), np.concatenate(fits), MOST_FALSE_ALARMS)


def check_images(run: Run, matcher: Matcher) -> ImageFeatures:
    """The validation photos, encoded as the program does it."""
    return encode_photos(matcher, run.check_photos)
