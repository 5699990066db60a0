"""Pairs that are given, to be told whether they match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.batch import SHORTLIST
from engine.calibration import probability_above, probability_of
from engine.caption_bank import CaptionBank
from engine.encoding import Known, encode_in_order
from engine.errors import CaptionEmpty, TooFewPhotos
from engine.matcher import Matcher
from engine.photos import locate
from engine.thresholds import highest_unrelated
from engine.types import (
    Cancelled,
    FloatArray,
    ImageFeatures,
    IntArray,
    Pair,
    Progress,
    VerifyRow,
    never_cancelled,
    no_progress,
)

# Unrelated pairs for each false alarm that is allowed: so many that the estimate is steady.
EXPECTED_ALARMS = 20


def verify(
    matcher: Matcher,
    pairs: Sequence[Pair],
    *,
    beside: Path | None = None,
    threshold: float | None = None,
    false_alarms: int | None = None,
    known: Known | None = None,
    progress: Progress = no_progress,
    cancelled: Cancelled = never_cancelled,
) -> Iterator[VerifyRow]:
    """The match probability of each pair, in the order given, and for mismatches what fits better.

    What fits better is looked for among the `SHORTLIST` captions of all pairs that are most similar
    to the photo. Each photo is decoded once, however often it occurs, and those that are ``known``
    (see `engine.recall`) not at all. A photo without a full path is looked for in the folder
    ``beside``, then in the current one; its row names it as it was given.

    A pair matches from ``threshold`` on, the model pack's where None; or, with ``false_alarms``, if
    at most one in so many unrelated pairs gets as high a probability. Unrelated pairs are made of
    the given ones: photos with captions drawn from those of other photos, the same at every run.
    Where many photos share what their captions say, these are not unrelated, and fewer pairs match
    than could. Rows come as photos are read, or with ``false_alarms`` after all of them.

    Raises CaptionEmpty or TooFewPhotos, before anything is read.
    """
    captions = list(dict.fromkeys(pair.caption for pair in pairs if pair.caption is not None))
    if not captions:
        raise CaptionEmpty()
    work = _Work(matcher, pairs, captions, beside, known)
    if false_alarms is None:
        limit = matcher.threshold if threshold is None else threshold
        return _in_order(pairs, work.rows(limit, 0, progress, cancelled))
    decoys = work.decoys_for(false_alarms)
    # No pair matches yet, so that what fits better is looked for with each.
    rows = _in_order(pairs, work.rows(np.inf, decoys, progress, cancelled))
    return work.judged(rows, false_alarms)


class _Work:
    """The pairs by photo, the encoded captions, and what unrelated pairs were given."""

    def __init__(
        self,
        matcher: Matcher,
        pairs: Sequence[Pair],
        captions: Sequence[str],
        beside: Path | None,
        known: Known | None,
    ) -> None:
        self._matcher = matcher
        self._known = known
        self._pairs = pairs
        self._captions = captions
        self._column = {caption: number for number, caption in enumerate(captions)}
        self._bank = CaptionBank(matcher, captions)
        self._members: dict[Path, list[int]] = {}
        for number, pair in enumerate(pairs):
            if pair.caption is not None:
                self._members.setdefault(locate(pair.photo, beside), []).append(number)
        self._random = np.random.default_rng(0)
        self._unrelated: list[FloatArray] = []

    def decoys_for(self, false_alarms: int) -> int:
        """How many captions of others each photo is to be tried with. Raises TooFewPhotos."""
        photos = len(self._members)
        wanted = -(-EXPECTED_ALARMS * false_alarms // photos)
        decoys = min(wanted, len(self._captions) - 1)
        if photos * decoys < false_alarms:
            raise TooFewPhotos(found=photos * decoys, n=false_alarms)
        return decoys

    def rows(
        self, threshold: float, decoys: int, progress: Progress, cancelled: Cancelled
    ) -> Iterator[tuple[int, VerifyRow]]:
        """Number and row of each pair, photo by photo."""
        done, total = 0, sum(map(len, self._members.values()))
        photos = list(self._members)
        for paths, images, failed in encode_in_order(self._matcher, photos, cancelled, self._known):
            good = [self._members[path] for path in paths if path not in failed]
            if good:
                yield from self._scored(good, images, threshold)
                if decoys:
                    self._try_decoys(good, images, decoys)
            for path, failure in failed.items():
                for number in self._members[path]:
                    pair = self._pairs[number]
                    yield number, VerifyRow(pair.photo, pair.caption, failure=failure)
            done += sum(len(self._members[path]) for path in paths)
            progress(done, total)

    def _scored(
        self, members: Sequence[Sequence[int]], images: ImageFeatures, threshold: float
    ) -> Iterator[tuple[int, VerifyRow]]:
        numbers = [number for group in members for number in group]
        photos = np.repeat(np.arange(len(members)), [len(group) for group in members])
        columns = np.array([self._column[self._pairs[number].caption or ""] for number in numbers])
        own = self._bank.log_odds(images, photos, columns)
        probabilities = probability_of(own)
        matches = probabilities >= threshold
        better = self._better(images, photos[~matches], columns[~matches], own[~matches])
        for number, probability, match in zip(numbers, probabilities, matches, strict=True):
            pair = self._pairs[number]
            instead = (None, None) if match else next(better)
            yield (
                number,
                VerifyRow(
                    pair.photo, pair.caption, float(probability), threshold, bool(match), *instead
                ),
            )

    def _better(
        self, images: ImageFeatures, photos: IntArray, columns: IntArray, own: FloatArray
    ) -> Iterator[tuple[str | None, float | None]]:
        """For each pair the best caption that is not its own, if it is better than that."""
        if not len(photos):
            return
        nearest = self._bank.nearest(images, SHORTLIST)
        doubtful, place = np.unique(photos, return_inverse=True)
        width = nearest.shape[1]
        scores = self._bank.log_odds(
            images, np.repeat(doubtful, width), nearest[doubtful].ravel()
        ).reshape(-1, width)
        for row, column, log_odds in zip(place, columns, own, strict=True):
            others = np.where(nearest[doubtful[row]] == column, -np.inf, scores[row])
            best = int(others.argmax())
            if others[best] > log_odds:
                found = self._captions[nearest[doubtful[row], best]]
                yield found, float(probability_of(others[best]))
            else:
                yield None, None

    def _try_decoys(
        self, members: Sequence[Sequence[int]], images: ImageFeatures, decoys: int
    ) -> None:
        photos, columns = [], []
        for photo, group in enumerate(members):
            own = [self._column[self._pairs[number].caption or ""] for number in group]
            # As many more as may turn out to be its own.
            size = min(decoys + len(set(own)), len(self._captions))
            drawn = self._random.choice(len(self._captions), size, replace=False)
            others = [column for column in drawn.tolist() if column not in own][:decoys]
            photos += [photo] * len(others)
            columns += others
        if photos:
            self._unrelated.append(self._bank.log_odds(images, np.array(photos), np.array(columns)))

    def judged(self, rows: Iterator[VerifyRow], false_alarms: int) -> Iterator[VerifyRow]:
        """The rows again, with the threshold that the unrelated pairs ask for."""
        held = list(rows)
        scores = np.concatenate(self._unrelated or [np.empty(0, np.float32)])
        above = highest_unrelated(scores, np.ones(len(scores)), false_alarms)
        threshold = float(probability_above(np.array(above, np.float32)))
        for row in held:
            if row.probability is None:
                yield row
            elif row.probability >= threshold:
                yield replace(
                    row, threshold=threshold, match=True, better_caption=None,
                    better_probability=None,
                )  # fmt: skip
            else:
                yield replace(row, threshold=threshold, match=False)


def _in_order(pairs: Sequence[Pair], rows: Iterable[tuple[int, VerifyRow]]) -> Iterator[VerifyRow]:
    """Rows by number, each as soon as those before it are there."""
    waiting: dict[int, VerifyRow] = {}
    following = 0
    for answered, found in rows:
        waiting[answered] = found
        while following < len(pairs):
            pair = pairs[following]
            if pair.caption is None:
                yield VerifyRow(pair.photo, None, failure=pair.failure)
            elif following in waiting:
                yield waiting.pop(following)
            else:
                break
            following += 1
    # Stopped early: a photo that comes up again was answered ahead of its neighbours.
    for number in sorted(waiting):
        yield waiting[number]
