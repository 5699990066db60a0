"""What the trained image encoder says of several views of every photo, kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from engine.nn import FusionModel
from engine.training.compute import Compute
from engine.training.photos import degrade, normalise, random_crops, recolour, whole
from engine.training.recipe import Augment

_BATCH = 128


@dataclass(frozen=True, slots=True)
class EncodedView:
    """One view of each photo, encoded.

    Attributes:
        features: float16 [A,F] of all photos.
        tokens: float16 [N,K,W], image tokens of the first N.
    """

    features: Tensor
    tokens: Tensor


@torch.inference_mode()
def encode_pixels(model: FusionModel, pixels: Tensor, compute: Compute) -> tuple[Tensor, Tensor]:
    """Pixels [B,3,S,S] -> features float16 [B,F] and image tokens float16 [B,K,W]."""
    with compute.autocast():
        tokens = model.image_encoder(pixels.to(compute.device))
        features = model.feature_map(tokens).float().mean(dim=1)
    return features.half().cpu(), tokens.half().cpu()


def encode_views(
    model: FusionModel,
    photos: np.ndarray,
    captioned: int,
    count: int,
    augment: Augment,
    seed: int,
    compute: Compute,
    folder: Path,
) -> Sequence[EncodedView]:
    """``count`` views of photos uint8 [A,side,side,3]; the first is the whole, unchanged photo.

    Args:
        captioned: how many photos, from the first on, keep their tokens.
        folder: views that are there are read, others are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.eval()
    return [
        _encode_view(model, photos, captioned, number, augment, seed, compute, folder)
        for number in range(count)
    ]


def _encode_view(
    model: FusionModel,
    photos: np.ndarray,
    captioned: int,
    number: int,
    augment: Augment,
    seed: int,
    compute: Compute,
    folder: Path,
) -> EncodedView:
    kept = folder / f"view-{number}.pt"
    if not kept.exists():
        drawn = torch.Generator().manual_seed(seed * 1000 + 500 + number)
        crops = random_crops(len(photos), augment.smallest_encoded_area, drawn)
        crops = crops if number else whole(len(photos))
        features, tokens = [], []
        size = model.config.image_size
        starts = range(0, len(photos), _BATCH)
        for start in tqdm(starts, desc=f"view {number + 1}", unit="batch", disable=None):
            rows = torch.arange(start, min(start + _BATCH, len(photos)))
            x = crops[rows].cut(photos[start : start + len(rows)], size, compute.device)
            if number:
                x = degrade(recolour(x, augment, drawn), augment.degraded, drawn)
            found, cells = encode_pixels(model, normalise(x), compute)
            features.append(found)
            tokens.append(cells[: max(0, captioned - start)])
        partial = kept.with_suffix(".partial")
        torch.save({"features": torch.cat(features), "tokens": torch.cat(tokens)}, partial)
        partial.replace(kept)
    return EncodedView(**torch.load(kept, weights_only=True, mmap=True))
