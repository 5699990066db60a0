"""What the default model would be without the sentence teacher (all-MiniLM-L6-v2).

    python tests/benchmarks/without_text_teacher.py ../shared/data [--work FOLDER]

The sentence teacher may have read captions of the photos that the model is tested on. Here
nothing comes from it: the text encoder starts from random weights and learns from the training
photos' own captions, by the contrastive loss, together with the heads. Photos are seen through the
shipped image encoder, whose teacher knows no text. What comes out is compared with the shipped
pack's similarity on the validation split, and on the test split, which is read once at the end.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from side_by_side import keep
from torch import Tensor, nn

from engine.backends.torch import load_model
from engine.evaluation.shares import share
from engine.metrics import best_ranks
from engine.nn import FusionModel
from engine.pack import TOKENIZER, open_pack
from engine.paths import cache_dir, shipped_pack_dir
from engine.tokenizer import Tokenizer
from engine.training.compute import choose_compute
from engine.training.distil_text import encode_texts, hide_words
from engine.training.loop import run_stage
from engine.training.losses import contrastive_loss
from engine.training.photos import cache_photos, exact_pixels, preprocessing
from engine.training.recipe import DEFAULT, Stage, read_recipe
from engine.training.run import Run
from engine.training.views import encode_pixels, encode_views

EPOCHS, PATIENCE, BATCH, VIEWS = 24, 6, 250, 2
DROPOUT, WORD_DROPOUT = 0.3, 0.3


class TextTower(nn.Module):
    """Both heads and the text encoder, which alone of the three sees no frozen features."""

    def __init__(self, model: FusionModel) -> None:
        super().__init__()
        self.text_encoder, self.summarise = model.text_encoder, model.summarise
        self.image_head, self.text_head = model.image_head, model.text_head
        self.log_scale = model.log_scale
        self._model = (model,)  # in a tuple, so that the frozen rest is not trained
        self.dropout = nn.Dropout(DROPOUT)

    def images(self, features: Tensor) -> Tensor:
        return self._model[0].embed_features(self.dropout(features))

    def texts(self, ids: Tensor) -> Tensor:
        (model,), mask = self._model, ids > 0
        return model.embed_sentences(model.sentences(self.text_encoder(ids, mask), mask))


class Captions:
    """The captions of a split in each language: ids [M,L] and the photo [M] of each."""

    def __init__(self, run: Run, tokenizer: Tokenizer, split: str) -> None:
        self.of: dict[str, tuple[Tensor, Tensor]] = {}
        for language, found in run.by_language(split).items():
            texts, owner = run.sentences_of(found)
            self.of[language] = encode_texts(tokenizer, texts), owner


class FromScratch:
    """Objective of the stage. See `engine.training.loop.Objective`."""

    def __init__(
        self, tower: TextTower, views: list[Tensor], said: Captions, check: Tensor, asked: Captions
    ) -> None:
        self._tower, self._views, self._said = tower, views, said
        self._check, self._asked = check, asked
        self._spread = views[0].float().std(dim=0)

    @property
    def steps(self) -> int:
        return len(self._views[0]) // BATCH

    def losses(self, epoch: int) -> Iterator[Tensor]:
        numpy = np.random.default_rng((7, epoch))
        drawn = torch.Generator().manual_seed(int(numpy.integers(2**31)))
        torch.manual_seed(int(numpy.integers(2**31)))  # dropout
        order = torch.from_numpy(numpy.permutation(len(self._views[0])))
        for photos in order.split(BATCH)[: self.steps]:
            view = self._views[int(numpy.integers(len(self._views)))][photos].float()
            noise = 0.15 * self._spread * torch.randn(view.shape, generator=drawn)
            images = self._tower.images(F.relu(view + noise))
            losses = []
            for ids, owner in self._said.of.values():
                ends = torch.bincount(owner).cumsum(0)
                counts = torch.diff(ends, prepend=ends.new_zeros(1))[photos]
                rows = (
                    ends[photos] - 1 - torch.randint(2**20, counts.shape, generator=drawn) % counts
                )
                words = hide_words(ids[rows], WORD_DROPOUT, drawn)
                texts = self._tower.texts(words[:, : int((words > 0).sum(dim=1).max())])
                losses.append(contrastive_loss(images, texts, self._tower.log_scale))
            yield torch.stack(losses).mean()

    def validate(self) -> dict[str, float]:
        found = recalls(self._tower, self._check, self._asked)
        flat = {
            f"{language}_{way}": one["r10"]
            for language, both in found.items()
            for way, one in both.items()
        }
        return {"score": sum(flat.values()) / len(flat), **flat}


@torch.inference_mode()
def recalls(
    tower: TextTower, features: Tensor, asked: Captions
) -> dict[str, dict[str, dict[str, object]]]:
    """R@10 both ways with its interval over photos, by language."""
    images, found = tower.images(features.float()), {}
    for language, (ids, owner) in asked.of.items():
        texts = torch.cat([tower.texts(part) for part in ids.split(512)])
        similarity = (images @ texts.T).numpy()
        relevant = (torch.arange(len(images))[:, None] == owner[None, :]).numpy()
        photos, captions = np.arange(len(images)), owner.numpy()
        found[language] = {
            "photo_to_text": share("r10", (best_ranks(similarity, relevant) < 10) * 1.0, photos),
            "text_to_photo": share(
                "r10", (best_ranks(similarity.T, relevant.T) < 10) * 1.0, captions
            ),
        }
    return found


def features_of(run: Run, model: FusionModel, photos: list[Path]) -> Tensor:
    pixels = exact_pixels(photos, preprocessing(run.recipe.model.image_size))
    return torch.cat([encode_pixels(model, part, run.compute)[0] for part in pixels.split(128)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, default=cache_dir() / "without-text-teacher")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    args.work.mkdir(parents=True, exist_ok=True)
    recipe = read_recipe(DEFAULT)
    run = Run(args.data, args.work, recipe, choose_compute())
    pack = open_pack(shipped_pack_dir())
    tokenizer = Tokenizer(pack.folder / TOKENIZER, recipe.model.max_tokens)
    shipped = load_model(pack.folder, recipe.model)

    captioned = run.photos[: run.captioned_count]
    side = recipe.augment.side
    pixels = cache_photos(captioned, side, args.work / f"captioned-{side}.npy")
    encoded = encode_views(
        shipped, pixels, 0, VIEWS, recipe.augment, recipe.seed, run.compute, args.work / "views"
    )
    check = features_of(run, shipped, run.check_photos)
    torch.manual_seed(recipe.seed)
    tower = TextTower(FusionModel(recipe.model))
    said, asked = Captions(run, tokenizer, "train"), Captions(run, tokenizer, "val")
    objective = FromScratch(tower, [view.features for view in encoded], said, check, asked)
    stage = Stage(
        epochs=EPOCHS, batch=BATCH, learning_rate=1e-3, weight_decay=0.1, warmup=0.05,
        patience=PATIENCE,
    )  # fmt: skip
    run_stage("without-text-teacher", stage, tower, objective, args.work)

    test = features_of(run, shipped, run.by_language("test")[recipe.languages[0]].photos)
    questions = Captions(run, tokenizer, "test")
    with_teacher = TextTower(shipped).eval()
    keep("without_text_teacher", {
        name: {"val": recalls(one, check, asked), "test": recalls(one, test, questions)}
        for name, one in (("shipped", with_teacher), ("without the teacher", tower))
    })  # fmt: skip


if __name__ == "__main__":
    main()
