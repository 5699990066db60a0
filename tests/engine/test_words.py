from __future__ import annotations

import pytest

from engine.words import without, words_of


def words(caption: str) -> list[str]:
    return [caption[begin:end] for begin, end in words_of(caption)]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("A dog runs on the beach.", ["A", "dog", "runs", "on", "the", "beach"]),
        ("a man's T-shirt, number 42", ["a", "man's", "T-shirt", "number", "42"]),
        ("naïve  café", ["naïve", "café"]),
        ("собака бежит", ["собака", "бежит"]),
        ("", []),
        (" ?! _ …", []),
    ],
)
def test_words_are_letters_and_digits_with_what_joins_them(
    caption: str, expected: list[str]
) -> None:
    assert words(caption) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("一只棕色的狗在草地上奔跑。", ["一只", "棕色", "的", "狗", "在", "草地", "上", "奔跑"]),
        ("穿着上衣的男人", ["穿", "着", "上衣", "的", "男人"]),
        ("两个孩子正在踢足球", ["两个", "孩子", "正在", "踢足球"]),
        ("小狗", ["小狗"]),
        ("一只dog在beach上", ["一只", "dog", "在", "beach", "上"]),
    ],
)
def test_chinese_is_parted_where_its_small_words_stand(caption: str, expected: list[str]) -> None:
    assert words(caption) == expected


@pytest.mark.parametrize(
    ("caption", "rest"),
    [
        ("A dog runs.", ["dog runs.", "A runs.", "A dog ."]),
        ("白色小狗", ["小狗", "白色"]),
        ("两只狗", ["狗", "两只"]),
        ("a狗b", ["狗b", "a b", "a狗"]),
        ("cat", [""]),
    ],
)
def test_leaving_a_word_out_leaves_the_rest_as_it_was(caption: str, rest: list[str]) -> None:
    assert [without(caption, word) for word in words_of(caption)] == rest
