from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine.training.curves import plot_curves
from engine.training.loop import run_stage
from engine.training.recipe import Stage

STAGE = Stage(epochs=6, batch=1, learning_rate=0.05, weight_decay=0.0, warmup=0.1, patience=6)


class Line:
    """Fits y = 2 x; the validation scores are given."""

    steps = 4

    def __init__(self, scores: list[float], module: nn.Linear, dies_in: int | None = None) -> None:
        self.scores, self.module, self.dies_in = scores, module, dies_in
        self.validated = 0
        self.weights: list[float] = []

    def losses(self, epoch: int) -> Iterator[Tensor]:
        if epoch == self.dies_in:
            raise KeyboardInterrupt
        drawn = torch.Generator().manual_seed(epoch)
        for _ in range(self.steps):
            x = torch.randn(8, 1, generator=drawn)
            yield (self.module(x) - 2 * x).square().mean()

    def validate(self) -> dict[str, float]:
        self.validated += 1
        self.weights.append(float(self.module.weight))
        return {"score": self.scores.pop(0), "other": 0.5}


def module() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(1, 1)


def test_the_weights_of_the_best_epoch_are_kept(tmp_path: Path) -> None:
    line = Line([1, 5, 2, 3, 4, 0], fitted := module())
    run_stage("line", STAGE, fitted, line, tmp_path)
    assert line.validated == 6
    assert float(fitted.weight) == line.weights[1]
    assert not fitted.training


def test_training_stops_when_nothing_was_gained_for_long_enough(tmp_path: Path) -> None:
    stage = Stage(6, 1, 0.05, 0.0, 0.1, patience=2)
    line = Line([3, 2, 1, 9, 9, 9], fitted := module())
    run_stage("line", stage, fitted, line, tmp_path)
    assert line.validated == 3
    assert float(fitted.weight) == line.weights[0]


def test_a_stopped_run_goes_on_and_ends_as_one_that_never_stopped(tmp_path: Path) -> None:
    scores = [1.0, 2, 3, 4, 5, 6]
    (whole := tmp_path / "whole").mkdir()
    (parts := tmp_path / "parts").mkdir()
    run_stage("line", STAGE, straight := module(), Line(list(scores), straight), whole)
    first = module()
    with pytest.raises(KeyboardInterrupt):
        run_stage("line", STAGE, first, Line(list(scores), first, dies_in=3), parts)
    second = module()
    line = Line(scores[3:], second)
    run_stage("line", STAGE, second, line, parts)
    assert line.validated == 3
    assert torch.equal(second.weight, straight.weight)
    rows = [json.loads(row) for row in (parts / "line.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]


def test_a_finished_run_is_not_repeated(tmp_path: Path) -> None:
    run_stage("line", STAGE, first := module(), Line([1, 2, 3, 4, 5, 6], first), tmp_path)
    line = Line([], again := module())
    run_stage("line", STAGE, again, line, tmp_path)
    assert line.validated == 0
    assert torch.equal(again.weight, first.weight)


def test_the_learning_rate_warms_up_and_falls_to_nothing(tmp_path: Path) -> None:
    rates: list[float] = []

    class Watched(Line):
        def losses(self, epoch: int) -> Iterator[Tensor]:
            for loss in super().losses(epoch):
                before = self.module.weight.detach().clone()
                yield loss
                rates.append(float((self.module.weight - before).abs()))

    run_stage("line", STAGE, fitted := module(), Watched([0.0] * 6, fitted), tmp_path)
    assert max(rates) > 20 * rates[-1]


def test_curves_are_drawn(tmp_path: Path) -> None:
    run_stage("line", STAGE, fitted := module(), Line([1, 2, 3, 4, 5, 6], fitted), tmp_path)
    (picture,) = plot_curves(tmp_path)
    assert picture.read_bytes().startswith(b"\x89PNG")
