"""Which photos are trained on, kept as one array, and the crops and changes that vary them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.format import open_memmap
from torch import Tensor
from tqdm import tqdm

from engine.decode import decode
from engine.evaluation.breadth import is_held_out
from engine.preprocess import Preprocessing, to_pixels
from engine.training.recipe import Augment

# The mean and deviation of ImageNet's RGB values, the usual choice for natural photos.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def preprocessing(size: int) -> Preprocessing:
    """How photos become pixels for a model of this image size."""
    return Preprocessing(size=size, mean=MEAN, std=STD, resize="squash")


def more_photos(folder: Path) -> list[Path]:
    """Every JPEG below ``folder`` that is not held out, in a fixed order."""
    return [photo for photo in sorted(folder.rglob("*.jpg")) if not is_held_out(photo)]


def cache_photos(photos: Sequence[Path], side: int, path: Path) -> np.ndarray:
    """Decode ``photos`` once into a uint8 array [N, side, side, 3] kept at ``path``."""
    if not path.exists():
        partial = path.with_suffix(".partial.npy")
        pixels = open_memmap(partial, mode="w+", dtype=np.uint8, shape=(len(photos), side, side, 3))
        for row, photo in enumerate(tqdm(photos, desc="prepare", unit="photo", disable=None)):
            pixels[row] = np.asarray(decode(photo).resize((side, side)))
        pixels.flush()
        partial.rename(path)
    cached: np.ndarray = np.load(path, mmap_mode="r")
    return cached


def exact_pixels(photos: Sequence[Path], how: Preprocessing) -> Tensor:
    """Photos just as the program sees them: float32 [N,3,S,S]."""
    return torch.from_numpy(np.stack([to_pixels(decode(photo), how) for photo in photos]))


@dataclass(frozen=True, slots=True)
class Crops:
    """Boxes of one crop for each of N photos, as `affine_grid` takes them: float32 [N].

    ``width`` and ``height`` are shares of the photo, ``x`` and ``y`` the centre from -1 to 1.
    """

    width: Tensor
    height: Tensor
    x: Tensor
    y: Tensor

    def __getitem__(self, rows: Tensor) -> Crops:
        return Crops(self.width[rows], self.height[rows], self.x[rows], self.y[rows])

    def mirrored(self, flipped: Tensor) -> Crops:
        """The same crops, those with ``flipped`` bool [N] turned left to right."""
        return Crops(torch.where(flipped, -self.width, self.width), self.height, self.x, self.y)

    def cut(self, photos: np.ndarray, size: int, device: torch.device | None = None) -> Tensor:
        """Crops of uint8 [N,side,side,3] at ``size`` pixels: float32 [N,3,size,size], 0 to 1."""
        theta = torch.zeros(len(photos), 2, 3)
        theta[:, 0, 0], theta[:, 1, 1] = self.width, self.height
        theta[:, 0, 2], theta[:, 1, 2] = self.x, self.y
        x = torch.from_numpy(photos).to(device).permute(0, 3, 1, 2).float()
        grid = F.affine_grid(theta.to(device), [len(x), 3, size, size], align_corners=False)
        # Divided when it is small.
        return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False).div_(255)


def random_crops(count: int, smallest_area: float, generator: torch.Generator) -> Crops:
    """One random crop for each photo (arXiv 1409.4842, section 6, with a gentler stretch)."""

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator) * (high - low) + low

    area, stretch = uniform(smallest_area, 1), uniform(math.log(4 / 5), math.log(5 / 4)).exp()
    width = (area * stretch).sqrt().clamp(max=1)
    height = (area / stretch).sqrt().clamp(max=1)
    return Crops(width, height, uniform(-1, 1) * (1 - width), uniform(-1, 1) * (1 - height))


def whole(count: int) -> Crops:
    """The whole of each photo."""
    return Crops(torch.ones(count), torch.ones(count), torch.zeros(count), torch.zeros(count))


@dataclass(frozen=True, slots=True)
class Looks:
    """What is seen of each of N photos: a crop, or a mixture of it with a crop of another photo.

    Two photos that lie over each other (mixup, arXiv 1710.09412) are a new one, and a teacher has
    something to say of it; with its say on many of them a student learns what the teacher computes
    rather than its answers to a few photos (arXiv 2106.05237).

    Attributes:
        other: int64 [N], the photo that is laid over each.
        share: float32 [N], how much of the photo itself is seen: 1 where nothing is laid over it.
    """

    crops: Crops
    over: Crops
    other: Tensor
    share: Tensor

    def show(self, photos: np.ndarray, size: int, device: torch.device | None = None) -> Tensor:
        """The looks at photos uint8 [N,side,side,3]: float32 [N,3,size,size], 0 to 1."""
        x, share = self.crops.cut(photos, size, device), self.share.to(device)
        mixed = torch.nonzero(self.share < 1).squeeze(1)
        over = self.over[mixed].cut(photos[self.other[mixed].numpy()], size, device)
        x[mixed] = over.lerp_(x[mixed], share[mixed].view(-1, 1, 1, 1))
        return x


def random_looks(
    count: int, smallest_area: float, mixed: float, generator: torch.Generator
) -> Looks:
    """A random crop of each photo, mirrored or not; over a share ``mixed`` of them lies another's.

    The other one is at most as strong.
    """
    crops, over = (
        random_crops(count, smallest_area, generator).mirrored(
            torch.rand(count, generator=generator) < 0.5
        )
        for _ in range(2)
    )
    other = torch.randperm(count, generator=generator)
    share = 1 - torch.rand(count, generator=generator) / 2
    alone = torch.rand(count, generator=generator) >= mixed
    return Looks(crops, over, other, torch.where(alone, 1.0, share))


def normalise(x: Tensor) -> Tensor:
    """RGB [N,3,S,S] from 0 to 1 -> pixels for the model."""
    mean = torch.tensor(MEAN, device=x.device).view(3, 1, 1)
    std = torch.tensor(STD, device=x.device).view(3, 1, 1)
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)


def recolour(x: Tensor, how: Augment, generator: torch.Generator) -> Tensor:
    """RGB [N,3,S,S] from 0 to 1 with other brightness, contrast and saturation."""

    def uniform() -> Tensor:
        drawn = torch.rand(len(x), 1, 1, 1, generator=generator)
        return (1 + how.colour * (2 * drawn - 1)).to(x.device)

    brightness, contrast, saturation = uniform(), uniform(), uniform()
    # Contrast about the photo's mean and saturation about each pixel's grey, in one pass.
    mean, grey = x.mean(dim=(1, 2, 3), keepdim=True), x.mean(dim=1, keepdim=True)
    rest = (1 - saturation) * contrast * grey + (1 - contrast) * mean
    return torch.addcmul(rest * brightness, x, saturation * contrast * brightness).clamp_(0, 1)


def degrade(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """RGB [N,3,S,S] from 0 to 1; a ``share`` of the photos each blurred, noisy or over-compressed.

    Phones, messengers and dim rooms do this to people's photos. Changes ``x`` in place.
    """
    kind = torch.rand(len(x), generator=generator) / max(share, 1e-9)
    blurred, noisy, blocky = (
        ((kind >= part) & (kind < part + 1)).nonzero().squeeze(1).to(x.device) for part in range(3)
    )
    if len(blurred):
        small = F.avg_pool2d(x[blurred], 3, 2, 1, count_include_pad=False)
        x[blurred] = F.interpolate(small, size=x.shape[2:], mode="bilinear")
    if len(noisy):
        noise = torch.randn(x[noisy].shape, generator=generator).to(x.device)
        x[noisy] = (x[noisy] + 0.08 * noise).clamp(0, 1)
    if len(blocky):
        x[blocky] = _compress(x[blocky])
    return x


def _compress(x: Tensor) -> Tensor:
    """RGB [N,3,S,S] with the marks of strong JPEG compression; S is a multiple of 8.

    Each 8 x 8 block's cosine transform rounded in steps that grow with frequency, the way JPEG
    does it (ITU-T T.81, A.3), on RGB directly.
    """
    step = torch.arange(8, dtype=torch.float32, device=x.device)
    basis = torch.cos((2 * step[None, :] + 1) * step[:, None] * math.pi / 16) / 2
    basis[0] /= math.sqrt(2)
    filters = torch.einsum("ux,vy->uvxy", basis, basis).reshape(64, 1, 8, 8)
    steps = (0.06 + 0.03 * (step[:, None] + step[None, :])).reshape(1, 64, 1, 1)
    batch, channels, height, width = x.shape
    blocks = F.conv2d(x.reshape(batch * channels, 1, height, width) - 0.5, filters, stride=8)
    rounded = (blocks / steps).round() * steps
    back = F.conv_transpose2d(rounded, filters, stride=8) + 0.5
    return back.reshape(batch, channels, height, width).clamp(0, 1)
