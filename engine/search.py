"""Words against an indexed library: a shortlist by similarity, reranked by the fusion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.calibration import Vector
from engine.errors import LibraryMissing
from engine.index import Library
from engine.matcher import Matcher
from engine.types import (
    FloatArray,
    ImageFeatures,
    IntArray,
    SearchHit,
    SearchResult,
    TextFeatures,
)

# Photos the fusion looks at, beyond those asked for: similarity finds, fusion decides.
SHORTLIST = 50


@dataclass(frozen=True, slots=True)
class Searches:
    """M texts, each searched for among N photos.

    Attributes:
        similarity: float32 [M, N], each text to every photo.
        photos: int64 [M, S], the rows of the S photos nearest to each text, nearest first.
        logits: float32 [M, S], the fusion's, of those photos.
        features: float64 [M, 3], see `engine.confidence.search_features`.
    """

    similarity: FloatArray
    photos: IntArray
    logits: FloatArray
    features: Vector


def run_searches(
    matcher: Matcher, images: ImageFeatures, texts: TextFeatures, top: int = SHORTLIST
) -> Searches:
    """Shortlist at least ``top`` photos for every text, fuse them, and see whether they fit.

    Also what `engine.confidence.fit_search_confidence` is fitted on: the searches that people do
    and those that the rule learns from are the same.
    """
    similarity = np.ascontiguousarray(matcher.similarity(images, texts).T)
    width = min(len(images), max(top, SHORTLIST))
    photos = np.argsort(-similarity, axis=1, kind="stable")[:, :width]
    rows = np.repeat(np.arange(len(texts)), width)
    logits = matcher.logits(images, texts, photos.ravel(), rows).reshape(photos.shape)
    # Of a fixed shortlist: asking for more photos must not make anything fit better.
    features = matcher.search_features(texts, similarity, logits[:, :SHORTLIST])
    return Searches(similarity, photos, logits, features)


def search(
    matcher: Matcher, library: Library, folder: Path, query: str, top: int = 20
) -> SearchResult:
    """The ``top`` photos under ``folder`` that match the query best, most probable first.

    Whether the result is confident is decided by `Matcher.search_confidence` over all photos under
    ``folder``. Raises CaptionEmpty, or LibraryMissing when nothing under ``folder`` is indexed
    with this model pack.
    """
    text = matcher.encode_captions([query])
    indexed = library.features(folder, matcher.model_id)
    if not indexed.paths:
        raise LibraryMissing(path=folder, quoted=quoted(folder))
    found = run_searches(matcher, indexed.features, text, top)
    similarity, photos = found.similarity[0], found.photos[0]
    probability = matcher.probability(found.logits[0])
    order = np.argsort(-probability, kind="stable")[:top]
    hits = [
        SearchHit(indexed.paths[photos[n]], float(probability[n]), float(similarity[photos[n]]))
        for n in order
    ]
    confident = bool(matcher.search_confidence.confident(found.features)[0])
    return SearchResult(query, confident, hits)


def quoted(path: Path) -> str:
    """A path as it can be pasted into a shell."""
    return f'"{path}"' if " " in str(path) else str(path)
