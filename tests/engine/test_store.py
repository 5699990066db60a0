from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from engine import resident as resident_module
from engine import snapshot as snapshot_module
from engine import store as store_module
from engine.config import ModelConfig
from engine.errors import LibraryBusy, LibraryDamaged, LibraryTooNew, OutputUnwritable
from engine.schema import MIGRATIONS
from engine.snapshot import Snapshot
from engine.sqlite_file import WriterLock
from engine.store import Failure, PhotoRow, Store
from engine.types import ImageFeatures

MODEL = "tiny-1"


def features(count: int, seed: int = 0, width: int = 8) -> ImageFeatures:
    random = np.random.default_rng(seed)
    embeddings = random.normal(size=(count, width)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return ImageFeatures(embeddings, random.integers(-127, 128, (count, 3, 4), np.int8))


def row(name: str, content: str | None = None) -> PhotoRow:
    return PhotoRow(name.encode(), 100, 7, (content or name).encode())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "holiday.sqlite"


@pytest.fixture
def store(path: Path, tmp_path: Path) -> Store:
    store = Store(path)
    store.add_root(tmp_path / "photos")
    return store


def snapshot(store: Store, under: bytes = b"", model: str = MODEL) -> Snapshot:
    ((root, path),) = store.roots()
    return Snapshot(store, model, [(root, path, under)])


def names(store: Store, under: bytes = b"", model: str = MODEL) -> list[str]:
    """Of the photos below a folder that have features, relative, in the order they come in."""
    ((_, root),) = store.roots()
    with closing(snapshot(store, under, model)) as view:
        return [str(path.relative_to(root)) for path in view.paths(np.arange(len(view)))]


def load(store: Store, under: bytes = b"", model: str = MODEL) -> ImageFeatures:
    with closing(snapshot(store, under, model)) as view:
        return view.features(np.arange(len(view)))


def overwrite(path: Path, start: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(content)


def test_features_come_back_as_they_went_in(store: Store) -> None:
    kept = features(3)
    store.save_encoded(1, [row("c.jpg"), row("a.jpg"), row("b.jpg")], MODEL, kept)

    found = load(store)

    assert names(store) == ["a.jpg", "b.jpg", "c.jpg"]
    np.testing.assert_allclose(found.embeddings, kept.embeddings[[1, 2, 0]], atol=1e-3)
    np.testing.assert_array_equal(found.tokens, kept.tokens[[1, 2, 0]])
    np.testing.assert_allclose(np.linalg.norm(found.embeddings, axis=1), 1, atol=1e-6)
    assert (found.embeddings.dtype, found.tokens.dtype) == (np.float32, np.int8)


def test_more_photos_than_fit_one_read_come_back_in_order(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_module, "CHUNK", 4)
    monkeypatch.setattr(resident_module, "CHUNK", 4)
    kept = features(9)
    # Written out of order, and each content twice.
    written = [f"{n * 5 % 9}.jpg" for n in range(9)]
    store.save_encoded(1, [row(name) for name in written], MODEL, kept)
    store.save(1, [row(f"copy/{name}", name) for name in written])

    found, loaded = names(store), load(store)

    assert found == sorted(found)
    assert len(found) == 18
    expected = [written.index(name.removeprefix("copy/")) for name in found]
    np.testing.assert_array_equal(loaded.tokens, kept.tokens[expected])


def test_an_unknown_model_has_no_features(store: Store) -> None:
    store.save_encoded(1, [row("a.jpg")], MODEL, features(1))

    with closing(snapshot(store, model="another")) as view:
        assert (len(view), view.waiting) == (0, 1)


def test_two_models_keep_their_features_apart(store: Store) -> None:
    store.save_encoded(1, [row("a.jpg")], MODEL, features(1, seed=1))
    store.save_encoded(1, [row("a.jpg")], "wide", features(1, seed=2, width=16))

    assert load(store).embeddings.shape == (1, 8)
    assert load(store, model="wide").embeddings.shape == (1, 16)
    wanted = [b"a.jpg", b"b.jpg"]
    assert store.encoded(MODEL, wanted) == store.encoded("wide", wanted) == {b"a.jpg"}


def test_a_model_that_changes_its_shapes_is_refused(store: Store) -> None:
    store.save_encoded(1, [row("a.jpg")], MODEL, features(1))

    with pytest.raises(ValueError, match="shape"):
        store.save_encoded(1, [row("b.jpg")], MODEL, features(1, width=16))

    assert list(store.present(1, b"")) == [b"a.jpg"]


def test_features_that_do_not_fit_the_photos_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="2 photos, 1 embeddings"):
        store.save_encoded(1, [row("a.jpg"), row("b.jpg")], MODEL, features(1))


def test_tokens_that_are_not_packed_are_refused(store: Store) -> None:
    unpacked = np.zeros((1, 3, 4), np.float16)

    with pytest.raises(ValueError, match="float16"):
        store.save_encoded(
            1, [row("a.jpg")], MODEL, ImageFeatures(features(1).embeddings, unpacked)
        )

    assert list(store.present(1, b"")) == []


def test_a_photo_takes_512_bytes_of_embedding_and_2000_of_tokens(store: Store, path: Path) -> None:
    shape = ModelConfig()
    kept = ImageFeatures(
        np.ones((1, shape.embedding), np.float32),
        np.ones((1, shape.image_tokens, shape.token_width), np.int8),
    )
    store.save_encoded(1, [row("a.jpg")], MODEL, kept)

    with sqlite3.connect(path) as connection:
        query = "SELECT length(embedding), length(data) FROM features JOIN tokens ON feature = id"
        assert connection.execute(query).fetchall() == [(512, 2000)]


def test_only_photos_below_the_folder_are_found(store: Store) -> None:
    written = ["a/1.jpg", "a/b/2.jpg", "a-b/3.jpg", "a.jpg", "ab/4.jpg"]
    store.save_encoded(1, [row(name) for name in written], MODEL, features(5))

    assert names(store, b"a") == ["a/1.jpg", "a/b/2.jpg"]
    assert names(store, b"a/b") == ["a/b/2.jpg"]
    assert list(store.present(1, b"a")) == [b"a/1.jpg", b"a/b/2.jpg"]
    assert store.count(1, b"a") == 2
    # As `Path` sorts: folder by folder.
    assert names(store) == ["a/1.jpg", "a/b/2.jpg", "a-b/3.jpg", "a.jpg", "ab/4.jpg"]


def test_any_bytes_a_file_system_allows_may_be_a_name(store: Store) -> None:
    name = os.fsencode(os.fsdecode("日本/café \n'\"%_".encode() + b"\xff.jpg"))
    store.save_encoded(1, [PhotoRow(name, 1, 2, b"x")], MODEL, features(1))

    assert names(store) == [os.fsdecode(name)]
    assert names(store, "日本".encode()) == [os.fsdecode(name)]


def test_failures_are_kept_with_their_reasons(store: Store) -> None:
    failure = Failure("photo_damaged", {"reason": "cut \udcff short"}, "0.1.0")
    kept = PhotoRow(b"a.jpg", 5, 2**62, failure=failure)

    store.save(1, [kept])

    assert store.known(1, [b"a.jpg", b"b.jpg"]) == {b"a.jpg": kept}


def test_gone_photos_leave_their_features_until_pruned(store: Store) -> None:
    store.save_encoded(1, [row("a.jpg"), row("b.jpg")], MODEL, features(2))

    store.mark_gone(1, [b"a.jpg"])

    assert names(store) == ["b.jpg"]
    store.prune(before=time.time() - 1000)
    assert store.encoded(MODEL, [b"a.jpg", b"b.jpg"]) == {b"a.jpg", b"b.jpg"}
    store.prune(before=time.time() + 1000)
    assert store.encoded(MODEL, [b"a.jpg", b"b.jpg"]) == {b"b.jpg"}
    assert names(store) == ["b.jpg"]


def test_pruning_takes_the_tokens_along(store: Store, path: Path) -> None:
    store.save_encoded(1, [row("a.jpg")], MODEL, features(1))
    store.mark_gone(1, [b"a.jpg"])
    store.prune(before=time.time() + 1000)
    store.close()

    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM tokens").fetchone() == (0,)


def test_a_batch_that_fails_leaves_nothing_behind(store: Store) -> None:
    without_fingerprint = PhotoRow(b"b.jpg", 1, 2)

    with pytest.raises(sqlite3.IntegrityError):
        store.save_encoded(1, [row("a.jpg"), without_fingerprint], MODEL, features(2))

    assert list(store.present(1, b"")) == []
    assert store.encoded(MODEL, [b"a.jpg", b"b.jpg"]) == set()


def test_what_was_committed_is_there_after_reopening(store: Store, path: Path) -> None:
    store.save_encoded(1, [row("a.jpg")], MODEL, features(1))
    store.close()

    assert names(Store(path)) == ["a.jpg"]


def test_the_file_is_as_it_was_designed(store: Store, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA page_size").fetchone() == (16384,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_an_older_library_is_brought_up_to_date(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_encoded(1, [row("a.jpg")], MODEL, features(1))
    store.close()
    newer = (
        *MIGRATIONS,
        ("CREATE TABLE tags (name TEXT)", "INSERT INTO tags VALUES ('beach')"),
    )
    monkeypatch.setattr(store_module, "MIGRATIONS", newer)

    assert names(Store(path)) == ["a.jpg"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM tags").fetchall() == [("beach",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (len(newer),)


def test_photos_outlive_features_whose_tokens_are_in_half_precision(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [row("a.jpg"), PhotoRow(b"b.jpg", 5, 9, failure=Failure("photo_damaged", {}, "0.1.0"))]
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "MIGRATIONS", MIGRATIONS[:1])
        patch.setattr(store_module, "TABLES", set())
        Store(path).close()
    with sqlite3.connect(path) as connection:
        root = os.fsencode(tmp_path / "photos")
        connection.execute("INSERT INTO roots (path) VALUES (?)", (root,))
        connection.execute(
            "INSERT INTO photos (root, path, size, mtime_ns, fingerprint)"
            " VALUES (1, x'612e6a7067', 100, 7, x'612e6a7067')"
        )
        connection.execute(
            "INSERT INTO photos (root, path, size, mtime_ns, error) VALUES (1, x'622e6a7067', 5, 9,"
            """ '{"code": "photo_damaged", "fields": {}, "version": "0.1.0"}')"""
        )
        connection.execute("INSERT INTO models VALUES (1, ?, 8, 3, 4)", (MODEL,))
        connection.execute("INSERT INTO features VALUES (1, 1, ?, zeroblob(16))", (b"a.jpg",))
        connection.execute("INSERT INTO tokens VALUES (1, zeroblob(24))")

    store = Store(path)

    assert store.roots() == [(1, tmp_path / "photos")]
    assert store.known(1, [b"a.jpg", b"b.jpg"]) == {photo.path: photo for photo in photos}
    assert store.encoded(MODEL, [b"a.jpg", b"b.jpg"]) == set()
    assert names(store) == []
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM tokens").fetchone() == (0,)
    # The same model may keep its features again, even in another shape.
    kept = features(1, width=16)
    store.save_encoded(1, photos[:1], MODEL, kept)
    assert names(store) == ["a.jpg"]
    np.testing.assert_array_equal(load(store).tokens, kept.tokens)


def test_a_migration_that_fails_leaves_the_library_as_it_was(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    with monkeypatch.context() as patch:
        broken = ("CREATE TABLE tags (name TEXT)", "INSERT INTO nowhere VALUES (1)")
        patch.setattr(store_module, "MIGRATIONS", (*MIGRATIONS, broken))
        with pytest.raises(sqlite3.OperationalError):
            Store(path)

    assert len(Store(path).roots()) == 1
    with sqlite3.connect(path) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert "tags" not in names


def test_a_library_of_a_newer_program_is_left_alone(store: Store, path: Path) -> None:
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")

    with pytest.raises(LibraryTooNew):
        Store(path)

    assert path.exists()


def test_a_file_that_is_no_library_is_set_aside(path: Path) -> None:
    path.write_bytes(b"these are not the tables you are looking for" * 1000)

    with pytest.raises(LibraryDamaged) as raised:
        Store(path)

    aside = Path(str(raised.value.fields["aside"]))
    assert aside.read_bytes().startswith(b"these are not")
    assert not path.exists()
    assert Store(path).roots() == []


def test_setting_aside_never_overwrites_what_was_set_aside_before(path: Path) -> None:
    for number in (1, 2):
        path.write_bytes(b"nonsense" * 1000)
        with pytest.raises(LibraryDamaged) as raised:
            Store(path)
        assert raised.value.fields["aside"] == path.with_name(f"holiday.damaged-{number}")


def test_another_programs_database_is_set_aside(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    with pytest.raises(LibraryDamaged, match="something else"):
        Store(path)


def test_damage_inside_is_found_and_set_aside(store: Store, path: Path, tmp_path: Path) -> None:
    for batch in range(20):
        store.save_encoded(
            1, [row(f"{batch}-{n}.jpg") for n in range(50)], MODEL, features(50, batch)
        )
    store.close()
    overwrite(path, 3 * 16384, os.urandom(path.stat().st_size - 4 * 16384))
    damaged = Store(path)

    with pytest.raises(LibraryDamaged):
        damaged.check()

    assert not path.exists()
    assert sorted(one.name for one in tmp_path.glob("holiday*")) == ["holiday.damaged-1"]


def test_damage_met_while_reading_is_named_too(store: Store, path: Path) -> None:
    store.save_encoded(1, [row(f"{n}.jpg") for n in range(300)], MODEL, features(300))
    store.close()
    overwrite(path, 2 * 16384, os.urandom(path.stat().st_size - 2 * 16384))

    with pytest.raises(LibraryDamaged):
        load(Store(path))


def test_features_of_the_wrong_length_are_damage(store: Store, path: Path) -> None:
    store.save_encoded(1, [row("a.jpg")], MODEL, features(1))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE tokens SET data = x'0000'")

    with pytest.raises(LibraryDamaged, match="wrong length"):
        load(store)


def test_an_unreadable_error_record_is_damage(store: Store, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO photos (root, path, size, mtime_ns, error) VALUES (1, x'61', 1, 1, '{')"
        )

    with pytest.raises(LibraryDamaged, match="error record"):
        store.known(1, [b"a"])


def test_a_sound_library_passes_the_check(store: Store) -> None:
    store.save_encoded(1, [row("a.jpg")], MODEL, features(1))

    store.check()

    assert names(store) == ["a.jpg"]


def test_a_folder_that_is_not_there_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritable):
        Store(tmp_path / "gone" / "a.sqlite")
    with pytest.raises(OutputUnwritable):
        WriterLock(tmp_path / "gone" / "a.sqlite", tmp_path)


def test_a_full_disk_is_named_and_keeps_what_was_there(store: Store, path: Path) -> None:
    store.save_encoded(1, [row("a.jpg")], MODEL, features(1))
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(OutputUnwritable, match="full"):
        store.save_encoded(1, [row(f"{n}.jpg") for n in range(3000)], MODEL, features(3000))

    assert names(store) == ["a.jpg"]


def test_only_one_may_write_at_a_time(path: Path, tmp_path: Path) -> None:
    with WriterLock(path, tmp_path), pytest.raises(LibraryBusy):
        WriterLock(path, tmp_path)

    with WriterLock(path, tmp_path):
        pass


def test_reading_goes_on_while_another_writes(store: Store, path: Path) -> None:
    reader = Store(path)
    store.save_encoded(1, [row("a.jpg")], MODEL, features(1))
    store._connection.execute("BEGIN IMMEDIATE")

    assert names(reader) == ["a.jpg"]


def test_threads_may_share_a_store(store: Store) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for n in range(20):
                store.save_encoded(1, [row(f"{number}-{n}.jpg")], MODEL, features(1))
                load(store)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert len(names(store)) == 80


def test_closing_twice_is_fine(store: Store) -> None:
    store.close()
    store.close()
