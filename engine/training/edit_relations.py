"""Places in English captions where it matters how things are put together: where somebody is, who
does what to whom, and which colour belongs to what.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from engine.training import edit_grammar as grammar
from engine.training import edit_words as words
from engine.training.edit_pairs import Site
from engine.training.edit_reading import (
    BEINGS,
    COLOUR_TELLS,
    NOUNS,
    PAINTED,
    VERB_NEAR,
    VERBS,
    Caption,
    Photo,
    Phrase,
    noun_clash,
    preposition_before,
    subject_before,
    texts_around,
    tidy,
)

_SLOPES = {"hill", "mountain", "stairs", "ramp", "cliff", "rock", "tree"}
_MOTION = frozenset(words.listed("through over into across along down up around"))
_PLAIN = set(
    words.listed("in on at to from by off over for after before through into of past across")
)

PLACE_TEMPLATES = (
    "a {s} {0}", "the {s} is {0}", "a photo of a {s} {0}", "there is a {s} {0}", "{s} {0}",
)  # fmt: skip
MOTION_TEMPLATES = ("a {s} moving {0}", "the {s} is going {0}", "a photo of a {s} going {0}")
COLOURED_TEMPLATES = (
    "a {0} {n} and a {1} {o}", "the {n} is {0} and the {o} is {1}", "{0} {n}, {1} {o}",
    "there is a {0} {n} and a {1} {o}",
)  # fmt: skip
DOING_TEMPLATES = (
    "the {0} is {v} and the {1} is {w}", "a {0} {v} and a {1} {w}", "a {0} {v}, a {1} {w}",
)  # fmt: skip
_ACTIONS = {
    action: verb for verb, (action, form) in VERBS.items()
    if form == "ing" and action in
    words.listed(
        "run walk sit stand jump swim sleep lie climb dance eat drink read"
    )
}  # fmt: skip


def place_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Where somebody is or moves: a preposition with its place."""
    for caption in photo.captions:
        for phrase in caption.phrases:
            if phrase.noun.category not in ("place", "built", "seat") or phrase.start < 2:
                continue
            preposition = caption.tokens[phrase.start - 1]
            if preposition not in grammar.PLACE_PREPOSITIONS or phrase.end - phrase.start > 3:
                continue
            start = phrase.start - 1
            before = caption.tokens[start - 1]
            if before in grammar.PREPOSITION_NEAR or before in ("top", "front", "next"):
                continue
            clash = noun_clash(phrase.noun.concept)
            value = tidy(caption.tokens[start : phrase.end + 1])
            role = VERBS.get(before, ("", "noun" if before in NOUNS else "other"))[1]
            motion = preposition in _MOTION
            contexts = (f"place {before} {motion}", f"place {role} {motion}")
            for text in texts_around(caption, {(start, phrase.end): "{0}"}, generator):
                yield Site("relation", caption.photo, text, value, clash, contexts)
            subject = subject_before(caption, start)
            if not subject:
                continue
            value = f"{preposition} the {phrase.word}"
            for template in generator.sample(MOTION_TEMPLATES if motion else PLACE_TEMPLATES, 1):
                text = template.replace("{s}", subject.word)
                yield Site("relation", caption.photo, text, value, clash, (text,))


def preposition_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """The same place, and another preposition: up or down, on or under, in front or behind."""
    for caption in photo.captions:
        for phrase in caption.phrases:
            concept = phrase.noun.concept
            preposition = preposition_before(caption.tokens, phrase.start)
            length = len(preposition.split())
            start = phrase.start - length
            if (
                not preposition
                or start < 1
                or caption.tokens[start - 1] in grammar.PREPOSITION_NEAR
            ):
                continue
            near = grammar.PREPOSITION_NEAR.get(preposition, [])
            clash = {f"prep:{other}:{concept}" for other in (preposition, *near)}
            clash |= {f"word:{other}" for other in near if other not in _PLAIN}
            for family in grammar.PREPOSITION_FAMILIES:
                if preposition not in family or ("up" in family and concept not in _SLOPES):
                    continue
                contexts = (f"prep {family} {phrase.word}", f"prep {family} {concept}")
                slots = {(start, phrase.start - 1): "{0}"}
                for text in texts_around(caption, slots, generator):
                    yield Site(
                        "relation", caption.photo, text, preposition, frozenset(clash), contexts
                    )


def role_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Who does what to whom: two people, or a person and an animal, change places."""
    for caption in photo.captions:
        beings = [p for p in caption.phrases if p.noun.category in BEINGS]
        for first, second in itertools.pairwise(beings):
            between = caption.tokens[first.end + 1 : second.start]
            animal = "animal" in (first.noun.category, second.noun.category)
            if (
                first.noun.number != second.noun.number
                or first.noun.concept == second.noun.concept
                or "person" in (first.noun.concept, second.noun.concept)
                or not (grammar.CAPABLE if animal else grammar.DIRECTED) & {*between}
                or "other" in between
                or (animal and (first.adjectives or second.adjectives))
                or not {"his", "her", "he", "she"}.isdisjoint(caption.tokens)
            ):
                continue
            slots = {(first.end, first.end): "{0}", (second.end, second.end): "{1}"}
            context = "roles " + " ".join(sorted((first.word, second.word)))
            value = f"{first.word}|{second.word}"
            for text in texts_around(caption, slots, generator):
                yield Site("relation", caption.photo, text, value, frozenset(), (context,))


def binding_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Which thing has which colour: two colours change places."""
    for caption in photo.captions:
        coloured = []
        for phrase in caption.phrases:
            at = [n for n in range(phrase.start, phrase.end) if caption.tokens[n] in words.COLOURS]
            if len(at) == 1:
                coloured.append((at[0], phrase))
        for (one, first), (two, second) in itertools.pairwise(coloured):
            colours = caption.tokens[one], caption.tokens[two]
            if COLOUR_TELLS[colours[0]] & COLOUR_TELLS[colours[1]]:
                continue
            if not _can_be_unbound(photo, caption, colours, first, second):
                continue
            slots = {(one, one): "{0}", (two, two): "{1}"}
            pair = "binding " + " ".join(sorted(colours))
            contexts = (
                f"{pair} {first.word} {second.word}",
                f"{pair} {first.noun.category in PAINTED} {second.noun.category in PAINTED}",
            )
            for text in texts_around(caption, slots, generator):
                value = "|".join(colours)
                yield Site("relation", caption.photo, text, value, frozenset(), contexts)


def _can_be_unbound(
    photo: Photo, caption: Caption, colours: tuple[str, str], first: Phrase, second: Phrase
) -> bool:
    """Whether the captions bind these colours so, and nowhere the other way round."""
    between = {*caption.tokens[first.end + 1 : second.start]}
    if first.noun.concept == second.noun.concept:
        heads = [subject_before(caption, phrase.start) for phrase in (first, second)]
        names = {head.noun.concept for head in heads if head}
        apart = first.noun.category == "wear" and len(names) == 2
        return apart or (
            first.noun.category == "animal" and not between.isdisjoint(grammar.DIRECTED)
        )
    return not _also_bound(photo, colours, first.word, second.word)


def bound_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Statements of two things and their colours, or of two beings and what they do."""
    number = photo.captions[0].photo
    coloured: dict[str, str] = {}
    doing: dict[str, str] = {}
    for caption in photo.captions:
        for phrase in caption.phrases:
            at = [n for n in range(phrase.start, phrase.end) if caption.tokens[n] in words.COLOURS]
            after = [*caption.tokens[phrase.end + 1 : phrase.end + 3], ""]
            action = VERBS.get(after[after[0] == "is"], ("", ""))[0]
            if phrase.noun.number != "one" or phrase.noun.concept == "person":
                continue
            if len(at) == 1 and phrase.noun.category in PAINTED:
                coloured.setdefault(phrase.word, caption.tokens[at[0]])
            if action in _ACTIONS and phrase.noun.category in BEINGS:
                doing.setdefault(phrase.word, action)
    for one, two in itertools.combinations(sorted(coloured), 2):
        colours = coloured[one], coloured[two]
        if NOUNS[one].concept == NOUNS[two].concept or _also_bound(photo, colours, one, two):
            continue
        for template in generator.sample(COLOURED_TEMPLATES, 2):
            text = template.replace("{n}", one).replace("{o}", two)
            pair = f"coloured {sorted(colours)}"
            value = "|".join(colours)
            yield Site("relation", number, text, value, frozenset(), (f"{pair} {text}", pair))
    for one, two in itertools.combinations(sorted(doing, key=lambda being: doing[being]), 2):
        actions = doing[one], doing[two]
        alike = NOUNS[two].concept in noun_clash(NOUNS[one].concept)
        if alike or actions[1] in (actions[0], *VERB_NEAR.get(actions[0], ())):
            continue
        text = generator.choice(DOING_TEMPLATES)
        text = text.replace("{v}", _ACTIONS[actions[0]]).replace("{w}", _ACTIONS[actions[1]])
        pair = f"doing {sorted((one, two))}"
        contexts = (f"{pair} {text}", f"{pair} {actions}", pair)
        yield Site("relation", number, text, f"{one}|{two}", frozenset(), contexts)


def _also_bound(photo: Photo, colours: tuple[str, str], one: str, two: str) -> bool:
    """Whether a caption binds one of the colours to the other thing, or they are much the same."""
    return bool(COLOUR_TELLS[colours[0]] & COLOUR_TELLS[colours[1]]) or any(
        f"bound:{family}:{NOUNS[word].concept}" in photo.mentioned
        for colour, word in zip(colours, (two, one), strict=True)
        for family in COLOUR_TELLS[colour]
    )
