"""The families of models that packs can be made of, by what `config.json` calls them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.training.convert.blip import blip
from engine.training.convert.clip import chinese_clip, clip
from engine.training.convert.foreign import Foreign, NotConvertible, read_json
from engine.training.convert.siglip import siglip, siglip2
from engine.training.convert.vilt import vilt

FAMILIES: dict[str, Callable[[Path], Foreign]] = {
    "clip": clip,
    "chinese_clip": chinese_clip,
    "siglip": siglip,
    "siglip2": siglip2,
    "blip": blip,
    "vilt": vilt,
}


def read_foreign(folder: Path) -> Foreign:
    """The model in a folder as the Hugging Face hub has them. Raises NotConvertible."""
    kind = read_json(folder, "config.json").get("model_type")
    read = FAMILIES.get(str(kind))
    if read is None:
        raise NotConvertible(
            f"config.json calls its family {kind}, and known are {', '.join(FAMILIES)}"
        )
    return read(folder)
