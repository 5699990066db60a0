"""The loop that every stage of training shares: schedule, early stopping, checkpoints, curves."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from engine.training.recipe import Stage

log = logging.getLogger(__name__)

# Betas of AdamW: the second one shorter than usual, as CLIP has it for Transformers.
_BETAS = (0.9, 0.98)


class Objective(Protocol):
    """What a stage optimises."""

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        ...

    def losses(self, epoch: int) -> Iterator[Tensor]:
        """The loss of each step of an epoch, one at a time.

        All randomness comes from the seed and the epoch, so that a resumed run agrees.
        """
        ...

    def validate(self) -> dict[str, float]:
        """Values on the validation split; ``score`` decides, higher is better."""
        ...


@dataclass(slots=True)
class _Progress:
    best: float = -math.inf
    since: int = 0
    epoch: int = 0


def run_stage(
    name: str, stage: Stage, trained: nn.Module, objective: Objective, work: Path
) -> nn.Module:
    """Train ``trained`` in place; its best weights by validation at the end.

    Every epoch leaves a checkpoint in ``work`` from which a stopped run goes on, and a line in
    the curve `NAME.jsonl`.
    """
    optimiser = _optimiser(trained, stage)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, _warm_cosine(stage, objective.steps * stage.epochs)
    )
    checkpoint = work / f"{name}.checkpoint.pt"
    at, best_weights = _Progress(), _copy(trained)
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        trained.load_state_dict(state["weights"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        at, best_weights = _Progress(**state["progress"]), state["best_weights"]
        log.info("%s: going on after epoch %d of %d", name, at.epoch, stage.epochs)
    started, first = time.monotonic(), at.epoch
    while at.epoch < stage.epochs:
        if at.since >= stage.patience:
            log.info("%s: stopped early, no gain in %d epochs", name, at.since)
            break
        begun = time.monotonic()
        loss = _epoch(name, at.epoch, trained, objective, optimiser, schedule)
        trained.eval()
        with torch.inference_mode():
            found = objective.validate()
        at.epoch += 1
        at.since += 1
        if found["score"] > at.best:
            at.best, at.since, best_weights = found["score"], 0, _copy(trained)
        seconds = time.monotonic() - begun
        left = (time.monotonic() - started) / (at.epoch - first) * (stage.epochs - at.epoch)
        row = {"epoch": at.epoch, "loss": loss, "seconds": seconds, **found}
        row = {key: round(value, 4) for key, value in row.items()}
        with (work / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        log.info("%s: %s; %.0f minutes left at most", name, row, left / 60)
        state = {
            "weights": trained.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "progress": {"best": at.best, "since": at.since, "epoch": at.epoch},
            "best_weights": best_weights,
        }
        partial = checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(checkpoint)
    trained.load_state_dict(best_weights)
    return trained.eval()


def _epoch(
    name: str,
    epoch: int,
    trained: nn.Module,
    objective: Objective,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> float:
    trained.train()
    losses = []
    steps = tqdm(
        objective.losses(epoch),
        total=objective.steps,
        desc=f"{name} {epoch + 1}",
        unit="step",
        disable=None,
    )
    for loss in steps:
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return float(np.mean(losses))


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in module.state_dict().items()}


def _optimiser(trained: nn.Module, stage: Stage) -> torch.optim.AdamW:
    # Biases, norms and positions are no weights to decay.
    parameters = [p for p in trained.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": stage.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=stage.learning_rate, betas=_BETAS)


def _warm_cosine(stage: Stage, steps: int) -> Callable[[int], float]:
    warm = max(1, round(stage.warmup * steps))
    return lambda step: (
        (step + 1) / warm
        if step < warm
        else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
    )
