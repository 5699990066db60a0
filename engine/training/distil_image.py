"""Stage "image": the image encoder learns to describe photos as the image teacher does.

Feature maps are matched cell by cell and as a whole (FitNets, arXiv 1412.6550), and the teacher's
own classifier, reading the student's features, must say what it says of the teacher's (arXiv
2203.14001). Student and teacher look at the same crop or mixture of two photos (arXiv 2106.05237),
the student at a recoloured and sometimes degraded one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.nn import FusionModel
from engine.training.compute import Compute
from engine.training.image_teacher import CEILING
from engine.training.photos import degrade, normalise, recolour
from engine.training.recipe import Augment, Distillation, Stage
from engine.training.teacher_cache import View

# Weight of the classifier's agreement and of the colours beside the two feature losses.
_LABEL_WEIGHT, _COLOUR_WEIGHT = 0.3, 0.3


class ImageStudent(nn.Module):
    """The parts of the model that this stage trains, and a helper that reads colours from tokens.

    The colours (mean RGB of the four quarters of a cell) keep in the tokens what a classifier of
    objects would forget, and captions speak of.
    """

    def __init__(self, model: FusionModel) -> None:
        super().__init__()
        self.image_encoder, self.describe = model.image_encoder, model.describe
        self.colours = nn.Linear(model.config.channels[-1], 12)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels [B,3,S,S] -> feature map [B,K,F] and colours [B,K,12]."""
        tokens = self.image_encoder(pixels)
        return F.relu(self.describe(tokens)), self.colours(tokens)


def cell_colours(pixels: Tensor) -> Tensor:
    """Mean RGB of the quarters of each 32 x 32 cell of pixels [B,3,S,S]: [B,K,12]."""
    quarters = F.avg_pool2d(pixels, 16)
    return F.pixel_unshuffle(quarters, 2).flatten(2).transpose(1, 2)


@dataclass(frozen=True, slots=True)
class Taught:
    """Photos uint8 [N,side,side,3], what the teacher says of views of them, and how often each.

    Attributes:
        weights: float64 [N], chance of each photo to be drawn, adding up to 1.
    """

    photos: np.ndarray
    views: Sequence[View]
    weights: np.ndarray


class ImageDistillation:
    """Objective of the stage. See `engine.training.loop.Objective`.

    Args:
        classifier: the teacher's weights [L,F] and biases [L].
        held_out: photos that are not trained on: exact pixels float32 [V,3,S,S] and the
            teacher's pooled features [V,F] of them.
    """

    def __init__(
        self,
        student: ImageStudent,
        taught: Taught,
        classifier: tuple[Tensor, Tensor],
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
        self._classifier = tuple(part.to(compute.device) for part in classifier)
        self._held_out, self._augment, self._how = held_out, augment, how
        self._seed, self._compute = seed, compute
        pooled = torch.from_numpy(taught.views[0].pooled[:4096]).float()
        maps = torch.from_numpy(np.array(taught.views[0].maps[:256])).float() * (CEILING / 255)
        self._spread = float(pooled.var(dim=0).mean())
        self._map_spread = float(maps.var(dim=(0, 1)).mean())

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
        size, count = self.size(epoch), len(self._taught.photos)
        for _ in range(self.steps):
            rows = np.sort(numpy.choice(count, self._stage.batch, p=self._taught.weights))
            view = self._taught.views[int(numpy.integers(len(self._taught.views)))]
            yield self._loss(rows, view, size, drawn)

    def _loss(self, rows: np.ndarray, view: View, size: int, drawn: torch.Generator) -> Tensor:
        device = self._compute.device
        flipped = torch.rand(len(rows), generator=drawn) < 0.5
        x = view.looks.show(self._taught.photos, torch.from_numpy(rows), flipped, size, device)
        x = degrade(recolour(x, self._augment, drawn), self._augment.degraded, drawn)
        pixels = normalise(x)
        maps, pooled = view.target(rows, flipped.numpy(), size // 32, device)
        with self._compute.autocast():
            found, colours = self._forward(pixels)
        found, colours = found.float(), colours.float()
        mean = found.mean(dim=1)
        weight, bias = self._classifier
        said = F.log_softmax(F.linear(mean, weight, bias), dim=1)
        wanted = F.log_softmax(F.linear(pooled, weight, bias), dim=1)
        label: Tensor = F.kl_div(said, wanted, log_target=True, reduction="batchmean")
        loss = F.mse_loss(found, maps) / self._map_spread
        loss = loss + F.mse_loss(mean, pooled) / self._spread
        loss = loss + _LABEL_WEIGHT * label
        return loss + _COLOUR_WEIGHT * F.mse_loss(colours, cell_colours(pixels))

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
