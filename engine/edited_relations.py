"""Who is where, as captions tell it, and which opposite they rule out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine import edited_words as words
from engine.edited_claims import SLOT, Claim, Told, say

_WATER = r"(?:\S+ ){0,3}(?:water|pool|ocean|sea|lake|river|pond|stream|creek|waves?|surf|shore)\b"
_STEEP = (
    r"(?:\S+ ){0,3}(?:hill|slope|mountain|mountainside|stairs|steps|ramp|slide|cliff|rocks?|wall|"
    r"incline|dune|tree|ladder|rope)\b"
)
_IN_AIR = r"\b(?:jump|leap|flip)|midair|mid-air|in the air|airborne|through the air|off the ground"
_ON_FEET = (
    r"\b(?:sits?|sitting|stands?|standing|lies?|lying|lays?|laying|kneel\w*|walk\w*|seated|"
    r"crouch\w*|pos(?:e|es|ing))\b"
)
_SEAT = (
    r"bench|chair|couch|sofa|\bbeds?\b|bike|bicycle|motorcycle|horse|boat|swing|table|shoulders|"
    r"car\b|truck|water|pool|tree|ledge|wall|steps|stairs|\brock|skateboard|skate|ramp|climb|"
    r"trampoline|bleacher|seats|stadium"
)
_INDOORS = (
    r"indoors?\b|inside|couch|sofa|\bbed\b|kitchen|bedroom|living room|\bgym\b|\broom\b|restaurant|"
    r"office|hardwood|carpet|library|classroom|bowling"
)
_OUTDOORS = (
    r"grass|street|beach|snow|mountain|outside|outdoor|\bfield|sidewalk|\broad|\bpark\b|ocean|"
    r"lake|woods|forest|river|\bsand|\bhill|yard|dirt|\btrees?\b|playground"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A sentence with a slot, and for each phrase that fits it what captions say where it is so.

    A photo counts when some caption matches ``needs`` and none matches ``unless``, and ``tellers``
    captions match the evidence of one phrase. ``clash`` names the phrases that can't both be true;
    all of them, where it is empty. ``who`` limits the rule to one subject.
    """

    frame: str
    evidence: dict[str, str]
    needs: str = ""
    unless: str = ""
    clash: tuple[tuple[str, str], ...] = ()
    who: str = ""
    tellers: int = 2

    def clashing(self, one: str, other: str) -> bool:
        """Whether one phrase being true makes the other wrong."""
        return one != other and (
            not self.clash or (one, other) in self.clash or (other, one) in self.clash
        )


# fmt: off
_LANDMARKS: Final = (
    "building", "fence", "wall", "car", "tree", "table", "store", "truck", "house", "sign",
    "fountain", "counter", "bench", "bus", "crowd", "stage", "boat", "rock", "bridge", "door",
    "statue", "shop", "tent", "train", "umbrella", "bike", "motorcycle", "horse",
)
# fmt: on
_PREPOSITIONS: Final = {
    "in front of": "in front of",
    "behind": "behind",
    "on": "on|onto|on top of|atop",
    "in": "in|inside|into",
    "under": "under|underneath|below|beneath",
    "over": "over|above",
    "beside": "beside|next to|near|alongside",
}
_CLASHES: Final = (
    ("in front of", "behind"),
    ("in front of", "on"),
    ("in front of", "in"),
    ("in front of", "under"),
    ("behind", "on"),
    ("behind", "in"),
    ("on", "under"),
    ("on", "beside"),
    ("in", "beside"),
    ("under", "over"),
    ("under", "in"),
    ("over", "beside"),
    ("over", "in"),
)

RULES: Final = (
    Rule(
        f"{{who}} {SLOT} the water",
        {
            "in": rf"\b(?:in|into|through) {_WATER}|\bswim|\bwad(?:es|ing)|surf(?:s|ing)",
            "beside": rf"\b(?:beside|next to|near|by|along|alongside|edge of|overlook\w*) {_WATER}"
            r"|\b(?:on|along) (?:\S+ ){0,2}(?:shore|dock|pier)",
        },
    ),
    Rule(
        f"{{who}} {SLOT} the water",
        {
            "going into": rf"\binto {_WATER}|\bdiv(?:es|ing)\b",
            "coming out of": rf"\bout of {_WATER}|\bemerg|\bfrom {_WATER}",
        },
    ),
    Rule(
        f"{{who}} on the way {SLOT} something steep",
        {
            "up": rf"\bup {_STEEP}|\bclimb|\bscal(?:es|ing)|uphill",
            "down": rf"\bdown {_STEEP}|downhill|\bslid(?:es|ing)|\bsledd|rappel",
        },
        unless=r"couch|sofa|\bchair|\bbed\b|rope",
    ),
    *(
        Rule(
            f"{{who}} {SLOT} the {surface}",
            {"up above": _IN_AIR, "down on": _ON_FEET},
            needs,
            _SEAT,
        )
        for surface, needs in (
            ("ground", ""),
            ("grass", r"\b(?:grass|grassy|lawn)\b"),
            ("snow", r"\bsnow"),
            ("sand", r"\b(?:sand|sandy|beach)\b"),
            ("street", r"\b(?:street|sidewalk|road|concrete)\b"),
        )
    ),
    *(
        Rule(
            f"{{who}} {SLOT} {thing}",
            {
                "with its teeth in": r"\bmouth|carr(?:y|ies|ying)|\bholding|fetch|retriev|bring|"
                r"\bchew",
                "running after": r"chas|\bafter\b|about to catch|"
                r"tr(?:y|ies|ying) to (?:catch|get|grab)|jump\w* (?:for|to catch|to get)|"
                r"leap\w* (?:for|to catch)|reach",
            },
            needs,
            who="a dog",
        )
        for thing, needs in (
            ("a ball", r"\bball"),
            ("a frisbee", r"frisbee"),
            ("a stick", r"\bstick|branch"),
            ("a toy", r"\btoy\b|\bball|frisbee"),
        )
    ),
    Rule(
        f"{{who}} {SLOT} a building",
        {"inside": _INDOORS, "outside": _OUTDOORS},
    ),
    *(
        Rule(
            f"{{who}} {SLOT} a {mark}",
            {
                phrase: rf"\b(?:{names}) (?:(?:an?|the|his|her|their|some) )?(?:\S+ )?{mark}\b"
                for phrase, names in _PREPOSITIONS.items()
            },
            clash=_CLASHES,
            tellers=1,
        )
        for mark in _LANDMARKS
    ),
)


def relation_claims(told: Told) -> Iterator[Claim]:
    """Where someone is or goes, with the opposites that no caption speaks of."""
    lines = [" ".join(caption) for caption in told.captions]
    every = " / ".join(lines)
    for rule in RULES:
        if not re.search(rule.needs, every) or (rule.unless and re.search(rule.unless, every)):
            continue
        hits = {p: [bool(re.search(e, line)) for line in lines] for p, e in rule.evidence.items()}
        unsaid = {phrase for phrase, found in hits.items() if not any(found)}
        for phrase, found in hits.items():
            ruled_out = frozenset(other for other in unsaid if rule.clashing(phrase, other))
            if sum(found) < rule.tellers or not ruled_out:
                continue
            told_of = (caption for caption, hit in zip(told.captions, found, strict=True) if hit)
            for who in {who for caption in told_of for who in _whos(caption)}:
                if rule.who in ("", who):
                    frame = rule.frame.replace("{who}", who)
                    text = say((frame.replace(SLOT, phrase),))
                    yield Claim(told.photo, frame, phrase, text, ruled_out)


_PLURAL = {many: one for one, many in words.PLURALS.items()}


def _whos(caption: list[str]) -> Iterator[str]:
    """Whom a caption is about, from the closest word to the widest."""
    name = next((word for word in caption[:6] if word in words.PLURALS or word in _PLURAL), "")
    if not name:
        return
    one = _PLURAL.get(name, name)
    for wider in (one, *words.WIDER.get(one, ())):
        yield f"a {wider}" if name in words.PLURALS else words.PLURALS[wider]
