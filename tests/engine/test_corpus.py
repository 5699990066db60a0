from __future__ import annotations

import random
from pathlib import Path

from engine.caption_set import CaptionSet
from engine.training.corpus import (
    TEMPLATES,
    Label,
    build_corpus,
    chinese_words,
    english_words,
    misspell,
    read_dictionary,
    read_labels,
)

PHOTOS = [Path("a.jpg"), Path("b.jpg")]
ENGLISH = CaptionSet(PHOTOS, [["a dog runs", "a brown dog on grass"], ["two men talk"]])
CHINESE = CaptionSet(PHOTOS, [["草地上的狗"], ["两个男人"]])
MACHINE = CaptionSet(PHOTOS, [["一只狗跑", "草地上一只棕色的狗"], ["两个男人交谈"]])


def partners_of(text: str, words: dict[str, int] | None = None) -> list[list[str]]:
    made = build_corpus(
        ENGLISH, CHINESE, MACHINE, [Label("cup", "杯子")], words or {"en": 1, "zh": 1}, seed=1
    )
    assert len(made.texts) == len(made.rows)
    return [
        [made.partners[row] for row in rows]
        for said, rows in zip(made.texts, made.rows, strict=True)
        if said == text
    ]


def test_a_translated_caption_means_what_its_original_says() -> None:
    assert partners_of("草地上一只棕色的狗") == [["a brown dog on grass"]]


def test_a_caption_by_a_chinese_writer_means_what_all_english_ones_of_the_photo_say() -> None:
    assert partners_of("草地上的狗") == [["a dog runs", "a brown dog on grass"]]


def test_an_english_text_means_what_it_says() -> None:
    assert ["two men talk"] in partners_of("two men talk")


def test_a_label_is_said_in_both_languages_in_every_way() -> None:
    for language, name in (("en", "cup"), ("zh", "杯子")):
        for template, english in zip(TEMPLATES[language], TEMPLATES["en"], strict=True):
            assert partners_of(template.format(name)) == [[english.format("cup")]]


def test_parts_of_captions_are_learnt_as_well() -> None:
    made = build_corpus(ENGLISH, CHINESE, MACHINE, [], {"en": 1, "zh": 1}, seed=1)
    whole = {text for found in ENGLISH.captions for text in found}
    words = {"the", *(template.format("the") for template in TEMPLATES["en"])}
    parts = [text for text in made.texts if text.isascii() and text not in whole | words]
    assert parts
    assert all(any(part in text for text in whole) for part in parts)


def test_frequent_words_of_both_languages_take_part() -> None:
    assert {"water", "house"} <= set(english_words(2000))
    meanings = dict(chinese_words(3000))
    assert "dog" in meanings["狗"]
    assert all(len(glosses) <= 2 for glosses in meanings.values())


def test_the_dictionary_is_read_without_remarks_and_references() -> None:
    lines = [
        "# CC-CEDICT",
        "蘋果 苹果 [ping2 guo3] /apple/CL:個|个[ge4],顆|颗[ke1]/",
        "跑步 跑步 [pao3 bu4] /to run/(intransitive) to jog/",
        "王 王 [Wang2] /surname Wang/",
        "王 王 [wang2] /king or monarch/best or strongest of its type/",
        "喫 吃 [chi1] /variant of 吃[chi1]/",
        "a broken line",
    ]
    assert read_dictionary(lines) == {
        "苹果": ["apple"],
        "跑步": ["run", "jog"],
        "王": ["king or monarch", "best or strongest of its type"],
    }


def test_a_slip_of_the_fingers_changes_one_place_and_no_chinese_character() -> None:
    generator = random.Random(0)
    for _ in range(200):
        slipped = misspell("brown dog", generator)
        assert len(slipped) in (8, 9)
        assert slipped[0] == "b"
        assert sorted(slipped) == sorted("brown dog") or len(slipped) == 8
    assert misspell("一只狗", generator) == "一只狗"
    assert misspell("a", generator) == "a"


def test_there_is_a_name_in_both_languages_for_every_class_of_the_teacher() -> None:
    labels = read_labels()
    assert len(labels) == 1000
    assert all(label.english and label.chinese for label in labels)
    assert not any(label.chinese.isascii() for label in labels)
