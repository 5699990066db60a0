"""A library keeps what each model pack that is here has encoded, and nothing of the others."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.index import Library
from engine.pack import MANIFEST, read_manifest
from engine.paths import packs_dir
from tests.fixtures import photos as made
from tests.fixtures.encoder import TinyEncoder
from tests.fixtures.packs import pack_of


def encoder_of(pack: Path) -> TinyEncoder:
    encoder = TinyEncoder(read_manifest(pack).model_id)
    encoder.pack_folder = pack
    return encoder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    made.folder_of(tmp_path / "photos", 3)
    made.folder_of(tmp_path / "photos" / "more", 2)
    return tmp_path / "photos"


@pytest.fixture
def library(photos: Path) -> Iterator[Library]:
    with closing(Library.open_or_create(photos)) as opened:
        yield opened


@pytest.fixture
def packs(tmp_path: Path) -> tuple[Path, Path]:
    return pack_of(tmp_path / "first", "first"), pack_of(packs_dir() / "second", "second")


def standing(library: Library) -> dict[str, int]:
    return {one.model_id.split("-")[0]: one.photos for one in library.generations()}


def test_switching_back_to_a_pack_that_has_encoded_everything_encodes_nothing(
    library: Library, packs: tuple[Path, Path]
) -> None:
    for pack in packs:
        assert library.index(None, encoder_of(pack)).indexed == 5
    for pack in (*packs, *packs):
        encoder = encoder_of(pack)
        report = library.index(None, encoder)
        assert (report.unchanged, encoder.prepared, encoder.encoded) == (5, [], [])
    assert standing(library) == {"first": 5, "second": 5}


def test_what_a_removed_pack_encoded_is_dropped_by_the_next_full_indexing_only(
    library: Library, packs: tuple[Path, Path], photos: Path
) -> None:
    first, second = packs
    library.index(None, encoder_of(first))
    library.index(None, encoder_of(second))
    (first / MANIFEST).unlink()

    library.index(photos / "more", encoder_of(second))
    assert standing(library) == {"first": 5, "second": 5}

    library.index(None, encoder_of(second))
    assert standing(library) == {"second": 5}
    with closing(sqlite3.connect(library.file)) as opened:
        assert opened.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert opened.execute("SELECT count(*) FROM features").fetchone() == (5,)
        assert opened.execute("SELECT count(*) FROM tokens").fetchone() == (5,)


def test_a_cancelled_indexing_drops_nothing(library: Library, packs: tuple[Path, Path]) -> None:
    first, second = packs
    library.index(None, encoder_of(first))
    (first / MANIFEST).unlink()
    library.index(None, encoder_of(second), cancelled=lambda: True)
    assert standing(library) == {"first": 5}


def test_a_pack_that_moved_keeps_what_it_encoded_and_one_that_took_its_place_does_not(
    library: Library, packs: tuple[Path, Path]
) -> None:
    first, second = packs
    library.index(None, encoder_of(first))
    library.index(None, encoder_of(second))
    first.rename(packs_dir() / "moved")
    pack_of(first, "third")

    library.index(None, encoder_of(second))
    assert standing(library) == {"first": 5, "second": 5}

    values = json.loads((first / MANIFEST).read_text())
    (packs_dir() / "moved" / MANIFEST).write_text(json.dumps(values))
    library.index(None, encoder_of(second))
    assert standing(library) == {"second": 5}


def test_photos_that_go_or_change_leave_every_generation(
    library: Library, packs: tuple[Path, Path], photos: Path
) -> None:
    for pack in packs:
        library.index(None, encoder_of(pack))
    (photos / "000.jpg").unlink()
    made.save(made.noise(seed=99), photos / "001.jpg")

    library.index(None, encoder_of(packs[0]))

    assert standing(library) == {"first": 4, "second": 3}
    with closing(sqlite3.connect(library.file)) as opened:
        # Of the photo that changed; the one that went may come back.
        counts = opened.execute("SELECT count(*) FROM features GROUP BY model").fetchall()
    assert sorted(counts) == [(4,), (5,)]
    again = encoder_of(packs[1])
    assert library.index(None, again).indexed == 1


def test_a_generation_says_what_it_takes(library: Library, packs: tuple[Path, Path]) -> None:
    library.index(None, encoder_of(packs[0]))
    (one,) = library.generations()
    # 48 numbers of two bytes, and 6 x 8 of one.
    assert one.size == 5 * (48 * 2 + 48)
