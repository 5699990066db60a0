"""Training photos as one array on disk, captions as ids, and what varies them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.format import open_memmap
from torch import Tensor
from tqdm import tqdm

from engine.caption_set import CaptionSet
from engine.decode import decode
from engine.preprocess import Preprocessing, to_pixels
from engine.tokenizer import SPECIAL_TOKENS, Tokenizer
from engine.training.recipe import Augment

# The mean and deviation of ImageNet's RGB values, the usual choice for natural photos.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_UNKNOWN, _CLS = SPECIAL_TOKENS.index("[UNK]"), SPECIAL_TOKENS.index("[CLS]")


def preprocessing(size: int) -> Preprocessing:
    """How photos become pixels for a model of this image size."""
    return Preprocessing(size=size, mean=MEAN, std=STD, resize="squash")


def cache_photos(photos: list[Path], side: int, path: Path) -> np.ndarray:
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


def exact_pixels(photos: list[Path], how: Preprocessing) -> Tensor:
    """Photos just as the program sees them: float32 [N,3,S,S]."""
    return torch.from_numpy(np.stack([to_pixels(decode(photo), how) for photo in photos]))


def augment(photos: np.ndarray, how: Augment, size: int, generator: torch.Generator) -> Tensor:
    """Random crops of uint8 [B,side,side,3], flipped and recoloured: float32 [B,3,size,size].

    One `grid_sample` for the whole batch: far cheaper on a CPU than a transform per photo.
    """
    batch = len(photos)
    x = torch.from_numpy(photos).permute(0, 3, 1, 2).float().div_(255)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(batch, *shape, generator=generator) * (high - low) + low

    area, stretch = uniform(how.smallest_area, 1), uniform(math.log(4 / 5), math.log(5 / 4)).exp()
    width = (area * stretch).sqrt().clamp(max=1)
    height = (area / stretch).sqrt().clamp(max=1)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    theta = torch.zeros(batch, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = width * mirror, height
    theta[:, 0, 2] = uniform(-1, 1) * (1 - width)
    theta[:, 1, 2] = uniform(-1, 1) * (1 - height)
    grid = F.affine_grid(theta, [batch, 3, size, size], align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)

    low, high = 1 - how.colour, 1 + how.colour
    x = x * uniform(low, high, 1, 1, 1)
    x = _blend(x, x.mean(dim=(1, 2, 3), keepdim=True), uniform(low, high, 1, 1, 1))
    x = _blend(x, x.mean(dim=1, keepdim=True), uniform(low, high, 1, 1, 1))
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    return ((x.clamp(0, 1) - mean) / std).contiguous(memory_format=torch.channels_last)


def _blend(x: Tensor, base: Tensor, amount: Tensor) -> Tensor:
    return base + (x - base) * amount


def hide_words(ids: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Replace some tokens of ids [B,L] by [UNK], so that no single word decides."""
    hidden = torch.rand(ids.shape, generator=generator) < chance
    return torch.where(hidden & (ids > _CLS), _UNKNOWN, ids)


@dataclass(frozen=True, slots=True)
class Captions:
    """All captions of one language as ids, with the rows that belong to each photo."""

    ids: Tensor  # int64 [M, L]
    mask: Tensor  # bool [M, L]
    first: np.ndarray  # int64 [N]: row of the photo's first caption
    count: np.ndarray  # int64 [N]

    @classmethod
    def encode(cls, captions: CaptionSet, tokenizer: Tokenizer) -> Captions:
        """Encode every caption of the set."""
        count = np.array([len(texts) for texts in captions.captions])
        ids, mask = tokenizer.encode([text for texts in captions.captions for text in texts])
        return cls(torch.from_numpy(ids), torch.from_numpy(mask), np.cumsum(count) - count, count)

    def draw(self, photos: np.ndarray, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
        """A random caption of each photo: ids [B,L] and mask [B,L], cut to the longest."""
        rows = torch.from_numpy(
            self.first[photos] + generator.integers(0, self.count[photos], size=len(photos))
        )
        length = int(self.mask[rows].sum(dim=1).max())
        return self.ids[rows, :length], self.mask[rows, :length]


def shuffled_batches(
    count: int, batch: int, generator: np.random.Generator
) -> Iterator[np.ndarray]:
    """Row numbers of one epoch in random order; a last batch that is not full is left out.

    Rows are sorted within a batch, which reads a memory-mapped array in order.
    """
    order = generator.permutation(count)
    for start in range(0, count - batch + 1, batch):
        yield np.sort(order[start : start + batch])
