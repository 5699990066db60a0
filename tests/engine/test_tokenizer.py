from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.tokenizer import SPECIAL_TOKENS, Tokenizer
from engine.training.tokenizer import train_tokenizer
from tests.fixtures.caption_data import captions, scenes

PAD, UNK, CLS = range(3)


@pytest.fixture(scope="module")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    texts = (text for scene in scenes() for pair in captions(*scene).values() for text in pair)
    train_tokenizer(texts, 400, path)
    return path


@pytest.fixture(scope="module")
def tokenizer(tokenizer_file: Path) -> Tokenizer:
    return Tokenizer(tokenizer_file, 16)


def ids(tokenizer: Tokenizer, caption: str) -> list[int]:
    return [int(number) for number in tokenizer.encode([caption])[0][0]]


def test_an_english_caption_becomes_one_token_a_common_word(tokenizer: Tokenizer) -> None:
    words = [token.strip() for token in tokenizer.tokens("a red circle on blue ground")]
    assert words == ["[CLS]", "a", "red", "circle", "on", "blue", "ground"]


def test_a_chinese_caption_becomes_one_token_a_character(tokenizer: Tokenizer) -> None:
    words = tokenizer.tokens("红色背景上的圆形")
    assert words == ["[CLS]", *"红色背景上的圆形"]


def test_both_languages_in_one_caption_are_understood(tokenizer: Tokenizer) -> None:
    mixed = ids(tokenizer, "红色circle")
    assert mixed == [*ids(tokenizer, "红色"), *ids(tokenizer, "circle")[1:]]
    assert UNK not in mixed


@pytest.mark.parametrize(
    "caption",
    [
        "A RED CIRCLE",
        "Ａ　ＲＥＤ　ｃｉｒｃｌｅ",
        "  a red\tcircle ",
        "a red circle.",
        "a red circle 。",
        "a red circle ...",
    ],
    ids=["capitals", "full width", "spaces", "full stop", "Chinese full stop", "dots"],
)
def test_what_differs_in_writing_only_gives_the_same_ids(
    tokenizer: Tokenizer, caption: str
) -> None:
    assert ids(tokenizer, caption) == ids(tokenizer, "a red circle")


def test_word_order_and_inner_full_stops_are_kept(tokenizer: Tokenizer) -> None:
    assert ids(tokenizer, "red on blue") != ids(tokenizer, "blue on red")
    assert ids(tokenizer, "red. blue") != ids(tokenizer, "red blue")


def test_unknown_characters_become_unknown_and_known_ones_beside_them_stay(
    tokenizer: Tokenizer,
) -> None:
    # The space before a word is a sign of its own where the word is not known.
    assert set(tokenizer.tokens("☃ ж")) == {"[CLS]", " ", "[UNK]"}
    known, mixed = tokenizer.tokens("red circle"), tokenizer.tokens("red ☃ circle")
    assert [token for token in mixed if token not in (" ", "[UNK]")] == known
    assert mixed.count("[UNK]") == 1


def test_a_long_caption_is_cut_at_its_end(tokenizer: Tokenizer) -> None:
    long = ids(tokenizer, "red " * 50)
    assert len(long) == 16
    assert long[0] == CLS
    assert long == ids(tokenizer, "red " * 15)


def test_every_row_starts_with_cls_and_ends_in_masked_padding(tokenizer: Tokenizer) -> None:
    found, mask = tokenizer.encode(["red", "a red circle on blue ground", "红色"])
    assert found.dtype == np.int64
    assert mask.dtype == np.bool_
    assert found.shape == mask.shape == (3, 7)
    assert (found[:, 0] == CLS).all()
    assert mask.sum(axis=1).tolist() == [2, 7, 3]
    assert (found[~mask] == PAD).all()
    assert (found[mask] != PAD).all()


@pytest.mark.parametrize("caption", ["", "   ", ".", "。。"])
def test_a_caption_without_words_is_cls_alone(tokenizer: Tokenizer, caption: str) -> None:
    assert ids(tokenizer, caption) == [CLS]


def test_no_captions_give_no_rows(tokenizer: Tokenizer) -> None:
    found, mask = tokenizer.encode([])
    assert found.shape == mask.shape == (0, 0)


def test_what_looks_like_a_special_token_is_no_trap(tokenizer: Tokenizer) -> None:
    found, mask = tokenizer.encode(["[CLS] red [PAD]"])
    assert mask.all()
    assert found.max() < tokenizer.size


def test_training_twice_gives_the_same_file(tokenizer_file: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.json"
    texts = (text for scene in scenes() for pair in captions(*scene).values() for text in pair)
    train_tokenizer(texts, 400, again)
    assert again.read_bytes() == tokenizer_file.read_bytes()


@pytest.mark.parametrize("content", ["", "{}", "no json", '{"version": "1.0", "model": 3}'])
def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"tokenizer\.json is not a tokenizer"):
        Tokenizer(path, 16)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"tokenizer\.json is not a tokenizer"):
        Tokenizer(tmp_path / "tokenizer.json", 16)


def test_a_tokenizer_with_other_special_tokens_is_refused(
    tokenizer_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "tokenizer.json"
    values = json.loads(tokenizer_file.read_text(encoding="utf-8"))
    values["added_tokens"] = []
    for token in SPECIAL_TOKENS:
        values["model"]["vocab"][f"old{token}"] = values["model"]["vocab"].pop(token)
    values["model"]["unk_token"] = None
    values["post_processor"] = None
    other.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(ValueError, match="does not have"):
        Tokenizer(other, 16)
