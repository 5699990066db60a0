from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from engine.preprocess import Preprocessing, to_pixels
from tests.fixtures import photos

PLAIN = Preprocessing(size=32, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def test_pixels_are_float32_channels_first() -> None:
    pixels = to_pixels(photos.corners(200, 100), PLAIN)

    assert pixels.shape == (3, 32, 32)
    assert pixels.dtype == np.float32
    assert pixels.flags.c_contiguous
    assert 0 <= pixels.min() <= pixels.max() <= 1


def test_channels_are_red_green_blue() -> None:
    pixels = to_pixels(Image.new("RGB", (50, 50), (255, 51, 0)), PLAIN)

    np.testing.assert_allclose(pixels[:, 5, 7], [1.0, 0.2, 0.0], atol=1e-6)


def test_mean_and_std_are_applied_to_each_channel() -> None:
    how = Preprocessing(size=4, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 2.0))

    pixels = to_pixels(Image.new("RGB", (9, 9), (255, 255, 255)), how)

    np.testing.assert_allclose(pixels[:, 0, 0], [1.0, 3.0, 0.5], atol=1e-6)


def test_the_whole_photo_is_squashed_in() -> None:
    pixels = to_pixels(photos.corners(400, 100), PLAIN)

    for (row, column), colour in {
        (8, 8): photos.RED,
        (8, 24): photos.GREEN,
        (24, 8): photos.BLUE,
        (24, 24): photos.YELLOW,
    }.items():
        np.testing.assert_allclose(pixels[:, row, column] * 255, colour, atol=1)


def test_fine_patterns_are_averaged_and_not_sampled() -> None:
    board = np.indices((640, 640)).sum(axis=0) % 2 * 255
    image = Image.fromarray(board.astype(np.uint8)).convert("RGB")

    pixels = to_pixels(image, PLAIN)

    assert np.abs(pixels - 0.5).max() < 0.02


def test_the_fast_way_agrees_with_the_plain_one() -> None:
    image = photos.noise(24, 16).resize((1000, 700), Image.Resampling.BICUBIC)
    plain = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR), np.float32) / 255

    pixels = to_pixels(image, PLAIN)

    assert np.abs(pixels - plain.transpose(2, 0, 1)).mean() < 0.005


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (31, 33)])
def test_photos_smaller_than_the_model_sees_are_enlarged(size: tuple[int, int]) -> None:
    assert to_pixels(photos.corners(*size), PLAIN).shape == (3, 32, 32)


def test_a_dict_survives_json() -> None:
    how = Preprocessing(size=224, mean=(0.48, 0.45, 0.4), std=(0.26, 0.25, 0.27))

    assert Preprocessing.from_dict(json.loads(json.dumps(how.to_dict()))) == how


@pytest.mark.parametrize(
    "change",
    [
        {"resize": "crop"},
        {"resize": 3},
        {"size": 0},
        {"size": "224"},
        {"mean": [0.5, 0.5]},
        {"mean": 0.5},
        {"std": [0.5, 0.0, 0.5]},
        {"std": [0.5, float("nan"), 0.5]},
        {"std": ["a", "b", "c"]},
        {"gamma": 2.2},
    ],
    ids=str,
)
def test_a_dict_that_can_not_be_followed_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="preprocessing"):
        Preprocessing.from_dict({**PLAIN.to_dict(), **change})


def test_a_dict_with_a_missing_key_is_refused() -> None:
    values = PLAIN.to_dict()
    del values["mean"]

    with pytest.raises(ValueError, match="mean is missing"):
        Preprocessing.from_dict(values)


def test_photos_are_decoded_with_half_again_as_many_pixels_a_side() -> None:
    how = Preprocessing(size=192, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    assert how.decode_side == 288


CROPPED = Preprocessing(32, (0.0,) * 3, (1.0,) * 3, "crop", "bicubic", shorter=36)


@pytest.mark.parametrize("size", [(97, 61), (61, 97), (40, 40), (1, 1), (900, 700)])
def test_the_square_in_the_middle_is_that_of_the_whole_photo_resized(size: tuple[int, int]) -> None:
    image = photos.noise(*size)
    width, height = (int(36 * edge / min(size)) for edge in size)
    whole = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), np.float32) / 255
    top, left = (height - 32) // 2, (width - 32) // 2
    wanted = whole[top : top + 32, left : left + 32].transpose(2, 0, 1)
    np.testing.assert_allclose(to_pixels(image, CROPPED), wanted, rtol=0, atol=1e-6)


def test_of_a_long_strip_the_middle_alone_is_resized_to_the_same() -> None:
    image = photos.noise(5000, 20)
    whole = np.asarray(image.resize((9000, 36), Image.Resampling.BICUBIC), np.float32) / 255
    wanted = whole[2:34, 4484:4516].transpose(2, 0, 1)
    np.testing.assert_allclose(to_pixels(image, CROPPED), wanted, rtol=0, atol=1.5 / 255)
    # All of this one would be 7 GB.
    assert to_pixels(Image.new("RGB", (3, 200_000)), CROPPED).shape == (3, 32, 32)


@pytest.mark.parametrize(
    "change",
    [
        {"resize": "crop", "resample": "bicubic"},
        {"resize": "crop", "resample": "bicubic", "shorter": 16},
        {"resize": "crop", "resample": "bicubic", "shorter": True},
        {"resize": "crop", "shorter": 40},
        {"shorter": 40},
        {"resample": "nearest"},
        {"resample": ["bicubic"]},
        {"resize": "patches", "resample": "bilinear"},
        {"resize": "patches", "resample": "bilinear", "patches": 0},
        {"resize": "patches", "resample": "bilinear", "patches": 1 << 30},
        {"resize": "patches", "resample": "bilinear", "patches": 4, "shorter": 40},
    ],
)
def test_what_makes_no_pixels_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="preprocessing"):
        Preprocessing.from_dict(PLAIN.to_dict() | change)
