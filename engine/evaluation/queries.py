"""Searches for what is there and for what is not: does the program say that nothing fits?"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import metrics
from engine.evaluation.columns import read_columns
from engine.evaluation.shares import share
from engine.matcher import Matcher
from engine.paths import resources_dir
from engine.search import Searches

# Columns of tables that hold a text in both languages.
COLUMNS = {"en": "english", "zh": "chinese"}


def queries_without_match(language: str) -> list[str]:
    """Queries in "en" or "zh" that no photo of the Flickr8k test split fits.

    Of other photos some may fit; `resources/evaluation/README.md` says how the queries were made.
    """
    path = resources_dir() / "evaluation" / "queries_without_match.tsv"
    return read_columns(path, tuple(COLUMNS.values()))[COLUMNS[language]]


def measure_queries(
    matcher: Matcher, language: str, fitting: Searches, unfitting: Searches
) -> dict[str, Any]:
    """How many searches among the same photos are shown as a match, of those that should and not.

    ``fitting`` are searches for captions of the photos, ``unfitting`` for what none of them shows,
    both in ``language``. ``auc`` is the chance that the best photo of one of the former is more
    similar to it than that of one of the latter: what any threshold could reach. Raises ValueError
    for a pack without such a rule.
    """
    photos = fitting.similarity.shape[1]
    rule = matcher.search_confidence
    if rule is None:
        raise ValueError("the model pack has no rule for whether anything fits")

    def shown(searches: Searches) -> dict[str, Any]:
        confident = rule.confident(searches.best, language, photos)
        return {"queries": len(confident), **share("shown", confident.astype(np.float64))}

    best = np.concatenate((fitting.best, unfitting.best))
    return {
        "photos": photos,
        "threshold": rule.least(language, photos),
        "fitting": shown(fitting),
        "unfitting": shown(unfitting),
        "auc": metrics.auc(best, np.arange(len(best)) < len(fitting.best)),
    }
