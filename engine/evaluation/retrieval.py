"""Ordering many: the right caption among all captions, the right photo among all photos."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import metrics
from engine.evaluation.features import EncodedSet
from engine.evaluation.shares import share
from engine.matcher import Matcher
from engine.search import Searches
from engine.types import BoolArray, FloatArray, IntArray

# Candidates that the fusion reorders for each query of the reranked recall.
RERANKED = 20
TOPS = (1, 5, 10)


def measure_retrieval(encoded: EncodedSet) -> dict[str, Any]:
    """R@1, 5 and 10 by similarity both ways: every photo and every caption is a query once.

    Intervals are over photos: the captions of one photo are drawn together.
    """
    similarity, relevant = encoded.similarity, encoded.relevant
    return {
        "photo_to_text": _recalls(similarity, relevant, np.arange(len(relevant))),
        "text_to_photo": _recalls(similarity.T, relevant.T, encoded.owner),
    }


def _recalls(scores: FloatArray, relevant: BoolArray, owner: IntArray) -> dict[str, Any]:
    ranks = metrics.best_ranks(scores, relevant)
    result: dict[str, Any] = {"queries": len(ranks)}
    for top in TOPS:
        result |= share(f"r{top}", (ranks < top).astype(np.float64), owner)
    return result


def measure_rerank(matcher: Matcher, encoded: EncodedSet, first: Searches) -> dict[str, Any]:
    """R@1 both ways before and after the fusion reorders the `RERANKED` nearest.

    Every photo is a query once, and so is its first caption, of which ``first`` are the searches:
    a photo's captions say much the same, and the fusion is slow.
    """
    similarity = encoded.similarity
    width = min(RERANKED, similarity.shape[1])
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :width]
    rows = np.repeat(np.arange(len(nearest)), width)
    logits = matcher.logits(encoded.images, encoded.texts, rows, nearest.ravel())
    return {
        "photo_to_text": reranked(nearest, logits.reshape(nearest.shape), encoded.relevant),
        "text_to_photo": reranked(
            first.photos[:, :RERANKED],
            first.logits[:, :RERANKED],
            encoded.relevant[:, encoded.first].T,
        ),
    }


def reranked(nearest: IntArray, logits: FloatArray, relevant: BoolArray) -> dict[str, Any]:
    """R@1 of Q queries by similarity and by fusion, and the gain.

    Takes each query's candidates, nearest first, int64 [Q, S], their logits float32 [Q, S], and
    bool [Q, C], True where a candidate answers the query.
    """
    queries = np.arange(len(nearest))
    before = relevant[queries, nearest[:, 0]].astype(np.float64)
    after = relevant[queries, nearest[queries, logits.argmax(axis=1)]].astype(np.float64)
    return {
        "queries": len(nearest),
        "candidates": nearest.shape[1],
        **share("r1_similarity", before),
        **share("r1_fusion", after),
        **share("gain", after - before),
    }
