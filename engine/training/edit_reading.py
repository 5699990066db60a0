"""What English captions say, as far as the words of `engine/training/edit_words.py` go."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.training import edit_grammar as grammar
from engine.training import edit_words as words

NOUNS, NOUN_TELLS, NOUN_NEAR, STARRED = words.read_nouns()
COLOUR_TELLS, COLOUR_NEAR = words.read_colours()
VERBS, VERB_TELLS, VERB_NEAR = grammar.read_verbs()

BEINGS = ("person", "animal")
# Of these most colours are to be had, whatever the thing.
PAINTED = {"wear", "vehicle", "board", "thing", "plain"}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun with its article and adjectives: tokens ``start`` to ``end``, the noun last."""

    start: int
    end: int
    determiner: str
    adjectives: tuple[str, ...]
    word: str
    noun: words.Noun


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption in lower case, in tokens, with the phrases found in it."""

    photo: int
    tokens: list[str]
    phrases: list[Phrase]


@dataclass(frozen=True, slots=True)
class Photo:
    """What the captions of a photo tell of."""

    captions: list[Caption]
    mentioned: frozenset[str]


def read_photo(number: int, texts: Sequence[str]) -> Photo:
    """The captions of a photo, and every concept that one of them tells of."""
    captions = []
    mentioned: set[str] = set()
    for text in texts:
        tokens = re.sub(r"([.,;:!?\"()])", r" \1 ", text.lower()).split()
        while tokens and tokens[-1] in ".!":
            tokens.pop()
        caption = Caption(number, tokens, list(_phrases(tokens)))
        captions.append(caption)
        for word in tokens:
            for part in {word, *word.split("-")}:
                mentioned |= NOUN_TELLS.get(part, set())
                mentioned.update(f"colour:{family}" for family in COLOUR_TELLS.get(part, ()))
                mentioned.update(f"verb:{action}" for action in VERB_TELLS.get(part, ()))
                mentioned.add(f"word:{part}")
        for phrase in caption.phrases:
            for adjective in phrase.adjectives:
                for family in COLOUR_TELLS.get(adjective, ()):
                    mentioned.add(f"bound:{family}:{phrase.noun.concept}")
            if before := preposition_before(tokens, phrase.start):
                mentioned.add(f"prep:{before}:{phrase.noun.concept}")
    mentioned |= _counts(captions)
    return Photo(captions, frozenset(mentioned))


def _phrases(tokens: list[str]) -> Iterator[Phrase]:
    for end, word in enumerate(tokens):
        noun = NOUNS.get(word)
        if noun is None or noun.category == "group" or not _is_head(tokens, end):
            continue
        start = end
        while start > 0 and end - start < 5 and _is_adjective(tokens, start - 1):
            start -= 1
        determiner = tokens[start - 1] if start and tokens[start - 1] in grammar.DETERMINERS else ""
        adjectives = tuple(tokens[start:end])
        if not determiner:
            # Without an article only colours are sure to be adjectives of this noun.
            while start < end and tokens[start] not in COLOUR_TELLS:
                start += 1
            if start < end or adjectives:
                adjectives = tuple(tokens[start:end])
            if noun.number == "one" and end and tokens[end - 1] not in COLOUR_TELLS and start:
                continue
        yield Phrase(start - bool(determiner), end, determiner, adjectives, word, noun)


def _is_head(tokens: list[str], at: int) -> bool:
    """Whether the noun at a place is not the first half of a compound."""
    if at + 1 == len(tokens):
        return True
    after = tokens[at + 1]
    if after in grammar.FOLLOWERS or (after in VERBS and after not in NOUNS):
        return True
    if after in NOUNS or after in grammar.NOT_VERBS:
        return False
    if after.endswith(("ing", "ed", "ly")):
        return True
    return NOUNS[tokens[at]].number == "one" and after in grammar.AGREEING


def _is_adjective(tokens: list[str], at: int) -> bool:
    word = tokens[at]
    if word == "and":
        return at > 0 and tokens[at - 1] in COLOUR_TELLS and tokens[at + 1] in COLOUR_TELLS
    if word in NOUN_TELLS and word.endswith("s"):
        return False
    return (
        word.replace("-", "").isalpha()
        and word not in grammar.FUNCTION
        and word not in grammar.DETERMINERS
        and word not in VERBS
        and not (word.endswith("ing") and word not in grammar.NOT_VERBS)
    )


def preposition_before(tokens: list[str], at: int) -> str:
    """The preposition that ends before a place, or nothing."""
    for length in (3, 2, 1):
        text = " ".join(tokens[max(0, at - length) : at])
        if text in grammar.PREPOSITION_NEAR or (length == 1 and text in grammar.PLACE_PREPOSITIONS):
            return text
    return ""


def kind_counted(noun: words.Noun) -> str:
    """What a noun is counted as: people all together, other things by concept."""
    return "person" if noun.category == "person" else noun.concept


def number_said(phrase: Phrase) -> int:
    """How many things a phrase speaks of; 0 where it doesn't say."""
    if phrase.determiner in grammar.NUMBERS:
        return grammar.NUMBERS.index(phrase.determiner) + 1
    return 1 if phrase.noun.number == "one" and phrase.determiner != "another" else 0


def _counts(captions: list[Caption]) -> set[str]:
    """What the captions say of numbers.

    count:THING:NUMBER for a number said of a thing, or added up over a caption; count:THING:many
    where more may be there than the numbers say; sum:THING:NUMBER where all captions that speak of
    the thing come to the same.
    """
    found: set[str] = set()
    sums: dict[str, set[int]] = {}
    for caption in captions:
        total: dict[str, list[int]] = {}
        for phrase in caption.phrases:
            total.setdefault(kind_counted(phrase.noun), []).append(number_said(phrase))
        text = " ".join(caption.tokens).replace("each other", "")
        unsaid = not grammar.MANY.isdisjoint(text.split())
        for thing, numbers in total.items():
            if unsaid:
                found.add(f"count:{thing}:many")
            found.update(f"count:{thing}:{number}" for number in (*numbers, sum(numbers)))
            sums.setdefault(thing, set()).add(0 if unsaid or 0 in numbers else sum(numbers))
    for thing, agreed in sums.items():
        if len(agreed) == 1:
            found.add(f"sum:{thing}:{max(agreed)}")
    return found


def tidy(tokens: Sequence[str]) -> str:
    """Tokens as a text, with commas and the genitive where they belong."""
    return re.sub(r" ([,;:!?]|'s\b)", r"\1", " ".join(tokens))


def texts_around(
    caption: Caption, slots: dict[tuple[int, int], str], generator: random.Random
) -> Iterator[str]:
    """The caption with tokens (first, last) replaced by slots, and a part of it around them."""
    first, last = min(slots)[0], max(slots)[1]
    last = max([last, *(p.end for p in caption.phrases if p.start <= last + 1)])
    pieces = list(caption.tokens)
    for (start, end), slot in sorted(slots.items(), reverse=True):
        pieces[start : end + 1] = [slot, *[""] * (end - start)]
    yield tidy([piece for piece in pieces if piece])
    starts = [phrase.start for phrase in caption.phrases if phrase.start <= first]
    ends = [phrase.end for phrase in caption.phrases if phrase.end >= last]
    start = generator.choice(starts[-2:] or [first])
    end = generator.choice([last, *ends[:2]])
    part = [piece for piece in pieces[start : end + 1] if piece]
    if 1 < len(part) < len(caption.tokens):
        yield tidy(part)


def subject_before(caption: Caption, at: int) -> Phrase | None:
    """The nearest single person or animal before a place."""
    found = [p for p in caption.phrases if p.end < at and p.noun.category in BEINGS]
    return found[-1] if found and found[-1].noun.number == "one" else None


def noun_clash(concept: str) -> frozenset[str]:
    """What a photo may not mention where a noun is to be wrong."""
    return frozenset({concept, *NOUN_NEAR.get(concept, ())})
