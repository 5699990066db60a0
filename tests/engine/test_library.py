"""Libraries as a whole: their names, folders, drives and models, and deleting them."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from engine import store as store_module
from engine.cards import Card, card_named, cards, remove, rename
from engine.errors import (
    FolderTaken,
    LibraryBusy,
    LibraryDamaged,
    LibraryIndexing,
    LibraryUnknown,
    NameEmpty,
    NameTaken,
    NoPhotos,
)
from engine.index import Library, index_folder
from engine.indexing import IndexReport
from engine.paths import libraries_dir
from engine.schema import MIGRATIONS
from engine.sqlite_file import WriterLock
from engine.types import PhotoDetails
from tests.fixtures import photos
from tests.fixtures.encoder import TinyEncoder
from tests.fixtures.kept import kept
from tests.fixtures.killing import killed_at
from tests.fixtures.mounts import drive


@pytest.fixture
def encoder() -> TinyEncoder:
    return TinyEncoder()


def indexed(name: str, encoder: TinyEncoder) -> IndexReport:
    """All of a library, opened for this alone."""
    encoder.prepared.clear()
    library = Library.named(name)
    assert library is not None
    with closing(library):
        return library.index(None, encoder)


def found(name: str, encoder: TinyEncoder, folder: Path | None = None) -> list[Path]:
    library = Library.named(name)
    assert library is not None
    with closing(library):
        return list(kept(library, encoder.model_id, folder))


def away(name: str) -> list[Path]:
    library = Library.named(name)
    assert library is not None
    with closing(library):
        return library.away()


# Names and folders


def test_a_library_has_the_name_of_its_folder_until_it_is_given_another(tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place / "Photos").mkdir(parents=True)
        Library.open_or_create(tmp_path / place / "Photos").close()
    (tmp_path / "more").mkdir()
    Library.open_or_create(tmp_path / "more", "Summer").close()

    assert [card.name for card in cards()] == ["Photos", "Photos 2", "Summer"]
    assert card_named("summer") == card_named("Summer")


def test_a_renamed_library_keeps_its_folders_and_its_index(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    for place in ("one", "two"):
        photos.folder_of(tmp_path / place, 2)
        index_folder(tmp_path / place, encoder, name="trips")
    before = card_named("trips")
    assert before is not None

    now = rename("TRIPS", "\tSummer \n trips")

    assert now == Card(before.file, "Summer trips", before.folders)
    assert cards() == [now]
    again = index_folder(None, encoder, name="summer trips")
    assert (again.total, again.indexed, again.unchanged) == (4, 0, 4)
    # Its own name in other letters is not taken by another.
    assert rename("Summer trips", "SUMMER TRIPS").name == "SUMMER TRIPS"


def test_a_library_keeps_its_name_where_the_new_one_cannot_be(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    for place in ("one", "two"):
        photos.folder_of(tmp_path / place, 1)
        index_folder(tmp_path / place, encoder)
    before = cards()
    with pytest.raises(LibraryUnknown):
        rename("three", "four")
    with pytest.raises(NameEmpty):
        rename("one", " \t")
    with pytest.raises(NameTaken):
        rename("one", "TWO")
    with WriterLock(before[0].file, "one"), pytest.raises(LibraryIndexing):
        rename("one", "three")
    assert cards() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to kill many times")
def test_a_rename_that_is_killed_leaves_the_old_name_or_the_new_one(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    photos.folder_of(tmp_path / "one", 1)
    index_folder(tmp_path / "one", encoder)
    (before,) = cards()
    seen = set()
    step = 1
    while killed_at(step, lambda: rename("one", "two")):
        (card,) = cards()
        assert (card.file, card.folders) == (before.file, before.folders)
        seen.add(card.name)
        if card.name == "two":
            rename("two", "one")
        step += 1
    assert seen | {card.name for card in cards()} == {"one", "two"}
    assert index_folder(None, encoder, name="two").unchanged == 1


def test_no_library_is_made_for_a_folder_without_photos(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    (tmp_path / "empty").mkdir()
    for name in (None, "Summer"):
        with pytest.raises(NoPhotos):
            index_folder(tmp_path / "empty", encoder, name=name)
    assert cards() == []


def test_no_library_is_made_where_the_look_for_a_first_photo_is_cancelled(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    photos.folder_of(tmp_path / "deep" / "below", 1)
    answers = iter([False, True])
    report = index_folder(tmp_path / "deep", encoder, cancelled=lambda: next(answers))
    assert report == IndexReport(cancelled=True)
    assert cards() == []


def test_a_library_knows_when_all_of_it_was_looked_through(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    def looked() -> datetime | None:
        library = Library.named("all")
        assert library is not None
        with closing(library):
            return library.looked()

    before = datetime.now().replace(microsecond=0)
    for name in ("one", "two"):
        photos.folder_of(tmp_path / name / "below", 2)
    index_folder(tmp_path / "one", encoder, name="all")
    first = looked()
    assert first is not None
    assert before <= first <= datetime.now()

    Library.open_or_create(tmp_path / "two", "all").close()
    assert looked() is None
    index_folder(tmp_path / "two" / "below", encoder, cancelled=lambda: True)
    assert looked() is None
    index_folder(None, encoder, name="all")
    assert looked() is not None


def test_a_library_of_several_folders_is_searched_as_one(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    paths = photos.folder_of(new, 3) + photos.folder_of(old, 2)
    for folder in (old, new):
        index_folder(folder, encoder, name="all")

    assert found("all", encoder) == paths
    assert found("all", encoder, old) == paths[3:]
    assert indexed("all", encoder) == IndexReport(total=5, unchanged=5)
    assert len(list(libraries_dir().glob("*.sqlite"))) == 1
    assert Library.open_or_create(new).name == "all"


def test_a_photo_moved_to_another_folder_of_the_library_keeps_its_features(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    moved, _ = photos.folder_of(tmp_path / "old", 2)
    photos.folder_of(tmp_path / "new", 2)
    for folder in ("old", "new"):
        index_folder(tmp_path / folder, encoder, name="all")
    moved.rename(tmp_path / "new" / "moved.jpg")

    report = indexed("all", encoder)

    assert report == IndexReport(total=4, reused=1, unchanged=3, removed=1)
    assert encoder.prepared == []


def test_a_folder_within_one_of_the_librarys_changes_nothing(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    photos.folder_of(tmp_path / "all" / "2024", 2)
    index_folder(tmp_path / "all", encoder, name="all")

    index_folder(tmp_path / "all" / "2024", encoder, name="all")

    assert [card.folders for card in cards()] == [(tmp_path / "all",)]


def test_a_folder_above_takes_the_place_of_those_within(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    odd = os.fsdecode(b"caf\xe9") if os.name == "posix" else "café"
    paths = photos.folder_of(tmp_path / "all" / odd, 2) + photos.folder_of(tmp_path / "all", 1)
    index_folder(paths[0].parent, encoder, name="mine")
    gone = found("mine", encoder)[0]
    encoder.prepared.clear()

    report = index_folder(tmp_path / "all", encoder, name="mine")

    assert report == IndexReport(total=3, indexed=1, unchanged=2)
    assert [card.folders for card in cards()] == [(tmp_path / "all",)]
    assert set(found("mine", encoder)) == set(paths)
    gone.unlink()
    assert indexed("mine", encoder).removed == 1


def test_a_folder_can_not_be_in_two_libraries(tmp_path: Path, encoder: TinyEncoder) -> None:
    photos.folder_of(tmp_path / "photos", 1)
    index_folder(tmp_path / "photos", encoder)

    with pytest.raises(FolderTaken, match="library photos already"):
        Library.open_or_create(tmp_path / "photos", "another")

    assert [card.name for card in cards()] == ["photos"]


def test_a_library_from_before_there_were_names_is_found(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    paths = photos.folder_of(tmp_path / "photos", 2)
    index_folder(tmp_path / "photos", encoder)
    for card in libraries_dir().glob("*.json"):
        card.unlink()

    assert found("photos", encoder) == paths
    assert len(list(libraries_dir().glob("*.json"))) == 1


@pytest.mark.parametrize("content", ["", "{", '{"name": "photos"}', "[1]", "\udcff"])
def test_an_unreadable_card_is_written_anew(
    tmp_path: Path, encoder: TinyEncoder, content: str
) -> None:
    photos.folder_of(tmp_path / "photos", 1)
    index_folder(tmp_path / "photos", encoder)
    (card,) = libraries_dir().glob("*.json")
    card.write_bytes(os.fsencode(content))

    assert len(found("photos", encoder)) == 1
    assert json.loads(card.read_text())["name"] == "photos"


# Deleting


def test_deleting_a_library_leaves_nothing_behind(tmp_path: Path, encoder: TinyEncoder) -> None:
    paths = photos.folder_of(tmp_path / "photos", 3)
    photos.folder_of(tmp_path / "others", 1)
    index_folder(tmp_path / "photos", encoder)
    (file,) = libraries_dir().glob("*.sqlite")
    file.write_bytes(os.urandom(50_000))
    index_folder(tmp_path / "photos", encoder)
    index_folder(tmp_path / "others", encoder)
    assert list(libraries_dir().glob("photos-*damaged*"))

    remove("photos")

    assert not list(libraries_dir().glob("photos*"))
    assert [card.name for card in cards()] == ["others"]
    assert len(found("others", encoder)) == 1
    assert all(path.exists() for path in paths)
    with pytest.raises(LibraryUnknown, match="photos"):
        remove("photos")


def test_a_library_that_is_being_indexed_is_not_deleted(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    photos.folder_of(tmp_path / "photos", 1)
    index_folder(tmp_path / "photos", encoder)
    (file,) = libraries_dir().glob("*.sqlite")

    with WriterLock(file, "photos"), pytest.raises(LibraryBusy):
        remove("photos")

    assert len(found("photos", encoder)) == 1


# Damage


def test_a_damaged_library_is_made_anew_with_all_its_folders(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    paths = photos.folder_of(tmp_path / "new", 3) + photos.folder_of(tmp_path / "old", 2)
    for folder in ("old", "new"):
        index_folder(tmp_path / folder, encoder, name="all")
    (file,) = libraries_dir().glob("*.sqlite")
    file.write_bytes(os.urandom(file.stat().st_size))

    report = index_folder(tmp_path / "old", encoder)

    assert isinstance(report.damage, LibraryDamaged)
    assert Path(str(report.damage.fields["aside"])).exists()
    assert (report.total, report.indexed) == (5, 5)
    assert found("all", encoder) == paths


def test_damage_of_one_library_does_not_stop_another(tmp_path: Path, encoder: TinyEncoder) -> None:
    for name in ("one", "two"):
        photos.folder_of(tmp_path / name, 1)
        index_folder(tmp_path / name, encoder)
    card = card_named("one")
    assert card is not None
    card.file.write_bytes(os.urandom(50_000))

    assert len(found("two", encoder)) == 1
    with pytest.raises(LibraryDamaged):
        Library.named("one")


# Models


def test_the_old_models_features_are_there_until_the_new_one_has_encoded_all(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    folder, new = tmp_path / "photos", TinyEncoder("tiny-2")
    photos.folder_of(folder, 9)
    index_folder(folder, encoder)

    stopped = index_folder(folder, new, cancelled=lambda: sum(new.encoded) >= 4)

    assert stopped.cancelled
    assert len(found("photos", encoder)) == 9
    assert len(found("photos", new)) == 4
    index_folder(folder, new)
    assert found("photos", encoder) == []
    assert len(found("photos", new)) == 9


def test_the_old_models_features_stay_while_photos_are_offline(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    new = TinyEncoder("tiny-2")
    for folder in ("here", "card"):
        photos.folder_of(tmp_path / folder, 2)
        index_folder(tmp_path / folder, encoder, name="all")
    (tmp_path / "card").rename(tmp_path / "unplugged")

    assert indexed("all", new) == IndexReport(total=2, indexed=2, offline=2)

    assert len(found("all", encoder)) == 4
    (tmp_path / "unplugged").rename(tmp_path / "card")
    assert indexed("all", new) == IndexReport(total=4, indexed=2, unchanged=2)
    assert found("all", encoder) == []


# Details


def test_date_and_size_are_kept_with_a_photo(tmp_path: Path, encoder: TinyEncoder) -> None:
    exif = photos.taken("2021:07:08 09:10:11", orientation=6)
    photos.save(photos.noise(40, 30), tmp_path / "photos" / "a.jpg", exif=exif)
    plain = photos.save(photos.noise(50, 20), tmp_path / "photos" / "b.png")
    os.utime(plain, (1_600_000_000, 1_600_000_000))
    index_folder(tmp_path / "photos", encoder)
    library = Library.named("photos")
    assert library is not None

    with closing(library), closing(library.snapshot(None, encoder.model_id)) as snapshot:
        first, second = snapshot.details(np.arange(2))

    assert first == PhotoDetails("2021-07-08T09:10:11", 30, 40)
    assert second is not None
    assert second.taken.startswith("2020-09-1")
    assert (second.width, second.height) == (50, 20)


def test_photos_known_from_an_older_version_get_their_details_without_being_decoded(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    photos.folder_of(tmp_path / "photos", 2)
    index_folder(tmp_path / "photos", encoder)
    (file,) = libraries_dir().glob("*.sqlite")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE photos SET taken = NULL, width = NULL, height = NULL")

    assert indexed("photos", encoder) == IndexReport(total=2, reused=2)
    assert encoder.prepared == []
    assert indexed("photos", encoder) == IndexReport(total=2, unchanged=2)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_library_of_every_older_version_is_brought_up_to_date(
    tmp_path: Path, encoder: TinyEncoder, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos"
    paths = photos.folder_of(folder, 3)
    file = libraries_dir() / "photos-0123.sqlite"
    status = paths[0].stat()
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("INSERT INTO roots (id, path) VALUES (1, ?)", (os.fsencode(folder),))
        connection.execute(
            "INSERT INTO photos (root, path, size, mtime_ns, fingerprint) VALUES (1, ?, ?, ?, ?)",
            (b"000.jpg", status.st_size, status.st_mtime_ns, b"0123456789abcdef"),
        )
        connection.execute(
            "INSERT INTO photos (root, path, size, mtime_ns, error) VALUES (1, ?, 1, 1, ?)",
            (b"gone.jpg", '{"code": "photo_empty", "fields": {}, "version": "0.1.0"}'),
        )

    report = index_folder(folder, encoder)

    assert report == IndexReport(total=3, indexed=3, removed=1)
    assert found("photos", encoder) == paths
    with closing(sqlite3.connect(file)) as connection:
        (now,) = connection.execute("PRAGMA user_version").fetchone()
        assert now == len(store_module.MIGRATIONS)


# Drives


def test_photos_of_an_unplugged_drive_are_offline_and_not_deleted(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    place = tmp_path / "card"
    with drive(place, tmp_path / "kept") as card:
        paths = photos.folder_of(place / "trip", 3)
        photos.folder_of(tmp_path / "home", 1)
        for folder in (place, tmp_path / "home"):
            index_folder(folder, encoder, name="all")
        card.unplug()

        assert away("all") == [place]
        assert indexed("all", encoder) == IndexReport(total=1, unchanged=1, offline=3)
        assert found("all", encoder, place) == paths

        card.connect()
        assert away("all") == []
        assert indexed("all", encoder) == IndexReport(total=4, unchanged=4)
        assert encoder.prepared == []


def test_a_drive_within_a_folder_of_the_library_may_be_unplugged(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    folder = tmp_path / "photos"
    with drive(folder / "card", tmp_path / "kept") as card:
        there = photos.folder_of(folder / "card" / "trip", 3)
        here = photos.folder_of(folder / "home", 2)
        index_folder(folder, encoder)
        card.unplug()
        here[0].unlink()

        assert away("photos") == [folder / "card"]
        assert indexed("photos", encoder) == IndexReport(total=1, unchanged=1, removed=1, offline=3)
        assert found("photos", encoder) == [*there, here[1]]
        # Asked for alone, and with its folder taken away as well, as some systems do.
        assert index_folder(folder / "card" / "trip", encoder) == IndexReport(offline=3)
        (folder / "card").rmdir()
        assert indexed("photos", encoder).offline == 3

        card.connect()
        there[0].unlink()
        assert indexed("photos", encoder) == IndexReport(total=3, unchanged=3, removed=1)


def test_a_drive_reached_through_a_link_may_be_unplugged(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    with drive(tmp_path / "media", tmp_path / "kept") as card:
        (tmp_path / "media" / "trip").mkdir()
        (folder / "link").symlink_to(tmp_path / "media" / "trip", target_is_directory=True)
        paths = photos.folder_of(folder / "link", 2)
        index_folder(folder, encoder)
        card.unplug()

        assert indexed("photos", encoder) == IndexReport(offline=2)
        assert found("photos", encoder) == paths

        card.connect()
        (folder / "link").unlink()
        assert indexed("photos", encoder) == IndexReport(removed=2)


def test_a_folder_emptied_on_a_connected_drive_is_empty(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    place = tmp_path / "card"
    with drive(place, tmp_path / "kept"):
        for path in photos.folder_of(place, 2):
            index_folder(place, encoder)
            path.unlink()

        assert indexed("card", encoder).removed == 1
        assert away("card") == []


def test_a_folder_that_was_copied_off_its_drive_is_no_longer_offline(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    place = tmp_path / "card"
    with drive(place, tmp_path / "kept") as card:
        photos.folder_of(place, 3)
        index_folder(place, encoder)
        shutil.copytree(place, tmp_path / "copy")
        card.unplug()
        (tmp_path / "copy" / "000.jpg").rename(place / "000.jpg")

        assert indexed("card", encoder) == IndexReport(total=1, unchanged=1, removed=2)
        assert away("card") == []
