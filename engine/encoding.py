"""Photo files to features: decoding threads feed one batched model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from engine.errors import PhotoError
from engine.types import (
    Cancelled,
    FloatArray,
    ImageFeatures,
    IntArray,
    PhotoFailure,
    never_cancelled,
)

T = TypeVar("T")
R = TypeVar("R")

DECODE_THREADS = 2  # unless an encoder says otherwise
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

    @property
    def looks_again(self) -> bool:
        """Whether tokens are not kept in an index, so that what it knows of a photo is not all."""
        ...

    @property
    def decode_threads(self) -> int:
        """Threads that prepare photos meanwhile."""
        ...

    def prepare(self, photo: Path) -> FloatArray:
        """Pixels float32 [3,S,S]. Raises PhotoError. Called from several threads."""
        ...

    def encode(self, pixels: FloatArray) -> ImageFeatures:
        """Features of pixels float32 [B,3,S,S]."""
        ...


class Known(Protocol):
    """Features that need not be made; an `engine.recall.Recall` is one."""

    def row(self, photo: Path) -> int | None:
        """Where the photo's features are, None if they have to be made. In several threads."""
        ...

    def features(self, rows: IntArray) -> ImageFeatures:
        """Features at rows int64 [R]."""
        ...


# Each batch's paths, the features of those that could be used (in their order), and the failures
# of the others.
Encoded = tuple[list[Path], ImageFeatures, dict[Path, PhotoFailure]]


class EncodePhotos(Protocol):
    """Encodes photos in the order given, as `encode_in_order` does."""

    def __call__(self, encoder: PhotoEncoder, photos: Sequence[Path], /) -> Iterator[Encoded]:
        """The photos batch by batch."""
        ...


def encode_in_order(
    encoder: PhotoEncoder,
    photos: Sequence[Path],
    cancelled: Cancelled = never_cancelled,
    known: Known | None = None,
) -> Iterator[Encoded]:
    """Encode photos batch by batch in the order given; what is ``known`` of them is not read.

    An encoder that looks again has to read them all the same. Ends early, between batches, once
    ``cancelled``.
    """
    known = None if encoder.looks_again else known
    ahead = encoder.batch_size * (1 + BATCHES_AHEAD)
    work = partial(_prepare, encoder, known)
    with closing(in_order(work, photos, ahead, encoder.decode_threads)) as prepared:
        while not cancelled() and (batch := list(islice(prepared, encoder.batch_size))):
            usable = [item for _, item in batch if not isinstance(item, PhotoFailure)]
            failed = {path: item for path, item in batch if isinstance(item, PhotoFailure)}
            yield [path for path, _ in batch], _features(encoder, known, usable), failed


def in_order(
    work: Callable[[T], R], tasks: Iterable[T], ahead: int, threads: int = DECODE_THREADS
) -> Generator[R]:
    """Do the work in threads; results come in the order of the tasks.

    At most ``ahead`` tasks are begun before what has been taken, so that memory stays flat.
    """
    waiting: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        for task in tasks:
            waiting.append(pool.submit(work, task))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # Whoever stops listening must not wait for photos nobody needs.
        pool.shutdown(cancel_futures=True)


def failure(photo: Path, error: PhotoError) -> PhotoFailure:
    """A photo's error as a value that can be kept and shown."""
    return PhotoFailure(photo, str(error), error.code, dict(error.fields))


# Of a photo that can be used: its pixels, or the row of what is known of it.
_Usable = FloatArray | int


def _prepare(
    encoder: PhotoEncoder, known: Known | None, photo: Path
) -> tuple[Path, _Usable | PhotoFailure]:
    if known is not None and (row := known.row(photo)) is not None:
        return photo, row
    try:
        return photo, encoder.prepare(photo)
    except PhotoError as error:
        return photo, failure(photo, error)


def _features(
    encoder: PhotoEncoder, known: Known | None, usable: Sequence[_Usable]
) -> ImageFeatures:
    pixels = [item for item in usable if not isinstance(item, int)]
    rows = [item for item in usable if isinstance(item, int)]
    parts = []
    if pixels:
        parts.append(encoder.encode(np.stack(pixels)))
    if rows and known is not None:
        parts.append(known.features(np.array(rows, dtype=np.int64)))
    if not parts:
        return ImageFeatures.joined(())
    # Pixels were put first: back to the order of the photos.
    place = np.argsort([isinstance(item, int) for item in usable], kind="stable").argsort()
    return ImageFeatures.joined(parts).rows(place)
