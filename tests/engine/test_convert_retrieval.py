"""BLIP and ViLT: packs made of them compute what their own classes compute."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    AutoProcessor,
    BlipForImageTextRetrieval,
    ViltForImageAndTextRetrieval,
)

from engine.decode import decode
from engine.matcher import load_matcher
from engine.patches import fitted_grid, most_fitted
from engine.preprocess import Preprocessing, to_pixels
from engine.training.convert import blip, vilt
from engine.training.convert.families import read_foreign
from engine.training.convert.packing import TOLERANCE, make_pack
from engine.training.convert.samples import CAPTIONS as SAMPLE_CAPTIONS
from engine.training.convert.samples import write_photos
from tests.fixtures.retrieval_models import save_blip, save_vilt

CAPTIONS = ["a red circle", "two dogs and a cat on the beach", "a", "the square"]
# Wide, high, square, and so wide that the longer side decides.
SHAPES = [(160, 80), (70, 90), (64, 64), (600, 60)]
HALF = (0.5, 0.5, 0.5)


@pytest.fixture(scope="module")
def blip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_blip(tmp_path_factory.mktemp("blip"))


@pytest.fixture(scope="module")
def vilt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_vilt(tmp_path_factory.mktemp("vilt"))


def noise(shapes: Sequence[tuple[int, int]]) -> list[Image.Image]:
    """Images of given width and height."""
    generator = np.random.default_rng(3)
    return [
        Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))
        for width, height in shapes
    ]


@torch.inference_mode()
def test_blip_finds_and_decides_as_its_class_does(blip_folder: Path) -> None:
    model = BlipForImageTextRetrieval.from_pretrained(blip_folder).eval()
    processor = AutoProcessor.from_pretrained(blip_folder)
    given = processor(images=noise(SHAPES), text=CAPTIONS, padding=True, return_tensors="pt")
    ids, mask = given["input_ids"], given["attention_mask"].bool()
    pixels = given["pixel_values"]

    seen, tokens = blip.Images(model)(pixels)
    read = blip.Texts(model)(ids, mask)
    logits = blip.Fusion(model)(tokens, ids, mask)

    asked = {"input_ids": ids, "attention_mask": mask.long(), "pixel_values": pixels}
    similarity = model(**asked, use_itm_head=False).itm_score
    said = model(**asked, use_itm_head=True).itm_score.softmax(dim=1)[:, 1]
    assert torch.allclose(seen @ read.T, similarity, atol=1e-5)
    assert torch.allclose(logits.sigmoid(), said, atol=1e-5)
    assert float(logits.std()) > 0.01


@torch.inference_mode()
def test_vilt_decides_as_its_class_does_of_photos_of_all_shapes_at_once(vilt_folder: Path) -> None:
    model = ViltForImageAndTextRetrieval.from_pretrained(vilt_folder).eval()
    images = noise(SHAPES)
    # Padded with a mask, as the class takes photos of different shapes.
    given = AutoProcessor.from_pretrained(vilt_folder)(
        images=images, text=CAPTIONS, padding=True, return_tensors="pt"
    )
    how = Preprocessing(8, HALF, HALF, "fit", "bicubic", shorter=96)
    patches = torch.from_numpy(np.stack([to_pixels(image, how) for image in images]))

    logits = vilt.Fusion(model)(patches, given["input_ids"], given["attention_mask"].bool())

    assert torch.allclose(logits, model(**given).logits[:, 0], atol=1e-4)
    assert float(logits.std()) > 0.01


@pytest.mark.parametrize("family", ["blip", "vilt"])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_pack_says_what_transformers_says(
    family: str, precision: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = request.getfixturevalue(f"{family}_folder")
    foreign = read_foreign(folder)
    pack = tmp_path / "pack"
    pack.mkdir()
    make_pack(foreign, folder, pack, family, precision, lambda line: None)

    matcher = load_matcher(pack)
    parity = matcher.pack.manifest.metrics["parity"]
    assert 0 <= parity["fp32"]["most"] < TOLERANCE["fp32"]
    assert 0 <= parity[precision]["most"] < TOLERANCE[precision]
    assert not matcher.calibrated
    assert matcher.looks_again
    assert matcher.finds == (family == "blip")
    # Other photos and captions than those that it was compared on.
    photos = [tmp_path / f"{number}.png" for number in range(len(SHAPES))]
    images = noise(SHAPES)
    for path, image in zip(photos, images, strict=True):
        image.save(path)
    said = [match.logit for match in matcher.match(photos, CAPTIONS)]
    wanted = foreign.reference(images, CAPTIONS)
    apart = np.abs(np.array(said).reshape(wanted.shape) - wanted).max()
    # Noise looks alike to a model: the range is that of photos which do not.
    made = [decode(path) for path in write_photos(tmp_path)]
    unit = np.ptp(foreign.reference(made, SAMPLE_CAPTIONS))
    assert apart < TOLERANCE[precision] * unit


def test_photos_are_brought_to_the_sizes_that_vilts_processor_makes(vilt_folder: Path) -> None:
    processor = AutoProcessor.from_pretrained(vilt_folder).image_processor
    for shape in [*SHAPES, (4000, 3000), (3024, 4032), (97, 31), (64, 65), (300, 20)]:
        (image,) = noise([shape])
        _, height, width = processor(image, return_tensors="np")["pixel_values"][0].shape
        rows, columns = fitted_grid(*shape, side=8, shorter=96)
        assert (rows * 8, columns * 8) == (height, width), shape
        assert rows * columns <= most_fitted(side=8, shorter=96)


def test_a_strip_has_a_patch() -> None:
    assert fitted_grid(10_000, 10, side=8, shorter=96) == (1, 19)
    assert fitted_grid(1, 1, side=8, shorter=96) == (12, 12)
