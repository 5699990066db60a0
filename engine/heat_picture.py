"""Draws an explanation: colours over a photo, and a sheet to be kept as a file."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from engine.explain import Explanation
from engine.types import FloatArray
from engine.verdict import Verdict

# Dark to bright: the ramp viridis (Smith and van der Walt, 2015). It gets lighter all the way, so
# that it can be read by colour-blind people and in grey prints too.
RAMP: Final = (
    (68, 1, 84), (70, 50, 127), (54, 92, 141), (39, 127, 142), (31, 161, 135), (74, 194, 109),
    (159, 218, 58), (253, 231, 37),
)  # fmt: skip
# How much of the colour shows, 0 to 1: below it the photo must still be recognised.
STRENGTH = 0.62

# Pillow brings English letters. For others it looks in the system's font folders for these.
FONTS: Final = (
    "NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "msyh.ttc", "simsun.ttc",
    "Hiragino Sans GB.ttc", "STHeiti Medium.ttc", "wqy-microhei.ttc", "DroidSansFallback.ttf",
    "DejaVuSans.ttf", "arial.ttf",
)  # fmt: skip

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_PAPER, _INK, _SOFT = "#ffffff", "#2c2a27", "#6d6860"
# Pixels: longer side of a photo on the sheet and of a word's photo; margin; space between words.
PHOTO_SIDE, _TILE, _EDGE, _GAP = 480, 149, 28, 16


def brightest(explanation: Explanation) -> tuple[float, float]:
    """What is drawn brightest: in the map of the caption, and in those of all words.

    One measure for all words, so that one that hardly counts has a dark map. 0 where nothing
    speaks for the caption.
    """
    words = [float(word.heat.max()) for word in explanation.words]
    return max(0.0, float(explanation.heat.max())), max(0.0, *words, 0.0)


def layer(heat: FloatArray, most: float, size: tuple[int, int]) -> Image.Image:
    """The colours of a map [G,G], RGBA, to be laid over a photo.

    From 0 and below, darkest, to ``most``, brightest; all dark where that is 0.
    """
    share = heat / most if most > 0 else np.zeros_like(heat)
    smooth = Image.fromarray(share.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    return _coloured(np.asarray(smooth))


def _coloured(share: FloatArray) -> Image.Image:
    steps = np.linspace(0, 1, len(RAMP))
    colours = [np.interp(share, steps, channel) for channel in zip(*RAMP, strict=True)]
    alpha = np.full_like(share, 255 * STRENGTH)
    return Image.fromarray(np.stack([*colours, alpha], axis=-1).round().astype(np.uint8))


def overlay(image: Image.Image, heat: FloatArray, most: float) -> Image.Image:
    """An RGB image in grey with the colours of a map over it, see `layer`."""
    grey = image.convert("L").convert("RGBA")
    return Image.alpha_composite(grey, layer(heat, most, image.size)).convert("RGB")


def font_for(text: str, size: int) -> Font | None:
    """A font that has every letter of ``text``, ``size`` pixels high; None if none is found."""
    for name in (None, *FONTS):
        try:
            font = ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
        except OSError:
            continue
        # What a font hasn't got, it draws as it draws what no font has.
        none = bytes(font.getmask("\U0010fffe"))
        if all(letter.isspace() or bytes(font.getmask(letter)) != none for letter in text):
            return font
    return None


def picture(image: Image.Image, found: Explanation, said: Verdict) -> Image.Image:
    """The photo, its map, and a small map for each word with its weight, on one sheet.

    Words are numbered instead where no font for them is found, see `font_for`.

    Args:
        said: the answer for the pair.
    """
    photo = ImageOps.contain(image, (PHOTO_SIDE, PHOTO_SIDE))
    tile = ImageOps.contain(image, (_TILE, _TILE))
    most, most_word = brightest(found)
    width = 2 * _EDGE + 2 * PHOTO_SIDE + _GAP
    columns = (width - 2 * _EDGE + _GAP) // (_TILE + _GAP)
    rows = -(-len(found.words) // columns)
    top = 92
    words_top = top + photo.height + 96
    row_height = tile.height + 58
    sheet = Image.new("RGB", (width, words_top + rows * row_height + _EDGE), _PAPER)
    draw = ImageDraw.Draw(sheet)
    head, small = ImageFont.load_default(24), ImageFont.load_default(15)
    lettering = font_for(found.caption, 17)
    draw.text((_EDGE, 20), f"Match probability {found.probability:.0%}: {said}", _INK, head)
    if lettering is not None:
        shown = _shortened(found.caption, lettering, width - 2 * _EDGE)
        draw.text((_EDGE, 56), shown, _INK, lettering)
    sheet.paste(photo, (_EDGE, top))
    sheet.paste(overlay(photo, found.heat, most), (_EDGE + PHOTO_SIDE + _GAP, top))
    _legend(sheet, draw, (_EDGE, top + photo.height + 20), small)
    draw.text(
        (_EDGE, words_top - 32),
        "Each word: how much the logit falls without it, and where the photo has what it adds",
        _SOFT, small,
    )  # fmt: skip
    for number, word in enumerate(found.words):
        x = _EDGE + number % columns * (_TILE + _GAP)
        y = words_top + number // columns * row_height
        sheet.paste(overlay(tile, word.heat, most_word), (x, y))
        name = str(number + 1) if lettering is None else _shortened(word.text, lettering, _TILE)
        draw.text((x, y + tile.height + 3), name, _INK, lettering or small)
        draw.text((x, y + tile.height + 29), f"{word.weight:+.2f}", _SOFT, small)
    return sheet


def _legend(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, place: tuple[int, int], font: Font
) -> None:
    ramp = _coloured(np.linspace(0, 1, 120, dtype=np.float32)[None].repeat(14, axis=0))
    sheet.paste(ramp.convert("RGB"), place)
    words = "dark: says nothing for the caption, or speaks against it;  bright: speaks for it most"
    draw.text((place[0] + 132, place[1] - 3), words, _SOFT, font)


def _shortened(text: str, font: Font, width: int) -> str:
    """The beginning of a text that fits into so many pixels."""
    kept = text
    while kept and font.getlength(kept if kept == text else f"{kept}...") > width:
        kept = kept[:-1]
    return kept if kept == text else f"{kept}..."
