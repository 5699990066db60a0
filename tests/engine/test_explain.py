from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import CaptionEmpty, PhotoMissing
from engine.explain import (
    COVERINGS,
    GRID,
    WORD_PAIRS,
    coverings,
    encode_shown,
    explain,
    heat,
    strongest_word,
)
from engine.matcher import load_matcher
from engine.types import FloatArray
from tests.fixtures.patch_model import bright_cells, patch_matcher

DOG, CAT = (2, 5), (6, 1)


def hottest(cells: FloatArray) -> tuple[int, ...]:
    return tuple(int(place) for place in np.unravel_index(cells.argmax(), cells.shape))


def test_the_map_shows_the_one_place_the_answer_hangs_on(tmp_path: Path) -> None:
    matcher, _ = patch_matcher({"dog": DOG})
    found = explain(matcher, bright_cells(tmp_path / "photo.png", DOG, CAT), "a dog runs")
    assert found.logit > 1
    assert found.heat.shape == (GRID, GRID)
    assert found.heat.dtype == np.float32
    assert hottest(found.heat) == DOG
    assert found.heat[CAT] < found.heat[DOG] / 2
    assert found.match == (found.probability >= matcher.threshold)


def test_a_word_weighs_what_the_logit_loses_without_it(tmp_path: Path) -> None:
    matcher, _ = patch_matcher({"dog": DOG})
    found = explain(matcher, bright_cells(tmp_path / "photo.png", DOG), "a dog runs")
    assert [word.text for word in found.words] == ["a", "dog", "runs"]
    assert [word.weight for word in found.words] == pytest.approx([0, found.logit, 0])
    assert not found.words[0].heat.any()


def test_each_word_has_the_map_of_its_own_place(tmp_path: Path) -> None:
    matcher, _ = patch_matcher({"dog": DOG, "cat": CAT})
    found = explain(matcher, bright_cells(tmp_path / "photo.png", DOG, CAT), "a dog and a cat")
    heats = {word.text: word.heat for word in found.words}
    assert hottest(heats["dog"]) == DOG
    assert hottest(heats["cat"]) == CAT
    np.testing.assert_allclose(heats["dog"] + heats["cat"], found.heat, atol=1e-5)


def test_what_speaks_against_the_caption_is_below_zero(tmp_path: Path) -> None:
    matcher, _ = patch_matcher({"dog": DOG})
    everything_else = [
        (row, column) for row in range(GRID) for column in range(GRID) if (row, column) != DOG
    ]
    found = explain(matcher, bright_cells(tmp_path / "photo.png", *everything_else), "a dog")
    assert found.logit < 0
    assert hottest(-found.heat) == DOG
    assert found.heat[DOG] < 0


def test_a_caption_of_one_word_is_compared_with_no_caption(tmp_path: Path) -> None:
    matcher, _ = patch_matcher({"dog": DOG})
    (word,) = explain(matcher, bright_cells(tmp_path / "photo.png", DOG), "Dog!").words
    assert word.text == "Dog"
    assert word.weight > 1


def test_a_caption_of_signs_alone_has_a_map_and_no_words(tmp_path: Path) -> None:
    matcher, _ = patch_matcher({"dog": DOG})
    found = explain(matcher, bright_cells(tmp_path / "photo.png", DOG), "♥")
    assert found.words == ()
    assert not found.heat.any()


def test_long_captions_take_no_longer_than_agreed(tmp_path: Path) -> None:
    matcher, backend = patch_matcher({"dog": DOG})
    caption = " ".join(["a dog and a man"] * 8)
    found = explain(matcher, bright_cells(tmp_path / "photo.png", DOG), caption)
    assert len(found.words) == 40
    assert backend.fused <= COVERINGS + WORD_PAIRS * 41 / 40 + 1 + 41


def test_the_strongest_word_is_told_with_what_the_answer_is_without_it(tmp_path: Path) -> None:
    matcher, _ = patch_matcher({"dog": DOG, "cat": CAT})
    photo = matcher.encode(matcher.prepare(bright_cells(tmp_path / "photo.png", DOG))[None])
    found = strongest_word(matcher, photo, "a cat and a dog")
    whole = explain(matcher, tmp_path / "photo.png", "a cat and a dog")
    assert found is not None
    word, with_it, without_it = found
    assert word == "dog"
    assert with_it == pytest.approx(whole.probability, abs=1e-4)
    assert without_it == pytest.approx(
        explain(matcher, tmp_path / "photo.png", "a cat and a").probability, abs=1e-4
    )
    assert strongest_word(matcher, photo, "a b c") is None
    assert strongest_word(matcher, photo, "?!") is None


def test_half_of_the_coverings_show_what_the_others_cover() -> None:
    shown = coverings()
    assert shown.shape == (COVERINGS, GRID, GRID)
    assert (shown[::2] == ~shown[1::2]).all()
    assert (shown == coverings()).all()
    parted = shown[::2].reshape(COVERINGS // 2, -1).T
    assert len({column.tobytes() for column in parted}) == GRID * GRID


def test_heat_is_the_mean_while_shown_less_the_mean_while_covered() -> None:
    shown = np.array([[[True, False]], [[False, True]], [[True, True]], [[False, False]]])
    logits = np.array([4.0, 1.0, 6.0, 2.0], np.float32)
    assert heat(shown, logits).tolist() == [[3.5, 0.5]]


def test_covered_parts_have_the_mean_colour(tmp_path: Path) -> None:
    matcher, _ = patch_matcher({"dog": DOG, "cat": CAT})
    pixels = matcher.prepare(bright_cells(tmp_path / "photo.png", DOG))
    shown = np.ones((1, GRID, GRID), np.bool_)
    shown[0][DOG] = False
    seen = encode_shown(matcher, pixels, shown).embeddings[0]
    whole = matcher.encode(pixels[None]).embeddings[0]
    assert seen[0] == pytest.approx(float(pixels.mean()), abs=1e-4)
    assert seen[1] == pytest.approx(float(whole[1]), abs=1e-5)


def test_the_logit_is_that_of_the_match_and_twice_the_same(tmp_path: Path) -> None:
    matcher, caption = load_matcher(), "a white square"
    photo = bright_cells(tmp_path / "photo.png", DOG)
    first, again = (explain(matcher, photo, caption) for _ in range(2))
    (match,) = matcher.match([photo], [caption])
    assert first.logit == match.logit
    assert first.probability == match.probability
    assert (first.heat == again.heat).all()
    assert [word.weight for word in first.words] == [word.weight for word in again.words]


def test_what_cannot_be_explained_is_named(tmp_path: Path) -> None:
    matcher, _ = patch_matcher({"dog": DOG})
    with pytest.raises(CaptionEmpty):
        explain(matcher, bright_cells(tmp_path / "photo.png", DOG), " . ")
    with pytest.raises(PhotoMissing):
        explain(matcher, tmp_path / "none.jpg", "a dog")
