"""Captions with one edit: does a model prefer the right caption to one that is wrong in one place?

All pairs come in mirrored couples: the caption that is right for one photo is the wrong one for
another, and the other way round. So whoever reads the captions alone and has a favourite among the
two is right once and wrong once: without the photo no judge gets more than half.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from engine import edited_claims as claims
from engine import edited_relations as relations
from engine import edited_words as words
from engine.caption_set import CaptionSet
from engine.edited_claims import Claim, Told

KINDS: Final = ("colour", "count", "object", "relation", "negation")
# Pairs of one kind at most; two of them make a couple.
MAX_PAIRS: Final = 500
# A photo and a couple of texts may come several times, but not so often that they rule the result.
MAX_USES: Final = 4
MAX_REPEATS: Final = 2
# No two values, such as "black" and "white", may take more of a kind's pairs than this.
SHARES: Final = {"colour": 0.25, "count": 0.4, "object": 0.12, "relation": 0.2, "negation": 0.12}
# Every wording that is not from a caption of the photo, for comparison with those of training.
TEMPLATES: Final[tuple[str, ...]] = (
    *(text for pair in words.NEGATIONS for text in pair),
    words.OWNED,
    *(f"{{who}} {place}" for place in words.PLACES),
    *(
        rule.frame.replace(claims.SLOT, phrase)
        for rule in relations.RULES
        for phrase in rule.evidence
    ),
)


@dataclass(frozen=True, slots=True)
class EditedPair:
    """Two captions of which ``right`` fits row ``photo`` of the caption set's photos."""

    kind: str
    photo: int
    right: str
    wrong: str


def edited_pairs(captions: CaptionSet, seed: int = 0) -> list[EditedPair]:
    """Pairs of every kind that the English captions give, kind by kind, couple by couple.

    Pairs 2i and 2i + 1 are a couple. At most `MAX_PAIRS` of a kind, and fewer, or none, where the
    photos don't give them. The same captions and seed give the same pairs.
    """
    told = [claims.tell(row, texts) for row, texts in enumerate(captions.captions)]
    pairs: list[EditedPair] = []
    for kind in KINDS:
        for one, other in _couples(_CLAIMS[kind](told), SHARES[kind], random.Random(seed)):
            pairs.append(EditedPair(kind, one.photo, one.text, other.text))
            pairs.append(EditedPair(kind, other.photo, other.text, one.text))
    return pairs


def _each(of_photo: Callable[[Told], Iterator[Claim]]) -> Callable[[list[Told]], Iterator[Claim]]:
    return lambda told: (claim for photo in told for claim in of_photo(photo))


_CLAIMS: Final[dict[str, Callable[[list[Told]], Iterator[Claim]]]] = {
    "colour": _each(claims.colour_claims),
    "count": _each(claims.count_claims),
    "object": _each(claims.object_claims),
    "relation": _each(relations.relation_claims),
    "negation": claims.negation_claims,
}


@dataclass(slots=True)
class _Quota:
    """What has been taken of each photo, couple of texts and couple of values."""

    most_of_values: float
    photos: Counter[int] = field(default_factory=Counter)
    texts: Counter[frozenset[str]] = field(default_factory=Counter)
    values: Counter[frozenset[str]] = field(default_factory=Counter)
    taken: set[tuple[int, frozenset[str]]] = field(default_factory=set)

    def take(self, one: Claim, other: Claim, uses: int) -> bool:
        """Count the couple, unless it is one too many; a photo may come ``uses`` times."""
        texts, values = frozenset((one.text, other.text)), frozenset((one.value, other.value))
        again = {(one.photo, texts), (other.photo, texts)}
        if (
            max(self.photos[one.photo], self.photos[other.photo]) >= uses
            or self.texts[texts] >= MAX_REPEATS
            or self.values[values] >= self.most_of_values
            or again & self.taken
        ):
            return False
        self.photos.update((one.photo, other.photo))
        self.texts[texts] += 1
        self.values[values] += 1
        self.taken |= again
        return True


def _couples(
    found: Iterable[Claim], share: float, generator: random.Random
) -> list[tuple[Claim, Claim]]:
    """Couples of claims of which each photo rules out the other's, long phrases first."""
    frames: dict[str, list[Claim]] = defaultdict(list)
    # Sorted to the last field: the order of a set of texts differs from process to process.
    for claim in sorted(set(found), key=_order):
        frames[claim.frame].append(claim)
    rows = [row for row in frames.values() if len({claim.value for claim in row}) > 1]
    generator.shuffle(rows)
    rows.sort(key=lambda row: -len(row[0].frame.split()))
    for row in rows:
        generator.shuffle(row)
    limit = MAX_PAIRS // 2
    quota = _Quota(share * limit)
    result: list[tuple[Claim, Claim]] = []
    # All photos once before any comes twice.
    for uses in range(1, MAX_USES + 1):
        for one, other in (couple for row in rows for couple in _opposed(row, quota, uses)):
            if len(result) == limit:
                return result
            if quota.take(one, other, uses):
                result.append((one, other))
    return result


def _order(claim: Claim) -> tuple[str, int, str, list[str]]:
    return claim.frame, claim.photo, claim.text, sorted(claim.ruled_out)


def _opposed(row: list[Claim], quota: _Quota, uses: int) -> Iterator[tuple[Claim, Claim]]:
    for at, one in enumerate(row):
        for other in row[:at]:
            # Used-up photos are left out here because some rows have very many claims.
            if quota.photos[one.photo] >= uses:
                break
            if one.value in other.ruled_out and other.value in one.ruled_out:
                yield one, other
