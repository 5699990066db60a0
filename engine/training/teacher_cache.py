"""What the image teacher says of several looks at every photo, asked once and kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.format import open_memmap
from torch import Tensor
from tqdm import tqdm

from engine.training.image_teacher import CEILING, CHANNELS, GRID, SIDE, ImageTeacher
from engine.training.photos import Looks, random_looks, whole_photos

_BATCH = 64
_STEPS = 255 / CEILING


@dataclass(frozen=True, slots=True)
class View:
    """One look at each of N photos and what the teacher says of it.

    Attributes:
        maps: uint8 [N,49,1280] on disk, the feature map in cells row by row.
        pooled: float16 [N,1280] on disk, its mean.
    """

    looks: Looks
    maps: np.ndarray
    pooled: np.ndarray

    def target(
        self, rows: np.ndarray, flipped: np.ndarray, grid: int, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """The map [B,grid*grid,1280] and its mean [B,1280] of photos, some of them mirrored."""
        raw = self.maps[rows].reshape(len(rows), GRID, GRID, CHANNELS)
        raw[flipped] = raw[flipped, :, ::-1]
        maps = torch.from_numpy(raw).to(device).permute(0, 3, 1, 2).float()
        cells = F.adaptive_avg_pool2d(maps, grid).flatten(2).transpose(1, 2) / _STEPS
        return cells, torch.from_numpy(self.pooled[rows]).to(device).float()


def view_looks(number: int, views: int, count: int, smallest_area: float, seed: int) -> Looks:
    """The looks of view ``number`` of ``views``: whole photos, then crops, then mixtures of two."""
    if number == 0:
        return whole_photos(count)
    generator = torch.Generator().manual_seed(seed * 1000 + number)
    return random_looks(count, smallest_area, generator, mixed=2 * number > views)


def ask_teacher(
    teacher: ImageTeacher, photos: np.ndarray, looks: Looks, stem: Path, title: str
) -> View:
    """Describe ``looks`` at photos uint8 [N,side,side,3], or read what was kept at ``stem``."""
    maps_file, pooled_file = stem.with_suffix(".maps.npy"), stem.with_suffix(".pooled.npy")
    if not pooled_file.exists():
        partial = stem.with_suffix(".partial.npy")
        shape = (len(photos), GRID**2, CHANNELS)
        maps = open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
        pooled = np.zeros((len(photos), CHANNELS), dtype=np.float16)
        for start in tqdm(range(0, len(photos), _BATCH), desc=title, unit="batch", disable=None):
            rows = torch.arange(start, min(start + _BATCH, len(photos)))
            seen = looks.show(photos, rows, torch.zeros(len(rows), dtype=torch.bool), SIDE)
            images = (seen * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
            found = teacher.feature_maps(images).reshape(len(rows), GRID**2, CHANNELS)
            maps[rows.numpy()] = found
            pooled[rows.numpy()] = found.mean(axis=1, dtype=np.float32) / _STEPS
        maps.flush()
        partial.rename(maps_file)
        # Last, and whole at once: this file says that the view is complete.
        np.save(partial, pooled)
        partial.rename(pooled_file)
    return View(looks, np.load(maps_file, mmap_mode="r"), np.load(pooled_file))


def ask_for_views(
    teacher: ImageTeacher,
    photos: np.ndarray,
    count: int,
    smallest_area: float,
    seed: int,
    folder: Path,
) -> Sequence[View]:
    """``count`` views of all photos, those asked already read from ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        ask_teacher(
            teacher,
            photos,
            view_looks(number, count, len(photos), smallest_area, seed),
            folder / f"view-{number}",
            f"teacher, view {number + 1} of {count}",
        )
        for number in range(count)
    ]
