"""What a photo's captions say, as short statements of which one word can be edited.

A claim is a phrase that people wrote about a photo, with one word of it as the *value* and the rest
as the *frame*, and the values that the photo's captions rule out in that place. Two photos with the
same frame, each ruling out the other's value, give a mirrored couple of edited captions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

from engine import edited_words as words

SLOT = "_"
MAX_WORDS = 12
_TOKEN = re.compile(r"[a-z]+(?:-[a-z]+)*|'s|,")


@dataclass(frozen=True, slots=True)
class Claim:
    """True of photo ``photo``: ``text``, which is ``frame`` with ``value`` in its slot."""

    photo: int
    frame: str
    value: str
    text: str
    ruled_out: frozenset[str]


@dataclass(frozen=True, slots=True)
class Told:
    """What the captions of one photo say: their words in order, all words, and their phrases."""

    photo: int
    captions: list[list[str]]
    words: frozenset[str]
    phrases: frozenset[tuple[str, ...]]

    def tellers(self, names: frozenset[str]) -> int:
        """How many captions have a word of ``names``."""
        return sum(not names.isdisjoint(caption) for caption in self.captions)


def tell(photo: int, captions: list[str]) -> Told:
    """The words and phrases of one photo's captions."""
    tokens = [_TOKEN.findall(caption.lower()) for caption in captions]
    every = frozenset(word for caption in tokens for word in caption)
    told = Told(photo, tokens, every, frozenset())
    found = {phrase for caption in tokens for phrase in _phrases(caption)}
    if words.MANY.isdisjoint(every):
        found |= set(_owned(told, found))
        found |= {wide for phrase in found for wide in _widened(phrase)}
    found = {phrase for phrase in found if head(phrase)}
    for place, names in words.PLACES.items():
        if told.tellers(frozenset(names.split())) >= 2:
            found |= {
                (*phrase, *place.split())
                for phrase in found
                if words.PLACE_WORDS.isdisjoint(phrase)
            }
    return Told(photo, tokens, every, frozenset(found))


def head(phrase: tuple[str, ...]) -> int:
    """Where the one or ones the phrase is about stand in it; 0 when it is about no one."""
    return next((at for at, word in enumerate(phrase[:5]) if word in _COUNTED), 0)


def _owned(told: Told, phrases: set[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Say "a blue hat" as "a boy with a blue hat", where it is all about one boy."""
    if _sorts(told) > 1:
        return
    firsts = (next((w for w in c[:5] if w in words.PLURALS), "") for c in told.captions)
    names = {first for first in firsts if first}
    for phrase in phrases:
        if (
            len(phrase) == 3
            and phrase[0] in ("a", "an")
            and phrase[1] in words.COLOURS
            and words.PLACE_WORDS.isdisjoint(phrase)
            and not head(phrase)
        ):
            for name in names:
                yield tuple(words.OWNED.format(name=name, thing=" ".join(phrase)).split())


def _sorts(told: Told) -> int:
    return sum(not told.words.isdisjoint(sort.split()) for sort in words.SORTS)


def _widened(phrase: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    at = head(phrase)
    for wider in words.WIDER.get(phrase[at], ()):
        yield (*phrase[:at], wider, *phrase[at + 1 :])


def _phrases(caption: list[str]) -> Iterator[tuple[str, ...]]:
    """Parts of a caption that can stand alone, as they are and without what may be left out."""
    for start, first in enumerate(caption):
        if start and first not in words.STARTS:
            continue
        for end in range(start + 2, min(len(caption), start + MAX_WORDS) + 1):
            part = caption[start:end]
            whole = end == len(caption) or caption[end] in words.BOUNDARY
            if not whole or part[-1] in words.HANGING or not words.POINTING.isdisjoint(part):
                continue
            if "," in part or part[0] not in words.STARTS:
                continue
            plain = _participles(part)
            if plain[-1].removesuffix("s") in words.VERBS and plain[-1].endswith("s"):
                continue
            yield plain
            yield tuple(word for word in plain if word not in words.OPTIONAL)


def _participles(part: list[str]) -> tuple[str, ...]:
    """The phrase with its verbs as "-ing" forms, which agree with one and with many."""
    result: list[str] = []
    for at, word in enumerate(part):
        before = part[at - 1] if at else ""
        stem = word.removesuffix("s")
        if before in words.PLURALS and word != stem and stem in words.VERBS:
            result.append(words.VERBS[stem])
        elif before in words.PLURALS.values() and word in words.VERBS:
            result.append(words.VERBS[word])
        elif word in ("is", "are") and at + 1 < len(part) and part[at + 1].endswith("ing"):
            continue
        else:
            result.append("lying" if word == "laying" else word)
    if result[0] == "the":
        result[0] = "a" if not _is_plural(result) else "the"
    return tuple(result)


def _is_plural(phrase: list[str]) -> bool:
    return next((w in words.PLURALS.values() for w in phrase if w in _COUNTED), True)


_COUNTED = frozenset(words.PLURALS) | frozenset(words.PLURALS.values())


def say(phrase: tuple[str, ...]) -> str:
    """The phrase as a caption."""
    text = " ".join(phrase)
    return text[0].upper() + text[1:]


def _claim(
    told: Told, phrase: tuple[str, ...], at: int, ruled_out: frozenset[str], text: str = ""
) -> Claim:
    frame = [*phrase[:at], SLOT, *phrase[at + 1 :]]
    if at and frame[at - 1] == "an":
        frame[at - 1] = "a"
    return Claim(told.photo, " ".join(frame), phrase[at], text or say(phrase), ruled_out)


def colour_claims(told: Told) -> Iterator[Claim]:
    """Colours of things, in photos where only one person or animal is told of."""
    if not words.VAGUE.isdisjoint(told.words):
        return
    alone = words.MANY.isdisjoint(told.words)
    ruled_out = frozenset(
        colour
        for colour, close in words.COLOURS.items()
        if colour not in told.words and told.words.isdisjoint(close.split())
    )
    for phrase in told.phrases:
        for at, word in enumerate(phrase[:-1]):
            if word not in words.COLOURS or len(phrase) < 4:
                continue
            if not alone and told.tellers(frozenset({word})) < 2:
                continue
            beside = {phrase[at - 1], phrase[at + 1]} if at else {phrase[at + 1]}
            if beside.isdisjoint(words.PATTERNED) and beside.isdisjoint(words.COLOURS):
                yield _claim(told, phrase, at, ruled_out)


def count_claims(told: Told) -> Iterator[Claim]:
    """How many there are of someone or something at the head of a phrase."""
    if not words.VAGUE.isdisjoint(told.words):
        return
    said = told.words.intersection(words.NUMBERS)
    ruled_out = frozenset(words.NUMBERS) - said
    several = said - {"one"}
    if not several and words.MANY.isdisjoint(told.words):
        ruled_out -= {"one"}
        for phrase in told.phrases:
            at = head(phrase)
            if phrase[0] in ("a", "an") and phrase[at] in words.PLURALS:
                many = ("one", *phrase[1:at], words.PLURALS[phrase[at]], *phrase[at + 1 :])
                text = say(("one", *phrase[1:]))
                yield _claim(told, many, 0, ruled_out, text)
    elif len(several) == 1 and told.tellers(several) >= 2:
        for phrase in told.phrases:
            at = head(phrase)
            if phrase[0] not in several or phrase[at] not in _SINGULAR:
                continue
            yield _claim(told, phrase, 0, ruled_out)
            # Two women and a man are not two people.
            for wider in words.WIDER.get(_SINGULAR[phrase[at]], ()) if _sorts(told) == 1 else ():
                wide = (*phrase[:at], words.PLURALS[wider], *phrase[at + 1 :])
                yield _claim(told, wide, 0, ruled_out)


_SINGULAR = {many: one for one, many in words.PLURALS.items()}
_OBJECTS = [{group.split()[0]: frozenset(group.split()) for group in row} for row in words.OBJECTS]


def object_claims(told: Told) -> Iterator[Claim]:
    """What is in the photo, among things that can stand in the same place of a caption."""
    for row in _OBJECTS:
        ruled_out = frozenset(name for name, group in row.items() if group.isdisjoint(told.words))
        if not ruled_out:
            continue
        for phrase in told.phrases:
            for at, word in enumerate(phrase):
                if word in row and len(phrase) > 3 and told.tellers(row[word]) >= 2:
                    yield _claim(told, phrase, at, ruled_out)


def negation_claims(told: list[Told]) -> Iterator[Claim]:
    """A phrase and a thing that is there, or that no caption tells of."""
    seen: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for photo in told:
        for thing, names in _THINGS.items():
            if photo.tellers(names) < 2 or thing not in photo.words:
                continue
            for phrase in photo.phrases:
                if len(phrase) >= 3 and names.isdisjoint(phrase):
                    seen[phrase].add(thing)
                    yield _negation(photo, phrase, thing, there=True)
    for photo in told:
        absent = {thing for thing, names in _THINGS.items() if names.isdisjoint(photo.words)}
        for phrase in photo.phrases:
            for thing in sorted(absent & seen.get(phrase, set())):
                yield _negation(photo, phrase, thing, there=False)


_THINGS = {thing: frozenset(names.split()) for thing, names in words.THINGS.items()}


def _negation(told: Told, phrase: tuple[str, ...], thing: str, *, there: bool) -> Claim:
    frame = " ".join((*phrase, thing))
    # Any choice will do that is the same for all photos with this phrase.
    template = words.NEGATIONS[crc32(frame.encode()) % len(words.NEGATIONS)][not there]
    article = "an" if thing[0] in "aeiou" else "a"
    text = template.replace("a {thing}", f"{article} {{thing}}").replace("a an ", "an ")
    text = text.format(who=say(phrase), thing=thing)
    values = (f"with {thing}", f"without {thing}")
    return Claim(told.photo, frame, values[not there], text, frozenset((values[there],)))
