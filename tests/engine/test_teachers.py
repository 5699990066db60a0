from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.training.compute import Compute
from engine.training.corpus import Corpus, read_labels
from engine.training.image_teacher import (
    EARLY,
    FEATURES,
    LEVELS,
    MODEL_FILE,
    SIDE,
    ImageTeacher,
    whole_features,
)
from engine.training.text_teacher import TextTeacher


@pytest.fixture(scope="module")
def teacher(shared_data: Path) -> ImageTeacher:
    return ImageTeacher(shared_data / "teacher", threads=2)


def pictures(shared_data: Path, count: int) -> np.ndarray:
    """Garbage trucks, uint8 [N,224,224,3]."""
    found = []
    for photo in sorted((shared_data / "photos" / "imagenette" / "n03417042").glob("*.jpg"))[
        :count
    ]:
        with Image.open(photo) as image:
            found.append(np.asarray(image.convert("RGB").resize((SIDE, SIDE))))
    return np.stack(found)


def test_the_image_teacher_knows_what_it_sees(teacher: ImageTeacher, shared_data: Path) -> None:
    photos = torch.from_numpy(pictures(shared_data, 8)).permute(0, 3, 1, 2) / 255
    maps = teacher.describe(photos)
    assert [tuple(found.shape[1:]) for found in maps] == [
        (level.channels, level.grid, level.grid) for level in LEVELS
    ]
    labels = [label.english for label in read_labels()]
    features = maps[-1].mean(dim=(2, 3)).numpy()
    said = (features @ teacher.weight.T + teacher.bias).argmax(axis=1)
    assert [labels[row] for row in said].count("garbage truck") >= 6


def test_each_level_describes_what_lies_in_its_place(
    teacher: ImageTeacher, shared_data: Path
) -> None:
    photo = torch.from_numpy(pictures(shared_data, 1)).permute(0, 3, 1, 2) / 255
    darker = photo.clone()
    darker[:, :, 192:, 192:] = 0  # a corner, far smaller than what the last cells see
    for level, before, after in zip(
        LEVELS, teacher.describe(photo), teacher.describe(darker), strict=True
    ):
        changed = (before - after).abs().mean(dim=1)[0]
        assert changed[-1, -1] > 0
        if level is EARLY:
            assert changed[: level.grid // 2, : level.grid // 2].max() == 0
        # Features end in ReLU6; the other levels have both signs.
        assert (float(before.min()) >= 0) == (level is FEATURES)


def test_the_order_of_photos_is_kept_whatever_the_number_of_threads(
    teacher: ImageTeacher, shared_data: Path
) -> None:
    photos = torch.from_numpy(pictures(shared_data, 5)).permute(0, 3, 1, 2) / 255
    together = teacher.describe(photos)
    for row in range(5):
        for all_maps, alone in zip(together, teacher.describe(photos[row : row + 1]), strict=True):
            assert torch.equal(all_maps[row], alone[0])


def test_whole_photos_are_described_once(
    teacher: ImageTeacher, shared_data: Path, tmp_path: Path
) -> None:
    photos, kept = pictures(shared_data, 3), tmp_path / "teacher.npy"
    first = whole_features(teacher, photos, kept)
    expected = teacher.describe(torch.from_numpy(photos).permute(0, 3, 1, 2) / 255)[-1]
    torch.testing.assert_close(first, expected.mean(dim=(2, 3)), rtol=0, atol=2e-3)
    # Black photos would be described otherwise, were they asked about.
    assert torch.equal(whole_features(teacher, np.zeros_like(photos), kept), first)
    assert not list(tmp_path.glob("*.partial*"))


def test_another_file_is_no_image_teacher(tmp_path: Path, shared_data: Path) -> None:
    content = bytearray((shared_data / "teacher" / MODEL_FILE).read_bytes())
    # The shape of the last feature map, as little-endian numbers, becomes another.
    shape = b"".join(
        n.to_bytes(4, "little") for n in (1, FEATURES.grid, FEATURES.grid, FEATURES.channels)
    )
    assert shape in content
    changed = content.replace(shape, shape[:-4] + (1281).to_bytes(4, "little"))
    (tmp_path / MODEL_FILE).write_bytes(changed)
    with pytest.raises(ValueError, match="not the MobileNetV2"):
        ImageTeacher(tmp_path, threads=1)


def test_the_text_teacher_puts_like_meanings_close() -> None:
    teacher = TextTeacher(Compute(torch.device("cpu"), half=False, compiled=False))
    texts = ["a dog runs on the beach", "a puppy is running by the sea", "a plate of sushi"]
    meanings = teacher.meanings(texts, "").astype(np.float32)
    assert np.linalg.norm(meanings, axis=1) == pytest.approx(1, abs=1e-2)
    assert meanings[0] @ meanings[1] > meanings[0] @ meanings[2] + 0.3


def test_texts_that_say_the_same_share_a_partner() -> None:
    corpus = Corpus()
    corpus.add("dog", ["dog"])
    corpus.add("狗", ["dog"])
    assert corpus.partners == ["dog"]
    assert corpus.rows == [(0,), (0,)]
