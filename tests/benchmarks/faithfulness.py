"""Are the maps of `pairlens explain` faithful? Covers photos cell by cell and watches the logit.

    python tests/benchmarks/faithfulness.py ../shared/data/flickr8k --split test --photos 200

The deletion metric of Petsiuk, Das and Saenko (arXiv 1806.07421, section 4): cells are covered in
the order of the map, and the smaller the area under the curve of the logit, the better the map
found what the logit hangs on. It is compared with random orders and with one from the centre
outwards, where photographers put what matters. Cells are covered with the photo's mean colour, as
the map was made, and, since that is the map's own game, with the photo blurred as well.

Of the word that weighs most, the curve is that of what the word adds to the logit, in the order of
the word's own map and in that of the caption's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from engine.caption_set import CaptionSet, read_caption_set
from engine.decode import decode
from engine.explain import GRID, encode_shown, explain, pair_logits
from engine.matcher import Matcher, load_matcher
from engine.metrics import bootstrap_interval
from engine.preprocess import to_pixels
from engine.types import BoolArray, FloatArray
from engine.words import without, words_of

STEPS, RANDOM_ORDERS = 8, 2
CELLS = GRID * GRID

Vector = NDArray[np.float64]


def covered_in_turn(order: NDArray[np.int64]) -> BoolArray:
    """Bool [STEPS + 1, GRID, GRID]: from nothing to everything covered, cell numbers in order."""
    place = np.empty(CELLS, np.int64)
    place[order] = np.arange(CELLS)
    shown = place >= np.arange(STEPS + 1)[:, None] * CELLS / STEPS
    return shown.reshape(-1, GRID, GRID)


def from_the_centre() -> NDArray[np.int64]:
    """Cell numbers by their distance from the centre; of equals, the upper left first."""
    row, column = np.indices((GRID, GRID)).reshape(2, -1) - (GRID - 1) / 2
    return np.argsort(row**2 + column**2, kind="stable")


def area(curve: FloatArray) -> float:
    """Under a curve of evenly spaced logits, by trapezoids: the mean logit on the way."""
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))


def blurred(matcher: Matcher, photo: Path) -> FloatArray:
    """Pixels of the photo without its shapes: what is left has an eighth of its side as radius."""
    how = matcher.pack.manifest.preprocessing
    small = decode(photo, how.decode_side).resize((how.size, how.size), Image.Resampling.BILINEAR)
    return to_pixels(small.filter(ImageFilter.GaussianBlur(how.size / 8)), how)


def measure_photo(matcher: Matcher, photo: Path, caption: str, seed: int) -> dict[str, float]:
    """Areas under the curves, by how it is covered, of what, in which order; and seconds taken."""
    begin, began = time.perf_counter(), time.process_time()
    found = explain(matcher, photo, caption)
    result = {
        "seconds": time.perf_counter() - begin,
        "cpu_seconds": time.process_time() - began,
        "logit": found.logit,
    }
    word = max(range(len(found.words)), key=lambda number: found.words[number].weight)
    texts = matcher.encode_captions([caption, without(caption, words_of(caption)[word])], True)
    pixels = matcher.prepare(photo)
    generator = np.random.default_rng(seed)
    orders = {
        "map": np.argsort(-found.heat.ravel(), kind="stable"),
        "word": np.argsort(-found.words[word].heat.ravel(), kind="stable"),
        "centre": from_the_centre(),
        **{f"random{n}": generator.permutation(CELLS) for n in range(RANDOM_ORDERS)},
    }
    for name, cover_with in (("mean", None), ("blur", blurred(matcher, photo))):
        for order, cells in orders.items():
            images = encode_shown(matcher, pixels, covered_in_turn(cells), cover_with)
            logits = pair_logits(matcher, images, texts)
            result[f"{name} caption {order}"] = area(logits[:, 0])
            result[f"{name} word {order}"] = area(logits[:, 0] - logits[:, 1])
    result["word map like caption map"] = float(
        np.corrcoef(found.heat.ravel(), found.words[word].heat.ravel())[0, 1]
    )
    return result


def measure(matcher: Matcher, captions: CaptionSet) -> dict[str, Vector]:
    """`measure_photo` of every photo with its first caption, each figure as float64 [N]."""
    rows = [
        measure_photo(matcher, photo, own[0], seed)
        for seed, (photo, own) in enumerate(zip(captions.photos, captions.captions, strict=True))
    ]
    found = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    for name in [name for name in found if name.endswith("random0")]:
        stem = name.removesuffix("0")
        found[stem] = np.mean([found.pop(f"{stem}{n}") for n in range(RANDOM_ORDERS)], axis=0)
    return found


def lowered(found: Mapping[str, Vector], what: str, by: str, against: str) -> Vector:
    """How much smaller the area is by one order than by another, of each photo: more is better."""
    return found[f"{what} {against}"] - found[f"{what} {by}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--language", default="en")
    parser.add_argument("--photos", type=int, default=200)
    args = parser.parse_args()
    captions = read_caption_set(args.data, args.split, args.language)
    some = CaptionSet(captions.photos[: args.photos], captions.captions[: args.photos])
    matcher = load_matcher()
    found = measure(matcher, some)
    print(f"{len(some.photos)} photos of {args.split}, {args.language}, model {matcher.model_id}")
    print(
        f"an explanation takes {np.median(found['seconds']):.2f} s, of the processor "
        f"{np.median(found['cpu_seconds']):.2f} s (medians)"
    )
    print(f"logit {found['logit'].mean():.2f}")
    for name in ("mean", "blur"):
        for what, by in (("caption", "map"), ("word", "word"), ("word", "map")):
            for against in ("random", "centre", *(["map"] if by == "word" else [])):
                less = lowered(found, f"{name} {what}", by, against)
                low, high = bootstrap_interval(less)
                print(
                    f"covered with {name}, {what} by its {by} map, against {against}: "
                    f"{found[f'{name} {what} {by}'].mean():.3f} and "
                    f"{found[f'{name} {what} {against}'].mean():.3f}, lower by {less.mean():.3f} "
                    f"[{low:.3f}, {high:.3f}], for {np.mean(less > 0):.1%}"
                )
    like = found["word map like caption map"]
    print(f"correlation of the word's map with the caption's: median {np.median(like):.2f}")


if __name__ == "__main__":
    main()
