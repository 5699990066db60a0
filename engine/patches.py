"""An image as a variable number of patches, as SigLIP 2 NaFlex and ViLT see it: its aspect is kept.

For SigLIP 2 it is resized to the largest grid of square patches that has the image's aspect and no
more patches than the model takes; for ViLT until its shorter side is as long as the model was
trained with, or its longer side is 5/3 of that. Each patch is a row of numbers: its pixels, line by
line, R, G, B each; then whether it is one at all, which row of how many it stands in, and which
column of how many.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.types import BoolArray, FloatArray

# What follows the pixels of a patch: there, row, rows, column, columns.
PLACE = 5
# The sides of an image are multiplied by something between these, which is found by halving.
_LEAST, _MOST, _CLOSE = 1e-6, 100.0, 1e-5

Scale = Callable[[NDArray[np.uint8]], FloatArray]


def grid_of(width: int, height: int, side: int, most: int) -> tuple[int, int]:
    """Rows and columns of an image of this size in at most ``most`` patches of ``side``."""

    def at(scale: float) -> tuple[int, int]:
        rows, columns = (max(1, math.ceil(edge * scale / side)) for edge in (height, width))
        return rows, columns

    low, high = _LEAST, _MOST
    while high - low >= _CLOSE:
        middle = (low + high) / 2
        if math.prod(at(middle)) <= most:
            low = middle
        else:
            high = middle
    return at(low)


def fitted_grid(width: int, height: int, side: int, shorter: int) -> tuple[int, int]:
    """Rows and columns of an image whose shorter side is to be ``shorter`` pixels long.

    As ViLT's own processor rounds them; a strip has one row or column at least.
    """
    longest, short = int(1333 / 800 * shorter), min(width, height)
    edges = [shorter if edge == short else shorter / short * edge for edge in (height, width)]
    if max(edges) > longest:
        scale = longest / max(edges)
        edges = [scale * edge for edge in edges]
    rows, columns = (max(1, int(edge + 0.5) // side) for edge in edges)
    return rows, columns


def most_fitted(side: int, shorter: int) -> int:
    """The most patches that `fitted_grid` makes."""
    return shorter // side * (int(1333 / 800 * shorter) // side)


def to_patches(
    image: Image.Image,
    side: int,
    grid: tuple[int, int],
    most: int,
    resample: Image.Resampling,
    scale: Scale,
) -> FloatArray:
    """Patches float32 [most, 3 * side * side + PLACE] of an image, mode RGB.

    ``grid`` is how many rows and columns there are. ``scale`` turns uint8 [H,W,3] into float32.
    Patches that are not there are 0, but for their rows and columns, which are 1.
    """
    rows, columns = grid
    small = image.resize((columns * side, rows * side), resample)
    values = scale(np.asarray(small)).reshape(rows, side, columns, side, 3)
    count = rows * columns
    result = np.zeros((most, 3 * side * side + PLACE), np.float32)
    result[:, -PLACE:] = 0, 0, 1, 0, 1
    result[:count, :-PLACE] = values.transpose(0, 2, 1, 3, 4).reshape(count, -1)
    row, column = np.divmod(np.arange(count), columns)
    every = np.ones(count)
    result[:count, -PLACE:] = np.stack((every, row, rows * every, column, columns * every), axis=1)
    return result


def cover_patches(patches: FloatArray, shown: BoolArray) -> FloatArray:
    """Patches float32 [B,P,F] of one photo [P,F], covered where ``shown`` bool [B,G,G] is False.

    They are covered with the photo's mean colour. Each cell of the map covers its share of the
    photo's height and width.
    """
    side = math.isqrt((patches.shape[1] - PLACE) // 3)
    there, row, rows, column, columns = patches[:, -PLACE:].T
    count = int(there.sum())
    pixels = patches[:count, :-PLACE].reshape(count, side, side, 3)
    mean = pixels.mean(axis=(0, 1, 2))
    inside, cells = (np.arange(side) + 0.5) / side, shown.shape[-1]
    down = ((row + inside[:, None]) / rows * cells).astype(np.int64).T[:count]
    across = ((column + inside[:, None]) / columns * cells).astype(np.int64).T[:count]
    seen = shown[:, down[:, :, None], across[:, None, :]]
    result = np.repeat(patches[None], len(shown), axis=0)
    covered = np.where(seen[..., None], pixels, mean)
    result[:, :count, :-PLACE] = covered.reshape(len(shown), count, -1)
    return result
