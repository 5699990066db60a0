"""Everything that is measured of a model pack, in one report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.caption_set import languages, read_caption_set
from engine.edited import edited_pairs
from engine.errors import EvaluationDataMissing
from engine.evaluation.breadth import measure_breadth
from engine.evaluation.edits import measure_edits
from engine.evaluation.features import EncodedSet, encode_photos, some_images, some_texts
from engine.evaluation.footprint import measure_footprint
from engine.evaluation.pairs import (
    PairScores,
    measure_hard_pairs,
    measure_pairs,
    pair_scores,
)
from engine.evaluation.queries import COLUMNS, measure_queries, queries_without_match
from engine.evaluation.retrieval import measure_rerank, measure_retrieval
from engine.evaluation.robustness import measure_robustness
from engine.matcher import Matcher
from engine.search import run_searches
from engine.types import Progress, no_progress


@dataclass(frozen=True, slots=True)
class Labelled:
    """A table of labels and the folder of photos it names, see `measure_breadth`."""

    labels: Path
    folder: Path


def evaluate(
    matcher: Matcher,
    data: Path,
    split: str = "test",
    progress: Progress = no_progress,
    labelled: Labelled | None = None,
) -> dict[str, Any]:
    """Measure a pack on a split of ``data``, in every language that ``data`` has captions in.

    The report has, besides what names pack and data:

    - ``languages``: for each, ``retrieval``, ``rerank``, ``pairs``, ``hard_pairs`` and, where there
      are such queries in the language and the pack judges searches, ``queries``;
    - ``edited`` and ``robustness``, on English captions, if there are any; ``edited`` only where
      the captions give such pairs;
    - ``breadth``, if ``labelled`` is given;
    - ``footprint``. Its speed is the only number that a second run doesn't repeat exactly.

    Raises EvaluationDataMissing, and with ``labelled`` what `measure_breadth` raises.
    """
    sets = {language: read_caption_set(data, split, language) for language in languages(data)}
    if not sets:
        raise EvaluationDataMissing(path=data, reason="no captions.LANGUAGE.tsv")
    photos = list(dict.fromkeys(photo for captions in sets.values() for photo in captions.photos))
    images = encode_photos(matcher, photos, progress)
    row = {photo: number for number, photo in enumerate(photos)}
    report: dict[str, Any] = {
        "model": matcher.model_id,
        "pack": f"{matcher.pack.manifest.name} {matcher.pack.manifest.version}",
        "split": split,
        "photos": len(photos),
        "languages": {},
    }
    for language, captions in sets.items():
        own = some_images(images, np.array([row[photo] for photo in captions.photos]))
        encoded = EncodedSet.encode(matcher, captions, own)
        scores = pair_scores(matcher, own, encoded.texts, captions)
        report["languages"][language] = _measure_language(matcher, language, encoded, scores)
        if language == "en":
            report |= _measure_english(matcher, encoded, scores, progress)
    if labelled is not None:
        report["breadth"] = measure_breadth(matcher, labelled.labels, labelled.folder, progress)
    return report | {"footprint": measure_footprint(matcher.pack, images)}


def _measure_language(
    matcher: Matcher, language: str, encoded: EncodedSet, scores: PairScores
) -> dict[str, Any]:
    first = run_searches(matcher, encoded.images, some_texts(encoded.texts, encoded.first))
    result = {
        "retrieval": measure_retrieval(encoded),
        "rerank": measure_rerank(matcher, encoded, first),
        "pairs": measure_pairs(matcher, encoded, scores),
        "hard_pairs": measure_hard_pairs(matcher, encoded),
    }
    if language in COLUMNS and matcher.search_confidence is not None:
        texts = matcher.encode_captions(queries_without_match(language))
        unfitting = run_searches(matcher, encoded.images, texts)
        result["queries"] = measure_queries(matcher, language, first, unfitting)
    return result


def _measure_english(
    matcher: Matcher, encoded: EncodedSet, scores: PairScores, progress: Progress
) -> dict[str, Any]:
    robustness = measure_robustness(matcher, encoded, scores, progress)
    pairs = edited_pairs(encoded.captions)
    if not pairs:
        return {"robustness": robustness}
    return {"edited": measure_edits(matcher, encoded.images, pairs), "robustness": robustness}
