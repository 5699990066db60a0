from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from desktop.features import FeatureMemory
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher, WatchedMatcher


def test_photos_are_read_once_and_answers_are_the_same(tmp_path: Path) -> None:
    photos = [coloured_photo(tmp_path / f"{name}.png", name) for name in ("red", "green", "blue")]
    matcher, memory = WatchedMatcher(), FeatureMemory()
    for order in (photos[:2], photos[::-1], [photos[0], photos[0]]):
        for captions in (["red"], ["blue", "a green leaf"]):
            found = matcher.match(order, captions, memory.encode)
            assert found == FakeMatcher().match(order, captions)
    assert sorted(matcher.read) == ["blue.png", "green.png", "red.png"]


def test_a_changed_photo_and_another_model_are_read_anew(tmp_path: Path) -> None:
    photo = coloured_photo(tmp_path / "a.png", "red")
    matcher, memory = WatchedMatcher(), FeatureMemory()
    matcher.match([photo], ["red"], memory.encode)
    coloured_photo(photo, "blue")
    os.utime(photo, ns=(1, 1))
    (found,) = matcher.match([photo], ["red"], memory.encode)
    assert found.match is False
    assert len(matcher.read) == 2
    matcher.model_id = "another"
    matcher.match([photo], ["red"], memory.encode)
    assert len(matcher.read) == 3


def test_what_cannot_be_used_is_not_read_again_unless_it_changes(tmp_path: Path) -> None:
    good, bad = coloured_photo(tmp_path / "a.png", "red"), tmp_path / "b.png"
    bad.write_text("no picture")
    gone = tmp_path / "c.png"
    matcher, memory = WatchedMatcher(), FeatureMemory()
    for _ in range(2):
        found = matcher.match([bad, good, gone], ["red"], memory.encode)
        assert [one.failure is None for one in found] == [False, True, False]
    assert sorted(matcher.read) == ["a.png", "b.png", "c.png", "c.png"]
    coloured_photo(gone, "red")
    coloured_photo(bad, "red")
    found = matcher.match([bad, good, gone], ["red"], memory.encode)
    assert all(one.match for one in found)


def test_no_more_photos_are_remembered_than_wanted(tmp_path: Path) -> None:
    photos = [coloured_photo(tmp_path / f"{n}.png", "red", (64 + n, 48)) for n in range(6)]
    matcher, memory = WatchedMatcher(), FeatureMemory(most=3)
    ((_, images, failed),) = memory.encode(matcher, photos)
    assert len(images) == 6
    assert failed == {}
    assert np.isfinite(images.embeddings).all()
    matcher.read.clear()
    list(memory.encode(matcher, photos[3:]))
    assert matcher.read == []
    list(memory.encode(matcher, photos[:1]))
    assert matcher.read == ["0.png"]
