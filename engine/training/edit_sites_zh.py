"""Places in Chinese captions, and in short statements drawn from them, where one value may stand
for another; the Chinese counterpart of `engine/training/edit_sites.py` and `edit_negations.py`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from engine.training import edit_words_zh as words
from engine.training.edit_pairs import Site

FORMS, TELLS, NEAR, STARRED = words.read_rows()
_LONGEST = max(map(len, TELLS))
_BEINGS = ("person", "animal")
_BETWEEN = re.compile(
    "(?:抱着|追着|看着|牵着|拉着|背着|推着|追|咬着|拿着|举着|扶着|跟着|抱|推|看|追赶|追逐|拍打|"
    "喂|教|骑在|骑着|搂着)"
    "(?:[一两三]?[个只名位条])?"
)

# {0} is the value, {n} the noun, {m} its measure word, {s} somebody in the photo.
COLOUR_TEMPLATES = (
    "{0}色的{n}", "{0}色{n}", "有{0}色的{n}", "{n}是{0}色的", "照片里有{0}色的{n}",
    "一张有{0}色{n}的照片",
    "这是{0}色的{n}", "画面中有{0}色{n}",
)  # fmt: skip
COUNT_TEMPLATES = (
    "{0}{m}{n}",
    "有{0}{m}{n}",
    "照片里有{0}{m}{n}",
    "图中{0}{m}{n}",
    "{0}{m}{n}的照片",
)
THING_TEMPLATES = (
    "{0}", "有{0}", "照片里有{0}", "{0}的照片", "一张有{0}的照片", "画面中能看到{0}", "{s}和{0}",
)  # fmt: skip
WORN_TEMPLATES = ("戴{0}的{s}", "{s}戴着{0}", "一个戴着{0}的{s}")
ACTION_TEMPLATES = ("{s}在{0}", "正在{0}的{s}", "{s}正在{0}", "{0}的{s}")
PLACE_TEMPLATES = ("{s}在{0}", "在{0}的{s}", "{0}的{s}", "{0}有{s}", "一张{s}在{0}的照片")
_CLAIMS = (
    ("有{n}", "没有{n}"), ("照片里有{n}", "照片里没有{n}"), ("有{n}的照片", "没有{n}的照片"),
    ("能看到{n}", "看不到{n}"), ("这里有{n}", "这里没有{n}"), ("画面中有{n}", "画面中没有{n}"),
)  # fmt: skip
_WORN_CLAIMS = (
    ("戴着{n}的{s}", "没有戴{n}的{s}"), ("{s}戴着{n}", "{s}没有戴{n}"), ("{s}有{n}", "{s}没有{n}"),
)  # fmt: skip
_TAILS = (("{c}，有{n}", "{c}，没有{n}"), ("{c}，旁边有{n}", "{c}，旁边没有{n}"))
_ACTION_CLAIMS = (
    ("{s}在{v}", "{s}没有在{v}"), ("正在{v}的{s}", "没有在{v}的{s}"), ("有人在{v}", "没有人在{v}"),
)  # fmt: skip
_CONTRASTS = ("有{0}，没有{1}", "照片里有{0}但没有{1}", "有{0}而没有{1}")


@dataclass(frozen=True, slots=True)
class Photo:
    """The captions of a photo in words, without the closing stop, and what they tell of."""

    number: int
    captions: list[list[str]]
    mentioned: frozenset[str]


def read_photo(number: int, texts: Sequence[str]) -> Photo:
    """The captions of a photo, and every concept that one of them tells of."""
    captions = [cut(text.strip().rstrip("。.!！啊")) for text in texts]
    mentioned: set[str] = set()
    sums: dict[str, set[int]] = {}
    for caption in captions:
        text = "".join(caption)
        many = any(word in text for word in words.MANY)
        mentioned.update(
            f"colour:{letter}" for letter in text if letter in "褐金橘" + words.COLOURS
        )
        for word in caption:
            mentioned |= TELLS.get(word, set())
        for thing, numbers in _numbers(caption).items():
            mentioned.update(f"count:{thing}:{number}" for number in (*numbers, sum(numbers)))
            if many:
                mentioned.add(f"count:{thing}:many")
            sums.setdefault(thing, set()).add(0 if many or 0 in numbers else sum(numbers))
    for thing, agreed in sums.items():
        if len(agreed - {0}) == 1 and (agreed != {0, 1} or f"count:{thing}:many" not in mentioned):
            mentioned.add(f"sum:{thing}:{max(agreed)}")
    return Photo(number, captions, frozenset(mentioned))


def cut(text: str) -> list[str]:
    """The text in words: the longest that is known, else a single character."""
    found, at = [], 0
    while at < len(text):
        length = next(
            (n for n in range(_LONGEST, 1, -1) if text[at : at + n] in TELLS), 1
        )  # fmt: skip
        found.append(text[at : at + length])
        at += length
    return found


def _thing(word: str) -> str:
    form = FORMS.get(word)
    return "" if form is None else "person" if form.category == "person" else form.concept


def _measured(caption: list[str], at: int) -> tuple[int, str] | None:
    """Where the number of the thing at a place stands, and the number with its measure word."""
    for start in range(at - 1, max(-1, at - 9), -1):
        if caption[start] in words.MEASURES and start and caption[start - 1] in words.NUMBERS:
            return start - 1, caption[start - 1] + caption[start]
        if _thing(caption[start]) in ("person", "dog", "horse", "bird") or caption[start] in "，,":
            return None
    return None


def _numbers(caption: list[str]) -> dict[str, list[int]]:
    """Numbers that a caption gives of each thing; 0 where it gives none."""
    found: dict[str, list[int]] = {}
    for at, word in enumerate(caption):
        if thing := _thing(word):
            measured = _measured(caption, at)
            number = words.NUMBERS.index(measured[1][0]) + 1 if measured else 0
            found.setdefault(thing, []).append(number)
    return found


def _clash(concept: str) -> frozenset[str]:
    return frozenset({concept, *NEAR.get(concept, ())})


def _subjects(photo: Photo) -> list[str]:
    found = {
        word: None for caption in photo.captions for word in caption
        if word in FORMS and FORMS[word].category in _BEINGS
    }  # fmt: skip
    return list(found)


def _who(caption: list[str], at: int) -> str:
    """Whether a place in the caption is about a person or an animal: the nearest one."""
    near = [
        (abs(n - at), FORMS[word].category) for n, word in enumerate(caption)
        if word in FORMS and FORMS[word].category in _BEINGS
    ]  # fmt: skip
    return min(near)[1] if near else ""


def _texts(caption: list[str], first: int, last: int, generator: random.Random) -> Iterator[str]:
    """The caption with words ``first`` to ``last`` replaced by {0}, and a part around them."""
    pieces = [*caption[:first], "{0}", *caption[last + 1 :]]
    yield "".join(pieces)
    starts = [
        n for n in range(first)
        if caption[n] in FORMS and FORMS[caption[n]].category in (*_BEINGS, "place")
    ]  # fmt: skip
    ends = [n for n in range(first + 1, len(pieces)) if pieces[n] in FORMS]
    start = generator.choice([first, *starts])
    part = pieces[start : (generator.choice(ends) if ends else first) + 1]
    if 1 < len(part) < len(pieces) and part[0] not in "的着":
        yield "".join(part)


def colour_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Colours of things, as 红色的球 and 黑狗."""
    for caption in photo.captions:
        # 黑狗 is one word where it serves as a hint; here its colour counts.
        text = "".join(caption)
        for match in re.finditer(rf"([{words.COLOURS}])(色的|色|)((?:小|大|长毛)?)", text):
            rest = cut(text[match.end() :])
            noun = rest[0] if rest and rest[0] in FORMS else ""
            if not noun or FORMS[noun].category not in (
                "animal", "vehicle", "board", "thing", "wear", "worn", "plain", "seat"
            ):  # fmt: skip
                continue
            value, shape = match[1], "色" if match[2] else ""
            near = value + words.COLOUR_NEAR[value]
            clash = frozenset(f"colour:{letter}" for letter in near)
            contexts = (f"colour {shape} {noun}", f"colour {shape} {FORMS[noun].category}")
            full = text[: match.start()] + "{0}" + text[match.start() + 1 :]
            short = "{0}" + text[match.start() + 1 : match.end()] + noun
            for place in dict.fromkeys((full, short)):
                yield Site("colour", photo.number, place, value, clash, contexts)
            for template in generator.sample(COLOUR_TEMPLATES, 5):
                said = template.replace("{n}", noun)
                yield Site("colour", photo.number, said, value, clash, (said,))


def count_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Numbers of people, animals and things."""
    for caption in photo.captions:
        for at, word in enumerate(caption):
            thing, measured = _thing(word), _measured(caption, at)
            if not thing or not measured:
                continue
            start, number = measured[0], words.NUMBERS.index(measured[1][0]) + 1
            if number == 1 and f"sum:{thing}:1" not in photo.mentioned:
                continue
            end = caption[at + 1] if at + 1 < len(caption) else ""
            for text in _texts(caption, start, start, generator):
                yield _count_site(photo, text, number, thing, end)
    for thing, noun in (("person", "人"), ("dog", "狗"), ("horse", "马"), ("bird", "鸟")):
        for number in range(1, 7):
            if f"sum:{thing}:{number}" in photo.mentioned:
                for template in generator.sample(COUNT_TEMPLATES, 3):
                    said = template.replace("{m}", FORMS[noun].measure).replace("{n}", noun)
                    yield _count_site(photo, said, number, thing, said)


def _count_site(photo: Photo, text: str, number: int, thing: str, context: str) -> Site:
    clash = {f"count:{thing}:{number}"} | ({f"count:{thing}:many"} if number > 1 else set())
    company = any(word in text for word in words.COMPANY)
    contexts = (f"count {thing} {company} {context}", f"count {thing} {company}")[
        : 1 + (context != text)
    ]
    return Site("count", photo.number, text, words.NUMBERS[number - 1], frozenset(clash), contexts)


def object_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Things, people and actions, in captions and in statements."""
    stated: dict[str, str] = {}
    subjects = _subjects(photo)
    for caption in photo.captions:
        for at, word in enumerate(caption):
            form = FORMS.get(word)
            if form is None or form.category in ("group", "plain", "place"):
                continue
            before, after = (caption[at - 1] if at else ""), (*caption, "")[at + 1]
            if form.category != "action" and after in FORMS:
                continue
            shape = f"{form.category} {form.measure}"
            if form.category == "action":
                shape += f" {_who(caption, at)}"
            contexts = (f"{shape} {before} {after}", f"{shape} {before}", f"{shape} . {after}")
            clash = _clash(form.concept)
            for text in _texts(caption, at, at, generator):
                yield Site("object", photo.number, text, word, clash, contexts)
            if form.concept in STARRED or form.category == "action":
                stated.setdefault(form.concept, word)
    for concept, word in stated.items():
        category = FORMS[word].category
        templates = {"action": ACTION_TEMPLATES, "wear": WORN_TEMPLATES}.get(
            category, THING_TEMPLATES
        )
        others = [s for s in subjects if FORMS[s].concept != concept]
        if category == "wear":
            others = [s for s in others if FORMS[s].category == "person"]
        for template in generator.sample(templates, 2):
            if "{s}" in template and not others:
                continue
            said = template.replace("{s}", generator.choice(others) if others else "")
            yield Site("object", photo.number, said, word, _clash(concept), (f"{said} {category}",))


def relation_sites(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """Where somebody is, and who does what to whom."""
    subjects = _subjects(photo)
    for caption in photo.captions:
        for at, word in enumerate(caption):
            form = FORMS.get(word)
            if form is None:
                continue
            if form.category == "place":
                before, after = (caption[at - 1] if at else ""), (*caption, "")[at + 1]
                doing = [w for w in caption if w in FORMS and FORMS[w].category == "action"]
                shape = f"place {_who(caption, at)} {doing[:1]} {before}"
                contexts = (f"{shape} {after}", shape)
                clash = _clash(form.concept)
                for text in _texts(caption, at, at, generator):
                    yield Site("relation", photo.number, text, word, clash, contexts)
                nearest = [name for name in subjects if name in caption]
                for template in generator.sample(PLACE_TEMPLATES, 3 * bool(nearest)):
                    said = template.replace("{s}", generator.choice(nearest))
                    yield Site("relation", photo.number, said, word, clash, (said,))
        yield from _role_sites(photo.number, caption)


def _role_sites(number: int, caption: list[str]) -> Iterator[Site]:
    beings = [n for n, w in enumerate(caption) if w in FORMS and FORMS[w].category in _BEINGS]
    for first, second in pairwise(beings):
        one, two = caption[first], caption[second]
        if FORMS[one].concept == FORMS[two].concept or FORMS[one].measure != FORMS[two].measure:
            continue
        between = "".join(caption[first + 1 : second]).removeprefix("正").removeprefix("在")
        if "人" in (one, two) or not _BETWEEN.fullmatch(between):
            continue
        pieces = [*caption[:first], "{0}", *caption[first + 1 : second], "{1}"]
        text = "".join([*pieces, *caption[second + 1 :]])
        context = "roles " + " ".join(sorted((one, two)))
        yield Site("relation", number, text, f"{one}|{two}", frozenset(), (context,))


def negation_sites(photos: Sequence[Photo], generator: random.Random) -> Iterator[Site]:
    """Statements that something is there and that it isn't, for as many photos that show it as
    don't.
    """
    subjects = [_subjects(photo) for photo in photos]
    named = [{word for caption in photo.captions for word in caption} for photo in photos]
    for word, form in FORMS.items():
        if form.concept not in STARRED and form.category != "action":
            continue
        clash = _clash(form.concept)
        having = [at for at in range(len(photos)) if word in named[at]]
        lacking = [at for at, photo in enumerate(photos) if not clash & photo.mentioned]
        generator.shuffle(lacking)
        if not lacking:
            continue
        turn = iter(lacking * 4)
        for at in having:
            for pair, subject in _offers(form, subjects[at], generator):
                other = next((
                    p for _, p in zip(range(200), turn, strict=False)
                    if not subject or subject in subjects[p]
                ), None)  # fmt: skip
                if other is None:
                    continue
                yield from _mirrored(pair, word, subject, photos[at], photos[other], generator)
    for photo in photos:
        yield from _contrasts(photo, generator)


def _offers(
    form: words.Word, subjects: list[str], generator: random.Random
) -> Iterator[tuple[tuple[str, str], str]]:
    others = [name for name in subjects if FORMS[name].concept != form.concept and name != "人"]
    if form.category == "action":
        pair = generator.choice(_ACTION_CLAIMS)
        if "{s}" not in pair[0]:
            yield pair, ""
        elif others:
            yield pair, generator.choice(others)
        return
    if form.category == "wear":
        people = [name for name in others if FORMS[name].category == "person"]
        if people:
            yield generator.choice(_WORN_CLAIMS), generator.choice(people)
        return
    yield generator.choice(_CLAIMS), ""
    if form.category != "person":
        yield generator.choice(_TAILS), ""


def _mirrored(
    pair: tuple[str, str], word: str, subject: str, here: Photo, there: Photo,
    generator: random.Random,
) -> Iterator[Site]:  # fmt: skip
    """The two statements for a photo that shows the thing, and for one that doesn't."""
    yes, no = (text.replace("{n}", word).replace("{v}", word) for text in pair)
    yes, no = (text.replace("{s}", subject) for text in (yes, no))
    context = f"{yes} / {no}"
    if "{c}" not in yes:
        yield Site("negation", here.number, "{0}", yes, frozenset(), (context,))
        yield Site("negation", there.number, "{0}", no, frozenset(), (context,))
        return
    clash = _clash(FORMS[word].concept)
    silent = [c for c in here.captions if not any(clash & TELLS.get(w, set()) for w in c)]
    if not silent:
        return
    yes, no = yes.removeprefix("{c}"), no.removeprefix("{c}")
    for photo, captions, value in ((here, silent, yes), (there, there.captions, no)):
        text = "".join(generator.choice(captions)) + "{0}"
        yield Site("negation", photo.number, text, value, frozenset(), (context,))


def _contrasts(photo: Photo, generator: random.Random) -> Iterator[Site]:
    """One thing that is there and one that isn't, to meet a photo where it is the other way."""
    names = [w for w, f in FORMS.items() if f.concept in STARRED and f.category != "wear"]
    here = {w for caption in photo.captions for w in caption}
    for word in [name for name in names if name in here]:
        for other in generator.sample(names, 3):
            if _clash(FORMS[other].concept) & photo.mentioned:
                continue
            template = generator.choice(_CONTRASTS)
            context = f"contrast {template} " + " ".join(sorted((word, other)))
            value = f"{word}|{other}"
            yield Site("negation", photo.number, template, value, frozenset(), (context,))


FINDERS: tuple[Callable[[Photo, random.Random], Iterator[Site]], ...] = (
    colour_sites, count_sites, object_sites, relation_sites,
)  # fmt: skip
