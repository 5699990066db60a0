from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from engine.caption_set import CaptionSet
from engine.edited import EditedPair
from engine.errors import EvaluationDataMissing, TableUnreadable
from engine.evaluation import Labelled, evaluate, random_pairs, report, summary
from engine.evaluation.columns import read_columns
from engine.evaluation.edits import measure_edits
from engine.evaluation.features import EncodedSet, encode_photos, some_texts
from engine.evaluation.pairs import measure_hard_pairs, measure_pairs, pair_scores
from engine.evaluation.queries import measure_queries, queries_without_match
from engine.evaluation.retrieval import measure_retrieval, reranked
from engine.evaluation.shares import by_photo, pair_auc, preferred, share
from engine.matcher import Matcher
from engine.search import run_searches
from engine.types import FloatArray, ImageFeatures, IntArray, TextFeatures
from tests.fixtures.caption_data import write_caption_data
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher

COLOURS = {"red": "red", "green": "lime", "blue": "blue"}


@pytest.fixture
def colours(tmp_path: Path) -> CaptionSet:
    """A photo of each colour, with two captions that name it."""
    photos = [coloured_photo(tmp_path / f"{name}.png", paint) for name, paint in COLOURS.items()]
    return CaptionSet(photos, [[f"it is {name}", f"{name} all over"] for name in COLOURS])


@pytest.fixture
def encoded(colours: CaptionSet) -> EncodedSet:
    matcher = cast(Matcher, FakeMatcher())
    return EncodedSet.encode(matcher, colours, encode_photos(matcher, colours.photos))


class Counting(FakeMatcher):
    """Counts what is encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.photos = 0
        self.texts: list[int] = []

    def encode(self, pixels: FloatArray) -> ImageFeatures:
        self.photos += len(pixels)
        return super().encode(pixels)

    def encode_captions(self, captions: list[str]) -> TextFeatures:
        self.texts.append(len(captions))
        return super().encode_captions(captions)


def test_a_share_is_the_mean_of_its_items() -> None:
    found = share("r1", np.array([1.0, 0.0, 1.0, 1.0]))
    assert list(found) == ["r1", "r1_interval"]
    assert found["r1"] == 0.75
    low, high = found["r1_interval"]
    assert 0 <= low < 0.75 < high <= 1


def test_items_of_one_owner_are_drawn_together() -> None:
    generator = np.random.default_rng(0)
    values = np.repeat(generator.random(50) < 0.5, 20).astype(np.float64)
    owner = np.repeat(np.arange(50) * 7, 20)
    low, high = share("x", values, owner)["x_interval"]
    # Fifty independent items, not a thousand.
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(50), rel=0.2)
    low, high = share("x", values)["x_interval"]
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(1000), rel=0.2)


def test_owners_of_many_items_weigh_more_in_a_share() -> None:
    assert share("x", np.array([1.0, 1.0, 1.0, 0.0]), np.array([5, 5, 5, 2]))["x"] == 0.75


def test_ties_are_half_a_preference() -> None:
    right, wrong = np.array([1, 2, 3], np.float32), np.array([0, 2, 4], np.float32)
    assert preferred(right, wrong).tolist() == [1.0, 0.5, 0.0]


def test_the_area_under_the_curve_of_photos_agrees_with_scikit_learn() -> None:
    scores = np.random.default_rng(3).normal(size=60).astype(np.float32)
    expected = roc_auc_score(np.arange(60) < 30, scores)
    assert pair_auc(by_photo(scores)) == pytest.approx(expected)


def test_each_photo_has_a_right_pair_and_a_wrong_one(colours: CaptionSet) -> None:
    photos, rows, actual = random_pairs(colours)
    assert photos.tolist() == [0, 1, 2, 0, 1, 2]
    assert actual.tolist() == [True] * 3 + [False] * 3
    assert ((rows // 2 == photos) == actual).all()


def test_a_matcher_that_knows_all_decides_all_pairs_rightly(encoded: EncodedSet) -> None:
    matcher = cast(Matcher, FakeMatcher())
    scores = pair_scores(matcher, encoded.images, encoded.texts, encoded.captions)
    found = measure_pairs(matcher, encoded, scores)
    for name in ("auc", "similarity_auc", "accuracy", "precision", "recall", "f1"):
        assert found[name] == 1
        assert found[f"{name}_interval"] == (1, 1)
    # It says 0.88 and 0.02.
    assert found["calibration_error"] == pytest.approx((0.119 + 0.018) / 2, abs=1e-3)
    assert measure_hard_pairs(matcher, encoded)["auc"] == 1


class Fooled(FakeMatcher):
    """Takes the captions of photo 0 for right ones of every photo."""

    def logits(
        self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
    ) -> FloatArray:
        return np.where(captions < 2, 9, super().logits(images, texts, photos, captions))


def test_hard_pairs_have_the_most_similar_wrong_caption(encoded: EncodedSet) -> None:
    similarity = np.array(
        [
            [0.9, 0.9, 0.1, 0.2, 0.3, 0.1],
            [0.8, 0.1, 0.9, 0.9, 0.1, 0.1],
            [0.1, 0.1, 0.5, 0.1, 0.9, 0.9],
        ],
        np.float32,
    )
    changed = EncodedSet(
        encoded.captions, encoded.images, encoded.texts, encoded.relevant, similarity
    )
    # Photo 1 meets caption 0 and is fooled: right logits are 9, 2, 2 and wrong ones -4, 9, -4.
    found = measure_hard_pairs(cast(Matcher, Fooled()), changed)
    assert found["auc"] == pytest.approx((2.5 + 2 + 2) / 9)


def test_retrieval_counts_every_photo_and_every_caption_once(encoded: EncodedSet) -> None:
    similarity = encoded.similarity.copy()
    similarity[:, 0] = [0.0, 0.5, 0.4]  # the photo of caption 0 comes last
    found = measure_retrieval(
        EncodedSet(encoded.captions, encoded.images, encoded.texts, encoded.relevant, similarity)
    )
    assert found["text_to_photo"]["queries"] == 6
    assert found["text_to_photo"]["r1"] == pytest.approx(5 / 6)
    assert found["text_to_photo"]["r5"] == 1
    assert found["photo_to_text"]["queries"] == 3
    assert found["photo_to_text"]["r1"] == 1


def test_reranking_is_counted_before_and_after() -> None:
    nearest = np.array([[2, 0], [1, 0], [0, 1], [1, 2]])
    logits = np.array([[0, 1], [1, 0], [0, 1], [5, 1]], np.float32)
    relevant = np.zeros((4, 3), bool)
    relevant[np.arange(4), [0, 1, 0, 2]] = True
    found = reranked(nearest, logits, relevant)
    assert (found["queries"], found["candidates"]) == (4, 2)
    assert (found["r1_similarity"], found["r1_fusion"], found["gain"]) == (0.5, 0.5, 0)


class Unsure(FakeMatcher):
    """The fusion knows red with red, and says the same of everything else."""

    def logits(
        self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
    ) -> FloatArray:
        red = np.array([1, 0, 0], np.float32)
        return (
            (images.embeddings[photos] @ red > 0.9) & (texts.embeddings[captions] @ red > 0.9)
        ) * 1.0


def test_edits_are_counted_by_kind_and_each_kind_weighs_the_same(encoded: EncodedSet) -> None:
    pairs = [
        EditedPair("colour", 0, "red", "blue"),
        EditedPair("colour", 0, "a red one", "green"),
        EditedPair("colour", 1, "green", "blue"),
        EditedPair("count", 0, "nothing", "red"),
    ]
    found = measure_edits(cast(Matcher, Unsure()), encoded.images, pairs)
    colour, count, mean = found["kinds"]["colour"], found["kinds"]["count"], found["mean"]
    assert (colour["pairs"], count["pairs"], mean["pairs"]) == (3, 1, 4)
    assert colour["fusion"] == pytest.approx(2.5 / 3)
    assert colour["similarity"] == 1
    assert colour["gain"] == pytest.approx(-0.5 / 3)
    assert count["fusion"] == count["similarity"] == 0
    assert mean["fusion"] == pytest.approx(2.5 / 6)
    assert mean["similarity"] == 0.5
    assert mean["fusion_interval"][0] <= mean["fusion"] <= mean["fusion_interval"][1]


def test_without_a_photo_nothing_is_left_to_choose_by(encoded: EncodedSet) -> None:
    seen = []

    class Watched(FakeMatcher):
        def logits(
            self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
        ) -> FloatArray:
            seen.append(bool(images.tokens.any() or images.embeddings.any()))
            return super().logits(images, texts, photos, captions)

    pairs = [EditedPair("colour", 0, "red", "blue"), EditedPair("colour", 2, "blue", "red")]
    found = measure_edits(cast(Matcher, Watched()), encoded.images, pairs)
    assert found["mean"]["blank"] == 0.5
    assert found["mean"]["fusion"] == 1
    assert seen.count(False) == 2


def test_queries_are_shown_as_the_search_rule_says(encoded: EncodedSet) -> None:
    matcher = cast(Matcher, FakeMatcher())
    first = run_searches(matcher, encoded.images, some_texts(encoded.texts, encoded.first))
    texts = matcher.encode_captions(["purple", "grey", "red", "white"])
    found = measure_queries(matcher, "en", first, run_searches(matcher, encoded.images, texts))
    assert found["fitting"]["queries"] == 3
    assert found["fitting"]["shown"] == 1
    assert found["unfitting"]["queries"] == 4
    assert found["unfitting"]["shown"] == 0.25
    # One of the four is as similar as those that fit.
    assert found["auc"] == pytest.approx((3 + 0.5) / 4)
    assert (found["photos"], found["threshold"]) == (3, pytest.approx(0.9))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_queries_that_fit_nothing_come_in_each_language(language: str) -> None:
    found = queries_without_match(language)
    assert len(found) == len(set(found)) == 200
    chinese = [any("\u4e00" <= letter <= "\u9fff" for letter in text) for text in found]
    assert all(chinese) == (language == "zh")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no rows"),
        ("a\tb\n", "no rows"),
        ("a\tc\n1\t2\n", "line 2 has no b"),
        ("a\tb\n1\t2\n3\t \n", "line 3 has no b"),
        ("a\tb\n1\t2\n3\n", "line 3 has no b"),
    ],
)
def test_a_table_that_lacks_something_says_what(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "table.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TableUnreadable, match=reason):
        read_columns(path, ("a", "b"))


def test_a_table_that_is_not_there_or_is_no_text_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(TableUnreadable, match="No such file"):
        read_columns(tmp_path / "none.tsv", ("a",))
    (tmp_path / "bytes.tsv").write_bytes(b"a\n\xff\xfe")
    with pytest.raises(TableUnreadable):
        read_columns(tmp_path / "bytes.tsv", ("a",))


def test_columns_come_by_name_in_the_order_of_rows(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    path.write_text("\ufeffb\tmore\ta\n 1 \tx\t一只狗\n2\ty\t猫\n", encoding="utf-8")
    assert read_columns(path, ("a", "b")) == {"a": ["一只狗", "猫"], "b": ["1", "2"]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_caption_data(tmp_path / "data")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The footprint of a pack that needs no files."""
    found = {
        "pack_bytes": 9_900_000,
        "pack_bytes_without_weights": 4_400_000,
        "bytes_per_photo": 12,
        "photos_per_cpu_second": 123.4,
    }
    monkeypatch.setattr(report, "measure_footprint", lambda pack, images: found)
    return found


def test_a_report_holds_everything_and_is_plain_json(data: Path, measured: dict[str, Any]) -> None:
    found = evaluate(cast(Matcher, FakeMatcher()), data, "test")
    assert json.loads(json.dumps(found))["photos"] == 10
    assert set(found["languages"]) == {"en", "zh"}
    for values in found["languages"].values():
        assert set(values) == {"retrieval", "rerank", "pairs", "hard_pairs", "queries"}
    assert set(found["robustness"]) == {"blurred", "noisy", "compressed", "darkened", "mistyped"}
    assert found["footprint"] == measured
    assert "breadth" not in found


def test_a_report_repeats(data: Path, measured: dict[str, Any]) -> None:
    assert evaluate(cast(Matcher, FakeMatcher()), data, "val") == evaluate(
        cast(Matcher, FakeMatcher()), data, "val"
    )


def test_photos_are_encoded_once_and_captions_once_a_language(
    data: Path, measured: dict[str, Any]
) -> None:
    matcher = Counting()
    evaluate(cast(Matcher, matcher), data, "test")
    assert matcher.photos == 10 * (1 + 4)  # clean, and made worse in four ways
    assert matcher.texts.count(20) == 2  # ten photos with two captions in each of two languages
    assert matcher.texts.count(200) == 2


def test_languages_may_caption_different_photos(data: Path, measured: dict[str, Any]) -> None:
    path = data / "captions.zh.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("034")]
    path.write_text("\n".join(kept), encoding="utf-8")
    matcher = Counting()
    found = evaluate(cast(Matcher, matcher), data, "test")
    assert found["photos"] == 10
    assert found["languages"]["en"]["retrieval"]["photo_to_text"]["queries"] == 10
    assert found["languages"]["zh"]["retrieval"]["photo_to_text"]["queries"] == 9
    assert found["languages"]["zh"]["pairs"]["count"] == 18
    assert matcher.photos == 10 * (1 + 4)


def test_data_without_english_is_measured_without_what_needs_english(
    data: Path, measured: dict[str, Any]
) -> None:
    (data / "captions.en.tsv").unlink()
    found = evaluate(cast(Matcher, FakeMatcher()), data, "test")
    assert set(found["languages"]) == {"zh"}
    assert "robustness" not in found
    assert "edited" not in found
    assert "Chinese" in summary(found)


def test_no_captions_and_damaged_photos_are_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationDataMissing, match="LANGUAGE"):
        evaluate(cast(Matcher, FakeMatcher()), tmp_path)
    (data / "images" / "034.jpg").write_text("words")
    with pytest.raises(EvaluationDataMissing, match=r"034\.jpg"):
        evaluate(cast(Matcher, FakeMatcher()), data, "test")


def test_the_summary_shows_every_number_with_its_interval(
    data: Path, measured: dict[str, Any], tmp_path: Path
) -> None:
    coloured_photo(tmp_path / "kinds" / "red" / "10.png", "red")
    labels = tmp_path / "labels.tsv"
    labels.write_text("folder\tenglish\tchinese\nred\tred\t红\n", encoding="utf-8")
    matcher = cast(Matcher, FakeMatcher())
    found = evaluate(matcher, data, "test", labelled=Labelled(labels, tmp_path / "kinds"))
    found["edited"] = measure_edits(
        matcher,
        ImageFeatures(np.eye(3, dtype=np.float32), np.ones((3, 1, 3), np.int8)),
        [EditedPair("colour", 0, "red", "blue")],
    )
    shown = summary(found)
    for words in [
        "colours 1, 10 photos of the test split",
        "| English  | photo -> text |",
        "pair AUC",
        "queries that fit nothing",
        "| colour | 1     | 100.0% (100.0 to 100.0) |",
        "| mistyped   |",
        "R@10",
        "9.9 MB",
        "4.4 MB",
        "12 bytes",
        "123.4",
    ]:
        assert words in shown
    pairs = found["languages"]["en"]["pairs"]
    low, high = pairs["accuracy_interval"]
    assert f"{pairs['accuracy']:.1%} ({100 * low:.1f} to {100 * high:.1f})" in shown
    assert max(len(line) for line in shown.splitlines()) <= 120
