"""The values that pass between the parts. See ARCHITECTURE.md, "Words"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.query import Query

FloatArray = NDArray[np.float32]
ByteArray = NDArray[np.int8]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class Progress(Protocol):
    """Told how far long work has come; called from the thread that does the work."""

    def __call__(self, done: int, total: int) -> None: ...


class Cancelled(Protocol):
    """Asked between photos; True ends the work early, keeping what is done.

    To pause the work, don't answer until it may go on.
    """

    def __call__(self) -> bool: ...


def no_progress(done: int, total: int) -> None:
    """Progress that nobody watches."""


def never_cancelled() -> bool:
    """Work that nobody cancels."""
    return False


class DeviceChoice(StrEnum):
    """What is to run the model; AUTO is CUDA where all that it needs is there."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


@dataclass(frozen=True, slots=True)
class ImageFeatures:
    """What is kept of N photos.

    Attributes:
        embeddings: float32 [N, E], each row of length 1.
        tokens: int8 [N, K, C], compressed image tokens for the fusion, as
            `engine.token_format` packs them.
    """

    embeddings: FloatArray
    tokens: ByteArray

    def __len__(self) -> int:
        return len(self.embeddings)

    def rows(self, rows: IntArray) -> ImageFeatures:
        """The features of these photos, by row number, in this order."""
        return ImageFeatures(self.embeddings[rows], self.tokens[rows])

    def without_tokens(self) -> ImageFeatures:
        """What finds, and nothing that decides: tokens [N,0,0]."""
        return ImageFeatures(self.embeddings, np.empty((len(self), 0, 0), np.int8))

    @classmethod
    def joined(cls, parts: Sequence[ImageFeatures]) -> ImageFeatures:
        """Several as one, in their order; of none at all E, K and C are 0."""
        if not parts:
            return cls(np.empty((0, 0), np.float32), np.empty((0, 0, 0), np.int8))
        return cls(
            np.concatenate([part.embeddings for part in parts]),
            np.concatenate([part.tokens for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """M encoded captions.

    Attributes:
        embeddings: float32 [M, E], each row of length 1.
        tokens: float32 [M, L, D], the text encoder's last states.
        mask: bool [M, L], True where there is a token, False where there is padding.
    """

    embeddings: FloatArray
    tokens: FloatArray
    mask: BoolArray

    def __len__(self) -> int:
        return len(self.embeddings)


@dataclass(frozen=True, slots=True)
class PhotoFailure:
    """One photo that could not be used, with the sentence that says why and what to do.

    ``code`` and ``fields`` are those of the PhotoError, so that the window can translate it.
    """

    photo: Path
    message: str
    code: str
    fields: dict[str, object]


@dataclass(frozen=True, slots=True)
class PhotoDetails:
    """What a search may ask about a photo besides what it shows.

    Attributes:
        taken: when, in local time, as ``2026-11-24T18:30:00``: what EXIF says, else when the
            file was last changed.
        width, height: pixels of the upright photo.
    """

    taken: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Match:
    """The answer for one pair; the numbers are None where the photo failed.

    Attributes:
        probability: calibrated match probability, 0 to 1, on pairs of which half match.
        logit: the fusion's raw output.
        match: whether ``probability`` reaches the threshold.
        failure: why the photo could not be used, if it could not.
    """

    photo: Path
    caption: str
    probability: float | None
    logit: float | None
    match: bool | None
    failure: PhotoFailure | None = None

    @property
    def error(self) -> str | None:
        """The failure in a sentence."""
        return self.failure.message if self.failure else None


class Mode(StrEnum):
    """What a batch asks: see `engine.batch` and, for VERIFY, `engine.verify`."""

    BEST = "best"
    ALL = "all"
    ASSIGN = "assign"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption and the name it goes by: a folder, a label, or else its own text."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A photo with the caption it is said to have.

    ``caption`` is None where the photo's caption can't be had; ``failure`` says why.
    """

    photo: Path
    caption: str | None
    failure: PhotoFailure | None = None


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A photo and a caption, and whether a person says that they match."""

    photo: Path
    caption: str
    match: bool


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One photo with one of the captions.

    Without a caption the photo could not be used (``failure``), or an assignment had none for it.

    Attributes:
        threshold: the match probability from which this caption matches; 2 where nothing may.
        rank: 1 for the photo's answer; 2 and more, where every caption is asked for, for the rest.
        runner_up: the photo's next best caption.
        rival: in an assignment, the caption's next best photo.
        margin: log-odds of the pair less those of the nearer of the two. Negative where an
            assignment had to give the better one away.
    """

    photo: Path
    caption: str | None = None
    label: str | None = None
    probability: float | None = None
    threshold: float | None = None
    match: bool | None = None
    rank: int | None = None
    runner_up: str | None = None
    rival: Path | None = None
    margin: float | None = None
    failure: PhotoFailure | None = None

    @property
    def error(self) -> str | None:
        """The failure in a sentence."""
        return self.failure.message if self.failure else None


@dataclass(frozen=True, slots=True)
class VerifyRow:
    """The answer for one given pair; the numbers are None where the photo failed.

    ``better_caption`` is the caption of the set that fits a mismatched photo better than its own,
    if there is one, with its match probability.
    """

    photo: Path
    caption: str | None
    probability: float | None = None
    threshold: float | None = None
    match: bool | None = None
    better_caption: str | None = None
    better_probability: float | None = None
    failure: PhotoFailure | None = None

    @property
    def error(self) -> str | None:
        """The failure in a sentence."""
        return self.failure.message if self.failure else None


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One found photo. What was not asked for, words or a photo, has no numbers.

    Attributes:
        probability: match probability of the words, 0 to 1. There is none of two photos.
        similarity: to the words, -1 to 1.
        photo_similarity: to the photo that was given, -1 to 1.
        offline: whether its drive or network share is not connected now.
    """

    photo: Path
    probability: float | None
    similarity: float | None
    photo_similarity: float | None
    offline: bool


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found. Where nothing fits there are no results, and the nearest stand apart.

    Attributes:
        query: what was asked.
        confident: whether anything fits the words, see `engine.confidence`; None without words,
            and where the model pack has no rule for it.
        results: best first; none unless something fits, or a photo alone was given.
        nearest: where nothing fits, the few photos that come nearest.
        competing: how many photos were compared.
        left_out: how many of the nearest were left out because words to avoid match them.
        same: photos with the very content of the photo given; they don't compete.
        waiting: how many could not compete, because they have to be indexed first.
    """

    query: Query
    confident: bool | None
    results: list[SearchHit]
    nearest: list[SearchHit]
    competing: int
    left_out: int
    same: list[Path]
    waiting: int

    @property
    def unjudged(self) -> bool:
        """Whether nobody can say if anything fits the words: the results are just the nearest."""
        return self.query.words is not None and self.confident is None
