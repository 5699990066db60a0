"""An image (RGB) becomes pixels (model input)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image

from engine.types import FloatArray

# Larger pixels than any model takes would fill the memory.
LARGEST_SIZE = 4096

Channels = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a model pack wants its pixels.

    Attributes:
        size: side of the square the model sees, in pixels.
        mean: subtracted from each channel (R, G, B) after scaling to 0..1.
        std: each channel is then divided by this.
        resize: "squash" brings the whole image to ``size`` x ``size`` without keeping its aspect,
            so that nothing at the edges is lost.

    Raises:
        ValueError: a value no pixels can be made with, or a ``resize`` this version does not know.
    """

    size: int
    mean: Channels
    std: Channels
    resize: str = "squash"

    def __post_init__(self) -> None:
        if not 1 <= self.size <= LARGEST_SIZE:
            raise ValueError(f"preprocessing: size is 1 to {LARGEST_SIZE}, not {self.size}")
        if len(self.mean) != 3 or len(self.std) != 3:
            raise ValueError("preprocessing: mean and std need three values each")
        if not np.all(np.isfinite((*self.mean, *self.std))) or min(self.std) <= 0:
            raise ValueError("preprocessing: mean and std must be finite, and std above 0")
        if self.resize != "squash":
            raise ValueError(f"preprocessing: unknown resize {self.resize!r}")

    @property
    def decode_side(self) -> int:
        """How large a photo has to be decoded at least: 1.5 times as large as the model sees it.

        Measured against decoding in full, twice as large is no closer, and takes a quarter longer.
        """
        return self.size * 3 // 2

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Preprocessing:
        """Read what ``to_dict`` wrote.

        Raises:
            ValueError: a key is missing or unknown, or a value can't be used. Unknown keys are
                refused because pixels made without heeding them would be silently wrong.
        """
        known = {"size", "mean", "std", "resize"}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"preprocessing: unknown {', '.join(unknown)}")
        try:
            size, mean, std = values["size"], values["mean"], values["std"]
        except KeyError as error:
            raise ValueError(f"preprocessing: {error.args[0]} is missing") from None
        resize = values.get("resize", "squash")
        if not isinstance(size, int) or not isinstance(resize, str):
            raise ValueError("preprocessing: size must be a whole number and resize a word")
        return cls(size=size, mean=_channels(mean), std=_channels(std), resize=resize)

    def to_dict(self) -> dict[str, object]:
        """For ``manifest.json``."""
        return asdict(self)


def _channels(values: object) -> Channels:
    if not isinstance(values, list | tuple) or len(values) != 3:
        raise ValueError("preprocessing: mean and std need three values each")
    try:
        red, green, blue = (float(value) for value in values)
    except (TypeError, ValueError):
        raise ValueError("preprocessing: mean and std must be numbers") from None
    return red, green, blue


def to_pixels(image: Image.Image, how: Preprocessing) -> FloatArray:
    """Resize, scale and normalise.

    Args:
        image: mode RGB, any size.

    Returns:
        float32 [3, size, size], channels R, G, B, contiguous.
    """
    # reducing_gap shrinks by whole numbers first: the same picture to within rounding, and much
    # faster; the antialiasing filter then does the rest.
    small = image.resize((how.size, how.size), resample=Image.Resampling.BILINEAR, reducing_gap=2.0)
    mean, std = np.array(how.mean, np.float32), np.array(how.std, np.float32)
    scaled = np.asarray(small, dtype=np.float32) / np.float32(255)
    return np.ascontiguousarray(((scaled - mean) / std).transpose(2, 0, 1))
