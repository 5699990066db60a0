"""A batch as a job: what is asked of a folder, and the work that answers it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from desktop.jobs import Work
from desktop.workbench import BatchResults, LazyMatcher, Outlook
from engine.batch import BatchOptions, batch
from engine.captions import as_captions, read_sidecars
from engine.cost import cost_of
from engine.errors import NoPhotos, TooManyRows
from engine.matcher import Matcher
from engine.photos import find_photos
from engine.recall import recalled
from engine.results import about_of
from engine.types import Cancelled, Caption, Mode, Pair, Progress
from engine.verify import verify

# Rows of results are held in memory, about 200 bytes each, as long as they are on the page.
MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants to know of a folder.

    Attributes:
        captions: of a set; None in the mode VERIFY, and where they are beside the photos.
        pairs: for the mode VERIFY, unless the captions are beside the photos. Photos without a
            full path are in ``folder``.
        only: where not all photos below ``folder`` count, the folders that do.
    """

    folder: Path
    options: BatchOptions
    captions: Sequence[Caption] | None = None
    pairs: Sequence[Pair] | None = None
    only: Sequence[Path] = ()


def asked_of(folders: Sequence[Path], options: BatchOptions) -> Asked:
    """What is asked of one folder, or of several together: then of the one that they are all in.

    Folders on several drives of Windows are in none; each photo has its full path all the same.
    """
    if len(folders) == 1:
        return Asked(folders[0], options)
    try:
        above = Path(os.path.commonpath(folders))
    except ValueError:
        above = folders[0]
    return Asked(above, options, only=folders)


def _photos(asked: Asked) -> list[Path]:
    found = [find_photos(folder) for folder in asked.only or [asked.folder]]
    # One of the folders may be within another.
    return sorted(set(chain.from_iterable(found)))


def work_for(asked: Asked, matcher: LazyMatcher, outlook: Outlook) -> Work[BatchResults]:
    """The work that answers; it raises what `batch` and `verify` do, and NoPhotos, SidecarsMissing
    or TooManyRows."""

    def work(progress: Progress, cancelled: Cancelled) -> BatchResults:
        if asked.pairs is not None:
            return _verified(asked, asked.pairs, matcher.get().tuned(), progress, cancelled)
        photos = _photos(asked)
        if not photos:
            raise NoPhotos(path=asked.folder)
        captions = asked.captions
        if captions is None:
            pairs = read_sidecars(asked.folder, photos)
            if asked.options.mode is Mode.VERIFY:
                return _verified(asked, pairs, matcher.get().tuned(), progress, cancelled)
            captions = as_captions(pair.caption for pair in pairs if pair.caption is not None)
        answering = matcher.get().tuned()
        return _matched(asked, photos, captions, answering, outlook, progress, cancelled)

    return work


def _matched(
    asked: Asked,
    photos: Sequence[Path],
    captions: Sequence[Caption],
    matcher: Matcher,
    outlook: Outlook,
    progress: Progress,
    cancelled: Cancelled,
) -> BatchResults:
    rows = len(photos) * len(captions)
    if asked.options.mode is Mode.ALL and rows > MOST_ROWS:
        raise TooManyRows(
            photos=f"{len(photos):,}",
            captions=f"{len(captions):,}",
            pairs=f"{rows:,}",
            limit=f"{MOST_ROWS:,}",
        )
    about = about_of(matcher, asked.options, asked.folder, len(photos), captions)
    outlook.cost = cost_of(matcher, photos, captions, asked.options)
    if outlook.cost is not None:
        about = replace(about, expected_seconds=outlook.cost.seconds)
    with recalled(asked.folder, matcher.model_id) as known:
        found = batch(
            matcher, photos, captions, asked.options,
            known=known, progress=progress, cancelled=cancelled,
        )  # fmt: skip
        return BatchResults(list(found), about)


def _verified(
    asked: Asked,
    pairs: Sequence[Pair],
    matcher: Matcher,
    progress: Progress,
    cancelled: Cancelled,
) -> BatchResults:
    captions = as_captions(pair.caption for pair in pairs if pair.caption is not None)
    about = about_of(
        matcher, asked.options, asked.folder, len(pairs), captions, beside=asked.folder
    )
    with recalled(asked.folder, matcher.model_id) as known:
        found = verify(
            matcher, pairs, beside=asked.folder, threshold=asked.options.threshold,
            false_alarms=asked.options.false_alarms, known=known,
            progress=progress, cancelled=cancelled,
        )  # fmt: skip
        return BatchResults(list(found), about)
