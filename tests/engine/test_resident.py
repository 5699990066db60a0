"""What is kept in memory between searches, against the file it is of."""

from __future__ import annotations

import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine import resident as resident_module
from engine.errors import LibraryDamaged
from engine.query import Orientation, PhotoFilter
from engine.resident import Resident
from engine.snapshot import EVERY_PHOTO, Snapshot
from engine.store import Failure, PhotoRow, Store
from engine.types import FloatArray, ImageFeatures, PhotoDetails

MODELS = {"old": 4, "new": 6}
FOLDERS = (b"", b"a", b"a/b", b"a-b", b"none")
PATHS = [
    b"/".join(filter(None, (folder, name)))
    for folder in FOLDERS[:-1]
    for name in (b"1", b"2", b"a", b"\xff")
]
DAYS = (date(2020, 1, 1), date(2020, 12, 31), date(2021, 6, 15))
QUERIES = {
    size: np.random.default_rng(size).normal(size=(2, size)).astype(np.float32)
    for size in MODELS.values()
}


def features(contents: list[bytes], model: str) -> ImageFeatures:
    """Of each content always the same."""
    rows = [
        np.random.default_rng([*content, MODELS[model]]).normal(size=MODELS[model])
        for content in contents
    ]
    embeddings = np.array(rows, np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    tokens = np.array([[[content[0], MODELS[model]]] for content in contents], np.int8)
    return ImageFeatures(embeddings, tokens)


def condition(only: PhotoFilter) -> tuple[str, list[object]]:
    """The filter in SQL, by SQL's own rules for what is unknown."""
    ways = {
        Orientation.LANDSCAPE: "width > height",
        Orientation.PORTRAIT: "width < height",
        Orientation.SQUARE: "width = height",
        None: "1",
    }
    parts: list[tuple[str, object]] = [
        ("taken >= ?", only.after and only.after.isoformat()),
        ("taken < ?", only.before and only.before.isoformat()),
        ("width >= ?", only.min_width),
        ("height >= ?", only.min_height),
    ]
    asked = [(part, value) for part, value in parts if value]
    words = " AND ".join([ways[only.orientation], *(part for part, _ in asked)])
    return f"({words})", [value for _, value in asked]


class Plain:
    """A library read from its file, photo by photo."""

    def __init__(
        self,
        file: Path,
        model: str,
        scope: list[tuple[int, Path, bytes]],
        only: PhotoFilter,
        unlike: bytes | None,
    ) -> None:
        words, values = condition(only)
        self.photos: list[Path] = []
        self.same: list[Path] = []
        self.filtered = self.waiting = 0
        vectors: list[bytes] = []
        with closing(sqlite3.connect(file)) as connection:
            for root, folder, under in scope:
                found = connection.execute(
                    f"SELECT path, photos.fingerprint, embedding, {words} FROM photos"
                    " LEFT JOIN models ON model_id = ? LEFT JOIN features"
                    " ON model = models.id AND features.fingerprint = photos.fingerprint"
                    " WHERE root = ? AND gone IS NULL AND photos.fingerprint IS NOT NULL",
                    (*values, model, root),
                ).fetchall()
                for path, content, vector, wanted in sorted(
                    found, key=lambda row: row[0].split(b"/")
                ):
                    place = folder / path.decode(errors="surrogateescape")
                    if not path.startswith(under + b"/" if under else b""):
                        continue
                    if content == unlike:
                        self.same.append(place)
                    elif wanted == 0:
                        self.filtered += 1
                    elif wanted is None or vector is None:
                        self.waiting += 1
                    else:
                        self.photos.append(place)
                        vectors.append(vector)
        size = MODELS[model]
        read = np.frombuffer(b"".join(vectors), "<f2").reshape(-1, size).astype(np.float32)
        self.embeddings: FloatArray = read / np.linalg.norm(read, axis=1, keepdims=True)


def days() -> st.SearchStrategy[date | None]:
    return st.sampled_from([None, *DAYS])


FILTERS = st.builds(
    PhotoFilter,
    days(),
    days(),
    st.sampled_from([None, *Orientation]),
    st.sampled_from([0, 2]),
    st.sampled_from([0, 2]),
)
CONTENTS = st.integers(1, 9).map(lambda number: bytes([number]))
DETAILS = st.none() | st.builds(
    PhotoDetails,
    st.sampled_from(DAYS).map(lambda day: f"{day}T23:59:59"),
    st.integers(1, 3),
    st.integers(1, 3),
)


class ResidentAndFile(RuleBasedStateMachine):
    """Whatever becomes of a library, what is kept of it answers as its file does."""

    @initialize()
    def begin(self) -> None:
        self.place = TemporaryDirectory()
        self.root = Path(self.place.name) / "photos"
        self.store = Store(Path(self.place.name) / "a.sqlite")
        self.store.add_root(self.root / "inner")
        self.store.add_root(self.root.with_name("other"))
        self.resident = Resident()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.place.cleanup()

    @rule(
        paths=st.lists(st.sampled_from(PATHS), min_size=1, max_size=6, unique=True),
        content=CONTENTS,
        details=DETAILS,
        model=st.sampled_from(list(MODELS)),
        last=st.booleans(),
    )
    def encode(
        self,
        paths: list[bytes],
        content: bytes,
        details: PhotoDetails | None,
        model: str,
        last: bool,
    ) -> None:
        contents = [bytes([content[0], number % 2]) for number in range(len(paths))]
        rows = [
            PhotoRow(path, 1, 1, one, None, details)
            for path, one in zip(paths, contents, strict=True)
        ]
        root = self.store.roots()[-1 if last else 0][0]
        self.store.save_encoded(root, rows, model, features(contents, model))

    @rule(path=st.sampled_from(PATHS), content=CONTENTS, details=DETAILS)
    def save(self, path: bytes, content: bytes, details: PhotoDetails | None) -> None:
        """Perhaps a copy of what is known, perhaps what no model has encoded."""
        row = PhotoRow(path, 1, 1, content + b"\0", None, details)
        self.store.save(self.store.roots()[0][0], [row])

    @rule(path=st.sampled_from(PATHS))
    def fail(self, path: bytes) -> None:
        failed = PhotoRow(path, 1, 1, failure=Failure("photo_damaged", {}, "1"))
        self.store.save(self.store.roots()[0][0], [failed])

    @rule(paths=st.lists(st.sampled_from(PATHS)))
    def lose(self, paths: list[bytes]) -> None:
        self.store.mark_gone(self.store.roots()[0][0], paths)

    @rule()
    def prune(self) -> None:
        self.store.prune(before=time.time() + 1000)

    @rule(model=st.sampled_from(list(MODELS)))
    def end_other_models(self, model: str) -> None:
        self.store.drop([name for name in MODELS if name != model])

    @rule()
    def take_in_a_folder_above(self) -> None:
        self.store.add_root(self.root)

    @rule()
    def write_down_something_else(self) -> None:
        self.store.set_looked(self.store.roots()[0][0])

    @rule(
        model=st.sampled_from(list(MODELS)),
        under=st.sampled_from([None, *FOLDERS]),
        only=st.just(EVERY_PHOTO) | FILTERS,
        unlike=st.none() | CONTENTS.map(lambda content: content + b"\0"),
    )
    def agree(
        self, model: str, under: bytes | None, only: PhotoFilter, unlike: bytes | None
    ) -> None:
        roots = self.store.roots()
        scope = [(n, path, b"") for n, path in roots] if under is None else [(*roots[0], under)]
        plain = Plain(self.store.path, model, scope, only, unlike)
        size = MODELS[model]
        for resident in (self.resident, Resident()):
            with closing(Snapshot(self.store, model, scope, only, unlike, resident)) as found:
                every = np.arange(len(found))
                assert found.paths(every) == plain.photos
                assert found.same() == plain.same
                assert (found.filtered, found.waiting) == (plain.filtered, plain.waiting)
                similarity = found.similarity(QUERIES[size])
                expected = QUERIES[size] @ plain.embeddings.T
                np.testing.assert_allclose(similarity, expected, atol=1e-5)
                if len(found):
                    np.testing.assert_allclose(
                        found.features(every).embeddings, plain.embeddings, atol=1e-6
                    )


ResidentAndFile.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestResidentAndFile = ResidentAndFile.TestCase


# What is read again, and what is not


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "a.sqlite")) as store:
        store.add_root(tmp_path / "photos")
        yield store


def add(store: Store, *numbers: int) -> None:
    contents = [bytes([number]) for number in numbers]
    rows = [PhotoRow(b"%d.jpg" % number, 1, 1, bytes([number])) for number in numbers]
    store.save_encoded(1, rows, "old", features(contents, "old"))


def look(store: Store, resident: Resident) -> Snapshot:
    return Snapshot(store, "old", [(*store.roots()[0], b"")], resident=resident)


def similar(store: Store, resident: Resident) -> FloatArray:
    with closing(look(store, resident)) as snapshot:
        found: FloatArray = snapshot.similarity(QUERIES[4])
        return found


def test_an_unchanged_library_is_not_read_again(store: Store, tmp_path: Path) -> None:
    add(store, 1, 2, 3)
    resident = Resident()
    before = similar(store, resident)
    # Behind the back of the program, which counts what it changes.
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE features SET embedding = zeroblob(8)")

    np.testing.assert_array_equal(similar(store, resident), before)
    # Nor after what is no matter of photos, and when the file is opened again.
    store.set_looked(1)
    store.mark_gone(1, [b"unknown.jpg"])
    with closing(Store(store.path)) as again:
        np.testing.assert_array_equal(similar(again, resident), before)
    assert not similar(store, Resident()).any()


def test_of_a_library_that_grew_only_new_embeddings_are_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident_module, "PIECE", 2)
    monkeypatch.setattr(resident_module, "CHUNK", 1)
    add(store, 1, 2, 3)
    resident = Resident()
    with closing(look(store, resident)) as snapshot:
        before = resident.embeddings(snapshot, resident.rows(snapshot, "old"))
    add(store, 4, 5)

    with closing(look(store, resident)) as snapshot:
        after = resident.embeddings(snapshot, resident.rows(snapshot, "old"))

    assert [len(piece) for piece in before.pieces] == [2, 1]
    assert [len(piece) for piece in after.pieces] == [2, 2, 1]
    assert after.pieces[0] is before.pieces[0]
    expected = features([bytes([number]) for number in range(1, 6)], "old").embeddings
    np.testing.assert_allclose(np.concatenate(after.pieces), expected, atol=1e-3)


def test_few_new_embeddings_join_those_before_them(store: Store) -> None:
    resident = Resident()
    for number in range(1, 6):
        add(store, number)
        similar(store, resident)

    with closing(look(store, resident)) as snapshot:
        kept = resident.embeddings(snapshot, resident.rows(snapshot, "old"))

    assert [len(piece) for piece in kept.pieces] == [5]


def test_an_id_that_stands_for_another_content_is_noticed(store: Store) -> None:
    add(store, 1, 2)
    resident = Resident()
    similar(store, resident)

    store.mark_gone(1, [b"2.jpg"])
    store.prune(before=time.time() + 1000)
    add(store, 3)

    expected = QUERIES[4] @ features([b"\1", b"\3"], "old").embeddings.T
    np.testing.assert_allclose(similar(store, resident), expected, atol=5e-3)


def test_a_snapshot_goes_on_as_it_was_taken(store: Store) -> None:
    add(store, 1, 2)
    resident = Resident()
    with closing(look(store, resident)) as earlier:
        add(store, 3)
        store.mark_gone(1, [b"1.jpg"])
        assert similar(store, resident).shape == (2, 2)

        expected = QUERIES[4] @ features([b"\1", b"\2"], "old").embeddings.T
        np.testing.assert_allclose(earlier.similarity(QUERIES[4]), expected, atol=5e-3)
    expected = QUERIES[4] @ features([b"\2", b"\3"], "old").embeddings.T
    np.testing.assert_allclose(similar(store, resident), expected, atol=5e-3)


def test_a_library_made_anew_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    resident = Resident()
    for number in (1, 2):
        with closing(Store(tmp_path / "a.sqlite")) as store:
            store.add_root(tmp_path / "photos")
            add(store, number)
            expected = QUERIES[4] @ features([bytes([number])], "old").embeddings.T
            np.testing.assert_allclose(similar(store, resident), expected, atol=5e-3)
            store.damaged("for this test")


def test_one_library_is_kept_at_a_time(store: Store, tmp_path: Path) -> None:
    resident = Resident()
    gone = []
    for number in range(2):
        with closing(Store(tmp_path / f"{number}.sqlite")) as other:
            other.add_root(tmp_path / "photos")
            add(other, 1, 2)
            with closing(look(other, resident)) as snapshot:
                kept = resident.embeddings(snapshot, resident.rows(snapshot, "old"))
                gone.append(weakref.ref(kept.pieces[0]))
                del kept
    assert gone[0]() is None
    assert gone[1]() is not None

    resident.clear()

    assert gone[1]() is None


def test_embeddings_of_the_wrong_length_are_damage(store: Store) -> None:
    add(store, 1, 2)
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE features SET embedding = x'0000' WHERE id = 2")

    with pytest.raises(LibraryDamaged, match="wrong length"):
        similar(store, Resident())
    assert not store.path.exists()


def test_copies_are_as_similar_as_their_photo(store: Store) -> None:
    add(store, 1, 2)
    resident = Resident()
    similar(store, resident)
    store.save(1, [PhotoRow(b"copy.jpg", 1, 1, bytes([2]))])

    first, second, copy = similar(store, resident)[0]

    assert copy == second != first
