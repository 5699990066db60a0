"""Words against an indexed library: a shortlist by similarity, reranked by the fusion."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.errors import LibraryMissing
from engine.index import Library
from engine.matcher import Matcher
from engine.types import ImageFeatures, SearchHit, SearchResult

# Photos the fusion looks at, beyond those asked for: similarity finds, fusion decides.
SHORTLIST = 50


def search(
    matcher: Matcher, library: Library, folder: Path, query: str, top: int = 20
) -> SearchResult:
    """The ``top`` photos under ``folder`` that match the query best, most probable first.

    Raises CaptionEmpty, or LibraryMissing when nothing under ``folder`` is indexed with this
    model pack.
    """
    text = matcher.encode_captions([query])
    indexed = library.features(folder, matcher.model_id)
    if not indexed.paths:
        raise LibraryMissing(path=folder, quoted=quoted(folder))
    similarity = matcher.similarity(indexed.features, text)[:, 0]
    width = min(len(similarity), max(top, SHORTLIST))
    chosen = np.argsort(-similarity, kind="stable")[:width]
    shortlist = ImageFeatures(indexed.features.embeddings[chosen], indexed.features.tokens[chosen])
    rows = np.arange(width)
    probability = matcher.probability(matcher.logits(shortlist, text, rows, np.zeros_like(rows)))
    order = np.argsort(-probability, kind="stable")[:top]
    hits = [
        SearchHit(indexed.paths[chosen[n]], float(probability[n]), float(similarity[chosen[n]]))
        for n in order
    ]
    confident = any(hit.probability >= matcher.threshold for hit in hits)
    return SearchResult(query, confident, hits)


def quoted(path: Path) -> str:
    """A path as it can be pasted into a shell."""
    return f'"{path}"' if " " in str(path) else str(path)
