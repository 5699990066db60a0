"""What results say, whatever they are written as: docs/results.md describes it for users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.types import BatchRow, Caption, Mode, PhotoFailure, VerifyRow

if TYPE_CHECKING:
    from engine.batch import BatchOptions
    from engine.matcher import Matcher

Row = BatchRow | VerifyRow
AnyRow = TypeVar("AnyRow", bound=Row)

BATCH_COLUMNS = (
    "photo", "caption", "label", "probability", "threshold", "match", "verdict", "rank",
    "runner_up", "rival", "margin", "error",
)  # fmt: skip
VERIFY_COLUMNS = (
    "photo", "caption", "probability", "threshold", "match", "verdict", "better_caption",
    "better_probability", "error",
)  # fmt: skip
# What a row that does not match is called.
REFUSALS = {
    Mode.BEST: "nothing matches",
    Mode.ALL: "no match",
    Mode.ASSIGN: "no match",
    Mode.VERIFY: "mismatch",
}


@dataclass(frozen=True, slots=True)
class About:
    """What was asked, for the head of the results.

    Attributes:
        source: the folder, or the file with pairs.
        photos: how many photos (VERIFY: pairs) there are to answer.
        threshold: given by hand or by the model pack; None where ``false_alarms`` sets it.
        language: one of `engine.paths.languages`, for the words on an HTML page.
        beside: the folder that photos without a full path are in.
        calibrated: whether match probabilities are, see `engine.calibration`.
        expected_seconds: what it was expected to take, where that is long enough to say.
    """

    mode: Mode
    source: Path
    photos: int
    captions: Sequence[Caption]
    model: str
    version: str
    exact: bool
    threshold: float | None
    false_alarms: int | None
    language: str = "en"
    beside: Path | None = None
    calibrated: bool = True
    expected_seconds: float | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of a row's values, in order."""
        return VERIFY_COLUMNS if self.mode is Mode.VERIFY else BATCH_COLUMNS

    def settings(self) -> dict[str, Any]:
        """Plain values for JSON."""
        expected = self.expected_seconds
        return {
            "mode": self.mode.value,
            "source": str(self.source),
            "model": {
                "name": self.model,
                "version": self.version,
                "calibrated": self.calibrated,
            },
            "exact": self.exact,
            "threshold": self.threshold,
            "false_alarms": self.false_alarms,
            "captions": [{"caption": c.text, "label": c.label} for c in self.captions],
            **({} if expected is None else {"expected_seconds": round(expected)}),
        }


def about_of(
    matcher: Matcher,
    options: BatchOptions,
    source: Path,
    photos: int,
    captions: Sequence[Caption],
    *,
    language: str = "en",
    beside: Path | None = None,
) -> About:
    """What is asked of a matcher; the arguments are those of `About`."""
    by_hand = matcher.threshold if options.threshold is None else options.threshold
    return About(
        mode=options.mode,
        source=source,
        photos=photos,
        captions=captions,
        model=matcher.pack.manifest.name,
        version=matcher.pack.manifest.version,
        exact=options.exact,
        threshold=by_hand if options.false_alarms is None else None,
        false_alarms=options.false_alarms,
        language=language,
        beside=beside,
        calibrated=matcher.calibrated,
    )


def begins(row: Row) -> bool:
    """Whether a photo (or a pair) begins here: all rows but those of a photo's further captions."""
    return not (isinstance(row, BatchRow) and row.rank is not None and row.rank > 1)


class Summary:
    """Counts rows on their way to a file.

    Attributes:
        expected: photos, or in a verification pairs, that are asked about.
        done: those that rows have been about.
        usable: of these, the ones without a failure.
        matched: those of which a row matches.
        failures: each photo that could not be used, once.
    """

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.done = 0
        self.matched = 0
        self.usable = 0
        self.failures: dict[Path, PhotoFailure] = {}

    @property
    def complete(self) -> bool:
        """Whether nothing that was asked for is missing."""
        return self.done >= self.expected

    def watch(self, rows: Iterable[AnyRow]) -> Iterator[AnyRow]:
        """The same rows."""
        counted = False
        for row in rows:
            if begins(row):
                self.done += 1
                self.usable += row.failure is None
                counted = False
            if row.match and not counted:
                self.matched += 1
                counted = True
            if row.failure:
                self.failures[row.failure.photo] = row.failure
            yield row

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "photos": self.done,
            "matched": self.matched,
            "failed": len(self.failures),
            "complete": self.complete,
        }


def record(row: Row, mode: Mode) -> dict[str, Any]:
    """A row as plain values under the names of its columns."""
    shared = {
        "photo": str(row.photo),
        "caption": row.caption,
        "probability": row.probability,
        "threshold": row.threshold,
        "match": row.match,
        "verdict": _verdict(row, mode),
        "error": row.error,
    }
    if isinstance(row, VerifyRow):
        found = shared | {
            "better_caption": row.better_caption,
            "better_probability": row.better_probability,
        }
        return {name: found[name] for name in VERIFY_COLUMNS}
    found = shared | {
        "label": row.label,
        "rank": row.rank,
        "runner_up": row.runner_up,
        "rival": None if row.rival is None else str(row.rival),
        "margin": row.margin,
    }
    return {name: found[name] for name in BATCH_COLUMNS}


def _verdict(row: Row, mode: Mode) -> str:
    if row.failure:
        return "error"
    if row.caption is None:
        return "not assigned"
    return "match" if row.match else REFUSALS[mode]
