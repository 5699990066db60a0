"""Libraries and queries made up: what is measured with them is the library, not what is found."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine import cards
from engine.captions import as_captions
from engine.pack import open_pack
from engine.paths import shipped_pack_dir
from engine.store import PhotoRow, Store
from engine.types import Caption, FloatArray, ImageFeatures, PhotoDetails

CAPTIONS = 40
WHO = ("a dog", "two children", "an old man", "a woman in red", "a brown horse", "some people")
WHAT = ("runs", "sits", "plays with a ball", "looks at the camera", "jumps", "is walking")
WHERE = ("on the beach", "in the snow", "in front of a house", "on a busy street", "in the water")
AT_ONCE = 5_000


def captions() -> list[Caption]:
    drawn = random.Random(0)
    wanted: dict[str, None] = {}
    while len(wanted) < CAPTIONS:
        wanted[" ".join(drawn.choice(part) for part in (WHO, WHAT, WHERE))] = None
    return as_captions(list(wanted))


def embeddings(count: int, size: int) -> Iterator[FloatArray]:
    """Float32 [<= AT_ONCE, size] each, of length 1, ``count`` in all."""
    rng = np.random.default_rng(0)
    for start in range(0, count, AT_ONCE):
        found = rng.standard_normal((min(AT_ONCE, count - start), size), dtype=np.float32)
        yield found / np.linalg.norm(found, axis=1, keepdims=True)


def photo_name(number: int) -> str:
    """Where a photo is in its library's folder, a thousand in each folder below."""
    return f"{number // 1000:04}/IMG_{number:07}.jpg"


def make_library(folder: Path, count: int, token_count: int | None = None) -> None:
    """A library of photos that are not there, with features of the shipped model's size.

    With a ``token_count`` photos have so many tokens, and can't be fused.
    """
    folder.mkdir(parents=True)
    pack = open_pack(shipped_pack_dir())
    card = cards.new_card(folder.resolve())
    card.write()
    store = Store(card.file)
    store.add_root(folder.resolve())
    store.set_places(1, {b"": Path(folder.resolve().anchor)})
    shape, begin, rng = pack.manifest.model, 0, np.random.default_rng(1)
    each = token_count or shape.image_tokens, shape.token_width
    for part in embeddings(count, shape.embedding):
        rows = [_photo(begin + number) for number in range(len(part))]
        tokens = rng.integers(-127, 128, (len(part), *each), np.int8)
        store.save_encoded(1, rows, pack.model_id, ImageFeatures(part, tokens), pack.folder)
        begin += len(part)
    store.close()


def _photo(number: int) -> PhotoRow:
    details = PhotoDetails(f"20{number % 20:02}-{1 + number % 12:02}-01T10:00:00", 4000, 3000)
    content = number.to_bytes(16, "little")
    return PhotoRow(photo_name(number).encode(), 3_000_000, 1, content, None, details)
