"""Photos and captions that converted graphs are compared on: made up, and of every awkward kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

CAPTIONS = (
    "a dog", "A red car is parked beside the road.", "two people at the beach, at sunset",
    "blue noise", "black-and-white stripes", "a very small thing", "the number 42",
    "a photo of a green square on a yellow background with a thin purple line across all of it",
    "不是狗", "一只猫坐在窗边", "两个人在海边看日落", "café naïve",
)  # fmt: skip

# Width and height: square, wide, tall, strips, tiny, odd. None so tall that NaFlex sees it one
# patch wide: torch resizes positions to (n, 1) otherwise than to (1, n), which no graph repeats.
_SIZES = ((224, 224), (640, 480), (375, 500), (1200, 90), (120, 700), (7, 5), (1, 1), (333, 251))


def write_photos(folder: Path) -> list[Path]:
    """Write photos without loss, in the order of their names: two of each size."""
    paths = []
    for number, (width, height) in enumerate(_SIZES):
        for kind, make in enumerate((_shapes, _grain)):
            path = folder / f"{number}{kind}.png"
            make(width, height, number).save(path)
            paths.append(path)
    return paths


def _shapes(width: int, height: int, seed: int) -> Image.Image:
    generator = np.random.default_rng(seed)
    across = np.linspace(0, 255, width)[None, :, None]
    down = np.linspace(255, 0, height)[:, None, None]
    mixed = generator.random(3) * across + generator.random(3) * down
    image = Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(5):
        corners = generator.integers(0, (width, height), (2, 2))
        colour = tuple(generator.integers(0, 256, 3).tolist())
        draw.rectangle([tuple(corners.min(axis=0)), tuple(corners.max(axis=0))], fill=colour)
    return image


def _grain(width: int, height: int, seed: int) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)
