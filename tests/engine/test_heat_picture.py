from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import heat_picture
from engine.explain import GRID, ExplainedWord, Explanation
from engine.heat_picture import RAMP, brightest, font_for, layer, overlay, picture
from engine.verdict import Verdict

HOT = (1, 6)


@pytest.fixture
def found() -> Explanation:
    """One hot cell, and two words: one that counts there and one that does not."""
    heat = np.full((GRID, GRID), -0.5, np.float32)
    heat[HOT] = 2.0
    words = (
        ExplainedWord("dog", 1.5, heat / 2),
        ExplainedWord("the", -0.01, np.zeros_like(heat)),
    )
    return Explanation(Path("photo.jpg"), "dog, the", 3.0, 0.95, True, heat, words)


def light(colour: tuple[int, ...]) -> float:
    return float(np.dot(colour[:3], (0.2126, 0.7152, 0.0722)))


def test_the_ramp_gets_lighter_all_the_way() -> None:
    steps = [light(colour) for colour in RAMP]
    assert steps == sorted(steps)
    assert steps[-1] - steps[0] > 150


def test_the_hot_cell_is_bright_and_what_speaks_against_is_darkest(found: Explanation) -> None:
    colours = layer(found.heat, 2.0, (GRID * 10, GRID * 10))
    row, column = HOT
    assert colours.getpixel((column * 10 + 5, row * 10 + 5))[:3] == pytest.approx(RAMP[-1], abs=25)
    assert colours.getpixel((5, 75))[:3] == RAMP[0]
    assert 0 < colours.getpixel((5, 75))[3] < 255


def test_where_nothing_speaks_for_the_caption_all_is_dark(found: Explanation) -> None:
    against = replace(found, heat=-abs(found.heat), words=())
    assert brightest(against) == (0, 0)
    colours = np.asarray(layer(against.heat, 0.0, (16, 16)))
    assert (colours[..., :3] == RAMP[0]).all()


def test_words_share_one_measure(found: Explanation) -> None:
    assert brightest(found) == (2.0, 1.0)


def test_the_photo_is_still_seen_beneath_its_map(found: Explanation) -> None:
    image = Image.new("RGB", (80, 80), "black")
    image.paste("white", (40, 0, 80, 80))
    shown = overlay(image, np.zeros((GRID, GRID), np.float32), 1.0)
    assert light(shown.getpixel((60, 40))) - light(shown.getpixel((20, 40))) > 60


@pytest.mark.parametrize("size", [(900, 300), (300, 900), (20, 20)])
def test_a_sheet_shows_photo_map_and_words(found: Explanation, size: tuple[int, int]) -> None:
    sheet = picture(Image.new("RGB", size, "#3366cc"), found, Verdict.MATCH)
    assert sheet.mode == "RGB"
    colours = {colour for _, colour in sheet.getcolors(1 << 24) or []}
    assert (0x33, 0x66, 0xCC) in colours
    more = picture(Image.new("RGB", size), replace(found, words=found.words * 10), Verdict.UNSURE)
    assert more.width == sheet.width
    assert more.height > sheet.height


def test_a_font_is_taken_only_if_it_has_the_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert font_for("a dog", 17) is not None
    monkeypatch.setattr(heat_picture, "FONTS", ("no such font.ttf",))
    assert font_for("a dog", 17) is not None
    assert font_for("狗", 17) is None


def test_without_a_font_the_words_are_numbered(
    found: Explanation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heat_picture, "FONTS", ())
    chinese = replace(
        found, caption="狗的", words=tuple(replace(w, text="狗") for w in found.words)
    )
    numbered = replace(
        found,
        caption="狗的",
        words=tuple(
            replace(word, text=str(number)) for number, word in enumerate(found.words, start=1)
        ),
    )
    image = Image.new("RGB", (300, 200), "#3366cc")
    one, other = (picture(image, pair, Verdict.MATCH) for pair in (chinese, numbered))
    assert one.tobytes() == other.tobytes()
