"""The maps find what the model's answer hangs on; docs/lab-log.md has the whole measurement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.caption_set import CaptionSet, read_caption_set
from engine.matcher import load_matcher
from engine.metrics import bootstrap_interval
from tests.benchmarks.faithfulness import Vector, lowered, measure

PHOTOS = 24


@pytest.fixture(scope="module")
def found(shared_data: Path) -> dict[str, Vector]:
    captions = read_caption_set(shared_data / "flickr8k", "val", "en")
    # From all over the split.
    some = np.linspace(0, len(captions.photos) - 1, PHOTOS).astype(int)
    chosen = CaptionSet([captions.photos[n] for n in some], [captions.captions[n] for n in some])
    return measure(load_matcher(), chosen)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("cover_with", ["mean", "blur"])
@pytest.mark.parametrize("against", ["random", "centre"])
def test_covering_what_the_map_shows_lowers_the_logit_faster(
    found: dict[str, Vector], cover_with: str, against: str
) -> None:
    low, _ = bootstrap_interval(lowered(found, f"{cover_with} caption", "map", against))
    assert low > 0


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("against", ["random", "centre"])
def test_covering_what_a_words_map_shows_takes_away_what_the_word_adds(
    found: dict[str, Vector], against: str
) -> None:
    low, _ = bootstrap_interval(lowered(found, "blur word", "word", against))
    assert low > 0
