"""Words against an indexed library: a shortlist by similarity, reranked by the fusion."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.confidence import language_of
from engine.errors import LibraryMissing, PackError
from engine.index import Library
from engine.matcher import Matcher, load_matcher
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
# Photos whose embeddings are in memory at once: 4 MB.
AT_ONCE = 4096


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
    """Shortlist at least ``top`` photos for every text and fuse them."""
    similarity = np.ascontiguousarray(matcher.similarity(images, texts).T)
    return _rerank(matcher, similarity, texts, images.rows, top)


def search_snapshot(
    matcher: Matcher,
    snapshot: Snapshot,
    texts: TextFeatures,
    top: int = SHORTLIST,
    at_once: int = AT_ONCE,
) -> Searches:
    """`run_searches` among the photos of a library, of which ``at_once`` are in memory."""
    similarity = np.empty((len(texts), len(snapshot)), np.float32)
    no_tokens = np.empty((0, 0, 0), np.int8)
    for rows in snapshot.chunks(at_once):
        images = ImageFeatures(snapshot.embeddings(rows), no_tokens)
        similarity[:, rows] = matcher.similarity(images, texts).T
    return _rerank(matcher, similarity, texts, snapshot.features, top)


def _rerank(
    matcher: Matcher,
    similarity: FloatArray,
    texts: TextFeatures,
    load: Callable[[IntArray], ImageFeatures],
    top: int,
) -> Searches:
    width = min(similarity.shape[1], max(top, SHORTLIST))
    photos = np.argsort(-similarity, axis=1, kind="stable")[:, :width]
    near, place = np.unique(photos, return_inverse=True)
    rows = np.repeat(np.arange(len(texts)), width)
    logits = matcher.logits(load(near), texts, place.ravel(), rows).reshape(photos.shape)
    return Searches(similarity, photos, logits)


def search(
    matcher: Matcher, library: Library, folder: Path | None, query: str, top: int = 20
) -> SearchResult:
    """The ``top`` photos that match the query best, most probable first.

    Among those under ``folder``, or all of the library. Whether the result is confident is decided
    by `Matcher.search_confidence` over all of these, however many are asked for. Photos of drives
    that are not connected are among them. While a new model encodes the library, an older one whose
    pack is still on the disk answers, as long as it has encoded more.

    Raises:
        CaptionEmpty: there is no word in the query.
        LibraryMissing: nothing there is indexed with a model pack that is here.
    """
    matcher = answering(matcher, library)
    text = matcher.encode_captions([query])
    with closing(library.snapshot(folder, matcher.model_id)) as snapshot:
        if not len(snapshot):
            missing = folder or library.folders[0]
            raise LibraryMissing(path=missing, quoted=quoted(missing))
        found = search_snapshot(matcher, snapshot, text, top)
        probability = matcher.probability(found.logits[0])
        order = np.argsort(-probability, kind="stable")[:top]
        photos = found.photos[0][order]
        away = library.away()
        hits = [
            SearchHit(path, float(p), float(s), any(place in path.parents for place in away))
            for path, p, s in zip(
                snapshot.paths(photos),
                probability[order],
                found.similarity[0][photos],
                strict=True,
            )
        ]
        rule, language = matcher.search_confidence, language_of(query)
        confident = bool(rule.confident(found.best, language, len(snapshot))[0])
        return SearchResult(query, confident, hits, snapshot.waiting)


def answering(matcher: Matcher, library: Library) -> Matcher:
    """The given matcher, or that of an older model pack that has encoded more of the library.

    The older one only if its pack is still on the disk as it was: else nobody can turn words into
    what its features are compared with, and what the given one has encoded so far must do.
    """
    generations = library.generations()
    encoded = {generation.model_id: generation.photos for generation in generations}
    for generation in generations:
        if generation.photos <= encoded.get(matcher.model_id, 0) or generation.pack is None:
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


def quoted(path: Path) -> str:
    """A path as it can be pasted into a shell."""
    return f'"{path}"' if " " in str(path) else str(path)
