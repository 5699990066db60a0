"""Index against file system: whatever is renamed, deleted or edited, they agree when indexed."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from PIL import Image

from engine.index import Library, index_folder
from engine.paths import HOME_VARIABLE
from tests.fixtures.encoder import TinyEncoder
from tests.fixtures.kept import kept

FOLDERS = ("", "a", "a/b", "a-b")
NAMES = ("1.png", os.fsdecode(b"\xff.png") if os.name == "posix" else "y.png")
PLACES = st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES)).map("/".join)
PICK = st.integers(0, 1000)


def picture(number: int) -> bytes:
    """A PNG, another for each number."""
    values = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


class IndexAndFileSystem(RuleBasedStateMachine):
    """What the index must hold is kept beside it, in ``rows``."""

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp())
        self.home_before = os.environ.get(HOME_VARIABLE)
        os.environ[HOME_VARIABLE] = str(self.place / "home")
        self.root = self.place / "photos"
        self.root.mkdir()
        self.pictures = 0
        self.clock = 1_000_000_000
        # Of every path ever indexed, the content it had when last seen; None where it failed.
        self.rows: dict[Path, bytes | None] = {}
        for name in ("1.png", "a/1.png", "a/b/1.png"):
            self.add_or_edit(name)
        self.index_part("")

    def teardown(self) -> None:
        if not hasattr(self, "place"):
            return
        self.index_part("")
        if self.home_before is None:
            del os.environ[HOME_VARIABLE]
        else:
            os.environ[HOME_VARIABLE] = self.home_before
        shutil.rmtree(self.place)

    def files(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*") if path.is_file())

    def write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        # No two writes in one tick of the file system's clock.
        self.clock += 1
        os.utime(path, (self.clock, self.clock))

    def some_file(self, pick: int) -> Path:
        files = self.files()
        return files[pick % len(files)]

    @precondition(lambda self: self.files())
    @rule(pick=PICK)
    def edit(self, pick: int) -> None:
        self.pictures += 1
        self.write(self.some_file(pick), picture(self.pictures))

    @rule()
    def index_everything(self) -> None:
        self.index_part("")

    @rule(place=PLACES)
    def add_or_edit(self, place: str) -> None:
        self.pictures += 1
        self.write(self.root / place.lstrip("/"), picture(self.pictures))

    @rule(place=PLACES)
    def damage(self, place: str) -> None:
        self.pictures += 1
        self.write(self.root / place.lstrip("/"), picture(self.pictures)[:60])

    @precondition(lambda self: self.files())
    @rule(pick=PICK)
    def delete(self, pick: int) -> None:
        self.some_file(pick).unlink()

    @precondition(lambda self: self.files())
    @rule(pick=PICK, place=PLACES)
    def rename(self, pick: int, place: str) -> None:
        target = self.root / place.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        self.some_file(pick).replace(target)

    @precondition(lambda self: self.files())
    @rule(pick=PICK, place=PLACES)
    def copy(self, pick: int, place: str) -> None:
        self.write(self.root / place.lstrip("/"), self.some_file(pick).read_bytes())

    @precondition(lambda self: self.files())
    @rule(pick=PICK)
    def touch(self, pick: int) -> None:
        path = self.some_file(pick)
        self.write(path, path.read_bytes())

    @precondition(lambda self: self.files())
    @rule(pick=PICK)
    def bring_back(self, pick: int) -> None:
        """A path that was deleted, with some content that the index may or may not know."""
        missing = sorted(path for path in self.rows if not path.exists())
        if missing:
            self.write(missing[pick % len(missing)], self.some_file(pick).read_bytes())

    @rule(old=st.sampled_from(FOLDERS[1:]), new=st.sampled_from(FOLDERS[1:]))
    def rename_folder(self, old: str, new: str) -> None:
        source, target = self.root / old, self.root / new
        if source.is_dir() and not target.exists() and source not in target.parents:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)

    @rule(folder=st.sampled_from(FOLDERS[1:]))
    def delete_folder(self, folder: str) -> None:
        shutil.rmtree(self.root / folder, ignore_errors=True)

    @rule(folder=st.sampled_from(FOLDERS[1:]))
    def index_part(self, folder: str) -> None:
        part = self.root / folder
        if not part.is_dir():
            return
        if not self.rows:
            part = self.root  # the first time, all of a library is looked through
        encoder = TinyEncoder()
        known = {content for content in self.rows.values() if content is not None}
        there = {path: path.read_bytes() for path in self.files() if part in path.parents}
        whole = {path: data for path, data in there.items() if self.is_whole(data)}
        vanished = {
            path for path in self.found(encoder) if part in path.parents and path not in there
        }

        report = index_folder(self.root if not self.rows else part, encoder)

        assert report.total == len(there)
        assert report.removed >= len(vanished)
        assert {failure.photo for failure in report.failures} == set(there) - set(whole)
        # What the index had, wherever it was, was not decoded again.
        decoded = {path.read_bytes() for path in encoder.prepared} & set(whole.values())
        assert decoded == set(whole.values()) - known
        self.rows |= {path: whole.get(path) for path in there}
        self.agrees(part, whole)
        again = TinyEncoder()
        quiet = index_folder(part, again)
        assert again.prepared == []
        assert (quiet.unchanged, quiet.removed) == (len(whole), 0)

    def is_whole(self, content: bytes) -> bool:
        return len(content) > 60

    def found(self, encoder: TinyEncoder) -> list[Path]:
        library = Library.find(self.root)
        if library is None:
            return []
        with closing(library):
            return list(kept(library, encoder.model_id))

    def agrees(self, part: Path, whole: dict[Path, bytes]) -> None:
        """Exactly the photos that are there are found, each with the features of its content."""
        encoder = TinyEncoder()
        library = Library.find(part)
        assert library is not None
        with closing(library):
            found = kept(library, encoder.model_id, part)
        assert list(found) == sorted(whole, key=lambda path: os.fsencode(path).split(b"/"))
        for path, features in found.items():
            fresh = encoder.encode(encoder.prepare(path)[None])
            np.testing.assert_array_equal(features.tokens, fresh.tokens)
            np.testing.assert_allclose(features.embeddings, fresh.embeddings, atol=1e-3)

    @invariant()
    def photos_are_never_touched(self) -> None:
        """Nothing but what the rules made is there."""
        if hasattr(self, "root"):
            assert all(path.suffix.lower() == ".png" for path in self.files())


IndexAndFileSystem.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestIndexAndFileSystem = IndexAndFileSystem.TestCase
