"""What goes wrong while indexing: killed, stopped, no space left, nothing to be read or written."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PureWindowsPath

import pytest

from engine.errors import OutputUnwritable
from engine.index import Library, index_folder
from engine.indexing import IndexReport
from engine.paths import libraries_dir, on_disk
from tests.fixtures import photos
from tests.fixtures.encoder import TinyEncoder
from tests.fixtures.kept import kept
from tests.fixtures.mounts import Drive, drive
from tests.fixtures.power import as_an_ordinary_user


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def encoder() -> TinyEncoder:
    return TinyEncoder()


def found(folder: Path, encoder: TinyEncoder) -> list[Path]:
    library = Library.find(folder)
    assert library is not None
    with closing(library):
        return list(kept(library, encoder.model_id))


# One process makes a child for every moment, so that what is imported is imported once. The child
# kills itself when it is about to run that statement; what it had been told as done is in a file.
KILLED_ANYWHERE = """
import json, os, signal, sqlite3, sys
from contextlib import closing
from pathlib import Path
from engine import sqlite_file
from engine.index import Library, index_folder
from tests.fixtures.encoder import TinyEncoder
from tests.fixtures.kept import kept

folder, homes = Path(sys.argv[1]), Path(sys.argv[2])
connect = sqlite3.connect

def dying(moment, told):
    left = moment

    def count(_statement):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def connected(*args, **named):
        connection = connect(*args, **named)
        connection.set_trace_callback(count)
        return connection

    sqlite3.connect = connected
    said = os.open(told, os.O_WRONLY)
    index_folder(folder, TinyEncoder(), lambda done, total: os.pwrite(said, b"%06d" % done, 0))

moment, outcomes = 0, []
while True:
    moment += 1
    home = homes / str(moment)
    home.mkdir(parents=True)
    os.environ["PAIRLENS_HOME"] = str(home)
    told = home / "told"
    told.write_text("0")
    child = os.fork()
    if child == 0:
        dying(moment, told)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    library = Library.find(folder)
    before = 0
    if library is not None:
        with closing(library):
            before = len(kept(library, "tiny-1"))
    report = index_folder(folder, TinyEncoder())
    library = Library.find(folder)
    with closing(library):
        paths = [str(path) for path in kept(library, "tiny-1")]
    outcomes.append({
        "killed": os.WIFSIGNALED(status), "told": int(told.read_text()), "kept": before,
        "indexed": report.indexed, "damaged": report.damage is not None, "paths": paths,
    })
    if not os.WIFSIGNALED(status):
        print(json.dumps(outcomes))
        break
"""


def run(script: str, *words: Path, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_being_killed_at_any_moment_loses_at_most_the_last_batch(
    folder: Path, tmp_path: Path, repository: Path, encoder: TinyEncoder
) -> None:
    paths = [str(path) for path in photos.folder_of(folder, 10)]

    outcomes = json.loads(run(KILLED_ANYWHERE, folder, tmp_path / "homes", cwd=repository))

    assert len(outcomes) > 50  # every statement that indexing runs, one after another
    assert not outcomes[-1]["killed"]
    for outcome in outcomes:
        assert outcome["told"] <= outcome["kept"] <= outcome["told"] + encoder.batch_size
        assert outcome["kept"] + outcome["indexed"] == 10
        assert not outcome["damaged"]
        assert outcome["paths"] == paths
    assert {outcome["kept"] for outcome in outcomes} == {0, 4, 8, 10}


STOPPED = """
import sys
from pathlib import Path
from engine.index import index_folder
from tests.fixtures.encoder import TinyEncoder

print(index_folder(Path(sys.argv[1]), TinyEncoder(), lambda *done: print(*done, flush=True)))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system can't stop a process")
def test_indexing_goes_on_after_sleep(folder: Path, repository: Path, encoder: TinyEncoder) -> None:
    paths = photos.folder_of(folder, 30)
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(folder)],
        stdout=subprocess.PIPE, text=True, cwd=repository,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "0 30\n"
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        # It is asleep. A reader is served meanwhile.
        assert len(found(folder, encoder)) < 30
        process.send_signal(signal.SIGCONT)
        assert "indexed=30" in process.stdout.read()
    assert found(folder, encoder) == paths


def test_indexing_can_be_paused_and_goes_on(folder: Path, encoder: TinyEncoder) -> None:
    paths = photos.folder_of(folder, 12)
    may_go_on, resting, reports = threading.Event(), threading.Event(), []

    def cancelled() -> bool:
        if sum(encoder.encoded) >= 4:
            resting.set()
            may_go_on.wait(60)
        return False

    thread = threading.Thread(
        target=lambda: reports.append(index_folder(folder, encoder, cancelled=cancelled))
    )
    thread.start()
    assert resting.wait(60)
    assert len(found(folder, encoder)) == 4
    may_go_on.set()
    thread.join()
    assert reports == [IndexReport(total=12, indexed=12)]
    assert found(folder, encoder) == paths


# Space and permissions


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drive]:
    """Data, cache and logs on a small drive of their own."""
    with drive(tmp_path / "home", tmp_path / "kept", "16m") as made:
        monkeypatch.setenv("PAIRLENS_HOME", str(made.place))
        yield made


def fill(drive: Drive) -> Path:
    """Take all the space that is left."""
    ballast = drive.place / "ballast"
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    return ballast


def test_a_full_disk_is_named_and_keeps_what_was_done(
    folder: Path, home: Drive, encoder: TinyEncoder
) -> None:
    paths = photos.folder_of(folder, 400)

    def progress(done: int, total: int) -> None:
        if done == 40:
            fill(home)

    with pytest.raises(OutputUnwritable, match="full"):
        index_folder(folder, encoder, progress)

    kept = found(folder, encoder)
    assert 40 <= len(kept) < 400
    (home.place / "ballast").unlink()
    report = index_folder(folder, TinyEncoder())
    assert report == IndexReport(total=400, indexed=400 - len(kept), unchanged=len(kept))
    assert found(folder, encoder) == paths


def test_a_disk_that_is_full_from_the_start_is_named(
    folder: Path, home: Drive, encoder: TinyEncoder
) -> None:
    photos.folder_of(folder, 1)
    ballast = fill(home)

    with pytest.raises(OutputUnwritable):
        index_folder(folder, encoder)

    ballast.unlink()
    assert index_folder(folder, encoder).indexed == 1


def test_a_data_folder_that_can_not_be_written_is_named(
    folder: Path, home: Drive, encoder: TinyEncoder
) -> None:
    photos.folder_of(folder, 3)
    index_folder(folder, encoder)
    home.unplug()
    home.connect("ro")

    with pytest.raises(OutputUnwritable):
        index_folder(folder, encoder)
    home.unplug()
    home.connect()
    assert index_folder(folder, encoder) == IndexReport(total=3, unchanged=3)


def test_a_data_folder_that_can_not_be_made_is_named(
    folder: Path, home: Drive, encoder: TinyEncoder
) -> None:
    photos.folder_of(folder, 1)
    home.unplug()
    home.connect("ro")

    with pytest.raises(OutputUnwritable):
        index_folder(folder, encoder)


def test_photos_on_a_read_only_drive_are_indexed(tmp_path: Path, encoder: TinyEncoder) -> None:
    with drive(tmp_path / "cd", tmp_path / "kept") as cd:
        paths = photos.folder_of(cd.place, 3)
        cd.unplug()
        cd.connect("ro")

        assert index_folder(cd.place, encoder) == IndexReport(total=3, indexed=3)
        assert found(cd.place, encoder) == paths


def test_a_folder_that_may_not_be_listed_keeps_its_photos(
    folder: Path, encoder: TinyEncoder
) -> None:
    closed, paths = folder / "closed", photos.folder_of(folder / "closed", 2)
    paths += photos.folder_of(folder / "open", 2)
    index_folder(folder, encoder)
    closed.chmod(0)
    try:
        with as_an_ordinary_user():
            assert index_folder(folder, encoder) == IndexReport(total=2, unchanged=2)
            assert found(folder, encoder) == paths
    finally:
        closed.chmod(0o700)
    assert index_folder(folder, encoder) == IndexReport(total=4, unchanged=4)


def test_a_photo_that_may_not_be_read_is_named_and_tried_again_each_time(
    folder: Path, encoder: TinyEncoder
) -> None:
    closed, *rest = photos.folder_of(folder, 3)
    closed.chmod(0)
    with as_an_ordinary_user():
        for _ in range(2):
            report = index_folder(folder, encoder)
            assert [one.code for one in report.failures] == ["photo_unreadable"]
            assert "permissions" in report.failures[0].message
    assert found(folder, encoder) == rest
    closed.chmod(0o600)
    assert index_folder(folder, encoder) == IndexReport(total=3, indexed=1, unchanged=2)


def test_a_known_photo_that_may_not_be_read_stays_in_the_results(
    folder: Path, encoder: TinyEncoder
) -> None:
    closed, _ = paths = photos.folder_of(folder, 2)
    index_folder(folder, encoder)
    os.utime(closed, ns=(1, 1))
    closed.chmod(0)
    with as_an_ordinary_user():
        report = index_folder(folder, encoder)

    assert [one.code for one in report.failures] == ["photo_unreadable"]
    assert found(folder, encoder) == paths
    closed.chmod(0o600)
    assert index_folder(folder, encoder) == IndexReport(total=2, reused=1, unchanged=1)


def test_a_drive_unplugged_while_it_is_indexed_loses_nothing(
    tmp_path: Path, encoder: TinyEncoder
) -> None:
    with drive(tmp_path / "card", tmp_path / "kept") as card:
        paths = photos.folder_of(card.place, 4)
        index_folder(card.place, encoder)
        more = photos.folder_of(card.place / "more", 20)

        def progress(done: int, total: int) -> None:
            # The same number may be told again, when the machine is busy.
            if done == 8 and card.place.is_mount():
                # As pulling it out does: whoever has it open may go on, nobody else gets in.
                subprocess.run(["umount", "--lazy", card.place], check=True)

        report = index_folder(card.place, encoder, progress)

        assert {one.code for one in report.failures} == {"photo_missing"}
        assert report.removed == 0
        assert found(card.place, encoder)[:4] == paths
        card.connect()
        again = index_folder(card.place, encoder)
        assert (again.total, again.removed, again.failures) == (24, 0, [])
        assert found(card.place, encoder) == sorted(paths + more)


# Names and lengths


def test_a_path_of_more_than_260_characters_is_indexed(folder: Path, encoder: TinyEncoder) -> None:
    deep = folder.joinpath(*["a folder with a long name " * 4] * 6)
    paths = photos.folder_of(deep, 2)
    assert len(str(paths[0])) > 700

    assert index_folder(folder, encoder) == IndexReport(total=2, indexed=2)
    assert found(folder, encoder) == paths


@pytest.mark.skipif(sys.platform != "linux", reason="made for the limits of Linux")
def test_a_path_longer_than_the_system_takes_is_left_out_and_stops_nothing(
    folder: Path, encoder: TinyEncoder
) -> None:
    (good,) = photos.folder_of(folder, 1)
    # Longer than PATH_MAX (4,096): it can be made step by step only.
    here = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("x" * 250, dir_fd=here)
        below = os.open("x" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    with os.fdopen(os.open("b.jpg", os.O_WRONLY | os.O_CREAT, dir_fd=here), "wb") as file:
        file.write(good.read_bytes())
    os.close(here)

    assert index_folder(folder, encoder) == IndexReport(total=1, indexed=1)
    assert index_folder(folder, encoder) == IndexReport(total=1, unchanged=1)


def test_a_link_in_a_circle_is_indexed_once(folder: Path, encoder: TinyEncoder) -> None:
    paths = photos.folder_of(folder / "album", 2)
    (folder / "album" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "album" / "self").symlink_to(folder / "album" / "self")

    assert index_folder(folder, encoder) == IndexReport(total=2, indexed=2)
    assert found(folder, encoder) == paths


def test_a_photo_still_being_written_is_named_and_indexed_when_it_is_whole(
    folder: Path, encoder: TinyEncoder
) -> None:
    whole = photos.save(photos.noise(300, 200), folder / "a.jpg")
    content = whole.read_bytes()
    with whole.open("wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        report = index_folder(folder, encoder)
        assert [one.code for one in report.failures] == ["photo_damaged"]
        file.write(content[len(content) // 2 :])

    assert index_folder(folder, encoder) == IndexReport(total=1, indexed=1)


def test_every_photo_that_fails_is_listed_with_file_reason_and_remedy(
    folder: Path, encoder: TinyEncoder
) -> None:
    (good,) = photos.folder_of(folder, 1)
    (folder / "empty.jpg").touch()
    (folder / "words.png").write_text("these are words")
    photos.truncated(folder / "half.jpg")
    photos.bomb(folder / "huge.png")

    report = index_folder(folder, encoder)

    said = {failure.photo.name: failure.message for failure in report.failures}
    assert sorted(said) == ["empty.jpg", "half.jpg", "huge.png", "words.png"]
    for name, message in said.items():
        where, reason_and_remedy = message.split(": ", 1)
        assert where == str(folder / name)
        assert len(reason_and_remedy.split(". ")) >= 2, message
    assert found(folder, encoder) == [good]
    assert not list(libraries_dir().glob("*damaged*"))


@pytest.mark.parametrize(
    ("path", "opened"),
    [
        ("C:\\photos\\a.jpg", "C:\\photos\\a.jpg"),
        ("C:\\" + "x" * 300, "\\\\?\\C:\\" + "x" * 300),
        ("\\\\nas\\photos\\" + "x" * 300, "\\\\?\\UNC\\nas\\photos\\" + "x" * 300),
        ("\\\\?\\C:\\" + "x" * 300, "\\\\?\\C:\\" + "x" * 300),
        ("photos\\" + "x" * 300, "photos\\" + "x" * 300),
    ],
)
def test_long_paths_are_opened_on_windows_as_it_wants_them(path: str, opened: str) -> None:
    assert str(on_disk(PureWindowsPath(path), windows=True)) == opened
    assert str(on_disk(PureWindowsPath(path), windows=False)) == path
