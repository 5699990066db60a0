"""What a model pack costs: bytes on disk, bytes kept for each photo, time of the processor."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.pace import DEFAULT
from engine.pack import MANIFEST, Pack
from engine.types import ImageFeatures

REPEATS = 5


def measure_footprint(pack: Pack, images: ImageFeatures) -> dict[str, Any]:
    """Bytes of the pack with and without its weights for torch, bytes kept for a photo, and speed.

    A pack runs without those weights. What is kept for a photo is what the index stores: the
    embedding in half precision and the tokens as they are.
    """
    files = pack.manifest.files.values()
    manifest = (pack.folder / MANIFEST).stat().st_size
    kept = images.embeddings.astype(np.float16).nbytes + images.tokens.nbytes
    return {
        "pack_bytes": manifest + sum(file.size for file in files),
        "pack_bytes_without_weights": manifest + sum(f.size for f in files if not f.optional),
        "bytes_per_photo": kept // len(images),
        "photos_per_cpu_second": photos_per_cpu_second(
            pack.folder, pack.manifest.preprocessing.shape
        ),
    }


def photos_per_cpu_second(folder: Path, shape: Sequence[int]) -> float:
    """Photos, of pixels of this shape, that one thread encodes in a second of processor time.

    The image graph alone, without decoding, in batches as the program makes them; the best of
    several repeats. Processor time, so that other programs at work change little.
    """
    # Only here is a library chosen.
    from engine.backends.onnx import OnnxGraphs, precision_of

    graphs = OnnxGraphs(folder, ["image"], precision_of(folder), threads=1)
    size = (DEFAULT.batch_size, *shape)
    pixels = np.random.default_rng(0).normal(size=size).astype(np.float32)
    graphs.run_graph("image", pixels=pixels)  # the first run sets up memory
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        graphs.run_graph("image", pixels=pixels)
        seconds.append(time.process_time() - start)
    return DEFAULT.batch_size / min(seconds)
