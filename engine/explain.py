"""Why a pair has its match probability: which parts of the photo and which words count.

**The map** is RISE (Petsiuk, Das and Saenko, arXiv 1806.07421, section 3): the photo is shown to
the model many times, each time with other parts of it covered, and a part counts as much as the
logit is higher on average while it shows than while it is covered. That needs nothing of the model
but its answers. Other than in the paper, coverings are hard-edged blocks of two sizes, and come in
pairs of which one shows what the other covers, so that every part shows exactly half of the time.
They are drawn once, from a fixed seed.

**A word's weight** is how much the logit falls when the word is left out of the caption (erasure:
Li, Monroe and Jurafsky, arXiv 1612.08220). **A word's map** is the map of that fall, which is the
map of the caption less that of the caption without the word: where the photo has what the word
adds.

Both say what this model's answer hangs on. Neither says what is in the photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import PackUnsupported
from engine.matcher import Matcher
from engine.patches import cover_patches
from engine.types import BoolArray, FloatArray, ImageFeatures, TextFeatures
from engine.words import without, words_of

# Cells on each side of the map. More would be finer than what the model sees: it has 6 x 6 tokens.
GRID = 8
# Covered photos that are looked at: about half of the time that an explanation takes.
COVERINGS = 128
# Sides, in cells, of what is covered in one piece: small ones find small things, large ones what
# the model still recognises by its other half.
BLOCKS = (2, 3)
# Covered photos times words that are looked at: the other half of the time. Where a caption has
# more words, their maps come from fewer coverings.
WORD_PAIRS = 1024
_TOO_SLOW = "it looks at the photo again for each pair, and explaining takes a thousand of them"


@dataclass(frozen=True, slots=True)
class ExplainedWord:
    """One word of the caption.

    Attributes:
        text: as the caption has it.
        weight: how much the logit falls when it is left out; below 0, it rises.
        heat: float32 [GRID, GRID], as `Explanation.heat`, of that fall.
    """

    text: str
    weight: float
    heat: FloatArray


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a pair's logit comes from.

    Attributes:
        probability: calibrated match probability, 0 to 1.
        heat: float32 [GRID, GRID], the first row being the top of the photo: how much higher the
            logit is, on average, while that cell shows than while it is covered, half of the rest
            being covered too. Below 0 the cell speaks against the caption.
        words: in their order; none where the caption has no letter or digit.
    """

    photo: Path
    caption: str
    logit: float
    probability: float
    match: bool
    heat: FloatArray
    words: tuple[ExplainedWord, ...]


def explain(matcher: Matcher, photo: Path, caption: str) -> Explanation:
    """Explain one pair. The same pair always gets the same answer.

    Raises PhotoError, CaptionEmpty when the caption has no word, and PackUnsupported for a model
    that looks at the photo again for each pair: a thousand pairs would take it many minutes.
    """
    if matcher.looks_again:
        raise PackUnsupported(path=matcher.pack_folder, reason=_TOO_SLOW)
    alone = matcher.encode_captions([caption])
    pixels, shown = matcher.prepare(photo), coverings()
    whole, images = matcher.encode(pixels[None]), encode_shown(matcher, pixels, shown)
    logit = pair_logits(matcher, whole, alone)[0]
    probability = float(matcher.probability(logit)[0])
    return Explanation(
        photo,
        caption,
        float(logit[0]),
        probability,
        probability >= matcher.threshold,
        heat(shown, pair_logits(matcher, images, alone)[:, 0]),
        _words(matcher, caption, whole, images, shown),
    )


def _words(
    matcher: Matcher, caption: str, photo: ImageFeatures, images: ImageFeatures, shown: BoolArray
) -> tuple[ExplainedWord, ...]:
    spans = words_of(caption)
    if not spans:
        return ()
    # All in one batch: what the text encoder says of a caption moves a little with the others.
    shorter = [without(caption, span) for span in spans]
    texts = matcher.encode_captions([caption, *shorter], blank=True)
    seen = min(WORD_PAIRS // len(spans), COVERINGS) // 2 * 2
    logits = pair_logits(matcher, images.rows(np.arange(seen)), texts)
    falls = logits[:, :1] - logits[:, 1:]
    whole = pair_logits(matcher, photo, texts)[0]
    return tuple(
        ExplainedWord(
            caption[slice(*span)], float(whole[0] - whole[number]), heat(shown[:seen], fall)
        )
        for number, (span, fall) in enumerate(zip(spans, falls.T, strict=True), start=1)
    )


def strongest_word(
    matcher: Matcher, photo: ImageFeatures, caption: str
) -> tuple[str, float, float] | None:
    """The word without which the match probability of a photo's features [1] falls most.

    Returns the word, the probability with it, and that without it; None where there is no word that
    it falls without. This takes a caption more for each word, and none of the time of a map.
    """
    spans = words_of(caption)
    shorter = (without(caption, span) for span in spans)
    texts = matcher.encode_captions([caption, *shorter], blank=True)
    whole, *others = matcher.probability(pair_logits(matcher, photo, texts)[0]).tolist()
    least = min(range(len(others)), key=others.__getitem__, default=None)
    if least is None or others[least] >= whole:
        return None
    return caption[slice(*spans[least])], whole, others[least]


def coverings() -> BoolArray:
    """Bool [COVERINGS, GRID, GRID], True where the photo shows: always the same.

    Each odd one shows exactly what the one before it covers.
    """
    generator = np.random.default_rng(0)
    shown = np.empty((COVERINGS, GRID, GRID), np.bool_)
    for number in range(0, COVERINGS, 2):
        side = BLOCKS[number // 2 % len(BLOCKS)]
        # Blocks begin anywhere, so that their edges are not always in the same places.
        across = GRID // side + 2
        blocks = generator.random((across, across)) < 0.5
        top, left = generator.integers(0, side, 2)
        cells = blocks.repeat(side, axis=0).repeat(side, axis=1)
        shown[number] = cells[top : top + GRID, left : left + GRID]
        shown[number + 1] = ~shown[number]
    return shown


def cover(pixels: FloatArray, shown: BoolArray, cover_with: FloatArray | None = None) -> FloatArray:
    """Pixels float32 [B,3,S,S] of one photo [3,S,S], covered where ``shown`` [B,G,G] is False.

    ``cover_with`` [3,S,S], or [3,1,1] for one colour, is what shows there instead: the photo's mean
    colour if nothing else is given. Pixels that are patches are covered with that always.
    """
    if pixels.ndim == 2:
        return cover_patches(pixels, shown)
    if cover_with is None:
        cover_with = pixels.mean(axis=(1, 2), keepdims=True)
    cell = np.arange(pixels.shape[-1]) * shown.shape[-1] // pixels.shape[-1]
    return np.where(shown[:, None, cell[:, None], cell], pixels, cover_with)


def encode_shown(
    matcher: Matcher, pixels: FloatArray, shown: BoolArray, cover_with: FloatArray | None = None
) -> ImageFeatures:
    """Features of a photo's pixels with parts covered, see `cover`."""
    return ImageFeatures.joined(
        [
            matcher.encode(cover(pixels, shown[start : start + matcher.batch_size], cover_with))
            for start in range(0, len(shown), matcher.batch_size)
        ]
    )


def pair_logits(matcher: Matcher, images: ImageFeatures, texts: TextFeatures) -> FloatArray:
    """Logits float32 [N, M] of every image with every caption."""
    photos, captions = np.indices((len(images), len(texts))).reshape(2, -1)
    return matcher.logits(images, texts, photos, captions).reshape(len(images), len(texts))


def heat(shown: BoolArray, logits: FloatArray) -> FloatArray:
    """Of each cell, float32 [G,G]: the mean logit while it shows less that while it is covered.

    Takes coverings bool [B,G,G] and the logit of each, float32 [B].
    """
    showing = np.einsum("byx,b->yx", shown, logits) / shown.sum(axis=0)
    covered = np.einsum("byx,b->yx", ~shown, logits) / (~shown).sum(axis=0)
    result: FloatArray = (showing - covered).astype(np.float32)
    return result
