"""An image (RGB) becomes pixels (model input)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.patches import PLACE, fitted_grid, grid_of, most_fitted, to_patches
from engine.types import FloatArray

# Larger pixels than any model takes would fill the memory.
LARGEST_SIZE = 4096
# How many times as long as wide a photo may be to be resized whole before it is cropped.
LONGEST_STRIP = 16

QUICK = "quick"
# Pillow's filters, by which other models' images are resized exactly as those models expect it.
FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

Channels = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a model pack wants its pixels.

    Attributes:
        size: side of the square the model sees, or of each patch, in pixels.
        mean: subtracted from each channel (R, G, B) after scaling to 0..1.
        std: each channel is then divided by this.
        resize: "squash" brings the whole image to ``size`` x ``size`` without keeping its aspect,
            so that nothing at the edges is lost; "crop" brings its shorter side to ``shorter`` and
            takes the square in the middle; "patches" and "fit" keep its aspect, for SigLIP 2 and
            for ViLT, see `engine.patches`.
        resample: one of `FILTERS`, or "quick", which shrinks by whole numbers before it filters.
        shorter: for "crop" and "fit" only.
        patches: for "patches" only: the most that the model takes.

    Raises:
        ValueError: a value no pixels can be made with, or a ``resize`` this version does not know.
    """

    size: int
    mean: Channels
    std: Channels
    resize: str = "squash"
    resample: str = QUICK
    shorter: int | None = None
    patches: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.size <= LARGEST_SIZE:
            raise ValueError(f"preprocessing: size is 1 to {LARGEST_SIZE}, not {self.size}")
        if len(self.mean) != 3 or len(self.std) != 3:
            raise ValueError("preprocessing: mean and std need three values each")
        if not np.all(np.isfinite((*self.mean, *self.std))) or min(self.std) <= 0:
            raise ValueError("preprocessing: mean and std must be finite, and std above 0")
        if self.resize not in ("squash", "crop", "patches", "fit"):
            raise ValueError(f"preprocessing: unknown resize {self.resize!r}")
        if self.resample not in (FILTERS if self.resize != "squash" else (QUICK, *FILTERS)):
            raise ValueError(f"preprocessing: can't {self.resize} by {self.resample!r}")
        self._check_own("shorter", ("crop", "fit"), self.size, LARGEST_SIZE)
        self._check_own("patches", ("patches",), 1, LARGEST_SIZE**2 // self.size**2)

    def _check_own(self, name: str, resize: tuple[str, ...], least: int, most: int) -> None:
        value = getattr(self, name)
        if (value is not None) != (self.resize in resize):
            ways = " and ".join(resize)
            raise ValueError(f"preprocessing: {name} is for {ways}, and has to be there then")
        if value is not None and not (type(value) is int and least <= value <= most):
            raise ValueError(f"preprocessing: {name} is {least} to {most}, not {value}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one photo's pixels: [3, size, size], or patches as `engine.patches` has them."""
        if self._most_patches is None:
            return 3, self.size, self.size
        return self._most_patches, 3 * self.size**2 + PLACE

    @property
    def _most_patches(self) -> int | None:
        if self.resize == "fit" and self.shorter is not None:
            return most_fitted(self.size, self.shorter)
        return self.patches

    @property
    def decode_side(self) -> int | None:
        """How large a photo has to be decoded at least; None where it has to be in full.

        1.5 times as large as the model sees it: measured against decoding in full, twice as large
        is no closer, and takes a quarter longer. What must be exact is decoded in full.
        """
        return self.size * 3 // 2 if self.resample == QUICK else None

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Preprocessing:
        """Read what ``to_dict`` wrote.

        Raises:
            ValueError: a key is missing or unknown, or a value can't be used. Unknown keys are
                refused because pixels made without heeding them would be silently wrong.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"preprocessing: unknown {', '.join(unknown)}")
        try:
            size, mean, std = values["size"], values["mean"], values["std"]
        except KeyError as error:
            raise ValueError(f"preprocessing: {error.args[0]} is missing") from None
        words = [values.get("resize", "squash"), values.get("resample", QUICK)]
        if type(size) is not int or not all(isinstance(word, str) for word in words):
            raise ValueError("preprocessing: size must be a whole number, resize and filter words")
        return cls(**(dict(values) | {"mean": _channels(mean), "std": _channels(std)}))  # type: ignore[arg-type]

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
        float32, shaped as `Preprocessing.shape`: [3, size, size] with channels R, G, B, or patches.
    """

    def scaled(values: NDArray[np.uint8]) -> FloatArray:
        mean, std = np.array(how.mean, np.float32), np.array(how.std, np.float32)
        result: FloatArray = (values.astype(np.float32) / np.float32(255) - mean) / std
        return result

    if how.resize in ("patches", "fit"):
        most = how.shape[0]
        grid = (
            grid_of(image.width, image.height, how.size, most)
            if how.shorter is None
            else fitted_grid(image.width, image.height, how.size, how.shorter)
        )
        return to_patches(image, how.size, grid, most, FILTERS[how.resample], scaled)
    return np.ascontiguousarray(scaled(np.asarray(_square(image, how))).transpose(2, 0, 1))


def _square(image: Image.Image, how: Preprocessing) -> Image.Image:
    size = how.size, how.size
    if how.shorter is not None:
        return _middle(image, how.size, how.shorter, FILTERS[how.resample])
    if how.resample != QUICK:
        return image.resize(size, FILTERS[how.resample])
    # reducing_gap shrinks by whole numbers first: the same picture to within rounding, and much
    # faster; the antialiasing filter then does the rest.
    return image.resize(size, resample=Image.Resampling.BILINEAR, reducing_gap=2.0)


def _middle(image: Image.Image, size: int, shorter: int, resample: Image.Resampling) -> Image.Image:
    """The square in the middle of an image once its shorter side is ``shorter`` long."""
    width, height = (int(shorter * edge / min(image.size)) for edge in image.size)
    left, top = (width - size) // 2, (height - size) // 2
    if max(width, height) <= LONGEST_STRIP * shorter:
        whole = image.resize((width, height), resample)
        return whole.crop((left, top, left + size, top + size))
    # Of a long strip only what is wanted, as all of it would fill the memory. It is the same but
    # for how halves are rounded.
    across, down = image.width / width, image.height / height
    right = min((left + size) * across, image.width)
    bottom = min((top + size) * down, image.height)
    return image.resize((size, size), resample, (left * across, top * down, right, bottom))
