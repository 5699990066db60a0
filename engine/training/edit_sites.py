"""Places in English captions, and in short statements drawn from them, where one value may stand
for another: colours, numbers, things and actions.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from engine.training import edit_grammar as grammar
from engine.training import edit_words as words
from engine.training.edit_pairs import Site
from engine.training.edit_reading import (
    BEINGS,
    COLOUR_NEAR,
    COLOUR_TELLS,
    NOUNS,
    PAINTED,
    STARRED,
    VERB_NEAR,
    VERBS,
    Caption,
    Photo,
    Phrase,
    kind_counted,
    noun_clash,
    number_said,
    subject_before,
    texts_around,
    tidy,
)

# Numbers of a text that isn't made for one and many change among two and more.
_FIXED = "fixed fixed"
_STILL_ACTIONS = set(
    words.listed("run walk sit stand jump swim sleep lie climb dance eat drink read sing")
)


# {0} is the value; {n} the noun, {s} somebody in the photo. An article before a value fits itself.
COLOUR_TEMPLATES = (
    "a {0} {n}", "{0} {n}", "the {n} is {0}", "there is a {0} {n}", "a photo of a {0} {n}",
    "a {n} that is {0}", "the {0} {n}", "someone with a {0} {n}",
)  # fmt: skip
COLOURS_TEMPLATES = (
    "{0} {n}", "the {n} are {0}", "there are {0} {n}", "a photo of {0} {n}", "{n} that are {0}",
)  # fmt: skip
COLOUR_MASS_TEMPLATES = ("{0} {n}", "the {n} is {0}", "there is {0} {n}", "a photo of {0} {n}")
_COLOUR_TEMPLATES = {
    "one": COLOUR_TEMPLATES, "many": COLOURS_TEMPLATES, "pair": COLOURS_TEMPLATES,
    "mass": COLOUR_MASS_TEMPLATES,
}  # fmt: skip
COUNT_TEMPLATES = (
    "{0} {n}", "there [is|are] {0} {n}", "a photo of {0} {n}", "{0} {n} in the photo",
    "the photo shows {0} {n}", "{0} {n} can be seen",
)  # fmt: skip
THING_TEMPLATES = (
    "there is a {0}", "a {0}", "a photo of a {0}", "a {0} in the photo", "a {0} can be seen",
    "the photo shows a {0}", "this is a {0}", "a {s} and a {0}", "a {s} with a {0}",
    "a photo of a {s} with a {0}",
)  # fmt: skip
THINGS_TEMPLATES = (
    "there are {0}", "{0}", "a photo of {0}", "{0} in the photo", "{0} can be seen",
    "the photo shows {0}", "these are {0}", "a {s} and {0}", "a {s} along with {0}",
)  # fmt: skip
MASS_TEMPLATES = (
    "there is {0}", "{0}", "a photo of {0}", "{0} in the photo", "{0} can be seen",
    "the photo shows {0}", "a {s} and {0}", "a {s} near {0}",
)  # fmt: skip
WORN_TEMPLATES = (
    "a {s} wearing a {0}", "the {s} wears a {0}", "a {s} in a {0}", "the {s} has a {0} on",
)  # fmt: skip
WORN_PLURAL_TEMPLATES = (
    "a {s} wearing {0}", "the {s} wears {0}", "a {s} in {0}", "the {s} has {0} on",
)  # fmt: skip
ACTION_TEMPLATES = ("a {s} {0}", "the {s} is {0}", "a photo of a {s} {0}", "a {s} is {0} here")


def _colour_clash(colour: str) -> frozenset[str]:
    families = COLOUR_TELLS[colour]
    near = {other for family in families for other in COLOUR_NEAR.get(family, ())}
    return frozenset(f"colour:{family}" for family in families | near)


def colour_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Colours of things; "black and white" is one value."""
    seen = set()
    for caption in photo.captions:
        for phrase in caption.phrases:
            places = [
                at for at in range(phrase.start, phrase.end)
                if caption.tokens[at] in words.COLOURS
            ]  # fmt: skip
            if not places or phrase.noun.category == "person":
                continue
            start, end = places[0], places[-1]
            value = tidy(caption.tokens[start : end + 1])
            if not re.fullmatch(r"[a-z]+( and [a-z]+)*", value) or len(places) > 3:
                continue
            clash = frozenset().union(*(_colour_clash(caption.tokens[at]) for at in places))
            noun = phrase.word
            contexts = [f"colour {noun}"]
            if phrase.noun.category in PAINTED:
                contexts.append(f"colour {phrase.noun.category}")
            for text in texts_around(caption, {(start, end): "{0}"}, generator):
                yield Site("colour", caption.photo, text, value, clash, tuple(contexts))
            if (value, noun) in seen:
                continue
            seen.add((value, noun))
            templates = _COLOUR_TEMPLATES[phrase.noun.number]
            for template in generator.sample(templates, 3):
                text = template.replace("{n}", noun)
                yield Site("colour", caption.photo, text, value, clash, (text,))


def count_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Numbers of people, animals and things."""
    for caption in photo.captions:
        for phrase in caption.phrases:
            number, thing = number_said(phrase), kind_counted(phrase.noun)
            if not 1 <= number <= 6 or not _is_counted(caption, phrase):
                continue
            if number == 1 and f"sum:{thing}:1" not in photo.mentioned:
                continue
            changed, after = _with_both_numbers(caption, phrase)
            if changed is None and number == 1:
                continue
            tokens = changed or list(caption.tokens)
            if phrase.start and tokens[phrase.start - 1] in ("is", "are"):
                tokens[phrase.start - 1] = "[is|are]"
            changed_caption = Caption(caption.photo, tokens, caption.phrases)
            slots = {(phrase.start, phrase.start): "{0}"}
            noun = phrase.noun.single
            contexts = (f"count {noun} {after}", f"count {noun} {after.partition(' ')[2]}")
            for text in texts_around(changed_caption, slots, generator):
                yield _count_site(caption.photo, text, number, thing, contexts, generator)
    yield from _count_statements(photo, generator)


def _is_counted(caption: Caption, phrase: Phrase) -> bool:
    """Whether a phrase is of a thing that is counted, and begins with the number or article."""
    return (
        bool(phrase.determiner and phrase.noun.single)
        and phrase.noun.category in (*BEINGS, "vehicle", "board", "thing", "seat")
        and not (phrase.start and caption.tokens[phrase.start - 1] in grammar.DETERMINERS)
    )


def _count_statements(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Numbers that all captions agree on."""
    for thing in sorted({kind_counted(p.noun) for c in photo.captions for p in c.phrases}):
        noun = NOUNS.get(thing)
        if noun is None or noun.number != "one" or noun.category in ("place", "built", "wear"):
            continue
        for number in range(1, 7):
            if f"sum:{thing}:{number}" not in photo.mentioned:
                continue
            for template in generator.sample(COUNT_TEMPLATES, 3):
                text = template.replace("{n}", f"[{noun.single}|{noun.plural}]")
                at = photo.captions[0].photo
                yield _count_site(at, text, number, thing, (text,), generator)


def _count_site(
    photo: int,
    text: str,
    number: int,
    thing: str,
    contexts: tuple[str, ...],
    generator: random.Random,
) -> Site:
    one = generator.choice(("one", "one", "a single"))
    value = one if number == 1 else grammar.NUMBERS[number - 1]
    clash = {f"count:{thing}:{number}"} | ({f"count:{thing}:many"} if number > 1 else set())
    return Site("count", photo, text, value, frozenset(clash), contexts)


def _with_both_numbers(caption: Caption, phrase: Phrase) -> tuple[list[str] | None, str]:
    """Tokens whose noun and verb fit one and many, as ``[dog|dogs] [runs|run]``, and the verb.

    None where more words would have to change.
    """
    tokens = list(caption.tokens)
    tokens[phrase.end] = f"[{phrase.noun.single}|{phrase.noun.plural}]"
    rest = tokens[phrase.end + 1 :]
    if grammar.ONE_OR_MANY & {*rest}:
        return None, _FIXED
    thirds = dict(grammar.AGREEING)
    thirds |= {verb: base for verb, (base, form) in VERBS.items() if form == "third"}
    bases = {base: verb for verb, base in thirds.items()}
    company = (
        f"{bool({'a', 'an'} & {*rest})} {any(NOUNS[w].plural == w for w in rest if w in NOUNS)}"
    )
    if not rest:
        return tokens, "end end"
    found = thirds if phrase.noun.number == "one" else bases
    if rest[0] in found:
        pair = (rest[0], found[rest[0]]) if found is thirds else (found[rest[0]], rest[0])
        tokens[phrase.end + 1] = f"[{pair[0]}|{pair[1]}]"
        rest = rest[1:]
    elif not (
        rest[0].endswith("ing") or rest[0] in grammar.PLACE_PREPOSITIONS or rest[0] == "with"
    ):
        return None, _FIXED
    if any(word in thirds or (word in bases and word not in NOUNS) for word in rest):
        return None, _FIXED
    return tokens, f"{tokens[phrase.end + 1]} {company}"


def object_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Things and people, in captions and in statements."""
    stated: dict[tuple[str, str], Phrase] = {}
    for caption in photo.captions:
        for phrase in caption.phrases:
            noun, adjectives = phrase.noun, " ".join(phrase.adjectives)
            if noun.category == "plain" or (
                noun.category == "wear" and noun.concept not in STARRED
            ):
                continue
            before = caption.tokens[phrase.start - 1] if phrase.start else ""
            after = (*caption.tokens, "")[phrase.end + 1]
            article = phrase.determiner
            article = {"an": "a", "her": "his", "its": "his"}.get(article, article)
            shape = f"object {noun.number} {article} {adjectives}"
            contexts = [
                f"{shape} {noun.category} {before} {after}",
                f"{shape} {noun.category} {before}",
                f"{shape} {noun.category} {after}",
            ]
            if noun.category in BEINGS and not adjectives:
                contexts.append(f"{shape} being {after}")
            clash = noun_clash(noun.concept)
            for text in texts_around(caption, {(phrase.end, phrase.end): "{0}"}, generator):
                yield Site("object", caption.photo, text, phrase.word, clash, tuple(contexts))
            if noun.concept in STARRED:
                stated.setdefault((noun.concept, noun.number), phrase)
    beings = [p for p in stated.values() if p.noun.category in BEINGS and p.noun.number == "one"]
    for phrase in stated.values():
        noun = phrase.noun
        plain, worn = {
            "one": (THING_TEMPLATES, WORN_TEMPLATES),
            "many": (THINGS_TEMPLATES, WORN_PLURAL_TEMPLATES),
            "pair": (THINGS_TEMPLATES, WORN_PLURAL_TEMPLATES),
            "mass": (MASS_TEMPLATES, ()),
        }[noun.number]
        templates = worn if noun.category == "wear" else plain
        for template in generator.sample(templates, 3):
            others = [being for being in beings if being.noun.concept != noun.concept]
            if "{s}" in template and not others:
                continue
            subject = generator.choice(others).word if "{s}" in template else ""
            text = template.replace("{s}", subject)
            contexts = [f"{text} {noun.category} {noun.number}"]
            if noun.category != "wear":
                contexts.append(text)
            clash, at = noun_clash(noun.concept), photo.captions[0].photo
            yield Site("object", at, text, phrase.word, clash, tuple(contexts))


def action_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """What people and animals do."""
    for caption in photo.captions:
        tokens = caption.tokens
        for at, word in enumerate(tokens):
            action, form = VERBS.get(word, ("", ""))
            before = tokens[at - 1] if at else ""
            if form not in ("third", "ing") or not (
                before in ("is", "are") or (NOUNS.get(before) and NOUNS[before].category in BEINGS)
            ):
                continue
            clash = frozenset(f"verb:{name}" for name in (action, *VERB_NEAR.get(action, ())))
            subject = subject_before(caption, at)
            whose = subject.word if subject else ""
            after = (*tokens[at + 1 :], "")[0]
            if after in grammar.DETERMINERS:
                after = next((p.word for p in caption.phrases if p.start == at + 1), "?")
            contexts = (f"action {form} {whose} {after}", f"action {form} {after}")
            for text in texts_around(caption, {(at, at): "{0}"}, generator):
                yield Site("object", caption.photo, text, word, clash, contexts)
            if not whose or action not in _STILL_ACTIONS or after == "?":
                continue
            doing = next(verb for verb, known in VERBS.items() if known == (action, "ing"))
            for template in generator.sample(ACTION_TEMPLATES, 2):
                text = template.replace("{s}", whose)
                yield Site("object", caption.photo, text, doing, clash, (text,))
