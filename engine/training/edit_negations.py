"""Statements that something is there and that it isn't, each right and wrong equally often.

For every thing, photos that show it and photos that don't are given the same two statements.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from engine.training.edit_pairs import Site
from engine.training.edit_reading import (
    NOUN_TELLS,
    NOUNS,
    STARRED,
    VERB_NEAR,
    VERBS,
    Caption,
    Photo,
    Phrase,
    noun_clash,
    tidy,
)
from engine.training.edit_words import listed

# What says that a thing is there, and what says that it isn't; {a} is the thing with its article
# if it takes one, {n} without, {be} is or are, {s} somebody in the photo, {c} a caption or its
# first words.
_THING = (
    ("{a}", "no {n}"),
    ("there {be} {a}", "there {be} no {n}"),
    ("a photo with {a}", "a photo with no {n}"),
    ("a picture of {a}", "a picture without {a}"),
    ("{a} can be seen", "no {n} can be seen"),
    ("the photo shows {a}", "the photo shows no {n}"),
    ("there {be} {a} here", "there {be} no {n} here"),
    ("a scene with {a} in it", "a scene with no {n} in it"),
)
_BESIDE = (
    ("a {s} along with {a}", "a {s} with no {n}"),
    ("a {s} and {a}", "a {s} and no {n}"),
    ("a {s} along with {a}", "a {s} without {a}"),
    ("the {s} has {a}", "the {s} has no {n}"),
    ("there is a {s} with {a}", "there is a {s} but no {n}"),
    ("a photo of a {s} with {a}", "a photo of a {s} without {a}"),
)
_WORN = (
    ("a {s} wearing {a}", "a {s} wearing no {n}"),
    ("the {s} is wearing {a}", "the {s} is not wearing {a}"),
    ("the {s} has {a}", "the {s} has no {n}"),
    ("a {s} in {a}", "a {s} without {a}"),
    ("a {s} along with {a}", "a {s} with no {n}"),
)
_TAILS = (
    ("{c}, with {a}", "{c}, with no {n}"),
    ("{c} with {a}", "{c} without {a}"),
    ("{c} and there {be} {a}", "{c} and there {be} no {n}"),
    ("{c}, {a} can be seen", "{c}, no {n} can be seen"),
)
_ACTION = (
    ("the {s} is {v}", "the {s} is not {v}"),
    ("a {s} {v}", "a {s} not {v}"),
    ("a {s} that is {v}", "a {s} that is not {v}"),
    ("a photo of a {s} {v}", "a photo of a {s} who is not {v}"),
)
_ANYONE = (("somebody is {v}", "nobody is {v}"), ("there is somebody {v}", "there is nobody {v}"))
_CONTRASTS = ("a {0} but no {1}", "there is a {0} but no {1}", "a photo with a {0} and no {1}")
NEGATION_TEMPLATES = (
    *(text for pairs in (_THING, _BESIDE, _WORN, _TAILS, _ACTION, _ANYONE) for pair in pairs
      for text in pair),
    *_CONTRASTS,
)  # fmt: skip
_ACTIONS = [
    (action, verb) for verb, (action, form) in VERBS.items()
    if form == "ing" and action in
    listed(
        "run sit stand jump swim sleep lie climb ride dance eat drink read sing fly walk"
    )
]  # fmt: skip
_WITH = ("thing", "vehicle", "board", "animal")


def negation_sites(photos: Sequence[Photo], generator: random.Random) -> Iterator[Site]:
    """Sites whose values are whole statements, or two things of which one is there."""
    claims = sorted(
        (noun.concept, word) for word, noun in NOUNS.items()
        if (noun.concept in STARRED and noun.number in ("one", "mass")) or (word == noun.plural
        and not noun.single and noun.concept in STARRED)
    )  # fmt: skip
    shown = [_shown(photo) for photo in photos]
    for photo, here in zip(photos, shown, strict=True):
        yield from _contrasts(photo, here, generator)
    for concept, word in claims:
        with_it = [at for at, here in enumerate(shown) if word in here]
        clash = noun_clash(concept)
        lacking = [at for at, photo in enumerate(photos) if not clash & photo.mentioned]
        generator.shuffle(lacking)
        yield from _claims(word, photos, shown, with_it, lacking, generator)
    for action, verb in _ACTIONS:
        yield from _action_claims(action, verb, photos, generator)


def _shown(photo: Photo) -> dict[str, Phrase]:
    """What the captions name, by the word that a statement may use."""
    found: dict[str, Phrase] = {}
    for caption in photo.captions:
        for phrase in caption.phrases:
            if phrase.noun.concept in STARRED:
                found.setdefault(phrase.noun.single or phrase.word, phrase)
    return found


def _with_article(word: str) -> str:
    noun = NOUNS[word]
    if noun.number != "one":
        return word
    return f"{'an' if word[0] in 'aeio' or word.startswith('umb') else 'a'} {word}"


def _say(template: str, word: str, subject: str = "") -> str:
    be = "are" if NOUNS[word].number in ("many", "pair") else "is"
    text = template.replace("{a}", _with_article(word)).replace("{n}", word)
    return text.replace("{be}", be).replace("{s}", subject)


def _beings(here: dict[str, Phrase]) -> list[str]:
    return [
        word for word, phrase in here.items()
        if phrase.noun.category in ("person", "animal") and phrase.noun.number == "one"
    ]  # fmt: skip


def _claims(
    word: str,
    photos: Sequence[Photo],
    shown: Sequence[dict[str, Phrase]],
    with_it: list[int],
    lacking: list[int],
    generator: random.Random,
) -> Iterator[Site]:
    """Statements about a thing, for as many photos that lack it as show it."""
    category, concept = NOUNS[word].category, NOUNS[word].concept
    pool = iter(lacking * 4)
    for at in with_it:
        offered = []
        if category != "wear":
            offered.append((generator.choice(_THING), ""))
        subjects = [name for name in _beings(shown[at]) if NOUNS[name].concept != concept]
        people = [name for name in subjects if NOUNS[name].category == "person"]
        if category == "wear" and people:
            offered += [(pair, generator.choice(people)) for pair in generator.sample(_WORN, 2)]
        if category in _WITH and subjects:
            offered += [(pair, generator.choice(subjects)) for pair in generator.sample(_BESIDE, 1)]
        for pair, subject in offered:
            other = next((
                photo for _, photo in zip(range(200), pool, strict=False)
                if not subject or subject in shown[photo]
            ), None)  # fmt: skip
            if other is None:
                continue
            yes, no = (_say(text, word, subject) for text in pair)
            context = f"{yes} / {no}"
            yield Site("negation", at, "{0}", yes, frozenset(), (context,))
            yield Site("negation", other, "{0}", no, frozenset(), (context,))
        yield from _tails(word, photos, at, pool, generator)


def _tails(
    word: str, photos: Sequence[Photo], at: int, pool: Iterator[int], generator: random.Random
) -> Iterator[Site]:
    """A caption that says nothing of the thing, and that it is there or isn't."""
    clash = noun_clash(NOUNS[word].concept)
    silent = [
        caption for caption in photos[at].captions
        if not clash & {name for token in caption.tokens for name in NOUN_TELLS.get(token, ())}
    ]  # fmt: skip
    other = next(pool, None)
    if not silent or other is None or NOUNS[word].category == "wear":
        return
    pair = generator.choice(_TAILS[0 if NOUNS[word].category in _WITH else 2 :])
    context = f"tail {pair} {word}"
    yes, no = (_say(text, word).replace("{c}", "").replace(" {c}", "") for text in pair)
    for photo, caption, value in (
        (at, generator.choice(silent), yes),
        (other, generator.choice(photos[other].captions), no),
    ):
        text = tidy(_part(caption, generator)) + "{0}"
        yield Site("negation", photo, text, value, frozenset(), (context,))


def _part(caption: Caption, generator: random.Random) -> list[str]:
    """The caption, or its words up to the end of a phrase."""
    ends = [phrase.end for phrase in caption.phrases if phrase.end > 1]
    if ends and generator.random() < 0.6:
        return caption.tokens[: generator.choice(ends) + 1]
    return caption.tokens


def _contrasts(photo: Photo, here: dict[str, Phrase], generator: random.Random) -> Iterator[Site]:
    """One thing that is there and one that isn't, to meet a photo where it is the other way."""
    things = [w for w, p in here.items() if p.noun.category not in ("wear",) and w in NOUNS]
    singles = [w for w in things if NOUNS[w].number == "one"]
    names = [w for w, n in NOUNS.items() if n.concept in STARRED and n.number == "one"]
    for word in singles:
        for other in generator.sample(names, 4):
            if noun_clash(NOUNS[other].concept) & photo.mentioned:
                continue
            template = generator.choice(_CONTRASTS)
            context = f"contrast {template} " + " ".join(sorted((word, other)))
            yield Site(
                "negation", photo.captions[0].photo, template, f"{word}|{other}",
                frozenset(), (context,),
            )  # fmt: skip


def _action_claims(
    action: str, verb: str, photos: Sequence[Photo], generator: random.Random
) -> Iterator[Site]:
    """Statements about an action, for as many photos that lack it as show it."""
    clash = {f"verb:{name}" for name in (action, *VERB_NEAR.get(action, ()))}
    doing: list[tuple[int, str]] = []
    lacking: list[tuple[int, str]] = []
    for at, photo in enumerate(photos):
        singles = {
            phrase.word for caption in photo.captions for phrase in caption.phrases
            if phrase.noun.category in ("person", "animal") and phrase.noun.number == "one"
        }  # fmt: skip
        for caption in photo.captions:
            for phrase in caption.phrases:
                after = [*caption.tokens[phrase.end + 1 : phrase.end + 3], ""]
                verbs = after[:2] if after[0] == "is" else after[:1]
                if phrase.word in singles and any(VERBS.get(v, ("",))[0] == action for v in verbs):
                    doing.append((at, phrase.word))
        if not clash & photo.mentioned and len(singles) == 1:
            lacking.append((at, next(iter(singles))))
    generator.shuffle(lacking)
    for at, subject in dict.fromkeys(doing):
        pair = generator.choice((*_ACTION, *_ANYONE) if subject != "dog" else _ACTION)
        same = next((p for p in lacking if p[1] == subject and p[0] != at), None)
        if same is None:
            continue
        lacking.remove(same)
        yes, no = (text.replace("{s}", subject).replace("{v}", verb) for text in pair)
        for photo_at, value in ((at, yes), (same[0], no)):
            yield Site("negation", photo_at, "{0}", value, frozenset(), (f"{yes} / {no}",))
