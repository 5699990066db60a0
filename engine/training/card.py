"""The model card (arXiv 1810.03993): what a pack is, how good it is, and what it can't do."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from engine.evaluation import tables
from engine.evaluation.retrieval import RERANKED
from engine.pack import Manifest
from engine.training.recipe import Recipe


def model_card(manifest: Manifest, recipe: Recipe, test: dict[str, Any]) -> str:
    """The card as Markdown, with the numbers of `engine.evaluation.evaluate` on the test split."""
    config = recipe.model
    return f"""# {manifest.name} {manifest.version}

{manifest.notice} See LICENSE in this folder.

## What it is

A small image-text fusion model. It answers "does this caption describe this photo?" with a
calibrated probability, and its contrastive head makes folders searchable. Weights started random
and were trained by this project; no other model's weights are in it.

- Photos: {config.image_size} x {config.image_size} pixels (the whole photo, squeezed to a square),
  a residual network and {config.image_layers} Transformer block over its cells,
  {config.image_tokens} image tokens kept at {config.token_width} numbers of 8 bits each.
- Captions: {", ".join(tables.NAMES.get(code, code) for code in manifest.languages)};
  {config.vocabulary} tokens, {config.text_layers} Transformer blocks,
  at most {config.max_tokens} tokens a caption.
- Fusion: {config.fusion_layers} Transformer blocks over image and text tokens in one sequence.
- int8 on the processor (matrix products and convolutions; attention computes in float); float
  weights for torch beside it.

## Data

- Photos and English captions: Flickr8k (Hodosh, Young and Hockenmaier 2013), the usual split:
  6,000 photos to train, 1,091 to tune, 1,000 to test. **The photos are for non-commercial research
  and education**, and so is this pack: see LICENSE.
- Chinese captions: Flickr8K-CN (Li et al., ICMR 2016), the same photos; written by people for
  training and measuring, translated by a machine for training.
- Further photos without captions, from public repositories (flowers, pets, scenes, clothes, shops,
  things of many kinds): about 12,800, for the image encoder. A tenth of each folder was kept away
  from training.
- Names of the 1,000 ImageNet classes and of the photos' folders in both languages, written for
  this project; the most frequent words of both languages (wordfreq); Chinese words with their
  English meanings (CC-CEDICT, CC BY-SA 4.0).

## Teachers

Two models taught it; neither is in it, and no weight was copied.

- Photos: MobileNetV2 (Apache-2.0), trained by others on ImageNet. The image encoder learnt to
  say of a photo what it says.
- Texts: all-MiniLM-L6-v2 (Apache-2.0), an English sentence encoder. It was trained by others on a
  billion pairs of sentences, **captions of Flickr photos among them (Flickr30k), which may include
  captions of the test photos**: what is measured on English captions below may flatter the model
  a little. Without this teacher, its text encoder learning from the training photos' own captions
  alone, one run had a test R@10 of 36.5 % photo to text and 37.0 % text to photo in English, 27.9 %
  and 28.8 % in Chinese (the model as it is, in fp32: 48.1, 46.9, 35.4 and 34.9 %). Most of that is
  what the teacher knows of language, since Chinese, which it does not know, loses a fifth as well;
  how much of it is captions that it had seen, this does not tell.

## How it was trained

The image encoder and the text encoder were distilled from their teachers; then heads that bring
photos and captions of both languages to one place were trained with a contrastive loss on the
frozen encoders; then the fusion, on right captions, wrong ones, close ones and ones with one edit,
with heads trained on other photos to tell it the similarity. AdamW, early stopping on the
validation split. `make train` does all of it in one run; every setting is in
`engine/training/recipe.toml` (seed {recipe.seed}), and `docs/lab-log.md` has what was tried. The
image encoder of the pack that comes with the program was trained in three runs, each going on from
the one before with other settings: the log gives all of them.

## How good it is

Flickr8k test split, {test["photos"]} photos, five captions a photo and language; int8, as shipped.
In brackets: 95 % bootstrap intervals. `pairlens evaluate` measures all of it again.

{_sections(test, manifest)}

## What the probability means

It was calibrated on the validation photos, each once with a right caption and once with a random
wrong one. Of such pairs that get 80 %, about 80 in 100 match. Try many captions on one photo and
far fewer than half of the pairs match: read the numbers as an order then.

## What it can't do

- It saw captions of 6,000 photos, mostly of people and dogs outdoors, and names of some thousand
  kinds of things. Indoor scenes, documents, screenshots, food, places by name, text in photos and
  known persons are at the edge of what it learnt or beyond it.
- Small things, counts above two, left and right, colours of one thing among several, and who does
  what to whom are hard for it; see "Captions with one edit".
- The captions were written by few people and carry their guesses about gender, age and what is
  worth saying; so does the model. Don't use it to decide anything about people.
- Words in other languages than those above mean nothing to it.
"""


def _sections(test: dict[str, Any], manifest: Manifest) -> str:
    """Each table that was measured, under its title and with what its numbers mean."""
    sections = [
        (
            "Retrieval",
            tables.retrieval(test),
            "R@k: share of queries with a right answer among the first k of the test set, ordered "
            "by similarity. Every photo and every caption is a query once.",
        ),
        (
            "What the fusion adds to the order",
            tables.rerank(test),
            f"R@1 by similarity, and after the fusion reordered the {RERANKED} nearest. Every "
            "photo and its first caption are a query once.",
        ),
        (
            "Pairs",
            tables.pairs(test),
            "Each photo with one of its captions and with a random caption of another photo. "
            f"Accuracy and what follows it: at the threshold {manifest.calibration.threshold:g}. "
            "Calibration error: mean gap between probability and frequency, 15 bins of equal "
            "size. The hardest wrong caption is the one of another photo that is most similar to "
            "the photo; it often describes it as well, so that no judge could reach 1.",
        ),
        (
            "Captions with one edit",
            tables.edited(test),
            "Share of pairs, a right caption and one that is wrong in one place, of which the "
            "right one is chosen; chance is 50 %. Without photo: what the captions alone give "
            "away.",
        ),
        (
            "Searches",
            tables.queries(test),
            "Share of searches among the test photos that are shown as a match: those for the "
            "first caption of each photo should be, those for everyday things on none of the "
            "photos should not. AUC: what any threshold could reach.",
        ),
        (
            "Worse photos and captions",
            tables.robustness(test),
            "Photos at 192 x 192 pixels with a Gaussian blur of radius 2, noise of deviation 0.1, "
            "JPEG quality 10, and at 0.35 of their brightness; captions with a mistake in each of "
            "two words.",
        ),
        (
            "Breadth",
            tables.breadth(test),
            "Labels of folders of other photos as queries, among photos of them that were not "
            "trained on: share of labels with one of their photos among the 10 most similar.",
        ),
        (
            "Footprint",
            tables.footprint(test),
            "Speed: the image encoder, in a second of processor time of the machine that made the "
            "pack.",
        ),
    ]
    return "\n\n".join(
        f"### {title}\n\n{fill(text, 100)}\n\n{table}" for title, table, text in sections if table
    )
