"""Remembers what was computed of photos, so that captions are matched while they are typed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock

import numpy as np

from engine.encoding import Encoded, PhotoEncoder, encode_in_order
from engine.types import ImageFeatures, PhotoFailure

# Photos, of 4 kB each; of models that look at the photo again they are of megabytes.
MOST, MOST_LARGE = 2_000, 16

# Model, path, time of change and size: what is kept holds for this content only.
_Stamp = tuple[str, Path, int, int]


class FeatureMemory:
    """Keeps the features of the photos looked at last, and why some could not be used.

    Safe for threads.

    Args:
        most: how many photos are remembered.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[_Stamp, ImageFeatures | PhotoFailure] = OrderedDict()

    def encode(self, encoder: PhotoEncoder, photos: Sequence[Path]) -> Iterator[Encoded]:
        """All photos as one batch, see `engine.encoding.EncodePhotos`; only new ones are read."""
        stamps = {photo: _stamp(encoder, photo) for photo in photos}
        found: dict[Path, ImageFeatures | PhotoFailure] = {}
        for photo, stamp in stamps.items():
            if (kept := self._recall(stamp)) is not None:
                found[photo] = kept
        most = min(self._most, MOST_LARGE) if encoder.looks_again else self._most
        new = [photo for photo in stamps if photo not in found]
        for paths, images, failed in encode_in_order(encoder, new):
            usable = iter(range(len(images)))
            for path in paths:
                if path in failed:
                    found[path] = failed[path]
                else:
                    found[path] = images.rows(np.array([next(usable)]))
                self._keep(stamps[path], found[path], most)
        features = [found[photo] for photo in photos]
        images = ImageFeatures.joined([one for one in features if isinstance(one, ImageFeatures)])
        failed = {photo: one for photo, one in found.items() if isinstance(one, PhotoFailure)}
        yield list(photos), images, failed

    def _recall(self, stamp: _Stamp | None) -> ImageFeatures | PhotoFailure | None:
        with self._lock:
            if stamp is None or stamp not in self._kept:
                return None
            self._kept.move_to_end(stamp)
            return self._kept[stamp]

    def _keep(self, stamp: _Stamp | None, what: ImageFeatures | PhotoFailure, most: int) -> None:
        if stamp is None:  # it may be there the next time
            return
        with self._lock:
            self._kept[stamp] = what
            while len(self._kept) > most:
                self._kept.popitem(last=False)


def _stamp(encoder: PhotoEncoder, photo: Path) -> _Stamp | None:
    try:
        found = photo.stat()
    except OSError:
        return None
    return encoder.model_id, photo, found.st_mtime_ns, found.st_size
