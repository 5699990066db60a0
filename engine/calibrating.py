"""The match probability of a model pack, fitted to pairs that a person has judged.

A model that comes from elsewhere says a number that rises the better a caption fits. What share of
pairs with such a number match depends on the photos and captions at hand, and only judged pairs
tell. The scale and bias are fitted as those of the default pack are, and likewise the probability
is for pairs of which half match, whatever share of the given ones does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.calibration import Calibration, fit_calibration
from engine.encoding import encode_in_order
from engine.errors import PairsContradict, TooFewJudged
from engine.matcher import Matcher
from engine.photos import locate
from engine.types import (
    BoolArray,
    Cancelled,
    FloatArray,
    JudgedPair,
    PhotoFailure,
    Progress,
    never_cancelled,
    no_progress,
)

# Pairs of each kind, the fewest: ten of the rarer kind for each number that is fitted, the usual
# rule for logistic regression (Peduzzi et al. 1996). There are two.
LEAST = 20


@dataclass(frozen=True, slots=True)
class Fit:
    """What came of the pairs.

    Attributes:
        calibration: fitted to them.
        pairs: how many were used.
        right_before: how many of them the pack judged as the person did until now.
        right_now: how many it does with ``calibration``: of the very pairs that it was fitted to.
        failures: of photos that can't be used.
    """

    calibration: Calibration
    pairs: int
    right_before: int
    right_now: int
    failures: tuple[PhotoFailure, ...]


def fit_to(
    matcher: Matcher,
    judged: Sequence[JudgedPair],
    beside: Path,
    progress: Progress = no_progress,
    cancelled: Cancelled = never_cancelled,
) -> Fit | None:
    """Fit a calibration to judged pairs; None once ``cancelled``.

    A photo without a full path is looked for in the folder ``beside``, then in the current one.
    Pairs of photos that can't be used are left out.

    Raises:
        TooFewJudged: fewer than `LEAST` pairs match, or fewer don't; before and after reading.
        PairsContradict: the pairs that match are not those that the model says more of.
    """
    _check(np.array([pair.match for pair in judged], np.bool_))
    scored = _logits(matcher, judged, beside, progress, cancelled)
    if scored is None:
        return None
    logits, failures = scored
    usable = ~np.isnan(logits)
    actual = np.array([pair.match for pair in judged], np.bool_)[usable]
    logits = logits[usable]
    _check(actual)
    fitted = fit_calibration(logits, actual)
    if fitted.scale <= 0:
        raise PairsContradict()
    # As if half matched: the share of those given is the person's choice, and no finding.
    share = np.log(actual.sum() / (~actual).sum())
    fitted = replace(fitted, bias=float(fitted.bias - share))
    before = matcher.pack.manifest.calibration
    right = [
        int(((each.probability(logits) >= each.threshold) == actual).sum())
        for each in (before, fitted)
    ]
    return Fit(fitted, len(logits), right[0], right[1], failures)


def _check(actual: BoolArray) -> None:
    right = int(actual.sum())
    wrong = len(actual) - right
    if min(right, wrong) < LEAST:
        raise TooFewJudged(right=right, wrong=wrong, least=LEAST)


def _logits(
    matcher: Matcher,
    judged: Sequence[JudgedPair],
    beside: Path,
    progress: Progress,
    cancelled: Cancelled,
) -> tuple[FloatArray, tuple[PhotoFailure, ...]] | None:
    """Logits float32 [P], NaN where the photo can't be used; and why it can't."""
    captions = list(dict.fromkeys(pair.caption for pair in judged))
    texts, column = matcher.encode_captions(captions), {text: n for n, text in enumerate(captions)}
    members: dict[Path, list[int]] = {}
    for number, pair in enumerate(judged):
        members.setdefault(locate(pair.photo, beside), []).append(number)
    logits = np.full(len(judged), np.nan, np.float32)
    failures: list[PhotoFailure] = []
    done = 0
    for paths, images, failed in encode_in_order(matcher, list(members), cancelled):
        good = [members[path] for path in paths if path not in failed]
        numbers = [number for group in good for number in group]
        if numbers:
            photos = np.repeat(np.arange(len(good)), [len(group) for group in good])
            columns = np.array([column[judged[number].caption] for number in numbers])
            logits[numbers] = matcher.logits(images, texts, photos, columns)
        failures += failed.values()
        done += len(paths)
        progress(done, len(members))
    return None if done < len(members) else (logits, tuple(failures))
