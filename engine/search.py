"""Words, a photo or both against an indexed library: a shortlist by similarity, then the fusion."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.confidence import language_of
from engine.encoding import encode_in_order
from engine.errors import FolderOutside, LibraryMissing, PackError, PhotoError, QueryEmpty
from engine.index import Library
from engine.indexing import read_fingerprint
from engine.matcher import Matcher, load_matcher
from engine.query import Query
from engine.snapshot import Snapshot
from engine.types import (
    FloatArray,
    ImageFeatures,
    IntArray,
    SearchHit,
    SearchResult,
    TextFeatures,
)

# Photos the fusion looks at, beyond those asked for: similarity finds, fusion decides.
SHORTLIST = 50
# How much a photo counts beside words, the words counting the rest: chosen on validation photos.
PHOTO_WEIGHT = 0.4
# Photos shown where nothing fits.
NEAREST = 5
# Photos that words to avoid are compared with, at most: each costs a fusion pass.
AVOIDED_AMONG = 20 * SHORTLIST


@dataclass(frozen=True, slots=True)
class Searches:
    """M texts, each searched for among N photos.

    Attributes:
        similarity: float32 [M, N], each text to every photo.
        photos: int64 [M, S], the rows of the S photos nearest to each text, nearest first.
        logits: float32 [M, S], the fusion's, of those photos.
    """

    similarity: FloatArray
    photos: IntArray
    logits: FloatArray

    @property
    def best(self) -> FloatArray:
        """Float32 [M], the similarity of each text to the photo nearest to it."""
        result: FloatArray = self.similarity.max(axis=1)
        return result


def run_searches(
    matcher: Matcher, images: ImageFeatures, texts: TextFeatures, top: int = SHORTLIST
) -> Searches:
    """Shortlist at least ``top`` photos for every text and fuse them: `search`, in memory."""
    similarity = np.ascontiguousarray(matcher.similarity(images, texts).T)
    photos = np.argsort(-similarity, axis=1, kind="stable")[:, : max(top, SHORTLIST)]
    rows = np.repeat(np.arange(len(texts)), photos.shape[1])
    logits = matcher.logits(images, texts, photos.ravel(), rows).reshape(photos.shape)
    return Searches(similarity, photos, logits)


def search(matcher: Matcher, library: Library, query: Query, top: int = 20) -> SearchResult:
    """At most ``top`` photos for a query, the best first.

    Words: the photos nearest to them, ordered by match probability. A photo: those most similar to
    it. Both: those with the best sum of the two similarities, see `weighed`. Photos that words to
    avoid match, by the model pack's threshold, are left out.

    Whether anything fits the words is decided by `Matcher.search_confidence` among the photos that
    pass the filter, however many are asked for. If nothing does, there are no results but the
    nearest `NEAREST`; where the pack has no such rule, the nearest are the results. Photos of
    drives that are not connected compete too. While a new model encodes the library, an older one
    whose pack is still on the disk answers, as long as it has encoded more.

    Raises:
        QueryEmpty: there are neither words nor a photo.
        CaptionEmpty: there is no word in the words, or in those to avoid.
        PhotoError: the photo given can't be used, and the library does not know it.
        FolderOutside: the folder is not in the library.
        LibraryMissing: nothing there is indexed with a model pack that is here.
    """
    if query.words is None and query.photo is None:
        raise QueryEmpty()
    matcher = answering(matcher, library)
    words = None if query.words is None else matcher.encode_captions([query.words])
    avoid = matcher.encode_captions(query.avoid) if query.avoid else None
    content = None if query.photo is None else _content(query.photo, library)
    taken = library.snapshot(query.folder, matcher.model_id, query.only, unlike=content)
    with closing(taken) as snapshot:
        same = snapshot.same()
        if not (len(snapshot) or snapshot.filtered or same):
            missing = query.folder or library.folders[0]
            raise LibraryMissing(path=missing, quoted=quoted(missing))
        by_words = by_photo = probability = confident = None
        if words is not None:
            by_words = snapshot.similarity(words.embeddings)[0]
        if query.photo is not None and content is not None:
            by_photo = snapshot.similarity(_embedding(matcher, query.photo, content, snapshot))[0]
        width = max(top, SHORTLIST)
        near = nearest_first(by_words, by_photo, max(width, AVOIDED_AMONG) if avoid else width)
        found, left_out = _without(matcher, snapshot, near, avoid, width)
        if query.words is not None and words is not None and by_words is not None:
            confident = _fits(matcher, query.words, by_words[found[:SHORTLIST]], len(snapshot))
            if len(found):
                probability = _probabilities(matcher, snapshot, found, words)[:, 0]
                if by_photo is None:
                    order = np.argsort(-probability, kind="stable")
                    found, probability = found[order], probability[order]
        shown = found[: min(top, NEAREST) if confident is False else top]
        hits = _hits(snapshot, shown, probability, by_words, by_photo, library.away())
        return SearchResult(
            query=query,
            confident=confident,
            results=[] if confident is False else hits,
            nearest=hits if confident is False else [],
            competing=len(snapshot),
            left_out=left_out,
            same=same,
            waiting=snapshot.waiting,
        )


def weighed(by_words: FloatArray, by_photo: FloatArray) -> FloatArray:
    """Scores float32 [N] of photos from their similarities [N] to the words and to the photo.

    Each is measured in its own spread over the photos, as similarities to a photo lie higher and
    wider than those to words; `PHOTO_WEIGHT` says how much the photo counts.
    """

    def standard(scores: FloatArray) -> FloatArray:
        if scores.min() == scores.max():  # rounding would make a spread of nothing
            return np.zeros_like(scores)
        result: FloatArray = (scores - scores.mean()) / scores.std()
        return result

    result: FloatArray = (1 - PHOTO_WEIGHT) * standard(by_words) + PHOTO_WEIGHT * standard(by_photo)
    return result


def _content(photo: Path, library: Library) -> bytes:
    """The fingerprint of a photo; of one that can't be read, what the library last knew."""
    try:
        return read_fingerprint(photo)
    except PhotoError:
        known = library.fingerprint_of(photo)
        if known is None:
            raise
        return known


def _embedding(matcher: Matcher, photo: Path, content: bytes, snapshot: Snapshot) -> FloatArray:
    """Float32 [1, E]; a photo whose content is indexed is not decoded again."""
    known = snapshot.embedding_of(content)
    if known is not None:
        return known
    encoder = matcher.indexer
    return encoder.encode(encoder.prepare(photo)[None]).embeddings


def nearest_first(by_words: FloatArray | None, by_photo: FloatArray | None, count: int) -> IntArray:
    """The first ``count`` rows, by their similarities float32 [N] to words, photo, or both."""
    if by_words is not None and by_photo is not None:
        scores = weighed(by_words, by_photo)
    else:
        (scores,) = (given for given in (by_words, by_photo) if given is not None)
    # Whatever is as good as the last of them competes: equal ones stay in the order of the rows.
    least = np.partition(scores, -count)[-count] if count < len(scores) else -np.inf
    rows = np.flatnonzero(scores >= least)
    order: IntArray = rows[np.argsort(-scores[rows], kind="stable")][:count]
    return order


def _without(
    matcher: Matcher,
    snapshot: Snapshot,
    rows: IntArray,
    avoid: TextFeatures | None,
    width: int,
) -> tuple[IntArray, int]:
    """The first ``width`` rows that no text to avoid matches, and how many others were met."""
    if avoid is None:
        return rows[:width], 0
    kept: list[int] = []
    met = 0
    while len(kept) < width and met < len(rows):
        part = rows[met : met + width]
        # What can't be read can't be judged, and stays.
        matches = _probabilities(matcher, snapshot, part, avoid) >= matcher.threshold
        kept += part[~matches.any(axis=1)].tolist()
        met += len(part)
    return np.array(kept[:width], np.int64), met - len(kept)


def _fits(matcher: Matcher, words: str, similarity: FloatArray, competing: int) -> bool | None:
    """Whether the best similarity float32 [S] of the shortlist is more than chance makes it.

    None where the model pack has no rule for that.
    """
    rule = matcher.search_confidence
    if rule is None:
        return None
    if not len(similarity):
        return False
    best = similarity.max(keepdims=True)
    return bool(rule.confident(best, language_of(words), competing)[0])


def _probabilities(
    matcher: Matcher, snapshot: Snapshot, rows: IntArray, texts: TextFeatures
) -> FloatArray:
    """Match probabilities float32 [S, M] of photos with texts.

    NaN for a photo that the model has to look at again and that can't be read now.
    """
    every = np.arange(len(texts))
    if not matcher.looks_again:
        pairs = np.repeat(np.arange(len(rows)), len(texts)), np.tile(every, len(rows))
        logits = matcher.logits(snapshot.features(rows), texts, *pairs)
        return matcher.probability(logits).reshape(len(rows), len(texts))
    result = np.full((len(rows), len(texts)), np.nan, np.float32)
    place = 0
    for paths, images, failed in encode_in_order(matcher, snapshot.paths(rows)):
        usable = [place + n for n, path in enumerate(paths) if path not in failed]
        if usable:
            pairs = np.repeat(np.arange(len(usable)), len(texts)), np.tile(every, len(usable))
            logits = matcher.logits(images, texts, *pairs)
            result[usable] = matcher.probability(logits).reshape(len(usable), len(texts))
        place += len(paths)
    return result


def _hits(
    snapshot: Snapshot,
    rows: IntArray,
    probability: FloatArray | None,
    by_words: FloatArray | None,
    by_photo: FloatArray | None,
    away: list[Path],
) -> list[SearchHit]:
    return [
        SearchHit(
            photo=path,
            probability=_or_none(probability, place),
            similarity=_or_none(by_words, row),
            photo_similarity=_or_none(by_photo, row),
            offline=any(folder in path.parents for folder in away),
        )
        for place, (row, path) in enumerate(zip(rows, snapshot.paths(rows), strict=True))
    ]


def _or_none(values: FloatArray | None, place: int) -> float | None:
    return None if values is None or np.isnan(values[place]) else float(values[place])


def answering(matcher: Matcher, library: Library) -> Matcher:
    """The given matcher, or that of an older model pack that has encoded more of the library.

    The older one only if its pack is still on the disk as it was: else nobody can turn words into
    what its features are compared with, and what the given one has encoded so far must do.
    """
    if library.models() == [matcher.model_id]:  # as nearly always: to count takes long
        return matcher
    for generation in library.ahead_of(matcher.model_id):
        if generation.pack is None:
            continue
        try:
            older = _older_matcher(generation.pack, generation.model_id)
        except PackError:
            continue
        if older.model_id == generation.model_id:
            return older
    return matcher


@lru_cache(maxsize=1)
def _older_matcher(pack: Path, model_id: str) -> Matcher:
    """Kept, since it is asked for at every search; by its id, as the folder may change."""
    return load_matcher(pack)


def narrowed(folder: Path | None, under: Path | None) -> Path | None:
    """The folder to search where only what is below ``under`` is wanted, of ``folder`` if given.

    Raises:
        FolderOutside: it is not in that folder.
    """
    if folder is None or under is None:
        return under or folder
    if not under.resolve().is_relative_to(folder.resolve()):
        raise FolderOutside(path=under, name=folder.name, folders=folder)
    return under


def quoted(path: Path) -> str:
    """A path as it can be pasted into a shell."""
    return f'"{path}"' if " " in str(path) else str(path)
