"""Photo files to features: decoding threads feed one batched model."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from engine.errors import PhotoError
from engine.types import Cancelled, FloatArray, ImageFeatures, PhotoFailure, never_cancelled

DECODE_THREADS = 2
# Batches decoded ahead of the model: enough that it never waits, and memory stays flat.
BATCHES_AHEAD = 2


class PhotoEncoder(Protocol):
    """What turns photo files into features; a `Matcher` is one."""

    @property
    def model_id(self) -> str:
        """Names the architecture and weights that make the features."""
        ...

    @property
    def batch_size(self) -> int:
        """Photos encoded at once."""
        ...

    def prepare(self, photo: Path) -> FloatArray:
        """Pixels float32 [3,S,S]. Raises PhotoError. Called from several threads."""
        ...

    def encode(self, pixels: FloatArray) -> ImageFeatures:
        """Features of pixels float32 [B,3,S,S]."""
        ...


def encode_in_order(
    encoder: PhotoEncoder, photos: Sequence[Path], cancelled: Cancelled = never_cancelled
) -> Iterator[tuple[list[Path], ImageFeatures, dict[Path, PhotoFailure]]]:
    """Encode photos batch by batch in the order given.

    Yields each batch's paths, the features of those that could be used (in their order), and
    the failures of the others. Ends early, between batches, once ``cancelled``.
    """
    waiting = iter(photos)
    queue: deque[tuple[Path, Future[FloatArray]]] = deque()
    with ThreadPoolExecutor(DECODE_THREADS, thread_name_prefix="decode") as pool:
        try:
            while not cancelled():
                missing = encoder.batch_size * (1 + BATCHES_AHEAD) - len(queue)
                for photo in islice(waiting, missing):
                    queue.append((photo, pool.submit(encoder.prepare, photo)))
                if not queue:
                    return
                yield _encode_batch(
                    encoder, [queue.popleft() for _ in range(min(encoder.batch_size, len(queue)))]
                )
        finally:
            # Whoever stops listening must not wait for photos nobody needs.
            pool.shutdown(wait=True, cancel_futures=True)


def _encode_batch(
    encoder: PhotoEncoder, batch: list[tuple[Path, Future[FloatArray]]]
) -> tuple[list[Path], ImageFeatures, dict[Path, PhotoFailure]]:
    pixels: list[FloatArray] = []
    failed: dict[Path, PhotoFailure] = {}
    for photo, future in batch:
        try:
            pixels.append(future.result())
        except PhotoError as error:
            failed[photo] = PhotoFailure(photo, str(error), error.code, dict(error.fields))
    features = encoder.encode(np.stack(pixels)) if pixels else _no_features()
    return [photo for photo, _ in batch], features, failed


def _no_features() -> ImageFeatures:
    return ImageFeatures(np.empty((0, 0), np.float32), np.empty((0, 0, 0), np.float16))
