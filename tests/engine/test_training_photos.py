from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.caption_set import read_caption_set
from engine.evaluation.breadth import is_held_out
from engine.training.photos import (
    Crops,
    Looks,
    cache_photos,
    degrade,
    more_photos,
    normalise,
    random_crops,
    random_looks,
    recolour,
    whole,
)
from engine.training.recipe import read_recipe
from tests.fixtures.caption_data import write_caption_data


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def test_the_whole_photo_at_its_own_size_is_the_photo() -> None:
    photos = noise(2, 32)
    cut = whole(2).cut(photos, 32)
    assert cut.shape == (2, 3, 32, 32)
    expected = torch.from_numpy(photos).permute(0, 3, 1, 2) / 255
    torch.testing.assert_close(cut, expected, rtol=0, atol=1e-5)


def test_a_mirrored_crop_shows_the_same_place_turned() -> None:
    photos, crops = noise(6, 40), random_crops(6, 0.5, generator())
    flipped = torch.tensor([True, False, True, False, True, False])
    plain, turned = crops.cut(photos, 24), crops.mirrored(flipped).cut(photos, 24)
    torch.testing.assert_close(turned[flipped], plain[flipped].flip(3), rtol=0, atol=1e-4)
    torch.testing.assert_close(turned[~flipped], plain[~flipped])


def test_a_crop_in_the_corner_shows_the_corner() -> None:
    photos = np.zeros((1, 64, 64, 3), dtype=np.uint8)
    photos[:, :32, 32:] = 255  # top right
    half = torch.tensor([0.5])
    corner = Crops(half, half, torch.tensor([0.5]), torch.tensor([-0.5]))
    assert corner.cut(photos, 16)[..., 1:-1, 1:-1].min() > 0.99


def test_random_crops_lie_inside_the_photo_and_have_at_least_the_area_asked_for() -> None:
    crops = random_crops(500, 0.35, generator())
    assert (crops.x.abs() + crops.width <= 1 + 1e-6).all()
    assert (crops.y.abs() + crops.height <= 1 + 1e-6).all()
    # Where the stretch would leave the photo, it is cut off.
    assert (crops.width * crops.height >= 0.35 * 0.8).all()
    assert (crops.width * crops.height).std() > 0.1


def test_a_mixture_is_both_photos_by_their_shares() -> None:
    photos = noise(3, 32)
    looks = Looks(whole(3), whole(3), torch.tensor([1, 2, 0]), torch.tensor([0.75, 0.5, 1.0]))
    seen = looks.show(photos, 32)
    each = torch.from_numpy(photos).permute(0, 3, 1, 2) / 255
    expected = torch.stack((0.75 * each[0] + 0.25 * each[1], 0.5 * (each[1] + each[2]), each[2]))
    torch.testing.assert_close(seen, expected, rtol=0, atol=1e-5)


def test_looks_mix_the_share_of_photos_asked_for_each_with_one_other() -> None:
    some, alone = (random_looks(600, 0.5, mixed, generator()) for mixed in (0.4, 0.0))
    assert sorted(some.other.tolist()) == list(range(600))
    mixed = some.share[some.share < 1]
    assert 0.3 * 600 < len(mixed) < 0.5 * 600
    assert 0.5 <= mixed.min() < 0.6 < 0.9 < mixed.max()
    assert (alone.share == 1).all()


def test_about_half_of_the_looks_are_mirrored() -> None:
    looks = random_looks(600, 0.5, 0.5, generator())
    for crops in (looks.crops, looks.over):
        assert 0.4 < (crops.width < 0).float().mean() < 0.6


def test_recolouring_by_nothing_changes_nothing_and_by_much_stays_in_range() -> None:
    x, how = torch.rand(4, 3, 8, 8, generator=generator()), read_recipe().augment
    torch.testing.assert_close(recolour(x, replace(how, colour=0.0), generator()), x)
    changed = recolour(x, replace(how, colour=0.9), generator())
    assert 0 <= changed.min() <= changed.max() <= 1
    assert (changed - x).abs().max() > 0.1


def test_a_share_of_the_photos_is_degraded_each_way_and_the_rest_untouched() -> None:
    x = torch.rand(600, 3, 16, 16, generator=generator())
    changed = degrade(x.clone(), 0.2, generator(1))
    touched = (changed != x).flatten(1).any(dim=1).float().mean().item()
    assert touched == pytest.approx(0.6, abs=0.06)
    assert 0 <= changed.min() <= changed.max() <= 1
    assert torch.equal(degrade(x.clone(), 0.0, generator()), x)


def test_over_compression_leaves_flat_photos_alone_and_takes_detail_away() -> None:
    flat = torch.full((3, 3, 16, 16), 0.5)
    detailed = torch.rand(3, 3, 16, 16, generator=generator())
    # With a third for each way, and three photos, one is compressed for some seed.
    for seed in range(20):
        kinds = torch.rand(3, generator=generator(seed)) / (1 / 3)
        if (kinds >= 2).all():
            break
    both = [degrade(x.clone(), 1 / 3, generator(seed)) for x in (flat, detailed)]
    torch.testing.assert_close(both[0], flat, rtol=0, atol=0.02)
    assert both[1].var() < detailed.var()
    assert (both[1] - detailed).abs().mean() > 0.01


def test_pixels_have_the_mean_and_spread_of_natural_photos_taken_out() -> None:
    x = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    assert normalise(x).abs().max() < 1e-6


def test_a_tenth_of_the_further_photos_is_never_trained_on(tmp_path: Path) -> None:
    for number in range(400):
        (tmp_path / f"{number:04}.jpg").touch()
    kept = more_photos(tmp_path)
    assert kept == sorted(kept)
    assert len(kept) == pytest.approx(360, abs=20)
    assert not any(is_held_out(photo) for photo in kept)


def test_cached_photos_are_decoded_once(tmp_path: Path) -> None:
    data = write_caption_data(tmp_path / "data", 3, 1, 1)
    photos = read_caption_set(data, "train", "en").photos
    path = tmp_path / "photos.npy"
    first = cache_photos(photos, 16, path)
    assert first.shape == (3, 16, 16, 3)
    for photo in photos:
        photo.unlink()
    assert np.array_equal(cache_photos(photos, 16, path), first)
