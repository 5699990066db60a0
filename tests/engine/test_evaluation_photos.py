"""What `evaluate` does with photos: worse ones, ones of many kinds, and what they cost."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from PIL import Image

from engine.backends.onnx import OnnxGraphs
from engine.caption_set import CaptionSet, read_caption_set
from engine.errors import FolderMissing, NoPhotos, TableUnreadable
from engine.evaluation import footprint
from engine.evaluation.breadth import is_held_out, measure_breadth
from engine.evaluation.features import EncodedSet, encode_photos
from engine.evaluation.footprint import measure_footprint, photos_per_cpu_second
from engine.evaluation.pairs import PairScores, pair_scores
from engine.evaluation.robustness import (
    CORRUPTIONS,
    SIDE,
    CorruptedPhotos,
    blurred,
    compressed,
    darkened,
    measure_robustness,
    mistyped,
    noisy,
)
from engine.matcher import Matcher
from engine.pack import MANIFEST, Pack, PackFile, read_manifest
from engine.types import ImageFeatures
from tests.fixtures import photos as made
from tests.fixtures.caption_data import write_caption_data
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher

if TYPE_CHECKING:
    from tests.fixtures.tiny_pack import TinyPack


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def image() -> Image.Image:
    return made.corners(SIDE, SIDE)


def test_every_corruption_keeps_mode_and_size(
    image: Image.Image, generator: np.random.Generator
) -> None:
    for name, corruption in CORRUPTIONS.items():
        worse = corruption(image, generator)
        assert (worse.mode, worse.size) == ("RGB", image.size), name
        assert np.any(np.asarray(worse) != np.asarray(image)), name


def test_darkened_photos_have_about_a_third_of_their_values(
    image: Image.Image, generator: np.random.Generator
) -> None:
    found = np.asarray(darkened(image, generator), np.float32)
    np.testing.assert_allclose(found, 0.35 * np.asarray(image, np.float32), atol=1)


def test_noise_has_a_deviation_of_a_tenth(generator: np.random.Generator) -> None:
    grey = Image.new("RGB", (SIDE, SIDE), (128, 128, 128))
    values = np.asarray(noisy(grey, generator), np.float64) / 255
    assert values.std() == pytest.approx(0.1, rel=0.02)
    assert values.mean() == pytest.approx(128 / 255, abs=2e-3)


def test_blur_widens_an_edge_by_its_radius(generator: np.random.Generator) -> None:
    edge = Image.new("RGB", (60, 60), "black")
    edge.paste("white", (30, 0, 60, 60))
    row = np.asarray(blurred(edge, generator), np.float64)[30, :, 0] / 255
    slope = np.diff(row)
    centre = np.average(np.arange(59), weights=slope)
    assert np.sqrt(np.average((np.arange(59) - centre) ** 2, weights=slope)) == pytest.approx(
        2, rel=0.1
    )


def test_compression_loses_detail_and_keeps_the_colour(generator: np.random.Generator) -> None:
    before, after = made.noise(SIDE, SIDE), compressed(made.noise(SIDE, SIDE), generator)
    assert np.asarray(after).std() < 0.8 * np.asarray(before).std()
    assert np.asarray(after).mean() == pytest.approx(np.asarray(before).mean(), abs=3)


def test_worse_photos_are_the_same_each_time_and_differ_from_one_another(tmp_path: Path) -> None:
    photos = [made.save(made.corners(), tmp_path / f"{name}.png") for name in "ab"]
    worse = CorruptedPhotos(cast(Matcher, FakeMatcher()), noisy)
    first, again = worse.prepare(photos[0]), worse.prepare(photos[0])
    np.testing.assert_array_equal(first, again)
    assert np.any(first != worse.prepare(photos[1]))


def test_one_or_two_words_are_mistyped_and_no_others(generator: np.random.Generator) -> None:
    caption = "a brown dog is running on the beach"
    for _ in range(200):
        words = mistyped(caption, generator).split(" ")
        changed = [
            (old, new) for old, new in zip(caption.split(), words, strict=True) if old != new
        ]
        assert len(changed) == 2
        for old, new in changed:
            assert len(old) >= 3
            if len(new) == len(old):
                places = [at for at in range(len(old)) if old[at] != new[at]]
                assert places == [places[0], places[0] + 1]
                assert Counter(old) == Counter(new)
            else:
                assert any(new == old[:at] + old[at + 1 :] for at in range(len(old)))


@pytest.mark.parametrize("caption", ["ox", "it is on", "a"])
def test_short_words_are_left_alone(caption: str, generator: np.random.Generator) -> None:
    assert mistyped(caption, generator) == caption


def test_a_swap_of_two_equal_letters_becomes_a_missing_letter(
    generator: np.random.Generator,
) -> None:
    assert {mistyped("ooo", generator) for _ in range(20)} == {"oo"}


def colours(folder: Path) -> EncodedSet:
    names = {"red": "red", "green": "lime", "blue": "blue"}
    photos = [coloured_photo(folder / f"{name}.png", paint) for name, paint in names.items()]
    matcher = cast(Matcher, FakeMatcher())
    found = CaptionSet(photos, [[f"it is {name} now"] for name in names])
    return EncodedSet.encode(matcher, found, encode_photos(matcher, photos))


def test_drops_are_from_the_clean_area_under_the_curve(tmp_path: Path) -> None:
    matcher, encoded = cast(Matcher, FakeMatcher()), colours(tmp_path)
    clean = pair_scores(matcher, encoded.images, encoded.texts, encoded.captions)
    found = measure_robustness(matcher, encoded, clean)
    # Mean colours survive all that is done to photos; words that are mistyped name no colour.
    for name in CORRUPTIONS:
        assert (found[name]["auc"], found[name]["drop"]) == (1, 0)
        assert found[name]["drop_interval"] == (0, 0)
    assert found["mistyped"]["auc"] < 1
    assert found["mistyped"]["drop"] == pytest.approx(1 - found["mistyped"]["auc"])
    worst = PairScores(-clean.logits, clean.actual)
    assert measure_robustness(matcher, encoded, worst)["darkened"]["drop"] == -1


def test_one_photo_in_ten_is_held_out_by_its_name() -> None:
    names = [f"{number}.jpg" for number in range(4000)]
    held = [name for name in names if is_held_out(Path("some", "where", name))]
    assert len(held) / len(names) == pytest.approx(0.1, abs=0.02)
    for name in names[:300]:
        byte = hashlib.sha256(name.encode()).digest()[0]
        assert (name in held) == (byte % 10 == 0)


def held_out(kept: bool, start: int = 0) -> str:
    return next(
        name
        for name in (f"{number}.png" for number in range(start, start + 1000))
        if is_held_out(Path(name)) == kept
    )


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.tsv"
    path.write_text(
        "folder\tenglish\tchinese\n"
        "set/reds\tred\tred 红\n"
        "set/wrong\tgreen\tblue 蓝\n"
        "set/trained\tblue\t蓝\n",
        encoding="utf-8",
    )
    folder = tmp_path / "kinds" / "set"
    for number in range(12):
        coloured_photo(folder / "reds" / str(number) / held_out(True), "red")
    coloured_photo(folder / "wrong" / held_out(True), "blue")
    coloured_photo(folder / "trained" / held_out(False), "blue")
    return path


def test_breadth_asks_whether_a_labels_photo_is_among_the_nearest(
    labels: Path, tmp_path: Path
) -> None:
    found = measure_breadth(cast(Matcher, FakeMatcher()), labels, tmp_path / "kinds")
    # The label of which every photo may have been trained on is left out.
    assert (found["labels"], found["photos"]) == (2, 13)
    # "green" is as unlike all of them, and ties earn nothing; "blue" finds its photo.
    assert found["languages"]["en"]["r10"] == 0.5
    assert found["languages"]["zh"]["r10"] == 1


def test_folders_with_the_same_words_are_one_label(labels: Path, tmp_path: Path) -> None:
    row = "set/more\tred\tred 红\nset/gone\tyellow\t黄\n"
    labels.write_text(labels.read_text("utf-8") + row, encoding="utf-8")
    coloured_photo(tmp_path / "kinds" / "set" / "more" / held_out(True), "red")
    found = measure_breadth(cast(Matcher, FakeMatcher()), labels, tmp_path / "kinds")
    assert (found["labels"], found["photos"]) == (2, 14)


def test_breadth_says_what_is_missing(labels: Path, tmp_path: Path) -> None:
    matcher = cast(Matcher, FakeMatcher())
    with pytest.raises(FolderMissing, match="nowhere"):
        measure_breadth(matcher, labels, tmp_path / "nowhere")
    with pytest.raises(NoPhotos):
        measure_breadth(matcher, labels, tmp_path / "kinds" / "set")
    labels.write_text("folder\tenglish\nset/reds\tred\n", encoding="utf-8")
    with pytest.raises(TableUnreadable, match="chinese"):
        measure_breadth(matcher, labels, tmp_path / "kinds")
    labels.write_text("folder\tenglish\tchinese\nset/trained\tblue\t蓝\n", encoding="utf-8")
    with pytest.raises(NoPhotos):
        measure_breadth(matcher, labels, tmp_path / "kinds")


def test_the_footprint_counts_the_packs_files_and_what_the_index_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / MANIFEST).write_text("x" * 100)
    manifest = SimpleNamespace(
        files={
            "image.int8.onnx": PackFile("", 4000),
            "weights.safetensors": PackFile("", 8000, optional=True),
        },
        preprocessing=SimpleNamespace(shape=(3, 64, 64)),
    )
    pack = cast(Pack, SimpleNamespace(folder=tmp_path, manifest=manifest))
    monkeypatch.setattr(footprint, "photos_per_cpu_second", lambda folder, shape: 7.0)
    images = ImageFeatures(np.ones((3, 256), np.float32), np.ones((3, 25, 80), np.int8))
    assert measure_footprint(pack, images) == {
        "pack_bytes": 12100,
        "pack_bytes_without_weights": 4100,
        "bytes_per_photo": 512 + 2000,
        "photos_per_cpu_second": 7.0,
    }


def test_speed_is_measured_with_one_thread(
    tiny_pack: TinyPack, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Watched(OnnxGraphs):
        def __init__(
            self, folder: Path, graphs: Sequence[str], precision: str = "int8", threads: int = 0
        ) -> None:
            asked.append(threads)
            super().__init__(folder, graphs, precision, threads)

    monkeypatch.setattr("engine.backends.onnx.OnnxGraphs", Watched)
    shape = read_manifest(tiny_pack.folder).preprocessing.shape
    assert photos_per_cpu_second(tiny_pack.folder, shape) > 0
    assert asked == [1]


def test_worse_photos_of_a_data_set_can_all_be_encoded(tmp_path: Path) -> None:
    found = read_caption_set(write_caption_data(tmp_path / "data"), "test", "en")
    matcher = cast(Matcher, FakeMatcher())
    for corruption in CORRUPTIONS.values():
        assert len(encode_photos(CorruptedPhotos(matcher, corruption), found.photos)) == 10
