from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.caption_bank import CaptionBank
from engine.encoding import encode_in_order
from engine.evaluation.breadth import is_held_out
from engine.matcher import load_matcher
from engine.paths import resources_dir
from engine.photos import find_photos
from engine.thresholds import highest_unrelated, thresholds_for
from engine.types import BoolArray, FloatArray

FRESH = 20_000
# The log-odds of synthetic photos: unrelated ones around -3, fitting ones around 3.
UNRELATED, FITTING = -3.0, 3.0


def unrelated(random: np.random.Generator, shape: tuple[int, ...], skewed: bool) -> FloatArray:
    noise = random.gumbel(-0.45, 1.2, shape) if skewed else random.normal(0, 1.5, shape)
    return (UNRELATED + noise).astype(np.float32)


def library(
    seed: int, photos: int, share: float, *, skewed: bool = False, captions: int = 5
) -> tuple[FloatArray, BoolArray]:
    """Log-odds [N, M], and which photos fit; ``share`` of the photos fit each caption, one each."""
    random = np.random.default_rng(seed)
    scores = unrelated(random, (photos, captions), skewed)
    fits = np.zeros(scores.shape, dtype=np.bool_)
    for column in range(captions):
        first = int(column * share * photos)
        fits[first : first + int(share * photos), column] = True
    scores[fits] = random.normal(FITTING, 1.5, int(fits.sum()))
    return scores, fits


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.18])
@pytest.mark.parametrize("false_alarms", [10, 50])
def test_further_unrelated_photos_match_as_seldom_as_promised(
    false_alarms: int, share: float, skewed: bool
) -> None:
    rates = []
    for seed in range(30):
        scores, _ = library(seed, 400, share, skewed=skewed)
        fresh = unrelated(np.random.default_rng(1000 + seed), (FRESH, scores.shape[1]), skewed)
        rates.append((fresh > thresholds_for(scores, false_alarms)).mean())
    # 150 thresholds: their mean is known to about a twentieth of itself.
    assert np.mean(rates) <= 1.1 / false_alarms


def test_photos_that_fit_are_found_although_they_are_many() -> None:
    found, counted_all = [], []
    for seed in range(10):
        scores, fits = library(seed, 400, 0.18)
        above = thresholds_for(scores, 50)
        found.append((scores > above)[fits].mean())
        plain = [highest_unrelated(column, np.ones(400), 50) for column in scores.T]
        counted_all.append((scores > np.array(plain))[fits].mean())
    assert np.mean(found) > 0.5
    assert np.mean(counted_all) < 0.15  # one in fifty of all, whatever they are


def test_a_single_caption_errs_on_the_strict_side() -> None:
    scores, fits = library(0, 400, 0.2, captions=1)
    matches = scores > thresholds_for(scores, 20)
    assert not matches[~fits].any()
    assert 0 < matches.sum() <= 400 / 20


def test_a_caption_that_fits_everything_errs_on_the_strict_side() -> None:
    scores, _ = library(0, 400, 0.1)
    scores[:, 0] = np.random.default_rng(1).normal(8, 1, 400)
    assert (scores[:, 0] > thresholds_for(scores, 20)[0]).mean() < 0.5


def test_too_few_photos_let_nothing_match() -> None:
    scores, _ = library(0, 40, 0.1)
    assert np.isinf(thresholds_for(scores, 50)).all()


@given(
    scores=st.lists(st.integers(-50, 50), min_size=1, max_size=200),
    false_alarms=st.integers(1, 60),
)
def test_of_photos_known_to_be_unrelated_no_more_match_than_allowed(
    scores: list[int], false_alarms: int
) -> None:
    values = np.array(scores, dtype=np.float32)
    above = highest_unrelated(values, np.ones(len(values)), false_alarms)
    matching = int((values > above).sum())
    assert matching == 0 or (matching + 1) / (len(values) + 1) <= 1 / false_alarms + 1e-9
    # With distinct scores, one more would be too many.
    if len(set(scores)) == len(scores) and np.isfinite(above):
        assert (matching + 2) / (len(values) + 1) > 1 / false_alarms - 1e-9


@pytest.mark.timeout(600)
def test_false_alarms_on_real_photos_are_as_few_as_wanted(shared_data: Path) -> None:
    names = ["daisy", "dandelion", "roses", "sunflowers", "tulips"]
    photos: list[Path] = []
    kinds: list[int] = []
    for kind, name in enumerate(names):
        own = [photo for photo in find_photos(shared_data / "flowers" / "train" / name)
               if is_held_out(photo)]  # fmt: skip
        photos += own
        kinds += [kind] * len(own)
    matcher = load_matcher(resources_dir() / "models" / "default")
    bank = CaptionBank(matcher, names)
    parts = []
    for _, images, _ in encode_in_order(matcher, photos):
        pairs = np.indices((len(images), len(names))).reshape(2, -1)
        parts.append(bank.log_odds(images, *pairs).reshape(-1, len(names)))
    scores = np.concatenate(parts)
    fits = np.array(kinds)[:, None] == np.arange(len(names))
    # By the model's own threshold nearly every flower is a tulip.
    assert (scores > 0)[~fits].mean() > 0.5
    for false_alarms in (10, 20, 50):
        matches = scores > thresholds_for(scores, false_alarms)
        assert matches[~fits].mean() <= 1 / false_alarms
        assert matches[fits].mean() > 2 / false_alarms
