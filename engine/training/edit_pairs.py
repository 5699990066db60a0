"""Edits come in pairs, so that no text gives away by its words alone whether it is right.

A site is a place in a text where one value may stand for another. Two sites of the same context
exchange their values: what is right for the first photo is wrong for the second, and the other way
round. Every value is then right exactly as often as it is wrong, and so is every short text that
the two have in common.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_TRIES = 6


@dataclass(frozen=True, slots=True)
class Edit:
    """A text that is right for a photo, and nearly the same text that is wrong for it.

    ``photo`` is the photo's place in the caption set; ``kind`` is "colour", "count", "object",
    "relation" or "negation".
    """

    kind: str
    photo: int
    right: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a text about a photo.

    Args:
        kind: kind of the edits made here.
        photo: the photo's place in the caption set.
        text: the text with {0} for the value; {0} and {1} where the value has two parts.
        value: what makes the text right; its parts are separated by "|".
        clash: concepts of which a photo may mention none, for the value to be wrong there.
        contexts: what a partner must share, the narrowest first.
    """

    kind: str
    photo: int
    text: str
    value: str
    clash: frozenset[str]
    contexts: tuple[str, ...]


def fill(text: str, value: str) -> str:
    """The text with the value in its place, and with the articles and numbers that it asks for.

    ``[dog|dogs]`` takes its first form after "one" or "a single", else its second.
    """
    forms = 1 if value in ("one", "a single") else 2
    text = re.sub(r"\[([^|\]]*)\|([^\]]*)\]", lambda match: match.group(forms), text)
    for number, part in enumerate(value.split("|")):
        article = "an" if re.match(r"[aeio]|un[dt]|umb", part) else "a"
        text = re.sub(rf"\ban? \{{{number}\}}", f"{article} {part}", text)
        text = text.replace(f"{{{number}}}", part)
    return text


def pair_edits(
    sites: Iterable[Site], mentioned: Sequence[frozenset[str]], generator: random.Random
) -> list[Edit]:
    """Edits of sites whose values may be exchanged; a site without a partner is left out.

    Args:
        sites: in any order that is the same from run to run.
        mentioned: for each photo, the concepts that its captions tell of.
        generator: decides who meets whom.
    """
    edits: list[Edit] = []
    left = list({(site.photo, site.text, site.value): site for site in sites}.values())
    for level in range(max((len(site.contexts) for site in left), default=0)):
        generator.shuffle(left)
        groups: dict[str, list[Site]] = {}
        for site in left:
            groups.setdefault(site.contexts[min(level, len(site.contexts) - 1)], []).append(site)
        left = []
        for group in groups.values():
            left.extend(_pair_group(group, mentioned, generator, edits))
    return edits


def _pair_group(
    group: list[Site],
    mentioned: Sequence[frozenset[str]],
    generator: random.Random,
    edits: list[Edit],
) -> list[Site]:
    """Add the edits of one group to ``edits``; the sites that found no partner."""
    waiting: dict[str, list[Site]] = {}
    for site in group:
        values = [value for value in waiting if value != site.value and waiting[value]]
        generator.shuffle(values)
        partner = None
        for value in values:
            for other in waiting[value][-_TRIES:]:
                if (
                    other.photo != site.photo
                    and not other.clash & mentioned[site.photo]
                    and not site.clash & mentioned[other.photo]
                ):
                    partner = other
                    break
            if partner:
                waiting[value].remove(partner)
                break
        if partner is None:
            waiting.setdefault(site.value, []).append(site)
            continue
        for here, there in ((site, partner), (partner, site)):
            right, wrong = fill(here.text, here.value), fill(here.text, there.value)
            edits.append(Edit(here.kind, here.photo, right, wrong))
    return [site for sites in waiting.values() for site in sites]
