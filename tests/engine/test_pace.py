from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import pace
from engine.doctor import examine
from engine.matcher import Matcher
from engine.pace import DEFAULT, Facts, Pace, best_pace, kept_trial, ways
from engine.types import FloatArray, ImageFeatures
from tests.fixtures.encoder import TinyEncoder

FACTS = Facts(cores=2, model_id="tiny-1", device="CPU")
BIG = Pace(0, 2, 32)


class CountedPaces:
    """Makes encoders, and keeps for which paces."""

    def __init__(self) -> None:
        self.asked: list[Pace] = []

    def __call__(self, wanted: Pace) -> TinyEncoder:
        self.asked.append(wanted)
        return TinyEncoder(batch_size=wanted.batch_size)


def kept_file(home: Path) -> Path:
    return home / "data" / pace.FILE


def test_ways_begin_with_the_defaults_and_repeat_none() -> None:
    for cores in (1, 2, 3, 8, 64):
        found = ways(cores)
        assert found[0] == DEFAULT
        assert len(found) == len(set(found))
        assert all(way.decode_threads >= 1 and way.model_threads >= 0 for way in found)
        assert all(pace.PHOTOS % way.batch_size == 0 for way in found)


def test_the_first_long_job_makes_a_trial_and_the_next_one_reads_it(pairlens_home: Path) -> None:
    first, second = CountedPaces(), CountedPaces()
    chosen = best_pace(FACTS, first)
    assert DEFAULT in first.asked
    assert kept_file(pairlens_home).is_file()
    assert best_pace(FACTS, second) == chosen
    assert second.asked == []


@pytest.mark.parametrize(
    "other",
    [replace(FACTS, cores=4), replace(FACTS, model_id="tiny-2"), replace(FACTS, device="CUDA")],
)
def test_another_machine_model_or_device_is_tried_anew(pairlens_home: Path, other: Facts) -> None:
    best_pace(FACTS, CountedPaces())
    again = CountedPaces()
    best_pace(other, again)
    assert again.asked
    kept = kept_trial()
    assert kept is not None
    assert kept.facts == other


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"facts": 1, "pace": 2, "rates": 3}'])
def test_a_kept_trial_that_can_not_be_read_is_made_again(pairlens_home: Path, content: str) -> None:
    best_pace(FACTS, CountedPaces())
    kept_file(pairlens_home).write_text(content, encoding="utf-8")
    assert kept_trial() is None
    again = CountedPaces()
    best_pace(FACTS, again)
    assert again.asked
    assert kept_trial() is not None


def test_only_a_clear_gain_takes_the_place_of_the_defaults(
    pairlens_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for gain, chosen in ((1.05, DEFAULT), (1.5, BIG)):
        rates = {BIG: 100 * gain}
        monkeypatch.setattr(pace, "LONGEST", 1e9)
        monkeypatch.setattr(
            pace,
            "_rate",
            lambda encoder, photo, count, rates=rates: rates.get(
                Pace(0, 2, encoder.batch_size), 100.0
            ),
        )
        kept_file(pairlens_home).unlink(missing_ok=True)
        assert best_pace(FACTS, CountedPaces()) == chosen


def test_a_model_too_slow_for_a_trial_is_timed_with_single_photos_only(
    pairlens_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []

    def slow(encoder: TinyEncoder, photo: Path, count: int) -> float:
        counts.append(count)
        return pace.PHOTOS / pace.LONGEST_WAY / 2

    monkeypatch.setattr(pace, "_rate", slow)
    assert best_pace(FACTS, CountedPaces()) == DEFAULT
    assert set(counts) == {1}
    assert kept_trial() is not None


def test_trouble_in_the_trial_never_ends_the_job(
    pairlens_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(wanted: Pace) -> TinyEncoder:
        raise RuntimeError("no such thread")

    assert best_pace(FACTS, broken) == DEFAULT
    assert "no such thread" in caplog.text
    assert kept_trial() is None


def test_a_data_folder_that_can_not_be_written_never_ends_the_job(
    pairlens_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pairlens_home / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("PAIRLENS_HOME", str(pairlens_home / "file"))
    assert best_pace(FACTS, CountedPaces()) == DEFAULT


def test_a_tuned_matcher_works_at_the_kept_pace_and_answers_the_same(
    exact_matcher: Matcher, scenes: list[Path], pairlens_home: Path
) -> None:
    exact_matcher.tuned()
    kept = json.loads(kept_file(pairlens_home).read_text(encoding="utf-8"))
    assert kept["facts"]["model_id"] == exact_matcher.model_id
    kept["pace"] = {"model_threads": 1, "decode_threads": 3, "batch_size": 32}
    kept_file(pairlens_home).write_text(json.dumps(kept), encoding="utf-8")
    tuned = exact_matcher.tuned()
    assert (tuned.batch_size, tuned.decode_threads) == (32, 3)
    pixels: FloatArray = np.stack([tuned.prepare(photo) for photo in scenes])
    found: ImageFeatures = tuned.encode(pixels)
    wanted = exact_matcher.encode(pixels)
    np.testing.assert_allclose(found.embeddings, wanted.embeddings, rtol=0, atol=1e-5)


def test_the_doctor_says_threads_batch_and_why(pairlens_home: Path) -> None:
    def words() -> str:
        return next(one.value for one in examine() if one.name == "Threads and batch")

    assert "16 photos at once: the defaults; the first index or batch" in words()
    best_pace(FACTS, CountedPaces())
    assert "tried again when" in words()
