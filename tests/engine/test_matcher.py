from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.caption_set import read_caption_set
from engine.encoding import encode_in_order
from engine.errors import CaptionEmpty
from engine.matcher import Matcher
from engine.types import ImageFeatures
from tests.fixtures import photos as made
from tests.fixtures.tiny_pack import TinyPack

CAPTIONS = ["A red circle on blue ground .", "绿色背景上的白色方块。", "ground"]


def features(matcher: Matcher, photos: list[Path]) -> ImageFeatures:
    return matcher.encode(np.stack([matcher.prepare(photo) for photo in photos]))


def test_pairs_come_photo_by_photo_in_the_order_given(matcher: Matcher, scenes: list[Path]) -> None:
    found = matcher.match([scenes[3], scenes[1]], CAPTIONS)
    assert [match.photo for match in found] == [scenes[3]] * 3 + [scenes[1]] * 3
    assert [match.caption for match in found] == CAPTIONS * 2


def test_a_match_is_what_reaches_the_threshold(
    matcher: Matcher, scenes: list[Path], tiny_pack: TinyPack
) -> None:
    # The pack is calibrated so that half of these pairs match.
    captions, _ = read_caption_set(tiny_pack.data, "test", "en").flat()
    found = matcher.match(scenes, captions)
    assert {match.match for match in found} == {True, False}
    for match in found:
        assert match.probability is not None
        assert 0 <= match.probability <= 1
        assert match.match == (match.probability >= matcher.threshold)


def test_probabilities_follow_logits(matcher: Matcher, scenes: list[Path]) -> None:
    found = matcher.match(scenes, CAPTIONS)
    by_logit = sorted(found, key=lambda match: match.logit or 0)
    values = [match.probability for match in by_logit]
    assert values == sorted(values, key=lambda value: value or 0)


def test_one_bad_photo_fails_alone(matcher: Matcher, scenes: list[Path], tmp_path: Path) -> None:
    bad = made.truncated(tmp_path / "half.jpg")
    found = matcher.match([scenes[0], bad, scenes[1]], CAPTIONS)
    failed = [match for match in found if match.photo == bad]
    assert len(failed) == len(CAPTIONS)
    for match in failed:
        assert "damaged" in (match.error or "")
        assert (match.probability, match.logit, match.match) == (None, None, None)
    alone = matcher.match([scenes[0], scenes[1]], CAPTIONS)
    good = [match for match in found if match.photo != bad]
    assert [match.caption for match in good] == [match.caption for match in alone]
    assert all(match.error is None for match in good)


def test_the_same_photo_twice_gets_the_same_answer(matcher: Matcher, scenes: list[Path]) -> None:
    first, second = matcher.match([scenes[0], scenes[0]], CAPTIONS[:1])
    assert first == second


def test_scores_do_not_depend_on_what_else_is_asked(
    exact_matcher: Matcher, scenes: list[Path]
) -> None:
    images, texts = features(exact_matcher, scenes), exact_matcher.encode_captions(CAPTIONS)
    photos, captions = np.indices((len(scenes), len(CAPTIONS))).reshape(2, -1)
    shuffled = np.random.default_rng(0).permutation(len(photos))
    together = exact_matcher.logits(images, texts, photos[shuffled], captions[shuffled])
    for number, row in enumerate(shuffled):
        alone_image = features(exact_matcher, [scenes[photos[row]]])
        alone_text = exact_matcher.encode_captions([CAPTIONS[captions[row]]])
        zero = np.zeros(1, np.int64)
        alone = exact_matcher.logits(alone_image, alone_text, zero, zero)
        assert alone[0] == pytest.approx(together[number], abs=2e-4)


def test_more_photos_than_are_held_at_once_are_scored_as_one_by_one(
    exact_matcher: Matcher, scenes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    images, texts = features(exact_matcher, scenes), exact_matcher.encode_captions(CAPTIONS)
    photos, captions = np.indices((len(scenes), len(CAPTIONS))).reshape(2, -1)
    expected = exact_matcher.logits(images, texts, photos, captions)
    monkeypatch.setattr("engine.fusing.PHOTOS_AT_ONCE", 3)
    monkeypatch.setattr("engine.fusing.MEMORY_AT_ONCE", 2)
    monkeypatch.setattr("engine.fusing.PAIRS_AT_ONCE", 2)
    monkeypatch.setattr("engine.matcher.CAPTIONS_AT_ONCE", 2)
    texts = exact_matcher.encode_captions(CAPTIONS)
    found = exact_matcher.logits(images, texts, photos, captions)
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_no_pairs_have_no_logits(matcher: Matcher, scenes: list[Path]) -> None:
    nothing = np.empty(0, np.int64)
    texts = matcher.encode_captions(CAPTIONS)
    assert len(matcher.logits(features(matcher, scenes), texts, nothing, nothing)) == 0


@pytest.mark.parametrize("captions", [[], [""], ["   "], ["A dog", "..."], ["。"]])
def test_a_caption_without_a_word_is_refused(matcher: Matcher, captions: list[str]) -> None:
    with pytest.raises(CaptionEmpty):
        matcher.encode_captions(captions)


def test_embeddings_have_length_one(matcher: Matcher, scenes: list[Path]) -> None:
    images, texts = features(matcher, scenes), matcher.encode_captions(CAPTIONS)
    np.testing.assert_allclose(np.linalg.norm(images.embeddings, axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(texts.embeddings, axis=1), 1, atol=1e-4)
    assert np.abs(matcher.similarity(images, texts)).max() <= 1.0001


def test_photos_are_encoded_in_order_and_the_rest_can_be_cancelled(
    matcher: Matcher, tmp_path: Path
) -> None:
    photos = made.folder_of(tmp_path / "many", 3 * matcher.batch_size)
    seen: list[Path] = []

    def begun() -> bool:
        return bool(seen)

    for paths, _, failed in encode_in_order(matcher, photos, begun):
        seen += paths
        assert not failed
    assert seen == photos[: matcher.batch_size]


def test_what_is_kept_of_a_photo_is_small(matcher: Matcher, scenes: list[Path]) -> None:
    kept = features(matcher, scenes[:1])
    assert kept.tokens.dtype == np.int8
    assert kept.embeddings.dtype == np.float32
