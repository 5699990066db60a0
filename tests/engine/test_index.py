from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from engine import indexing as index_module
from engine.errors import FolderMissing, FolderOutside, LibraryBusy, LibraryDamaged
from engine.index import Library
from engine.indexing import GONE_KEPT_DAYS, IndexReport
from engine.paths import libraries_dir
from engine.sqlite_file import WriterLock
from engine.types import Cancelled, FloatArray, ImageFeatures
from tests.fixtures import photos
from tests.fixtures.encoder import TinyEncoder
from tests.fixtures.kept import kept


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def encoder() -> TinyEncoder:
    return TinyEncoder()


def indexed(
    folder: Path, encoder: TinyEncoder, part: Path | None = None, *, cancelled: Cancelled = bool
) -> IndexReport:
    """Index with a library opened for this alone, as each start of the program does."""
    encoder.prepared.clear()
    library = Library.open_or_create(folder)
    try:
        return library.index(part or folder, encoder, cancelled=cancelled)
    finally:
        library.close()


def found(folder: Path, encoder: TinyEncoder) -> list[Path]:
    library = Library.find(folder)
    assert library is not None
    with closing(library):
        return list(kept(library, encoder.model_id, folder))


def after(photos: int, encoder: TinyEncoder) -> Cancelled:
    """Cancelled once so many photos are encoded."""
    return lambda: sum(encoder.encoded) >= photos


def test_all_photos_of_a_folder_are_indexed(folder: Path, encoder: TinyEncoder) -> None:
    paths = photos.folder_of(folder, 5) + photos.folder_of(folder / "more", 4)
    (folder / "notes.txt").write_text("no photo")

    report = indexed(folder, encoder)

    assert report == IndexReport(total=9, indexed=9)
    assert found(folder, encoder) == sorted(paths)


def test_features_are_those_of_their_photo(folder: Path, encoder: TinyEncoder) -> None:
    paths = photos.folder_of(folder, 7)
    indexed(folder, encoder)
    library = Library.find(folder)
    assert library is not None

    with closing(library), closing(library.snapshot(folder, encoder.model_id)) as snapshot:
        features = snapshot.features(np.arange(len(snapshot)))

    fresh = encoder.encode(np.stack([encoder.prepare(path) for path in paths]))
    np.testing.assert_allclose(features.embeddings, fresh.embeddings, atol=1e-3)
    np.testing.assert_array_equal(features.tokens, fresh.tokens)
    assert len(features) == 7


def test_unchanged_photos_are_not_decoded_again(folder: Path, encoder: TinyEncoder) -> None:
    photos.folder_of(folder, 5)
    indexed(folder, encoder)

    report = indexed(folder, encoder)

    assert report == IndexReport(total=5, unchanged=5)
    assert encoder.prepared == []


def test_a_changed_photo_is_encoded_again(folder: Path, encoder: TinyEncoder) -> None:
    changed = photos.folder_of(folder, 3)[1]
    indexed(folder, encoder)
    photos.save(photos.noise(50, 50, seed=99), changed)

    report = indexed(folder, encoder)

    assert report == IndexReport(total=3, indexed=1, unchanged=2)
    assert encoder.prepared == [changed]


def test_a_photo_that_was_only_touched_is_not_decoded(folder: Path, encoder: TinyEncoder) -> None:
    touched = photos.folder_of(folder, 3)[0]
    indexed(folder, encoder)
    os.utime(touched, ns=(1, 1))

    assert indexed(folder, encoder) == IndexReport(total=3, reused=1, unchanged=2)
    assert encoder.prepared == []
    assert indexed(folder, encoder) == IndexReport(total=3, unchanged=3)


def test_a_moved_photo_keeps_its_features(folder: Path, encoder: TinyEncoder) -> None:
    moved = photos.folder_of(folder, 3)[0]
    indexed(folder, encoder)
    (folder / "album").mkdir()
    moved.rename(folder / "album" / "renamed.jpeg")

    report = indexed(folder, encoder)

    assert report == IndexReport(total=3, reused=1, unchanged=2, removed=1)
    assert encoder.prepared == []
    assert folder / "album" / "renamed.jpeg" in found(folder, encoder)
    assert moved not in found(folder, encoder)


def test_copies_of_a_photo_are_all_found(folder: Path, encoder: TinyEncoder) -> None:
    first = photos.folder_of(folder, 1)[0]
    copies = [Path(shutil.copy(first, folder / f"copy{n}.jpg")) for n in range(9)]

    report = indexed(folder, encoder)

    assert report.indexed + report.reused == 10
    assert found(folder, encoder) == sorted([first, *copies])


def test_vanished_photos_leave_the_results(folder: Path, encoder: TinyEncoder) -> None:
    paths = photos.folder_of(folder, 4)
    indexed(folder, encoder)
    paths[2].unlink()

    report = indexed(folder, encoder)

    assert report == IndexReport(total=3, unchanged=3, removed=1)
    assert found(folder, encoder) == [paths[0], paths[1], paths[3]]


def test_a_deleted_photo_comes_back_for_free(
    folder: Path, tmp_path: Path, encoder: TinyEncoder
) -> None:
    gone = photos.folder_of(folder, 2)[0]
    indexed(folder, encoder)
    gone.rename(tmp_path / "kept.jpg")
    assert indexed(folder, encoder).removed == 1
    assert gone not in found(folder, encoder)
    (tmp_path / "kept.jpg").rename(gone)

    assert indexed(folder, encoder) == IndexReport(total=2, reused=1, unchanged=1)
    assert encoder.prepared == []
    assert gone in found(folder, encoder)


def test_a_photo_deleted_long_ago_leaves_no_trace(
    folder: Path, encoder: TinyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = photos.folder_of(folder, 2)[0]
    content = gone.read_bytes()
    indexed(folder, encoder)
    gone.unlink()
    indexed(folder, encoder)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + (GONE_KEPT_DAYS + 1) * 24 * 3600)
    indexed(folder, encoder)
    gone.write_bytes(content)

    assert indexed(folder, encoder) == IndexReport(total=2, indexed=1, unchanged=1)


def test_an_emptied_folder_comes_back_for_free(
    folder: Path, tmp_path: Path, encoder: TinyEncoder
) -> None:
    photos.folder_of(folder / "card", 3)
    indexed(folder, encoder)
    (folder / "card").rename(tmp_path / "unplugged")

    assert indexed(folder, encoder) == IndexReport(removed=3)
    assert found(folder, encoder) == []
    (tmp_path / "unplugged").rename(folder / "card")
    assert indexed(folder, encoder) == IndexReport(total=3, reused=3)
    assert encoder.prepared == []


def test_one_bad_photo_fails_alone(folder: Path, encoder: TinyEncoder) -> None:
    good = photos.folder_of(folder, 6)
    bad = photos.truncated(folder / "002-bad.jpg")
    empty = folder / "004-empty.jpg"
    empty.touch()

    report = indexed(folder, encoder)

    assert (report.total, report.indexed, report.cancelled) == (8, 6, False)
    assert [(one.photo, one.code) for one in report.failures] == [
        (bad, "photo_damaged"),
        (empty, "photo_empty"),
    ]
    assert str(bad) in report.failures[0].message
    assert found(folder, encoder) == good


def test_a_bad_photo_is_named_each_time_but_decoded_once(
    folder: Path, encoder: TinyEncoder
) -> None:
    photos.folder_of(folder, 2)
    photos.truncated(folder / "bad.jpg")
    first = indexed(folder, encoder)

    again = indexed(folder, encoder)

    assert encoder.prepared == []
    assert again.failures[0].message == first.failures[0].message
    assert again.failures[0].fields == first.failures[0].fields
    assert (again.total, again.unchanged) == (3, 2)


def test_a_bad_photo_is_tried_again_by_a_later_version(
    folder: Path, encoder: TinyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = photos.truncated(folder / "bad.jpg")
    indexed(folder, encoder)
    monkeypatch.setattr(index_module, "__version__", "999.0")

    indexed(folder, encoder)

    assert encoder.prepared == [bad]


def test_a_mended_photo_is_indexed(folder: Path, encoder: TinyEncoder) -> None:
    path = photos.truncated(folder / "a.jpg")
    indexed(folder, encoder)
    photos.save(photos.noise(), path)

    assert indexed(folder, encoder) == IndexReport(total=1, indexed=1)


def test_a_photo_that_goes_bad_leaves_the_results(folder: Path, encoder: TinyEncoder) -> None:
    path = photos.folder_of(folder, 1)[0]
    indexed(folder, encoder)
    photos.truncated(path)

    assert len(indexed(folder, encoder).failures) == 1
    assert found(folder, encoder) == []


def test_a_photo_that_vanishes_while_indexing_is_a_failure(
    folder: Path, encoder: TinyEncoder
) -> None:
    paths = photos.folder_of(folder, 3)
    library = Library.open_or_create(folder)
    # The first report of progress comes when the folder has been walked.
    report = library.index(
        folder, encoder, progress=lambda done, total: paths[2].unlink(missing_ok=True)
    )

    assert report.indexed == 2
    assert [one.code for one in report.failures] == ["photo_missing"]


def test_cancelling_keeps_what_was_done(folder: Path, encoder: TinyEncoder) -> None:
    photos.folder_of(folder, 12)

    report = indexed(folder, encoder, cancelled=after(4, encoder))

    assert report == IndexReport(total=12, indexed=4, cancelled=True)
    assert len(found(folder, encoder)) == 4
    assert indexed(folder, encoder) == IndexReport(total=12, indexed=8, unchanged=4)


def test_ctrl_c_keeps_what_was_done(folder: Path) -> None:
    class Interrupted(TinyEncoder):
        def encode(self, pixels: FloatArray) -> ImageFeatures:
            if len(self.encoded) == 2:
                raise KeyboardInterrupt
            return super().encode(pixels)

    photos.folder_of(folder, 12)

    report = indexed(folder, Interrupted())

    assert report == IndexReport(total=12, indexed=8, cancelled=True)
    assert indexed(folder, TinyEncoder()) == IndexReport(total=12, indexed=4, unchanged=8)


def test_an_encoder_that_breaks_is_not_hidden_and_loses_no_finished_batch(folder: Path) -> None:
    class Broken(TinyEncoder):
        def encode(self, pixels: FloatArray) -> ImageFeatures:
            if self.encoded:
                raise RuntimeError("out of order")
            return super().encode(pixels)

    photos.folder_of(folder, 12)

    with pytest.raises(RuntimeError, match="out of order"):
        indexed(folder, Broken())

    assert indexed(folder, TinyEncoder()) == IndexReport(total=12, indexed=8, unchanged=4)


def test_progress_rises_to_the_total(folder: Path, encoder: TinyEncoder) -> None:
    photos.folder_of(folder, 9)
    photos.truncated(folder / "bad.jpg")
    indexed(folder, encoder, cancelled=after(4, encoder))
    seen: list[tuple[int, int]] = []

    Library.open_or_create(folder).index(
        folder, encoder, progress=lambda done, total: seen.append((done, total))
    )

    assert seen[0] == (0, 10)
    assert seen[-1] == (10, 10)
    assert seen == sorted(seen)


def test_batches_are_full_and_few_photos_wait(folder: Path) -> None:
    class Watched(TinyEncoder):
        ahead = 0

        def encode(self, pixels: FloatArray) -> ImageFeatures:
            self.ahead = max(self.ahead, len(self.prepared) - sum(self.encoded))
            return super().encode(pixels)

    encoder = Watched()
    photos.folder_of(folder, 30)

    indexed(folder, encoder)

    assert encoder.encoded == [4, 4, 4, 4, 4, 4, 4, 2]
    assert encoder.ahead <= 4 * encoder.batch_size


def test_a_part_of_the_library_can_be_indexed_alone(folder: Path, encoder: TinyEncoder) -> None:
    a, b = photos.folder_of(folder / "a", 3), photos.folder_of(folder / "b", 2)
    indexed(folder, encoder, part=folder / "a")
    assert found(folder, encoder) == a
    a[0].unlink()
    b[0].unlink()

    report = indexed(folder, encoder, part=folder / "b")

    # What happened in the other folder is not this run's business.
    assert report == IndexReport(total=1, indexed=1)
    assert found(folder / "a", encoder) == a
    assert found(folder / "b", encoder) == [b[1]]


def test_a_photo_moved_between_parts_keeps_its_features(folder: Path, encoder: TinyEncoder) -> None:
    moved = photos.folder_of(folder / "a", 2)[0]
    photos.save(photos.noise(seed=50), folder / "b" / "own.jpg")
    indexed(folder, encoder)
    moved.rename(folder / "b" / "moved.jpg")

    assert indexed(folder, encoder, part=folder / "a").removed == 1
    assert indexed(folder, encoder, part=folder / "b") == IndexReport(
        total=2, reused=1, unchanged=1
    )


def test_another_model_encodes_everything_and_takes_the_first_ones_place(
    folder: Path, encoder: TinyEncoder
) -> None:
    photos.folder_of(folder, 3)
    indexed(folder, encoder)
    other = TinyEncoder(model_id="tiny-2")

    assert indexed(folder, other) == IndexReport(total=3, indexed=3)
    assert len(found(folder, other)) == 3
    assert found(folder, encoder) == []


def test_a_folder_finds_the_nearest_library_above_it(
    folder: Path, tmp_path: Path, encoder: TinyEncoder
) -> None:
    deep = folder / "2024" / "may"
    photos.folder_of(deep, 1)
    assert Library.find(deep) is None

    inner = Library.open_or_create(folder / "2024")
    outer = Library.open_or_create(folder)

    for asked, expected in {
        deep: inner.folders,
        folder / "2024": inner.folders,
        folder: outer.folders,
    }.items():
        library = Library.find(asked)
        assert library is not None
        assert library.folders == expected
    assert Library.find(tmp_path) is None
    assert Library.open_or_create(deep).folders == inner.folders


def test_a_folder_reached_through_a_link_is_the_same_library(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    Library.open_or_create(folder)

    library = Library.find(tmp_path / "link")

    assert library is not None
    assert library.folders == (folder.resolve(),)


def test_folders_of_the_same_name_have_libraries_of_their_own(tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place / "photos").mkdir(parents=True)
        Library.open_or_create(tmp_path / place / "photos").close()

    assert len(list(libraries_dir().glob("photos-*.sqlite"))) == 2


def test_no_library_is_made_for_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FolderMissing):
        Library.open_or_create(tmp_path / "typo")

    assert list(libraries_dir().iterdir()) == []


def test_a_missing_folder_forgets_nothing(
    folder: Path, tmp_path: Path, encoder: TinyEncoder
) -> None:
    photos.folder_of(folder, 2)
    indexed(folder, encoder)
    folder.rename(tmp_path / "elsewhere")

    assert indexed(folder, encoder) == IndexReport(offline=2)
    assert len(found(folder, encoder)) == 2
    (tmp_path / "elsewhere").rename(folder)
    assert indexed(folder, encoder) == IndexReport(total=2, unchanged=2)


def test_a_missing_folder_within_a_library_is_named(folder: Path, encoder: TinyEncoder) -> None:
    photos.folder_of(folder, 2)
    indexed(folder, encoder)

    with pytest.raises(FolderMissing):
        indexed(folder, encoder, part=folder / "typo")

    assert len(found(folder, encoder)) == 2


def test_a_folder_outside_the_library_is_refused(
    folder: Path, tmp_path: Path, encoder: TinyEncoder
) -> None:
    library = Library.open_or_create(folder)

    with pytest.raises(FolderOutside, match="not in the library"):
        library.index(tmp_path, encoder)
    with pytest.raises(FolderOutside, match="not in the library"):
        library.snapshot(tmp_path, encoder.model_id)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes such names")
def test_names_in_no_known_encoding_are_indexed(folder: Path, encoder: TinyEncoder) -> None:
    odd = folder / os.fsdecode(b"d\xe9j\xe0 vu") / os.fsdecode(b"\xff\xfe.jpg")
    photos.folder_of(odd.parent, 1)[0].rename(odd)

    assert indexed(folder, encoder) == IndexReport(total=1, indexed=1)
    assert found(odd.parent, encoder) == [odd]
    assert indexed(folder, encoder) == IndexReport(total=1, unchanged=1)


def test_a_second_process_is_told_that_the_library_is_busy(
    folder: Path, encoder: TinyEncoder
) -> None:
    photos.folder_of(folder, 1)
    library = Library.open_or_create(folder)
    (path,) = libraries_dir().glob("*.sqlite")

    with WriterLock(path, folder), pytest.raises(LibraryBusy):
        library.index(folder, encoder)

    assert library.index(folder, encoder).indexed == 1


def test_a_damaged_library_is_set_aside_and_can_be_made_again(
    folder: Path, encoder: TinyEncoder
) -> None:
    paths = photos.folder_of(folder, 3)
    indexed(folder, encoder)
    (path,) = libraries_dir().glob("*.sqlite")
    path.write_bytes(os.urandom(50_000))

    with pytest.raises(LibraryDamaged, match="set aside"):
        Library.find(folder)

    assert found(folder, encoder) == []
    assert indexed(folder, encoder) == IndexReport(total=3, indexed=3)
    assert found(folder, encoder) == paths


def test_the_photos_themselves_are_never_touched(folder: Path, encoder: TinyEncoder) -> None:
    paths = [*photos.folder_of(folder, 3), photos.truncated(folder / "bad.jpg")]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths]

    indexed(folder, encoder)

    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths] == before
    assert sorted(folder.iterdir()) == sorted(paths)


KILLED = """
import sys, threading
from pathlib import Path
from engine.index import Library
from tests.fixtures.encoder import TinyEncoder
from tests.fixtures.kept import kept

class Stuck(TinyEncoder):
    def encode(self, pixels):
        if len(self.encoded) == 3:
            print("three batches committed", flush=True)
            threading.Event().wait()
        return super().encode(pixels)

folder = Path(sys.argv[1])
Library.open_or_create(folder).index(folder, Stuck())
"""


def test_being_killed_loses_no_committed_batch(
    folder: Path, encoder: TinyEncoder, repository: Path
) -> None:
    paths = photos.folder_of(folder, 20)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(repository)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "three batches committed\n"
        library = Library.find(folder)
        assert library is not None
        with pytest.raises(LibraryBusy):
            library.index(folder, encoder)
        process.kill()

    assert found(folder, encoder) == paths[:12]
    assert indexed(folder, encoder) == IndexReport(total=20, indexed=8, unchanged=12)
    assert found(folder, encoder) == paths
