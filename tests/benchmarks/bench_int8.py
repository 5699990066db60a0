"""What int8 gains and costs: the pack's graphs against the same model's in fp32.

    make bench

The fp32 graphs are exported from the pack's own weights into build/fp32. Speed is of one thread and
in processor time, so that other programs at work change little. Accuracy is of Flickr8k's
validation photos, where they are at hand: the test split is not for choosing between graphs.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from side_by_side import RESULTS, Spread, report, take_turns, times_as_fast_by_processor

from engine.backends.onnx import GRAPHS, OnnxBackend
from engine.backends.torch import load_model
from engine.calibration import Vector
from engine.caption_set import languages, read_caption_set
from engine.evaluation.features import EncodedSet, encode_photos
from engine.evaluation.pairs import measure_pairs, pair_scores
from engine.evaluation.shares import share
from engine.matcher import Matcher
from engine.metrics import best_ranks
from engine.pack import TOKENIZER, Pack, open_pack
from engine.paths import shipped_pack_dir
from engine.tokenizer import Tokenizer
from engine.training.export import export_fp32
from engine.types import IntArray

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "flickr8k"
FP32 = RESULTS.parent / "fp32"
PRECISIONS = ("int8", "fp32")
# What is run at once, as the matcher does: photos, captions and pairs.
AT_ONCE = {"image": 16, "text": 128, "memory": 16, "fusion": 64}
WORDS, ROUNDS, REPEATS = 12, 7, 2
# The whole job.
PHOTOS = 32
CAPTIONS = tuple(f"{who} {what}" for who in ("a dog", "two children", "an old man", "a woman",
                 "some people") for what in ("runs on the beach", "sits in the snow",
                 "plays with a ball", "looks at the camera", "jumps into the water",
                 "is in front of a house", "rides a brown horse", "walks on a street"))  # fmt: skip
FASTER, R10_POINTS, AUC = 1.3, 0.5, 0.003


def fp32_graphs(pack: Pack) -> Path:
    """Where they are, made if they are not."""
    folder = FP32 / pack.model_id
    if not folder.is_dir():
        # Under another name until all are there.
        made = FP32 / "partial"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        export_fp32(load_model(pack.folder, pack.manifest.model), made)
        made.rename(folder)
    return folder


@dataclass(frozen=True)
class Contender:
    """One precision: its graphs, and what goes through them."""

    backend: OnnxBackend
    matcher: Matcher
    pixels: np.ndarray

    def graph(self, name: str) -> Callable[[int], int]:
        """Runs one graph on as much as the matcher gives it."""
        feeds = self._feeds()[name]

        def run(_: int) -> int:
            for _again in range(REPEATS):
                self.backend.run_graph(name, **feeds)
            return REPEATS * AT_ONCE[name]

        return run

    def job(self, _: int) -> int:
        """Encodes photos and captions and fuses all pairs of them."""
        size = AT_ONCE["image"]
        parts = [
            self.matcher.encode(self.pixels[start : start + size])
            for start in range(0, PHOTOS, size)
        ]
        images = type(parts[0])(
            np.concatenate([part.embeddings for part in parts]),
            np.concatenate([part.tokens for part in parts]),
        )
        texts = self.matcher.encode_captions(CAPTIONS)
        pairs = np.indices((len(images), len(CAPTIONS))).reshape(2, -1)
        return len(self.matcher.logits(images, texts, pairs[0], pairs[1]))

    def _feeds(self) -> dict[str, dict[str, np.ndarray]]:
        rng, image, pairs = np.random.default_rng(0), AT_ONCE["image"], AT_ONCE["fusion"]
        ids = rng.integers(3, 1000, (AT_ONCE["text"], WORDS))
        mask = np.ones(ids.shape, np.bool_)
        pixels = self.pixels[:image]
        embeddings, tokens = self.backend.run_graph("image", pixels=pixels)
        (memory,) = self.backend.run_graph("memory", tokens=tokens)
        _, text = self.backend.run_graph("text", ids=ids, mask=mask)
        return {
            "image": {"pixels": pixels},
            "text": {"ids": ids, "mask": mask},
            "memory": {"tokens": tokens},
            "fusion": {
                "memory": memory[np.arange(pairs) % image],
                "text": text[:pairs],
                "mask": mask[:pairs],
                "similarity": np.resize(embeddings[:, 0], pairs),
            },
        }


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What one precision gets right on the validation photos, in one language.

    Attributes:
        hits: per way, float64 [Q], 1 where the right answer was among the first ten.
        owner: per way, int64 [Q], the photo that each query is of.
        auc: of random pairs.
    """

    hits: dict[str, Vector]
    owner: dict[str, IntArray]
    auc: float


def accuracy(matcher: Matcher, language: str) -> Accuracy:
    captions = read_caption_set(DATA, "val", language)
    images = encode_photos(matcher, captions.photos)
    encoded = EncodedSet.encode(matcher, captions, images)
    scores = pair_scores(matcher, images, encoded.texts, captions)
    similarity, relevant = encoded.similarity, encoded.relevant
    return Accuracy(
        {
            "photo_to_text_r10": (best_ranks(similarity, relevant) < 10).astype(np.float64),
            "text_to_photo_r10": (best_ranks(similarity.T, relevant.T) < 10).astype(np.float64),
        },
        {"photo_to_text_r10": np.arange(len(relevant)), "text_to_photo_r10": encoded.owner},
        measure_pairs(matcher, encoded, scores)["auc"],
    )


def accuracies(matchers: dict[str, Matcher]) -> tuple[list[str], dict[str, object]]:
    """Lines and figures of accuracy; says so where there are no photos to measure it on."""
    if not DATA.is_dir():
        return [f"accuracy: not measured, since there is no {DATA}"], {"accuracy": None}
    lines: list[str] = []
    figures: dict[str, dict[str, object]] = {}
    for language in languages(DATA):
        int8, fp32 = (accuracy(matchers[name], language) for name in ("int8", "fp32"))
        figures[language] = {"auc": {"int8": int8.auc, "fp32": fp32.auc}}
        lines.append(
            f"{language} auc: int8 {int8.auc:.4f}, fp32 {fp32.auc:.4f}: "
            f"{fp32.auc - int8.auc:.1g} lost; target at most {AUC}"
        )
        for way, hits in fp32.hits.items():
            lost = share("lost", 100 * (hits - int8.hits[way]), fp32.owner[way])
            figures[language] |= {way: {"int8": 100 * int8.hits[way].mean(), **lost}}
            low, high = lost["lost_interval"]
            lines.append(
                f"{language} {way}: int8 {100 * int8.hits[way].mean():.2f}, {lost['lost']:.2f} "
                f"points lost ({low:.2f} to {high:.2f}); target at most {R10_POINTS}"
            )
    return lines, {"accuracy": figures}


def main() -> None:
    pack = open_pack(shipped_pack_dir())
    tokenizer = Tokenizer(pack.folder / TOKENIZER, pack.manifest.model.max_tokens)
    side = pack.manifest.preprocessing.size
    pixels = np.random.default_rng(0).normal(size=(PHOTOS, 3, side, side)).astype(np.float32)
    folders = {"int8": pack.folder, "fp32": fp32_graphs(pack)}
    contenders = {}
    for precision in PRECISIONS:
        backend = OnnxBackend(folders[precision], precision, threads=1)
        contenders[precision] = Contender(backend, Matcher(pack, backend, tokenizer), pixels)
    work = {
        (part, precision): one.job if part == "job" else one.graph(part)
        for precision, one in contenders.items()
        for part in (*GRAPHS, "job")
    }
    turns = take_turns({" ".join(key): run for key, run in work.items()}, ROUNDS)
    ratios: dict[str, Spread] = {
        part: times_as_fast_by_processor(turns[f"{part} int8"], turns[f"{part} fp32"])
        for part in (*GRAPHS, "job")
    }
    lines, figures = accuracies({name: one.matcher for name, one in contenders.items()})
    report(
        "int8",
        [
            *(f"{graph}: int8 is {ratios[graph]} x as fast as fp32" for graph in GRAPHS),
            f"{PHOTOS} photos encoded and fused with {len(CAPTIONS)} captions: {ratios['job']} x; "
            f"target {FASTER}",
            *lines,
        ],
        {f"{part}_times_fp32": ratio for part, ratio in ratios.items()} | figures,
    )


if __name__ == "__main__":
    main()
