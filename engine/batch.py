"""A folder of photos against a list of captions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.assignment import assign, rivals
from engine.calibration import Vector, probability_above, probability_of
from engine.caption_bank import CaptionBank
from engine.encoding import Known, encode_in_order
from engine.errors import TooFewPhotos, TooManyPairs
from engine.matcher import Matcher
from engine.thresholds import thresholds_for
from engine.types import (
    BatchRow,
    Cancelled,
    Caption,
    FloatArray,
    IntArray,
    Mode,
    PhotoFailure,
    Progress,
    never_cancelled,
    no_progress,
)

# Captions per photo that the fusion looks at when not every pair is asked for.
SHORTLIST = 8
# Pairs held at once: 100 MB, and twice that again while they are assigned.
MOST_PAIRS = 25_000_000


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What is asked of a batch.

    Attributes:
        mode: BEST, one row a photo with its best caption; ALL, a row for every caption, best first;
            ASSIGN, one row a photo, no caption given twice, the sum of log-odds as large as can be.
        exact: let the fusion look at every pair, not at the `SHORTLIST` captions most similar to a
            photo. The other modes, and ``false_alarms``, always do.
        threshold: match probability from which a pair matches; the model pack's where None.
        false_alarms: instead, at most one in so many unrelated photos is to match; see
            `engine.thresholds`.
    """

    mode: Mode = Mode.BEST
    exact: bool = False
    threshold: float | None = None
    false_alarms: int | None = None

    @property
    def whole(self) -> bool:
        """Whether all pairs have to be there before the first row can be."""
        return self.mode is Mode.ASSIGN or self.false_alarms is not None

    def width(self, captions: int) -> int:
        """How many of so many captions the fusion looks at with each photo."""
        everything = self.whole or self.exact or self.mode is Mode.ALL
        return captions if everything else min(captions, SHORTLIST)


@dataclass(frozen=True, slots=True)
class _Scores:
    """One photo's log-odds float32 [K] with the captions int64 [K], in caption order."""

    captions: IntArray
    log_odds: FloatArray


_Scored = tuple[Path, PhotoFailure | _Scores]


def batch(
    matcher: Matcher,
    photos: Sequence[Path],
    captions: Sequence[Caption],
    options: BatchOptions = BatchOptions(),
    *,
    known: Known | None = None,
    progress: Progress = no_progress,
    cancelled: Cancelled = never_cancelled,
) -> Iterator[BatchRow]:
    """Rows in the order of the photos; of captions that score the same, the first given is first.

    Photos that are ``known`` (see `engine.recall`) are not read again.

    A photo that can't be used has one row with ``failure``. In the modes BEST and ALL rows come as
    photos are read, and memory does not grow with the folder; an assignment, and a threshold from
    false alarms, need all photos first. Once ``cancelled``, rows of the photos read by then come.

    Raises CaptionEmpty, TooManyPairs or TooFewPhotos, before anything is read.
    """
    if options.whole and len(photos) * len(captions) > MOST_PAIRS:
        raise TooManyPairs(
            photos=f"{len(photos):,}",
            captions=f"{len(captions):,}",
            pairs=f"{len(photos) * len(captions):,}",
            limit=f"{MOST_PAIRS:,}",
        )
    if options.false_alarms is not None and len(photos) < options.false_alarms:
        raise TooFewPhotos(found=len(photos), n=options.false_alarms)
    bank = CaptionBank(matcher, [caption.text for caption in captions])
    width = options.width(len(captions))
    scored = _scored(matcher, photos, bank, width, known, progress, cancelled)
    fixed = matcher.threshold if options.threshold is None else options.threshold
    thresholds = np.full(len(captions), fixed)
    if not options.whole:
        return _ranked(scored, captions, thresholds, options.mode)
    return _after_all(scored, captions, thresholds, options)


def _scored(
    matcher: Matcher,
    photos: Sequence[Path],
    bank: CaptionBank,
    width: int,
    known: Known | None,
    progress: Progress,
    cancelled: Cancelled,
) -> Iterator[_Scored]:
    done = 0
    for paths, images, failed in encode_in_order(matcher, photos, cancelled, known):
        scores: Iterator[_Scores] = iter(())
        if len(images):
            columns = bank.nearest(images, width)
            rows = np.repeat(np.arange(len(images)), columns.shape[1])
            log_odds = bank.log_odds(images, rows, columns.ravel()).reshape(columns.shape)
            scores = map(_Scores, columns, log_odds)
        for path in paths:
            yield path, failed[path] if path in failed else next(scores)
        done += len(paths)
        progress(done, len(photos))


def _ranked(
    scored: Iterable[_Scored], captions: Sequence[Caption], thresholds: Vector, mode: Mode
) -> Iterator[BatchRow]:
    for photo, found in scored:
        if isinstance(found, PhotoFailure):
            yield BatchRow(photo, failure=found)
            continue
        order = np.argsort(-found.log_odds, kind="stable")
        for rank, place in enumerate(order if mode is Mode.ALL else order[:1], start=1):
            runner_up, margin = None, None
            if rank == 1 and len(order) > 1:
                runner_up = captions[found.captions[order[1]]].text
                margin = float(found.log_odds[place] - found.log_odds[order[1]])
            number = int(found.captions[place])
            yield _row(
                photo, captions[number], found.log_odds[place], thresholds[number], rank,
                runner_up=runner_up, margin=margin,
            )  # fmt: skip


def _after_all(
    scored: Iterable[_Scored],
    captions: Sequence[Caption],
    thresholds: Vector,
    options: BatchOptions,
) -> Iterator[BatchRow]:
    held = list(scored)
    usable = [found for _, found in held if isinstance(found, _Scores)]
    if not usable:
        yield from (BatchRow(p, failure=f) for p, f in held if isinstance(f, PhotoFailure))
        return
    log_odds = np.stack([found.log_odds for found in usable])
    if options.false_alarms is not None:
        thresholds = probability_above(thresholds_for(log_odds, options.false_alarms))
    if options.mode is Mode.ASSIGN:
        yield from _assigned(held, log_odds, captions, thresholds)
    else:
        yield from _ranked(held, captions, thresholds, options.mode)


def _assigned(
    held: Sequence[_Scored], log_odds: FloatArray, captions: Sequence[Caption], thresholds: Vector
) -> Iterator[BatchRow]:
    chosen = assign(log_odds)
    other_caption, other_photo = rivals(log_odds, chosen)
    names = [photo for photo, found in held if isinstance(found, _Scores)]
    number = 0
    for photo, found in held:
        if isinstance(found, PhotoFailure):
            yield BatchRow(photo, failure=found)
            continue
        row, number = number, number + 1
        column = int(chosen[row])
        if column < 0:
            yield BatchRow(photo, match=False)
            continue
        best, rival = int(other_caption[row]), int(other_photo[row])
        against = [log_odds[row, best]] * (best >= 0) + [log_odds[rival, column]] * (rival >= 0)
        yield _row(
            photo, captions[column], log_odds[row, column], thresholds[column], 1,
            runner_up=captions[best].text if best >= 0 else None,
            rival=names[rival] if rival >= 0 else None,
            margin=float(log_odds[row, column] - max(against)) if against else None,
        )  # fmt: skip


def _row(
    photo: Path,
    caption: Caption,
    log_odds: np.float32,
    threshold: float,
    rank: int,
    *,
    runner_up: str | None = None,
    rival: Path | None = None,
    margin: float | None = None,
) -> BatchRow:
    probability, threshold = float(probability_of(np.asarray(log_odds))), float(threshold)
    return BatchRow(
        photo, caption.text, caption.label, probability, threshold,
        probability >= threshold, rank, runner_up, rival, margin,
    )  # fmt: skip
