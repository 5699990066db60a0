"""The two stages of training: contrastive alignment, then matching with hard negatives."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from engine import metrics
from engine.nn import FusionModel
from engine.training.data import Captions, augment, hide_words, shuffled_batches
from engine.training.losses import contrastive_loss, match_loss
from engine.training.recipe import Recipe, Stage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Photos as uint8 [N,side,side,3] and their captions by language."""

    photos: np.ndarray
    captions: dict[str, Captions]


@dataclass(frozen=True, slots=True)
class ValidationSet:
    """Photos as the program sees them, float32 [N,3,S,S], and their captions by language."""

    pixels: Tensor
    captions: dict[str, Captions]

    def wrong_rows(self, language: str, seed: int) -> np.ndarray:
        """For each photo the row [N] of one random caption of another photo."""
        captions, photos = self.captions[language], len(self.pixels)
        generator = np.random.default_rng(seed)
        other = (np.arange(photos) + generator.integers(1, photos, size=photos)) % photos
        rows: np.ndarray = captions.first[other] + generator.integers(0, captions.count[other])
        return rows


def relevant_pairs(captions: Captions) -> np.ndarray:
    """bool [N, M]: True where caption m belongs to photo n."""
    owner = np.repeat(np.arange(len(captions.first)), captions.count)
    relevant: np.ndarray = owner[None, :] == np.arange(len(captions.first))[:, None]
    return relevant


@torch.no_grad()
def encode_all(model: FusionModel, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Embeddings [N,E] and compressed tokens [N,K,C] of all pixels, in batches."""
    parts = [model.encode_images(part) for part in pixels.split(128)]
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


@torch.no_grad()
def validate(model: FusionModel, data: ValidationSet) -> dict[str, float]:
    """Recall at 10 both ways and pair AUC of similarity and of fusion, for each language."""
    model.eval()
    embeddings, compressed = encode_all(model, data.pixels)
    result: dict[str, float] = {}
    for language, captions in data.captions.items():
        texts = [
            model.encode_texts(ids, mask)
            for ids, mask in zip(captions.ids.split(512), captions.mask.split(512), strict=True)
        ]
        similarity = (embeddings @ torch.cat([text[0] for text in texts]).T).numpy()
        relevant = relevant_pairs(captions)
        result[f"{language}_photo_to_text"] = metrics.recall_at(
            metrics.best_ranks(similarity, relevant), 10
        )
        result[f"{language}_text_to_photo"] = metrics.recall_at(
            metrics.best_ranks(similarity.T, relevant.T), 10
        )
        wrong = data.wrong_rows(language, seed=0)
        rows = torch.from_numpy(np.concatenate((captions.first, wrong)))
        actual = np.arange(len(rows)) < len(wrong)
        photos = torch.arange(len(wrong)).repeat(2)
        result[f"{language}_similarity_auc"] = metrics.auc(similarity[photos, rows], actual)
        tokens = torch.cat([text[1] for text in texts])
        near = torch.from_numpy(similarity[photos, rows])
        logits = torch.cat(
            [
                model.fusion(
                    model.fusion.memory(compressed[p]), tokens[r], captions.mask[r], near[part]
                )
                for part in torch.arange(len(rows)).split(256)
                for p, r in [(photos[part], rows[part])]
            ]
        )
        result[f"{language}_fusion_auc"] = metrics.auc(logits.numpy(), actual)
    for name in ("photo_to_text", "text_to_photo", "similarity_auc", "fusion_auc"):
        result[name] = float(np.mean([result[f"{key}_{name}"] for key in data.captions]))
    return result


def _optimiser(trained: list[nn.Parameter], stage: Stage) -> torch.optim.AdamW:
    # Biases, norms and positions are no weights to decay.
    matrices = [p for p in trained if p.ndim > 1]
    others = [p for p in trained if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": stage.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=stage.learning_rate, betas=(0.9, 0.98))


def _warm_cosine(stage: Stage, steps: int) -> Callable[[int], float]:
    warm = max(1, round(stage.warmup * steps))
    return lambda step: (
        (step + 1) / warm
        if step < warm
        else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
    )


class Trainer:
    """Runs the stages; every epoch leaves a checkpoint from which a stopped run goes on.

    Args:
        work: folder for checkpoints and curves, outside the project.
    """

    def __init__(
        self,
        model: FusionModel,
        recipe: Recipe,
        training: TrainingSet,
        validation: ValidationSet,
        work: Path,
    ) -> None:
        self.model = model
        self.recipe = recipe
        self.training = training
        self.validation = validation
        self.work = work

    def contrastive(self) -> None:
        """Align both embeddings; keeps the weights with the best validation recall."""

        def loss(batch: np.ndarray, draw: _Draw) -> Tensor:
            embeddings, _ = self.model.encode_images(draw.pixels(batch))
            texts = [self.model.encode_texts(*draw.captions(c, batch))[0] for c in draw.languages]
            scale = self.model.log_scale
            total = torch.stack([contrastive_loss(embeddings, text, scale) for text in texts])
            return total.mean()

        def score(found: dict[str, float]) -> float:
            return (found["photo_to_text"] + found["text_to_photo"]) / 2

        self._run(
            "contrastive", self.recipe.contrastive, loss, score, list(self.model.parameters())
        )

    def fusion(self) -> None:
        """Teach the match head on frozen encoders; keeps the best validation pair AUC.

        The encoders are frozen so that their tokens, for several augmented views of each photo,
        are computed once: the fusion then sees ten times the pairs in the same time.
        """
        model, negatives = self.model.eval(), self.recipe.negatives
        views = [self._view(number) for number in range(negatives.views)]
        trained = [*model.compress.parameters(), *model.fusion.parameters()]

        def loss(batch: np.ndarray, draw: _Draw) -> Tensor:
            chosen = draw.numpy.integers(0, len(views), size=len(batch))
            tokens = torch.stack([views[v][row] for v, row in zip(chosen, batch, strict=True)])
            tokens = tokens.float()
            # One language a step: twice the steps in the same time.
            captions = draw.languages[int(draw.numpy.integers(len(draw.languages)))]
            with torch.no_grad():
                ids, mask = draw.captions(captions, batch)
                text, text_tokens = model.encode_texts(ids, mask)
                similarity = model.embed_images(tokens) @ text.T
            compressed = model.compress_tokens(tokens)
            return match_loss(
                model, compressed, text_tokens, mask, similarity, negatives.hard_share, draw.torch
            )

        self._run("fusion", self.recipe.fusion, loss, lambda found: found["fusion_auc"], trained)

    @torch.no_grad()
    def _view(self, number: int) -> Tensor:
        """Image tokens float16 [N,K,D] of one augmented view of every photo."""
        draw = _Draw(self.recipe, self.training, epoch=number, salt=0)
        rows = np.arange(len(draw.photos))
        batches = np.array_split(rows, -(-len(rows) // 128))
        return torch.cat(
            [
                self.model.image_encoder(draw.pixels(batch)).half()
                for batch in tqdm(batches, desc=f"view {number + 1}", unit="batch", disable=None)
            ]
        )

    def _run(
        self,
        name: str,
        stage: Stage,
        loss: Callable[[np.ndarray, _Draw], Tensor],
        score: Callable[[dict[str, float]], float],
        trained: list[nn.Parameter],
    ) -> None:
        steps = len(self.training.photos) // stage.batch * stage.epochs
        optimiser = _optimiser(trained, stage)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _warm_cosine(stage, steps))
        checkpoint = self.work / f"{name}.checkpoint.pt"
        curve = self.work / f"{name}.jsonl"
        best, since, first = -1.0, 0, 0
        best_weights = {key: value.clone() for key, value in self.model.state_dict().items()}
        if checkpoint.exists():
            state = torch.load(checkpoint, weights_only=True)
            self.model.load_state_dict(state["model"])
            optimiser.load_state_dict(state["optimiser"])
            schedule.load_state_dict(state["schedule"])
            best, since, first = state["best"], state["since"], state["epoch"]
            best_weights = state["best_weights"]
            log.info("%s: going on after epoch %d", name, first)
        for epoch in range(first, stage.epochs):
            if since >= stage.patience:
                log.info("%s: stopped early, no gain in %d epochs", name, since)
                break
            started, losses = time.monotonic(), []
            draw = _Draw(self.recipe, self.training, epoch, salt=len(name))
            self.model.train()
            batches = list(shuffled_batches(len(draw.photos), stage.batch, draw.numpy))
            for batch in tqdm(batches, desc=f"{name} {epoch + 1}", unit="batch", disable=None):
                value = loss(batch, draw)
                optimiser.zero_grad(set_to_none=True)
                value.backward()
                nn.utils.clip_grad_norm_(trained, 1.0)
                optimiser.step()
                schedule.step()
                losses.append(value.item())
            found = validate(self.model, self.validation)
            since = 0 if score(found) > best else since + 1
            if since == 0:
                best = score(found)
                best_weights = {k: v.clone() for k, v in self.model.state_dict().items()}
            row = {
                "epoch": epoch + 1,
                "loss": float(np.mean(losses)),
                "seconds": round(time.monotonic() - started, 1),
                **{key: round(value, 4) for key, value in found.items()},
            }
            with curve.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            log.info("%s", row)
            state = {
                "model": self.model.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "best": best,
                "since": since,
                "epoch": epoch + 1,
                "best_weights": best_weights,
            }
            partial = checkpoint.with_suffix(".partial")
            torch.save(state, partial)
            partial.replace(checkpoint)
        self.model.load_state_dict(best_weights)


class _Draw:
    """One epoch's randomness, decided by the seed and the epoch, so that a resumed run agrees."""

    def __init__(self, recipe: Recipe, training: TrainingSet, epoch: int, salt: int) -> None:
        self.numpy = np.random.default_rng((recipe.seed, salt, epoch))
        self.torch = torch.Generator().manual_seed(int(self.numpy.integers(2**31)))
        torch.manual_seed(int(self.numpy.integers(2**31)))  # dropout
        self.photos = training.photos
        self.languages = [training.captions[name] for name in recipe.languages]
        self._augment, self._size = recipe.augment, recipe.model.image_size

    def pixels(self, batch: np.ndarray) -> Tensor:
        """Augmented pixels of these rows."""
        return augment(self.photos[batch], self._augment, self._size, self.torch)

    def captions(self, captions: Captions, batch: np.ndarray) -> tuple[Tensor, Tensor]:
        """One caption of each photo, some words hidden: ids [B,L], mask [B,L]."""
        ids, mask = captions.draw(batch, self.numpy)
        return hide_words(ids, self._augment.word_dropout, self.torch), mask
