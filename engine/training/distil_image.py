"""Stage "image": the image encoder learns to describe photos as the image teacher does.

Feature maps are matched cell by cell and as a whole, and so are the maps of the teacher's earlier
levels: hints (FitNets, arXiv 1412.6550, section 2.2). A photo has many cells and an early level
sees little of it, so a few thousand photos teach the lower layers well. The teacher's own
classifier, reading the student's features, must say what it says of the teacher's (arXiv
2203.14001). Student and teacher look at the same crop or mixture of two photos (arXiv 2106.05237),
new ones in every step, the student at a recoloured and sometimes degraded one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.nn import FusionModel
from engine.training.compute import Compute
from engine.training.image_teacher import EARLY, LATE, LEVELS, MIDDLE, SIDE, ImageTeacher
from engine.training.photos import Looks, degrade, normalise, random_looks, recolour, whole
from engine.training.recipe import Augment, Distillation, Stage

# Weight of the classifier's agreement and of the colours beside the two feature losses.
_LABEL_WEIGHT, _COLOUR_WEIGHT = 0.3, 0.3
# Which of the network's stages gives the hint of a level (the last one after its Transformer
# blocks), and the hint's weight.
_HINTS = ((EARLY, 2, 0.3), (MIDDLE, 3, 0.5), (LATE, 4, 0.5))
# Photos by which the spread of what the teacher says is told.
_PROBED = 512


class ImageStudent(nn.Module):
    """The parts of the model that this stage trains, and a helper that reads colours from tokens.

    The colours (mean RGB of the four quarters of a cell) keep in the tokens what a classifier of
    objects would forget, and captions speak of.
    """

    def __init__(self, model: FusionModel) -> None:
        super().__init__()
        self.image_encoder, self.describe = model.image_encoder, model.describe
        channels = model.config.channels
        self.colours = nn.Linear(channels[-1], 12)
        self.hints = nn.ModuleList(
            nn.Linear(channels[stage], level.channels) for level, stage, _ in _HINTS
        )

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Pixels [B,3,S,S] -> feature map [B,K,F], colours [B,K,12] and hints [B,cells,C]."""
        maps = self.image_encoder.stage_maps(pixels)
        tokens = self.image_encoder.tokens(maps[-1])
        seen = [*(x.flatten(2).transpose(1, 2) for x in maps[:-1]), tokens]
        hints = [hint(seen[stage]) for hint, (_, stage, _) in zip(self.hints, _HINTS, strict=True)]
        return F.relu(self.describe(tokens)), self.colours(tokens), hints


def cell_colours(pixels: Tensor) -> Tensor:
    """Mean RGB of the quarters of each 32 x 32 cell of pixels [B,3,S,S]: [B,K,12]."""
    quarters = F.avg_pool2d(pixels, 16)
    return F.pixel_unshuffle(quarters, 2).flatten(2).transpose(1, 2)


@dataclass(frozen=True, slots=True)
class Taught:
    """Photos uint8 [N,side,side,3], who describes them, and how often each is drawn.

    Attributes:
        weights: float64 [N], chance of each photo to be drawn, adding up to 1.
    """

    photos: np.ndarray
    teacher: ImageTeacher
    weights: np.ndarray


class ImageDistillation:
    """Objective of the stage. See `engine.training.loop.Objective`.

    Args:
        held_out: photos that are not trained on: exact pixels float32 [V,3,S,S] and the
            teacher's pooled features [V,F] of them.
    """

    def __init__(
        self,
        student: ImageStudent,
        taught: Taught,
        held_out: tuple[Tensor, Tensor],
        stage: Stage,
        how: Distillation,
        augment: Augment,
        seed: int,
        compute: Compute,
    ) -> None:
        self._student, self._taught, self._stage = student.to(compute.device), taught, stage
        for weight in student.parameters():  # as the pixels are laid out: convolutions are faster
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        self._forward = compute.compile(student)
        teacher = taught.teacher
        self._classifier = tuple(
            torch.from_numpy(part).to(compute.device) for part in (teacher.weight, teacher.bias)
        )
        self._held_out, self._augment, self._how = held_out, augment, how
        self._seed, self._compute = seed, compute
        rows = np.linspace(0, len(taught.photos), _PROBED, endpoint=False, dtype=int)
        probe = taught.photos[np.unique(rows)]
        said = teacher.describe(whole(len(probe)).cut(probe, SIDE))
        self._spreads = [float(maps.var(dim=(0, 2, 3)).mean()) for maps in said]
        self._pooled_spread = float(said[-1].mean(dim=(2, 3)).var(dim=0).mean())

    @property
    def steps(self) -> int:
        """Steps of an epoch: as many draws as there are photos."""
        return len(self._taught.photos) // self._stage.batch

    def size(self, epoch: int) -> int:
        """Side of the pixels in an epoch: the recipe's sizes one after the other."""
        share = epoch / self._stage.epochs
        return self._how.sizes[int(np.searchsorted(self._how.until, share, side="right"))]

    def losses(self, epoch: int) -> Iterator[Tensor]:
        """See `Objective.losses`."""
        numpy = np.random.default_rng((self._seed, 1, epoch))
        drawn = torch.Generator().manual_seed(int(numpy.integers(2**31)))
        size, count, batch = self.size(epoch), len(self._taught.photos), self._stage.batch
        for _ in range(self.steps):
            rows = np.sort(numpy.choice(count, batch, p=self._taught.weights))
            looks = random_looks(batch, self._augment.smallest_area, self._how.mixed, drawn)
            yield self._loss(self._taught.photos[rows], looks, size, drawn)

    def _loss(self, photos: np.ndarray, looks: Looks, size: int, drawn: torch.Generator) -> Tensor:
        device = self._compute.device
        said = self._taught.teacher.describe(looks.show(photos, SIDE))
        wanted = [maps.to(device) for maps in said]
        x = looks.show(photos, size, device)
        x = degrade(recolour(x, self._augment, drawn), self._augment.degraded, drawn)
        pixels = normalise(x)
        with self._compute.autocast():
            found, colours, hints = self._forward(pixels)
        loss = self._feature_loss(found.float(), wanted[-1])
        loss = loss + _COLOUR_WEIGHT * F.mse_loss(colours.float(), cell_colours(pixels))
        for hint, (level, _, weight) in zip(hints, _HINTS, strict=True):
            at = LEVELS.index(level)
            target = F.interpolate(wanted[at], size=math.isqrt(hint.shape[1]), mode="bilinear")
            target = target.flatten(2).transpose(1, 2)
            loss = loss + weight * F.mse_loss(hint.float(), target) / self._spreads[at]
        return loss

    def _feature_loss(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Loss of features [B,K,F] that should be the map [B,F,grid,grid] in K cells."""
        grid = math.isqrt(found.shape[1])
        cells = F.adaptive_avg_pool2d(wanted, grid).flatten(2).transpose(1, 2)
        mean, pooled = found.mean(dim=1), wanted.mean(dim=(2, 3))
        weight, bias = self._classifier
        said = F.log_softmax(F.linear(mean, weight, bias), dim=1)
        right = F.log_softmax(F.linear(pooled, weight, bias), dim=1)
        label: Tensor = F.kl_div(said, right, log_target=True, reduction="batchmean")
        loss = F.mse_loss(found, cells) / self._spreads[-1]
        loss = loss + F.mse_loss(mean, pooled) / self._pooled_spread
        return loss + _LABEL_WEIGHT * label

    def validate(self) -> dict[str, float]:
        """See `Objective.validate`: the share of the teacher's variance that is explained."""
        pixels, pooled = self._held_out
        device = self._compute.device
        parts = []
        for part in pixels.split(128):
            with self._compute.autocast():
                parts.append(self._student(part.to(device))[0].float().mean(dim=1).cpu())
        found = torch.cat(parts)
        rest = (found - pooled).square().mean() / pooled.var(dim=0).mean()
        weight, bias = (part.cpu() for part in self._classifier)
        said, wanted = (F.linear(x, weight, bias).argmax(dim=1) for x in (found, pooled))
        return {
            "score": 1 - float(rest),
            "cosine": float(F.cosine_similarity(found, pooled).mean()),
            "same_label": float((said == wanted).float().mean()),
        }
