from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.training.compute import Compute
from engine.training.corpus import Corpus, read_labels
from engine.training.image_teacher import CEILING, CHANNELS, GRID, MODEL_FILE, SIDE, ImageTeacher
from engine.training.photos import random_looks, whole_photos
from engine.training.teacher_cache import ask_for_views, ask_teacher, view_looks
from engine.training.text_teacher import TextTeacher


class Stub(ImageTeacher):
    """Says how red each cell of a photo is, in every channel."""

    def __init__(self) -> None:
        self.asked = 0

    def feature_maps(self, images: np.ndarray) -> np.ndarray:
        self.asked += len(images)
        cells = images[..., 0].reshape(len(images), GRID, SIDE // GRID, GRID, SIDE // GRID)
        return np.repeat(cells.mean(axis=(2, 4))[..., None], CHANNELS, axis=3).astype(np.uint8)


def photos(count: int = 3) -> np.ndarray:
    """Red on the right half."""
    made = np.zeros((count, 56, 56, 3), dtype=np.uint8)
    made[:, :, 28:, 0] = 255
    return made


def test_the_teacher_is_asked_once_about_each_crop(tmp_path: Path) -> None:
    teacher = Stub()
    first = ask_for_views(teacher, photos(), 2, 0.5, 7, tmp_path)
    again = ask_for_views(teacher, photos(), 2, 0.5, 7, tmp_path)
    assert teacher.asked == 6
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.maps, other.maps)
        assert np.array_equal(one.pooled, other.pooled)
        assert torch.equal(one.looks.crops.x, other.looks.crops.x)
    assert not list(tmp_path.glob("*.partial*"))


def test_a_view_that_was_not_finished_is_asked_again(tmp_path: Path) -> None:
    teacher = Stub()
    ask_teacher(teacher, photos(), whole_photos(3), tmp_path / "view", "")
    (tmp_path / "view.pooled.npy").unlink()
    ask_teacher(teacher, photos(), whole_photos(3), tmp_path / "view", "")
    assert teacher.asked == 6


def test_views_are_the_whole_photo_then_crops_then_mixtures() -> None:
    looks = [view_looks(number, 5, 50, 0.5, 7) for number in range(5)]
    assert (looks[0].crops.width == 1).all()
    assert all((look.crops.width < 1).any() for look in looks[1:])
    assert [bool((look.share < 1).any()) for look in looks] == [False] * 3 + [True] * 2
    assert min(float(look.share.min()) for look in looks) >= 0.5


def test_a_target_has_the_teacher_s_values_and_turns_with_the_photo(tmp_path: Path) -> None:
    view = ask_teacher(Stub(), photos(), whole_photos(3), tmp_path / "view", "")
    flipped = np.array([False, True, False])
    cells, pooled = view.target(np.arange(3), flipped, GRID, torch.device("cpu"))
    assert cells.shape == (3, GRID**2, CHANNELS)
    columns = cells.view(3, GRID, GRID, CHANNELS)[:, 0, :, 0]
    assert columns[0, -1] == pytest.approx(CEILING)
    assert columns[0, 0] == 0
    assert torch.equal(columns[1], columns[0].flip(0))
    assert pooled[:, 0].tolist() == pytest.approx([CEILING / 2] * 3, rel=0.2)


def test_a_smaller_grid_averages_the_kept_one(tmp_path: Path) -> None:
    looks = random_looks(3, 0.5, torch.Generator(), mixed=True)
    view = ask_teacher(Stub(), photos(), looks, tmp_path / "v", "")
    flipped = np.zeros(3, dtype=bool)
    fine, coarse = (
        view.target(np.arange(3), flipped, n, torch.device("cpu"))[0] for n in (GRID, 1)
    )
    torch.testing.assert_close(coarse[:, 0], fine.mean(dim=1))


def test_the_image_teacher_knows_what_it_sees(shared_data: Path) -> None:
    teacher = ImageTeacher(shared_data / "teacher")
    folder = shared_data / "photos" / "imagenette" / "n03417042"
    found = []
    for photo in sorted(folder.glob("*.jpg"))[:8]:
        with Image.open(photo) as image:
            found.append(np.asarray(image.convert("RGB").resize((SIDE, SIDE))))
    maps = teacher.feature_maps(np.stack(found)).astype(np.float32) * (CEILING / 255)
    assert maps.shape == (8, GRID, GRID, CHANNELS)
    labels = [label.english for label in read_labels()]
    said = (maps.mean(axis=(1, 2)) @ teacher.weight.T + teacher.bias).argmax(axis=1)
    assert [labels[row] for row in said].count("garbage truck") >= 6


def test_another_file_is_no_image_teacher(tmp_path: Path, shared_data: Path) -> None:
    content = bytearray((shared_data / "teacher" / MODEL_FILE).read_bytes())
    # The shape of the last feature map, as little-endian numbers, becomes another.
    shape = b"".join(n.to_bytes(4, "little") for n in (1, GRID, GRID, CHANNELS))
    assert shape in content
    changed = content.replace(shape, shape[:-4] + (1281).to_bytes(4, "little"))
    (tmp_path / MODEL_FILE).write_bytes(changed)
    with pytest.raises(ValueError, match="not the MobileNetV2"):
        ImageTeacher(tmp_path)


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
