"""Labelled folders of many kinds of photos: how wide is what the model knows?"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from engine import metrics
from engine.errors import FolderMissing, NoPhotos
from engine.evaluation.columns import read_columns
from engine.evaluation.features import encode_photos
from engine.evaluation.queries import COLUMNS
from engine.evaluation.shares import share
from engine.matcher import Matcher
from engine.photos import find_photos
from engine.types import Progress, no_progress

# One photo in this many of each labelled folder is never trained on.
HELD_OUT = 10
NEAREST = 10


def is_held_out(photo: Path) -> bool:
    """Whether a photo of a labelled folder is kept for measuring; decided by its file name."""
    return hashlib.sha256(os.fsencode(photo.name)).digest()[0] % HELD_OUT == 0


def measure_breadth(
    matcher: Matcher, labels: Path, folder: Path, progress: Progress = no_progress
) -> dict[str, Any]:
    """R@10 of labels as queries, in each language: is one of a label's photos among the nearest?

    ``labels`` is a table with the columns folder (below ``folder``), english and chinese; rows with
    the same words are one label. Only photos count of which `is_held_out` is true, those whose file
    name's SHA-256 starts with a byte divisible by 10: training leaves them out. Labels without such
    a photo, or without their folder, are left out. The held-out photos of all labels compete, and
    order is by similarity. Intervals are over labels.

    Raises TableUnreadable, FolderMissing, NoPhotos or EvaluationDataMissing.
    """
    if not folder.is_dir():
        raise FolderMissing(path=folder)
    table = read_columns(labels, ("folder", *COLUMNS.values()))
    photos_of: dict[tuple[str, ...], list[Path]] = {}
    for name, *words in zip(*table.values(), strict=True):
        if (folder / name).is_dir():
            found = [photo for photo in find_photos(folder / name) if is_held_out(photo)]
            if found:
                photos_of.setdefault(tuple(words), []).extend(found)
    if not photos_of:
        raise NoPhotos(path=folder)
    images = encode_photos(matcher, [p for found in photos_of.values() for p in found], progress)
    owner = np.repeat(np.arange(len(photos_of)), [len(found) for found in photos_of.values()])
    relevant = np.arange(len(photos_of))[:, None] == owner[None, :]
    result: dict[str, Any] = {"labels": len(photos_of), "photos": len(images), "languages": {}}
    for number, language in enumerate(COLUMNS):
        texts = matcher.encode_captions([words[number] for words in photos_of])
        ranks = metrics.best_ranks(matcher.similarity(images, texts).T, relevant)
        result["languages"][language] = share("r10", (ranks < NEAREST).astype(np.float64))
    return result
