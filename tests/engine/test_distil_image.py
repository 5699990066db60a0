from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim import AdamW

from engine.nn import FusionModel
from engine.training.compute import Compute
from engine.training.distil_image import ImageDistillation, ImageStudent, Taught, cell_colours
from engine.training.image_teacher import EARLY, LATE, MIDDLE, ImageTeacher
from engine.training.photos import normalise
from tests.fixtures.tiny_pack import tiny_recipe


@pytest.fixture
def student(tmp_path: Path) -> ImageStudent:
    torch.manual_seed(0)
    config = replace(tiny_recipe(tmp_path).model, feature=1280)
    return ImageStudent(FusionModel(config))


def distillation(student: ImageStudent, data: Path, folder: Path) -> ImageDistillation:
    recipe = tiny_recipe(folder)
    photos = np.random.default_rng(0).integers(0, 256, (16, 72, 72, 3), dtype=np.uint8)
    taught = Taught(photos, ImageTeacher(data / "teacher", 1), np.full(16, 1 / 16))
    held_out = torch.zeros(2, 3, 64, 64), torch.rand(2, 1280)
    compute = Compute(torch.device("cpu"), half=False, compiled=False)
    return ImageDistillation(
        student, taught, held_out, recipe.image, recipe.distillation, recipe.augment, 7, compute
    )


def test_each_hint_comes_from_the_stage_whose_cells_are_as_fine(student: ImageStudent) -> None:
    features, colours, hints = student(torch.zeros(3, 3, 96, 96))
    assert features.shape == (3, 9, 1280)
    assert colours.shape == (3, 9, 12)
    assert [tuple(hint.shape) for hint in hints] == [
        (3, 144, EARLY.channels), (3, 36, MIDDLE.channels), (3, 9, LATE.channels),
    ]  # fmt: skip


def test_steps_teach_the_student_what_the_teacher_says(
    student: ImageStudent, shared_data: Path, tmp_path: Path
) -> None:
    objective = distillation(student, shared_data, tmp_path)
    optimiser = AdamW(student.parameters(), 1e-3)

    def epoch(number: int) -> float:
        losses = []
        for loss in objective.losses(number):
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        assert len(losses) == objective.steps == 2
        return float(np.mean(losses))

    first = epoch(0)
    last = [epoch(number) for number in range(1, 15)][-1]
    assert last < 0.8 * first


def test_an_epoch_draws_the_same_looks_again_after_a_stop(
    student: ImageStudent, shared_data: Path, tmp_path: Path
) -> None:
    objective = distillation(student, shared_data, tmp_path)
    student.eval()  # so that nothing but the looks is drawn
    with torch.inference_mode():
        once, again, other = (
            [float(loss) for loss in objective.losses(epoch)] for epoch in (0, 0, 1)
        )
    assert once == again != other


def test_the_colours_of_a_cell_are_those_of_its_quarters() -> None:
    x = torch.zeros(1, 3, 32, 64)
    x[0, 0, :16, 48:] = 1  # red, top right of the second cell
    colours = cell_colours(normalise(x)).view(2, 3, 4)
    black = cell_colours(normalise(torch.zeros_like(x))).view(2, 3, 4)
    assert torch.equal(colours[0], black[0])
    changed = (colours[1] != black[1]).nonzero().tolist()
    assert changed == [[0, 1]]
