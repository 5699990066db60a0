"""Searches for what is there and for what is not: does the program say that nothing fits?"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import metrics
from engine.calibration import Vector
from engine.evaluation.columns import read_columns
from engine.evaluation.shares import share
from engine.matcher import Matcher
from engine.paths import resources_dir
from engine.search import Searches, run_searches
from engine.types import ImageFeatures

# Columns of tables that hold a text in both languages.
COLUMNS = {"en": "english", "zh": "chinese"}


def queries_without_match(language: str) -> list[str]:
    """Queries in "en" or "zh" that no photo of the Flickr8k test split fits.

    Of other photos some may fit; `resources/evaluation/README.md` says how the queries were made.
    """
    path = resources_dir() / "evaluation" / "queries_without_match.tsv"
    return read_columns(path, tuple(COLUMNS.values()))[COLUMNS[language]]


def measure_queries(
    matcher: Matcher, images: ImageFeatures, fitting: Searches, unfitting: list[str]
) -> dict[str, Any]:
    """How many searches among the photos are shown as a match, of those that should and shouldn't.

    ``fitting`` are the searches for the first caption of each photo. ``auc`` is the chance that
    such a search has a higher probability than one of the ``unfitting`` queries: what any
    threshold could reach.
    """
    rule = matcher.search_confidence
    without = run_searches(matcher, images, matcher.encode_captions(unfitting)).features
    probability = np.concatenate((rule.probability(fitting.features), rule.probability(without)))
    fits = np.arange(len(probability)) < len(fitting.features)

    def shown(features: Vector) -> dict[str, Any]:
        return {
            "queries": len(features),
            **share("shown", rule.confident(features).astype(np.float64)),
        }

    return {
        "photos": len(images),
        "threshold": rule.threshold,
        "fitting": shown(fitting.features),
        "unfitting": shown(without),
        "auc": metrics.auc(probability.astype(np.float32), fits),
    }
