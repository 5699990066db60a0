"""Memory and time of a library of 100,000 photos: indexing, searching, matching from the index.

    python tests/benchmarks/bench_library.py [PHOTOS ...]

The photos are tiny BMPs made here, and the encoder that indexes makes features of the shipped
model's size without it: what is measured is the library. Searching is done with the shipped pack.
Each step runs in a process of its own, whose peak memory is the system's own count.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from side_by_side import keep
from stepwise import SIDE, make_photos, measured, step

from engine.encoding import encode_in_order
from engine.index import Library, index_folder
from engine.installed import used
from engine.matcher import load_matcher
from engine.pack import open_pack
from engine.photos import find_photos
from engine.query import Query
from engine.recall import recalled
from engine.search import search
from engine.types import FloatArray, ImageFeatures

QUERIES = ("a dog on the beach", "two children in the snow", "一只猫")


class Encoder:
    """Features of the shipped model's name and size: random, but the same for the same pixels."""

    def __init__(self) -> None:
        pack = used(open_pack)[0]
        self.model_id = pack.model_id
        self.pack_folder = pack.folder
        self.batch_size, self.decode_threads = 16, 2
        self.looks_again = False
        shape = pack.manifest.model
        self._tokens = (shape.image_tokens, shape.token_width)
        self._mix = np.random.default_rng(0).normal(size=(SIDE * SIDE * 3, shape.embedding))

    def prepare(self, photo: Path) -> FloatArray:
        content = np.frombuffer(photo.read_bytes()[-SIDE * SIDE * 3 :], np.uint8)
        return content.astype(np.float32)

    def encode(self, pixels: FloatArray) -> ImageFeatures:
        embeddings = (pixels - 127) @ self._mix
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
        count, size = self._tokens
        tokens = np.resize(pixels, (len(pixels), count, size)).astype(np.int8)
        return ImageFeatures(embeddings.astype(np.float32), tokens)


def index(place: Path) -> dict[str, object]:
    report = index_folder(place / "photos", Encoder())
    return {"indexed": report.indexed, "unchanged": report.unchanged}


def find(place: Path) -> dict[str, object]:
    folder = place / "photos"
    matcher = load_matcher()
    library = Library.find(folder)
    assert library is not None
    seconds = []
    with closing(library):
        for query in QUERIES:
            start = time.perf_counter()
            search(matcher, library, Query(query, folder=folder))
            seconds.append(round(time.perf_counter() - start, 2))
    return {"seconds_each": seconds}


def read_all(place: Path) -> dict[str, object]:
    """As a batch does: nothing is decoded, but sizes and times of the photos are looked at."""
    folder, encoder = place / "photos", Encoder()
    with recalled(folder, encoder.model_id) as known:
        parts = encode_in_order(encoder, find_photos(folder), known=known)
        seen = sum(len(features) for _, features, _ in parts)
    return {"read": seen}


STEPS = {"index": index, "index_again": index, "search": find, "read_all": read_all}


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or [10_000, 100_000]
    report: dict[str, object] = {}
    for count in counts:
        place = Path(tempfile.mkdtemp(prefix="pairlens-bench-"))
        try:
            make_photos(place / "photos", count)
            steps = measured(STEPS, place, f"{count:,} photos")
            (file,) = (place / "home").rglob("*.sqlite")
            steps["file_mb"] = round(file.stat().st_size / 1e6)
            report[f"{count}"] = steps
        finally:
            shutil.rmtree(place)
    keep("library", report)


if __name__ == "__main__":
    if not step(STEPS):
        main()
