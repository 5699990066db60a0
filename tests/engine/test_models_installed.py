"""Packs that come, go and are chosen: whole or not at all, and never without one to answer."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.doctor import examine
from engine.errors import (
    PackAmbiguous,
    PackDamaged,
    PackFileUnusable,
    PackMissing,
    PackNotRemovable,
    PackNotStored,
    PacksBusy,
    PackUnknown,
    SpaceMissing,
)
from engine.installed import Why, choose, chosen_folder, find, imported, packs, used
from engine.matcher import load_matcher
from engine.pack import MANIFEST, open_pack, read_manifest
from engine.pack_install import import_file, import_folder, remove
from engine.paths import packs_dir, shipped_pack_dir
from engine.sqlite_file import WriterLock
from tests.fixtures.drives import mount, unmount
from tests.fixtures.packs import another_pack, packed
from tests.fixtures.tiny_pack import TinyPack, rewrite_manifest


@pytest.fixture(scope="module")
def source(tiny_pack: TinyPack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack called "Other 1.0". Read only."""
    return another_pack(tiny_pack.folder, tmp_path_factory.mktemp("source") / "pack")


@pytest.fixture(scope="module")
def archive(source: Path) -> Path:
    return packed(source, source.parent / "other.pairlens")


def kept() -> list[str]:
    """What is in the folder of packs, but for the lock."""
    return sorted(one.name for one in packs_dir().iterdir() if one.name != "packs.lock")


def test_an_imported_pack_is_a_folder_of_its_own_and_can_be_run(
    source: Path, archive: Path
) -> None:
    imported_now = import_file(archive)
    folder = imported_now.pack.folder
    assert (imported_now.fresh, folder.parent) == (True, packs_dir())
    assert folder.name == f"other-1.0-{open_pack(source).model_id.rpartition('-')[2]}"
    assert load_matcher(folder).model_id == open_pack(source).model_id
    assert kept() == [folder.name]


def test_a_folder_is_imported_as_a_file_is_and_brings_nothing_that_is_not_named(
    source: Path, archive: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(source, tmp_path / "copy"))
    (copy / "evil.pkl").write_bytes(b"\x80\x04")
    folder = import_folder(copy).pack.folder
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        path.name for path in source.iterdir()
    )
    assert not import_file(archive).fresh


def test_a_second_import_changes_nothing_and_another_version_sits_beside(
    tiny_pack: TinyPack, archive: Path, tmp_path: Path
) -> None:
    first = import_file(archive)
    before = (first.pack.folder / MANIFEST).stat()
    again = import_file(archive)
    assert (again.fresh, again.pack.folder) == (False, first.pack.folder)
    assert (first.pack.folder / MANIFEST).stat() == before
    newer = another_pack(tiny_pack.folder, tmp_path / "newer", version="1.10")
    assert import_folder(newer).fresh
    assert [pack.title for pack in imported()] == ["Other 1.0", "Other 1.10"]


def test_importing_again_mends_a_damaged_pack(archive: Path) -> None:
    folder = import_file(archive).pack.folder
    (folder / "LICENSE").write_text("changed")
    choose(folder)
    assert import_file(archive).fresh
    assert open_pack(folder)
    assert used(open_pack)[1].why is Why.CHOSEN
    (folder / MANIFEST).write_text("{")
    assert import_file(archive).fresh
    assert kept() == ["chosen.json", folder.name]


def test_the_default_pack_is_here_already(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shipped_pack_dir(), tmp_path / "copy"))
    assert not import_folder(copy).fresh
    assert kept() == []


def test_what_fails_leaves_nothing(source: Path, archive: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pairlens"
    cut.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(PackFileUnusable):
        import_file(cut)
    damaged = Path(shutil.copytree(source, tmp_path / "damaged"))
    (damaged / "LICENSE").write_text("changed")
    with pytest.raises(PackDamaged):
        import_folder(damaged)
    assert kept() == []


KILLED = """
import os, signal, sys
from pathlib import Path
from engine import pack_install
{stop} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
getattr(pack_install, sys.argv[1])(*map(eval(sys.argv[3]), [sys.argv[2]]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills as only POSIX can")
@pytest.mark.parametrize("stop", ["pack_install._check", "pack_install.sync_folder"])
def test_an_import_that_is_killed_leaves_nothing_once_somebody_imports_again(
    archive: Path, stop: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED.format(stop=stop), "import_file", str(archive), "Path"],
        check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert [name for name in kept() if name.startswith(".import-")]
    assert imported() == []

    folder = import_file(archive).pack.folder

    assert kept() == [folder.name]


@pytest.mark.skipif(sys.platform == "win32", reason="kills as only POSIX can")
def test_a_removal_that_is_killed_leaves_no_half_pack(archive: Path) -> None:
    folder = import_file(archive).pack.folder
    choose(folder)
    code = KILLED.format(stop="pack_install.choose")
    done = subprocess.run(
        [sys.executable, "-c", code, "remove", "Other", "str"], check=False, timeout=100
    )
    assert done.returncode == -signal.SIGKILL
    assert imported() == []
    assert used(open_pack)[1].why is Why.DEFAULT
    with pytest.raises(PackUnknown):
        remove("Other")
    assert kept() == ["chosen.json"]


def test_two_at_once_are_told_of_each_other(archive: Path) -> None:
    with WriterLock(packs_dir() / "packs", "packs"), pytest.raises(PacksBusy):
        import_file(archive)


@pytest.fixture
def small_drive(pairlens_home: Path) -> Iterator[Path]:
    data = pairlens_home / "data"
    data.mkdir()
    mount(data, 300)
    yield data
    unmount(data)


def test_a_full_drive_is_said_and_nothing_is_left(
    small_drive: Path, source: Path, archive: Path
) -> None:
    with pytest.raises(SpaceMissing, match="MB are needed"):
        import_file(archive)
    assert kept() == []
    with pytest.raises(PackNotStored, match="No space left"):
        import_folder(source)  # found out on the way
    assert kept() == []
    assert used(open_pack)[1].why is Why.DEFAULT


def test_a_chosen_pack_is_used_until_another_is(archive: Path) -> None:
    folder = import_file(archive).pack.folder
    choose(folder)
    assert load_matcher().pack_folder == folder
    assert used(read_manifest)[1].why is Why.CHOSEN
    choose(None)
    assert used(read_manifest)[1] == used(open_pack)[1]
    assert used(read_manifest)[1].folder == shipped_pack_dir()


def test_the_variable_goes_before_what_was_chosen(
    tiny_pack: TinyPack, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(import_file(archive).pack.folder)
    monkeypatch.setenv("PAIRLENS_PACK", str(tiny_pack.folder))
    now = used(open_pack)[1]
    assert (now.folder, now.why) == (tiny_pack.folder, Why.VARIABLE)
    assert find("current").folder == tiny_pack.folder
    monkeypatch.setenv("PAIRLENS_PACK", "nowhere")
    with pytest.raises(PackMissing):
        used(open_pack)


@pytest.mark.parametrize("harm", ["gone", "damaged", "cannot run"])
def test_the_default_pack_answers_for_a_chosen_one_that_can_not_be_used(
    archive: Path, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = import_file(archive).pack.folder
    choose(folder)
    if harm == "gone":
        shutil.rmtree(folder)
    elif harm == "damaged":
        (folder / "image.int8.onnx").write_bytes(b"")
    else:
        rewrite_manifest(folder, replace(read_manifest(folder), kind="embedding"))

    with caplog.at_level(logging.WARNING):
        matcher = load_matcher()

    assert matcher.pack_folder == shipped_pack_dir()
    (said,) = [record.getMessage() for record in caplog.records]
    assert str(folder) in said
    assert "the default one answers instead" in said
    if harm != "cannot run":  # that shows only when it is loaded
        now = used(open_pack)[1]
        assert now.replaced is not None
        assert (now.why, now.replaced.fields["path"]) == (Why.DEFAULT, folder)
        (finding,) = [one for one in examine() if one.name == "Model pack"]
        assert not finding.ok
        assert finding.remedy is not None
        assert str(folder) in finding.remedy


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pack": 1}', '{"pack": "../.."}'])
def test_a_choice_that_can_not_be_read_is_none(content: str) -> None:
    (packs_dir() / "chosen.json").write_text(content)
    assert chosen_folder() is None
    assert used(open_pack)[1].why is Why.DEFAULT


def test_packs_are_found_by_name_version_id_and_folder(
    tiny_pack: TinyPack, archive: Path, tmp_path: Path
) -> None:
    pack = import_file(archive).pack
    assert pack.manifest is not None
    for name in ("Other", "other", "Other 1.0", pack.manifest.model_id, pack.folder.name):
        assert find(name).folder == pack.folder
    assert find("default").folder == find("current").folder == shipped_pack_dir()
    with pytest.raises(PackUnknown, match="Another"):
        find("Another")
    import_folder(another_pack(tiny_pack.folder, tmp_path / "newer", version="2.00"))
    with pytest.raises(PackAmbiguous, match=pack.manifest.model_id):
        find("Other")


def test_a_pack_that_calls_itself_default_takes_nothing_over(
    tiny_pack: TinyPack, tmp_path: Path
) -> None:
    false = another_pack(tiny_pack.folder, tmp_path / "false", name="default")
    import_folder(false)
    assert find("default").folder == shipped_pack_dir()
    with pytest.raises(PackNotRemovable):
        remove("default")


def test_removing_the_pack_in_use_goes_back_to_the_default(archive: Path) -> None:
    folder = import_file(archive).pack.folder
    size = sum(path.stat().st_size for path in folder.iterdir())
    choose(folder)

    removed = remove("Other")

    assert (removed.was_in_use, removed.size) == (True, size)
    assert kept() == []
    assert used(open_pack)[1].why is Why.DEFAULT


def test_a_damaged_pack_is_listed_and_can_be_removed(archive: Path) -> None:
    folder = import_file(archive).pack.folder
    (folder / MANIFEST).write_text("{")
    (broken,) = imported()
    assert broken.manifest is None
    assert isinstance(broken.error, PackDamaged)
    remove(folder.name)
    assert kept() == []


def test_only_what_was_imported_can_be_removed(
    tiny_pack: TinyPack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRLENS_PACK", str(tiny_pack.folder))
    assert [pack.folder for pack in packs()] == [shipped_pack_dir(), tiny_pack.folder]
    for name in ("default", "current"):
        with pytest.raises(PackNotRemovable):
            remove(name)
    assert (tiny_pack.folder / MANIFEST).is_file()


def test_names_and_versions_from_a_stranger_make_plain_folders(
    tiny_pack: TinyPack, tmp_path: Path
) -> None:
    for number, name in enumerate(["../../up", "模型", "...", "CON", "a" * 100, "x:y*z?"]):
        pack = another_pack(tiny_pack.folder, tmp_path / str(number), name, version=f"../{number}")
        with (pack / "tokenizer.json").open("a") as file:
            file.write(" " * number)
        rewrite_manifest(pack, read_manifest(pack), remeasured=True)
        folder = import_folder(pack).pack.folder
        assert folder.parent == packs_dir()
        assert set(folder.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert len(imported()) == 6


def test_the_choice_is_one_file_for_every_part_of_the_program(archive: Path) -> None:
    folder = import_file(archive).pack.folder
    choose(folder)
    code = (
        "from engine.installed import *; from engine.pack import *; print(used(open_pack)[1].why)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.strip() == "Why.CHOSEN"
    assert json.loads((packs_dir() / "chosen.json").read_text()) == {"pack": folder.name}
    assert [one.name for one in packs_dir().parent.iterdir()] == ["models"]
