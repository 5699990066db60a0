from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from transformers import Siglip2ImageProcessor
from transformers.models.siglip2.image_processing_siglip2 import (
    get_image_size_for_max_num_patches,
)

from engine.patches import PLACE, cover_patches, grid_of
from engine.preprocess import Preprocessing, to_pixels
from tests.fixtures.photos import corners, noise

MEAN = STD = (0.5, 0.5, 0.5)


def how(patches: int, side: int = 8) -> Preprocessing:
    return Preprocessing(side, MEAN, STD, "patches", "bilinear", patches=patches)


def test_the_grid_is_that_of_transformers() -> None:
    generator = np.random.default_rng(0)
    sizes = generator.integers(1, 5000, (200, 2)).tolist()
    for width, height in [*sizes, (1, 1), (1, 9000), (12000, 3), (256, 256)]:
        for side, most in ((16, 256), (14, 729), (8, 1)):
            rows, columns = grid_of(width, height, side, most)
            wanted = get_image_size_for_max_num_patches(height, width, side, most)
            assert (rows * side, columns * side) == wanted
            assert rows * columns <= most


@pytest.mark.parametrize("size", [(1, 1), (300, 20), (20, 300), (97, 61), (640, 480)])
def test_patches_are_those_of_transformers(size: tuple[int, int]) -> None:
    image = noise(*size)
    found = to_pixels(image, how(20))
    processor = Siglip2ImageProcessor(patch_size=8, max_num_patches=20)
    wanted = processor(image, return_tensors="np", input_data_format="channels_last")
    assert found.shape == how(20).shape
    np.testing.assert_allclose(found[:, :-PLACE], wanted["pixel_values"][0], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(found[:, -PLACE], wanted["pixel_attention_mask"][0])
    rows, columns = wanted["spatial_shapes"][0]
    there = found[: rows * columns, -PLACE:]
    np.testing.assert_array_equal(there[:, 1], np.repeat(np.arange(rows), columns))
    np.testing.assert_array_equal(there[:, 3], np.tile(np.arange(columns), rows))
    assert set(there[:, 2]) == {rows}
    assert set(there[:, 4]) == {columns}


def test_what_is_covered_shows_the_mean_colour_and_the_rest_stays() -> None:
    patches = to_pixels(corners(128, 64), how(32))
    rows, columns = grid_of(128, 64, 8, 32)
    shown = np.ones((3, 2, 2), np.bool_)
    shown[1, 0, 1] = False
    shown[2] = False
    covered = cover_patches(patches, shown)
    np.testing.assert_array_equal(covered[0], patches)
    np.testing.assert_array_equal(covered[:, :, -PLACE:], np.repeat(patches[None], 3, axis=0)[
        :, :, -PLACE:
    ])  # fmt: skip
    pixels = patches[: rows * columns, :-PLACE].reshape(rows, columns, 8, 8, 3)
    mean = pixels.mean(axis=(0, 1, 2, 3))
    second = covered[1, : rows * columns, :-PLACE].reshape(pixels.shape)
    upper_right = second[: rows // 2, columns // 2 :]
    np.testing.assert_allclose(upper_right, np.broadcast_to(mean, upper_right.shape), atol=1e-5)
    np.testing.assert_array_equal(second[rows // 2 :], pixels[rows // 2 :])
    np.testing.assert_array_equal(second[:, : columns // 2], pixels[:, : columns // 2])
    assert np.ptp(covered[2, : rows * columns, :-PLACE].reshape(-1, 3), axis=0).max() < 1e-5


def test_a_strip_of_any_length_becomes_few_patches() -> None:
    assert to_pixels(Image.new("RGB", (60_000, 2)), how(16)).shape == how(16).shape
