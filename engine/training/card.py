"""The model card (arXiv 1810.03993): what a pack is, how good it is, and what it can't do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.evaluate import RERANKED
from engine.pack import Manifest
from engine.training.recipe import Recipe

_NAMES = {"en": "English", "zh": "Chinese"}


def model_card(manifest: Manifest, recipe: Recipe, test: dict[str, Any]) -> str:
    """The card as Markdown, with the numbers of `engine.evaluate.evaluate` on the test split."""
    config = manifest.model
    return f"""# {manifest.name} {manifest.version}

{manifest.notice} See LICENSE in this folder.

## What it is

A small image-text fusion model. It answers "does this caption describe this photo?" with a
calibrated probability, and its contrastive head makes folders searchable. Weights started random
and were trained by this project; no other model's weights are in it.

- Photos: {config.image_size} x {config.image_size} pixels (the whole photo, squeezed to a square),
  a convolutional stem and {config.image_layers} Transformer blocks,
  {config.image_tokens} image tokens kept at {config.token_width} numbers each.
- Captions: {", ".join(_NAMES.get(code, code) for code in manifest.languages)};
  {config.vocabulary} tokens, {config.text_layers} Transformer blocks,
  at most {config.max_tokens} tokens a caption.
- Fusion: {config.fusion_layers} Transformer blocks over image and text tokens in one sequence.
- int8 on the processor (dynamic, matrix products only); float weights for torch beside it.

## Data

- Photos and English captions: Flickr8k (Hodosh, Young and Hockenmaier 2013), the usual split:
  6,000 photos to train, 1,091 to tune, 1,000 to test. The photos are for non-commercial research
  and education.
- Chinese captions, written by people: Flickr8K-CN (Li et al., ICMR 2016), the same photos.

## How it was trained

Contrastive alignment of photos with their English and Chinese captions, then the match head with
binary cross-entropy on right pairs and wrong ones (half of them close by similarity), AdamW, early
stopping on the validation split. `make train` repeats it; every setting is in
`engine/training/recipe.toml` (seed {recipe.seed}).

## How good it is

Flickr8k test split, {test["photos"]} photos, five captions a photo and language; int8, as shipped.
R@10: share of queries with a right answer among the first ten of the test set (chance:
about 1 % for text to photo). Pairs: each photo with one right and one random wrong caption.
In brackets: 95 % bootstrap interval over queries.

| language | photo -> text R@10 | text -> photo R@10 | R@1 by similarity | R@1 by fusion |
| --- | --- | --- | --- | --- |
{_rows(test, _retrieval)}

R@1 is text to photo, one caption a photo; by fusion: it orders the {RERANKED} nearest photos.
{_what_fusion_adds(test)}

| language | pair AUC | AUC, similarity | accuracy | precision | recall | F1 | cal. error |
| --- | --- | --- | --- | --- | --- | --- | --- |
{_rows(test, _pairs)}

Accuracy and what follows it: at the threshold {manifest.calibration.threshold:g}. Calibration
error: mean gap between probability and frequency, 15 bins of equal size.

## What the probability means

It was calibrated on the validation photos, each once with a right caption and once with a random
wrong one. Of such pairs that get 80 %, about 80 in 100 match. Try many captions on one photo and
far fewer than half of the pairs match: read the numbers as an order then.

## What it can't do

- It saw 6,000 photos, mostly of people and dogs outdoors. Indoor scenes, documents, screenshots,
  food, places by name, text in photos and known persons are outside what it learnt.
- Small things, counts, left and right, colours of one thing among several, and "not" are mostly
  beyond it: it goes by the overall scene.
- The captions were written by few people and carry their guesses about gender, age and what is
  worth saying; so does the model. Don't use it to decide anything about people.
- Among many photos some reach the threshold for almost any words, also for words that fit none of
  them: that a search calls itself confident says little with this model.
- Words in other languages than those above mean nothing to it.
"""


def _what_fusion_adds(test: dict[str, Any]) -> str:
    """The gain in words, as far as its intervals allow."""
    gains = [found["rerank"]["gain_interval"] for found in test["languages"].values()]
    if all(low > 0 for low, _ in gains):
        return "The fusion orders photos better than similarity in every language."
    return (
        "The fusion does not order photos measurably better than similarity alone: in this\n"
        "version its answer rests on the similarity, which it reads, and on the calibration."
    )


def _rows(test: dict[str, Any], row: Callable[[dict[str, Any]], list[str]]) -> str:
    return "\n".join(
        f"| {_NAMES.get(code, code)} | {' | '.join(row(found))} |"
        for code, found in test["languages"].items()
    )


def _interval(value: float, interval: tuple[float, float], digits: int) -> str:
    low, high = interval
    if digits:
        return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
    return f"{value:.1%} ({low:.1%} to {high:.1%})"


def _retrieval(found: dict[str, Any]) -> list[str]:
    retrieval, rerank = found["retrieval"], found["rerank"]
    ways = (retrieval["photo_to_text"], retrieval["text_to_photo"])
    return [
        *(_interval(way["r10"], way["r10_interval"], 0) for way in ways),
        f"{rerank['r1_similarity']:.1%}",
        f"{rerank['r1_fusion']:.1%}",
    ]


def _pairs(found: dict[str, Any]) -> list[str]:
    pairs = found["pairs"]
    return [
        _interval(pairs["auc"], pairs["auc_interval"], 3),
        f"{pairs['similarity_auc']:.3f}",
        *(f"{pairs[name]:.1%}" for name in ("accuracy", "precision", "recall")),
        f"{pairs['f1']:.3f}",
        f"{pairs['calibration_error']:.3f}",
    ]
