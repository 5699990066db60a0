"""How good a model pack is on a captioned data set, from the pack alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import metrics
from engine.caption_set import CaptionSet, languages, read_caption_set
from engine.encoding import encode_in_order
from engine.errors import EvaluationDataMissing
from engine.matcher import Matcher
from engine.types import (
    BoolArray,
    FloatArray,
    ImageFeatures,
    IntArray,
    Progress,
    TextFeatures,
    no_progress,
)

# Photos that the fusion reorders for each query of the reranked recall.
RERANKED = 20


@dataclass(frozen=True, slots=True)
class PairScores:
    """Logits [P] of pairs of which half match, photo by photo, and the truth bool [P]."""

    logits: FloatArray
    actual: BoolArray


def encode_photos(
    matcher: Matcher, photos: list[Path], progress: Progress = no_progress
) -> ImageFeatures:
    """Features of all photos. Raises EvaluationDataMissing when one can't be used."""
    parts: list[ImageFeatures] = []
    done = 0
    for paths, images, failed in encode_in_order(matcher, photos):
        for failure in failed.values():
            raise EvaluationDataMissing(path=failure.photo, reason=failure.message)
        parts.append(images)
        done += len(paths)
        progress(done, len(photos))
    return ImageFeatures(
        np.concatenate([part.embeddings for part in parts]),
        np.concatenate([part.tokens for part in parts]),
    )


def random_pairs(captions: CaptionSet, seed: int = 0) -> tuple[IntArray, IntArray, BoolArray]:
    """Each photo with one of its captions and with a random caption of another photo.

    Returns photo rows [2N], caption rows [2N] (of `CaptionSet.flat`) and the truth bool [2N].
    """
    generator = np.random.default_rng(seed)
    count = np.array([len(texts) for texts in captions.captions])
    first = np.cumsum(count) - count
    photos = np.arange(len(count))
    other = (photos + generator.integers(1, len(count), size=len(count))) % len(count)
    right = first + generator.integers(0, count)
    wrong = first[other] + generator.integers(0, count[other])
    return (
        np.tile(photos, 2),
        np.concatenate((right, wrong)),
        np.arange(2 * len(count)) < len(count),
    )


def pair_scores(
    matcher: Matcher, images: ImageFeatures, texts: TextFeatures, captions: CaptionSet
) -> PairScores:
    """Fusion logits of `random_pairs`."""
    photos, rows, actual = random_pairs(captions)
    return PairScores(matcher.logits(images, texts, photos, rows), actual)


def evaluate(
    matcher: Matcher, data: Path, split: str = "test", progress: Progress = no_progress
) -> dict[str, Any]:
    """Retrieval, pair and calibration metrics for every language that ``data`` has captions in.

    Shares are 0 to 1; intervals are 95 % bootstrap over photos. Raises EvaluationDataMissing.
    """
    found: dict[str, Any] = {}
    images: ImageFeatures | None = None
    names = languages(data)
    if not names:
        raise EvaluationDataMissing(path=data, reason="no captions.LANGUAGE.tsv")
    photos: list[Path] = []
    for language in names:
        captions = read_caption_set(data, split, language)
        if images is None or captions.photos != photos:
            photos = captions.photos
            images = encode_photos(matcher, photos, progress)
        texts = matcher.encode_captions(captions.flat()[0])
        found[language] = _measure(matcher, images, texts, captions)
    return {
        "model": matcher.model_id,
        "pack": f"{matcher.pack.manifest.name} {matcher.pack.manifest.version}",
        "split": split,
        "photos": len(photos),
        "languages": found,
    }


def _measure(
    matcher: Matcher, images: ImageFeatures, texts: TextFeatures, captions: CaptionSet
) -> dict[str, Any]:
    _, relevant = captions.flat()
    similarity = matcher.similarity(images, texts)
    result: dict[str, Any] = {
        "retrieval": {
            "photo_to_text": _recalls(similarity, relevant),
            "text_to_photo": _recalls(similarity.T, relevant.T),
        },
        "rerank": _rerank(matcher, images, texts, similarity.T, relevant),
    }
    pairs = pair_scores(matcher, images, texts, captions)
    probability = matcher.probability(pairs.logits)
    photo_rows, caption_rows, actual = random_pairs(captions)
    said = probability >= matcher.threshold
    # Resampled by photo: its right and its wrong pair stay together.
    both = np.stack((pairs.logits.reshape(2, -1).T, actual.reshape(2, -1).T), axis=2).astype(float)

    def pair_auc(sample: np.ndarray) -> float:
        return metrics.auc(sample[..., 0].ravel(), sample[..., 1].ravel() > 0)

    decided = metrics.decision(said, actual)
    result["pairs"] = {
        "count": len(actual),
        "auc": metrics.auc(pairs.logits, actual),
        "auc_interval": metrics.bootstrap_interval(both, pair_auc),
        "similarity_auc": metrics.auc(similarity[photo_rows, caption_rows], actual),
        "threshold": matcher.threshold,
        "accuracy": decided.accuracy,
        "precision": decided.precision,
        "recall": decided.recall,
        "f1": decided.f1,
        "calibration_error": metrics.expected_calibration_error(probability, actual),
    }
    return result


def _recalls(scores: FloatArray, relevant: BoolArray) -> dict[str, Any]:
    ranks = metrics.best_ranks(scores, relevant)
    return {
        "r1": metrics.recall_at(ranks, 1),
        "r5": metrics.recall_at(ranks, 5),
        "r10": metrics.recall_at(ranks, 10),
        "r10_interval": metrics.bootstrap_interval((ranks < 10).astype(np.float64)),
        "queries": len(ranks),
    }


def _rerank(
    matcher: Matcher,
    images: ImageFeatures,
    texts: TextFeatures,
    similarity: FloatArray,
    relevant: BoolArray,
) -> dict[str, Any]:
    """R@1 before and after the fusion reorders the photos nearest to a caption.

    One caption a photo is the query: the fusion is slow, and a photo's captions say much the same.
    """
    queries = relevant.argmax(axis=1)
    scores, truth = similarity[queries], relevant[:, queries].T
    width = min(RERANKED, scores.shape[1])
    nearest = np.argsort(-scores, axis=1, kind="stable")[:, :width]
    logits = matcher.logits(images, texts, nearest.ravel(), np.repeat(queries, width))
    best = nearest[np.arange(len(queries)), logits.reshape(nearest.shape).argmax(axis=1)]
    before = truth[np.arange(len(queries)), nearest[:, 0]].astype(np.float64)
    after = truth[np.arange(len(queries)), best].astype(np.float64)
    return {
        "queries": len(queries),
        "candidates": width,
        "r1_similarity": float(before.mean()),
        "r1_fusion": float(after.mean()),
        "gain_interval": metrics.bootstrap_interval(after - before),
    }


def summary(report: dict[str, Any]) -> str:
    """The main numbers of `evaluate` as a table for people."""
    lines = [
        f"{report['pack']}, {report['photos']} photos of the {report['split']} split",
        "",
        f"{'language':<10}{'photo->text R@10':>18}{'text->photo R@10':>18}"
        f"{'pair AUC':>10}{'accuracy':>10}{'F1':>7}{'cal. error':>12}",
    ]
    for language, found in report["languages"].items():
        retrieval, pairs = found["retrieval"], found["pairs"]
        lines.append(
            f"{language:<10}{retrieval['photo_to_text']['r10']:>18.1%}"
            f"{retrieval['text_to_photo']['r10']:>18.1%}{pairs['auc']:>10.3f}"
            f"{pairs['accuracy']:>10.1%}{pairs['f1']:>7.3f}{pairs['calibration_error']:>12.3f}"
        )
    return "\n".join(lines)
