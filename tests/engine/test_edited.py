"""Edited captions: wrong where they say so, and of no use to whoever doesn't look at the photo."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from engine import edited_words
from engine.caption_set import CaptionSet, read_caption_set
from engine.edited import KINDS, MAX_PAIRS, TEMPLATES, EditedPair, edited_pairs


def caption_set(*photos: list[str]) -> CaptionSet:
    return CaptionSet([Path(f"{row}.jpg") for row in range(len(photos))], list(photos))


def texts(pairs: list[EditedPair], kind: str) -> set[tuple[int, str, str]]:
    return {(pair.photo, pair.right, pair.wrong) for pair in pairs if pair.kind == kind}


@pytest.fixture(scope="module")
def flickr(shared_data: Path) -> Path:
    return shared_data / "flickr8k"


@pytest.fixture(scope="module", params=["val", "test"])
def pairs(flickr: Path, request: pytest.FixtureRequest) -> list[EditedPair]:
    return edited_pairs(read_caption_set(flickr, request.param, "en"))


def test_a_colour_is_swapped_between_two_photos_that_rule_out_each_others():
    found = edited_pairs(
        caption_set(
            ["A boy in a red shirt .", "A boy sits ."], ["A boy in a green shirt .", "A boy sits ."]
        )
    )
    assert (0, "A boy in a red shirt", "A boy in a green shirt") in texts(found, "colour")
    assert (1, "A boy in a green shirt", "A boy in a red shirt") in texts(found, "colour")


@pytest.mark.parametrize("said", ["A grey dog runs .", "A dog on a black rug ."])
def test_a_colour_that_some_caption_may_mean_is_not_called_wrong(said: str):
    found = edited_pairs(
        caption_set(["A white dog running .", said], ["A black dog running .", "A dog runs ."])
    )
    assert not texts(found, "colour")


def test_a_number_is_swapped_where_captions_agree_on_it():
    found = edited_pairs(
        caption_set(
            ["Two dogs run .", "Two dogs play ."],
            ["Three dogs run .", "Three dogs outside ."],
            ["A dog runs .", "A dog outside ."],
        )
    )
    assert (0, "Two dogs running", "Three dogs running") in texts(found, "count")
    assert (2, "One dog running", "Two dogs running") in texts(found, "count")


def test_a_number_is_left_alone_where_a_caption_is_vague():
    found = edited_pairs(
        caption_set(
            ["Two dogs run .", "Two dogs and several others ."],
            ["Three dogs run .", "Three dogs ."],
        )
    )
    assert not texts(found, "count")


def test_an_object_is_not_wrong_under_another_of_its_names():
    bikes = ["A man riding a bike .", "A man on his bike ."]
    boards = ["A man riding a skateboard .", "A man on a skateboard ."]
    right = (0, "A man riding a bike", "A man riding a skateboard")
    assert right in texts(edited_pairs(caption_set(bikes, boards)), "object")
    boards.append("A man rolls past on a board near cyclists cycling .")
    assert right not in texts(edited_pairs(caption_set(bikes, boards)), "object")


def test_a_relation_is_swapped_for_its_opposite():
    found = edited_pairs(
        caption_set(
            ["A man behind a fence .", "A man waits ."],
            ["A man in front of a fence .", "A man waits ."],
        )
    )
    assert (0, "A man behind a fence", "A man in front of a fence") in texts(found, "relation")


def test_a_thing_is_affirmed_where_it_is_and_denied_where_it_is_not():
    found = edited_pairs(
        caption_set(
            ["A girl smiling .", "A girl holds an umbrella .", "A girl under an umbrella ."],
            ["A girl smiling .", "A girl outside .", "A girl on a chair ."],
        )
    )
    negations = texts(found, "negation")
    assert {photo for photo, _, _ in negations} == {0, 1}
    affirmed = {right for photo, right, _ in negations if photo == 0}
    assert affirmed == {wrong for photo, _, wrong in negations if photo == 1}
    assert all("umbrella" in text and "not" not in text for text in affirmed)


def test_a_single_photo_gives_no_pairs():
    assert edited_pairs(caption_set(["A boy in a red shirt .", "Two dogs run ."])) == []


def test_templates_keep_clear_of_plain_negation():
    assert len(TEMPLATES) > len(edited_words.NEGATIONS)
    assert not [text for text in TEMPLATES if "no" in text.lower().split()]


def test_each_kind_has_hundreds_of_pairs(pairs: list[EditedPair]):
    counts = Counter(pair.kind for pair in pairs)
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 300
    assert max(counts.values()) <= MAX_PAIRS


def test_the_same_seed_gives_the_same_pairs_and_another_seed_others(flickr: Path):
    captions = read_caption_set(flickr, "val", "en")
    captions = CaptionSet(captions.photos[:300], captions.captions[:300])
    assert edited_pairs(captions)
    assert edited_pairs(captions) == edited_pairs(captions)
    assert edited_pairs(captions, seed=1) != edited_pairs(captions)


def test_pairs_come_in_couples_with_the_same_two_texts(pairs: list[EditedPair]):
    for one, other in zip(pairs[::2], pairs[1::2], strict=True):
        assert (one.right, one.wrong) == (other.wrong, other.right)
        assert one.photo != other.photo
        assert one.kind == other.kind
        assert one.right != one.wrong


def accuracy(margins: np.ndarray) -> float:
    """Share of pairs whose right caption scores higher; ties count half."""
    return float(np.mean((margins > 0) + 0.5 * (margins == 0)))


def learned_margins(pairs: list[EditedPair], couples: np.ndarray) -> np.ndarray:
    """What a judge of words and word pairs, trained on four fifths, thinks of the last fifth.

    Both pairs of a couple are in the same fold. Apart, the one learned from would teach the judge
    the very opposite of the one it is asked about, and it would look worse than it is.
    """
    vectors = CountVectorizer(ngram_range=(1, 2), token_pattern=r"\S+")
    vectors.fit([text for pair in pairs for text in (pair.right, pair.wrong)])
    features = vectors.transform([pair.right for pair in pairs]) - vectors.transform(
        [pair.wrong for pair in pairs]
    )
    # Shown at random as "first is right" or "second is right", as one class can't be learned from.
    signs = np.where(np.random.default_rng(0).random(len(pairs)) < 0.5, 1, -1)
    shown = features.multiply(signs[:, None]).tocsr()
    margins = np.zeros(len(pairs))
    for known, asked in GroupKFold(5).split(shown, signs, couples):
        judge = LogisticRegression(fit_intercept=False).fit(shown[known], signs[known])
        margins[asked] = judge.decision_function(shown[asked]) * signs[asked]
    return margins


def plausibility(captions: list[str]) -> Callable[[str], float]:
    """A judge that prefers the usual wording: mean log probability under a bigram model."""
    sentences = [["<s>", *re.findall(r"[a-z]+", text.lower())] for text in captions]
    ones = Counter(word for words in sentences for word in words)
    twos = Counter(two for words in sentences for two in pairwise(words))
    total = sum(ones.values())

    def judge(text: str) -> float:
        words = ["<s>", *re.findall(r"[a-z]+", text.lower())]
        return sum(
            math.log((twos[one, two] + (ones[two] + 1) / total) / (ones[one] + 1))
            for one, two in pairwise(words)
        ) / len(words)

    return judge


@pytest.mark.parametrize("kind", KINDS)
def test_a_judge_who_learns_from_the_texts_alone_is_at_chance(pairs: list[EditedPair], kind: str):
    chosen = [pair for pair in pairs if pair.kind == kind]
    margins = learned_margins(chosen, np.arange(len(chosen)) // 2)
    assert 0.45 <= accuracy(margins) <= 0.55


def test_that_judge_sees_through_pairs_that_are_not_mirrored(pairs: list[EditedPair]):
    # The same judge on one side of each couple, so that the test above can be known to have teeth.
    for kind in KINDS:
        lopsided = [pair for pair in pairs if pair.kind == kind and pair.right < pair.wrong]
        assert accuracy(learned_margins(lopsided, np.arange(len(lopsided)))) > 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_a_judge_who_prefers_the_usual_wording_is_at_chance(
    flickr: Path, pairs: list[EditedPair], kind: str
):
    captions = read_caption_set(flickr, "train", "en").captions
    judge = plausibility([text for photo in captions for text in photo])
    chosen = [pair for pair in pairs if pair.kind == kind]
    margins = np.array([judge(pair.right) - judge(pair.wrong) for pair in chosen])
    assert 0.45 <= accuracy(margins) <= 0.55


@pytest.mark.parametrize("kind", KINDS)
def test_each_word_is_as_often_right_as_wrong(pairs: list[EditedPair], kind: str):
    chosen = [pair for pair in pairs if pair.kind == kind]
    right = Counter(word for pair in chosen for word in pair.right.split())
    assert right == Counter(word for pair in chosen for word in pair.wrong.split())
    assert len(right) > 20
