"""A folder of photos against a list of captions, and given pairs to be verified."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.encoding import encode_in_order
from engine.errors import CaptionEmpty, CaptionsUnreadable, PairsUnreadable
from engine.matcher import Matcher
from engine.types import (
    BatchRow,
    Cancelled,
    FloatArray,
    ImageFeatures,
    Match,
    PhotoFailure,
    Progress,
    TextFeatures,
    never_cancelled,
    no_progress,
)

# Captions per photo that the fusion looks at when not every pair is asked for.
SHORTLIST = 8


@dataclass(frozen=True, slots=True)
class BatchReport:
    """Rows sorted as the photos were given; every failure is also a row with ``error``."""

    rows: list[BatchRow]
    failures: list[PhotoFailure]
    cancelled: bool


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """One match for each pair, in the order given."""

    matches: list[Match]
    failures: list[PhotoFailure]
    cancelled: bool


def read_captions(path: Path) -> list[str]:
    """Captions of a UTF-8 text file, one a line; blank lines are skipped.

    Raises CaptionsUnreadable, or CaptionEmpty when there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CaptionsUnreadable(path=path, reason=str(error)) from error
    captions = [line.strip() for line in lines if line.strip()]
    if not captions:
        raise CaptionEmpty()
    return captions


def read_pairs(path: Path) -> list[tuple[Path, str]]:
    """Pairs of a UTF-8 CSV file with the columns photo and caption.

    Photos are named as the file names them. Raises PairsUnreadable.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"photo", "caption"} <= set(reader.fieldnames or ()):
                raise PairsUnreadable(path=path, reason="its first line names no such columns")
            rows = [(row["photo"] or "", (row["caption"] or "").strip()) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PairsUnreadable(path=path, reason=str(error)) from error
    if not rows:
        raise PairsUnreadable(path=path, reason="it holds no pair")
    for number, (photo, caption) in enumerate(rows, start=2):
        if not photo or not caption:
            raise PairsUnreadable(path=path, reason=f"line {number} lacks a photo or a caption")
    return [(Path(photo), caption) for photo, caption in rows]


def batch(
    matcher: Matcher,
    photos: Sequence[Path],
    captions: Sequence[str],
    *,
    exact: bool = False,
    every_caption: bool = False,
    progress: Progress = no_progress,
    cancelled: Cancelled = never_cancelled,
) -> BatchReport:
    """Find each photo's best caption.

    The fusion looks at the `SHORTLIST` captions most similar to the photo, or at all of them if
    ``exact`` or ``every_caption``. With ``every_caption`` each photo has a row for each caption,
    best first. Photos that can't be used have one row with ``error``. Raises CaptionEmpty.
    """
    texts = matcher.encode_captions(captions)
    width = len(captions) if exact or every_caption else min(SHORTLIST, len(captions))
    keep = len(captions) if every_caption else 1
    rows: list[BatchRow] = []
    failures: list[PhotoFailure] = []
    done = 0
    for paths, images, failed in encode_in_order(matcher, photos, cancelled):
        failures.extend(failed.values())
        ranked = iter(_ranked(matcher, images, texts, width)) if len(images) else iter(())
        for path in paths:
            if path in failed:
                rows.append(BatchRow(path, None, None, None, None, failed[path].message))
                continue
            order, probabilities = next(ranked)
            for rank, (column, probability) in enumerate(
                zip(order[:keep], probabilities[:keep], strict=True), start=1
            ):
                value = float(probability)
                rows.append(
                    BatchRow(path, captions[column], value, value >= matcher.threshold, rank)
                )
        done += len(paths)
        progress(done, len(photos))
    return BatchReport(rows, failures, done < len(photos))


def _ranked(
    matcher: Matcher, images: ImageFeatures, texts: TextFeatures, width: int
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """For each photo the columns of its ``width`` captions, best first, and probabilities."""
    similarity = matcher.similarity(images, texts)
    columns = np.argsort(-similarity, axis=1, kind="stable")[:, :width]
    rows = np.repeat(np.arange(len(images)), width)
    logits = matcher.logits(images, texts, rows, columns.ravel()).reshape(columns.shape)
    order = np.argsort(-logits, axis=1, kind="stable")
    columns = np.take_along_axis(columns, order, axis=1)
    probabilities = matcher.probability(np.take_along_axis(logits, order, axis=1))
    yield from zip(columns, probabilities, strict=True)


def _locate(photo: Path, beside: Path | None) -> Path:
    if beside is None or photo.is_absolute():
        return photo
    found = beside / photo
    return photo if photo.exists() and not found.exists() else found


def verify(
    matcher: Matcher,
    pairs: Sequence[tuple[Path, str]],
    *,
    beside: Path | None = None,
    progress: Progress = no_progress,
    cancelled: Cancelled = never_cancelled,
) -> VerifyReport:
    """Match probability of each given pair, in the order given.

    Each photo is decoded once and each caption encoded once, however often they occur. A photo
    without a full path is looked for in the folder ``beside``, then in the current one; its match
    names it as it was given. Raises CaptionEmpty.
    """
    captions = list(dict.fromkeys(caption for _, caption in pairs))
    column = {caption: number for number, caption in enumerate(captions)}
    texts = matcher.encode_captions(captions)
    members: dict[Path, list[int]] = {}
    for number, (photo, _) in enumerate(pairs):
        members.setdefault(_locate(photo, beside), []).append(number)
    answers: dict[int, Match] = {}
    failures: list[PhotoFailure] = []
    for paths, images, failed in encode_in_order(matcher, list(members), cancelled):
        failures.extend(failed.values())
        good = [path for path in paths if path not in failed]
        numbers = [number for path in good for number in members[path]]
        rows = np.repeat(np.arange(len(good)), [len(members[path]) for path in good])
        columns = np.array([column[pairs[number][1]] for number in numbers], dtype=np.int64)
        logits = matcher.logits(images, texts, rows, columns)
        for number, logit, probability in zip(
            numbers, logits, matcher.probability(logits), strict=True
        ):
            value = float(probability)
            answers[number] = Match(*pairs[number], value, float(logit), value >= matcher.threshold)
        for path, failure in failed.items():
            for number in members[path]:
                answers[number] = Match(*pairs[number], None, None, None, failure)
        progress(len(answers), len(pairs))
    return VerifyReport(
        [answers[number] for number in sorted(answers)], failures, len(answers) < len(pairs)
    )
