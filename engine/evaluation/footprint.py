"""What a model pack costs: bytes on disk, bytes kept for each photo, time of the processor."""

from __future__ import annotations

import time
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
            pack.folder, pack.manifest.preprocessing.size
        ),
    }


def photos_per_cpu_second(folder: Path, size: int) -> float:
    """Photos of ``size`` pixels a side that one thread encodes in a second of processor time.

    The image graph alone, without decoding, in batches as the program makes them; the best of
    several repeats. Processor time, so that other programs at work change little.
    """
    from engine.backends.onnx import OnnxBackend  # only here is a library chosen

    backend = OnnxBackend(folder, threads=1)
    shape = (DEFAULT.batch_size, 3, size, size)
    pixels = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    backend.encode_images(pixels)  # the first run sets up memory
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        backend.encode_images(pixels)
        seconds.append(time.process_time() - start)
    return DEFAULT.batch_size / min(seconds)
