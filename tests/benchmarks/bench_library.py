"""Memory and time of a library of 100,000 photos: indexing, searching, matching from the index.

    python tests/benchmarks/bench_library.py [PHOTOS ...]

The photos are tiny BMPs made here, and the encoder that indexes makes features of the shipped
model's size without it: what is measured is the library. Searching is done with the shipped pack.
Each step runs in a process of its own, whose peak memory is the system's own count.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from engine.encoding import encode_in_order
from engine.index import Library, index_folder
from engine.matcher import load_matcher
from engine.pack import open_pack
from engine.paths import default_pack_dir
from engine.photos import find_photos
from engine.query import Query
from engine.recall import recalled
from engine.search import search
from engine.types import FloatArray, ImageFeatures

RESULT = Path(__file__).resolve().parents[2] / "build" / "bench" / "library.json"
QUERIES = ("a dog on the beach", "two children in the snow", "一只猫")
SIDE = 4


class Encoder:
    """Features of the shipped model's name and size: random, but the same for the same pixels."""

    def __init__(self) -> None:
        pack = open_pack(default_pack_dir())
        self.model_id = pack.model_id
        self.pack_folder = pack.folder
        self.batch_size = 16
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


def make_photos(folder: Path, count: int) -> None:
    """Tiny BMPs in folders of a thousand."""
    rng = np.random.default_rng(1)
    header = bytes.fromhex(
        "424d660000000000000036000000280000000400000004000000010018000000000030000000"
        "130b0000130b00000000000000000000"
    )
    for number in range(count):
        if number % 1000 == 0:
            part = folder / f"{number // 1000:03}"
            part.mkdir(parents=True)
        pixels = rng.integers(0, 256, SIDE * SIDE * 3, dtype=np.uint8).tobytes()
        (part / f"IMG_{number:06}.bmp").write_bytes(header + pixels)


def index(folder: Path) -> dict[str, object]:
    report = index_folder(folder, Encoder())
    return {"indexed": report.indexed, "unchanged": report.unchanged}


def find(folder: Path) -> dict[str, object]:
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


def read_all(folder: Path) -> dict[str, object]:
    """As a batch does: nothing is decoded, but sizes and times of the photos are looked at."""
    encoder = Encoder()
    with recalled(folder, encoder.model_id) as known:
        parts = encode_in_order(encoder, find_photos(folder), known=known)
        seen = sum(len(features) for _, features, _ in parts)
    return {"read": seen}


STEPS = {"index": index, "index_again": index, "search": find, "read_all": read_all}


def step(name: str, folder: Path) -> None:
    start = time.perf_counter()
    found = STEPS[name](folder)
    found["seconds"] = round(time.perf_counter() - start, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found["peak_mb"] = round(peak / (1024**2 if sys.platform == "darwin" else 1024))
    print(json.dumps(found))


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or [10_000, 100_000]
    report: dict[str, object] = {"machine": platform.platform(), "processors": os.cpu_count()}
    for count in counts:
        place = Path(tempfile.mkdtemp(prefix="pairlens-bench-"))
        try:
            make_photos(place / "photos", count)
            environment = {**os.environ, "PAIRLENS_HOME": str(place / "home")}
            steps: dict[str, object] = {}
            for name in STEPS:
                done = subprocess.run(
                    [sys.executable, __file__, "--step", name, str(place / "photos")],
                    env=environment, stdout=subprocess.PIPE, text=True, check=True,
                )  # fmt: skip
                steps[name] = json.loads(done.stdout)
                print(f"{count:,} photos, {name}: {done.stdout.strip()}", flush=True)
            (file,) = (place / "home").rglob("*.sqlite")
            steps["file_mb"] = round(file.stat().st_size / 1e6)
            report[f"{count}"] = steps
        finally:
            shutil.rmtree(place)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        step(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
