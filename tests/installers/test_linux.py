"""The .deb and the archive, made of a program of two files."""

from __future__ import annotations

import configparser
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import installers
import needs
import pytest
from photo_types import MEDIA_TYPES

from engine import __version__
from engine.decode import PHOTO_SUFFIXES


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real ELF program, so that what it needs can be found, and a file beside it."""
    folder = tmp_path_factory.mktemp("dist") / "pairlens"
    (folder / "_internal").mkdir(parents=True)
    shutil.copy(Path("/bin/true").resolve(), folder / "pairlens")
    (folder / "_internal" / "data.txt").write_text("data")
    (folder / "_internal" / "data.txt").chmod(0o600)
    (folder / "_internal" / "link.txt").symlink_to("data.txt")
    return folder


@pytest.fixture(scope="module")
def deb(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    return installers.make_deb(program, out, tmp_path_factory.mktemp("work"))


def control(deb: Path) -> dict[str, str]:
    said = subprocess.run(["dpkg-deb", "--field", deb], capture_output=True, text=True, check=True)
    lines = [line for line in said.stdout.splitlines() if not line.startswith(" ")]
    return dict(line.split(": ", 1) for line in lines)


def archive(deb: Path, option: str) -> tarfile.TarFile:
    said = subprocess.run(["dpkg-deb", option, deb], capture_output=True, check=True)
    return tarfile.open(fileobj=io.BytesIO(said.stdout))


def content(deb: Path, path: str) -> bytes:
    with archive(deb, "--fsys-tarfile") as packed:
        file = packed.extractfile(f"./{path}")
        assert file is not None
        return file.read()


def test_the_package_bears_the_programs_version(deb: Path) -> None:
    fields = control(deb)
    assert deb.name == f"pairlens_{__version__}_amd64.deb"
    assert (fields["Package"], fields["Version"]) == ("pairlens", __version__)
    assert fields["Architecture"] == "amd64"


def test_it_is_started_from_the_path_and_read_only_for_everybody(deb: Path) -> None:
    with archive(deb, "--fsys-tarfile") as packed:
        files = {file.name: file for file in packed}
    assert files["./usr/bin/pairlens"].linkname == "../lib/pairlens/pairlens"
    assert files["./usr/lib/pairlens/pairlens"].mode == 0o755
    assert files["./usr/lib/pairlens/_internal/data.txt"].mode == 0o644
    assert files["./usr/lib/pairlens/_internal/link.txt"].linkname == "data.txt"
    assert {(file.uid, file.gid) for file in files.values()} == {(0, 0)}


def test_its_sums_are_those_of_its_files(deb: Path) -> None:
    with archive(deb, "--ctrl-tarfile") as packed:
        file = packed.extractfile("./md5sums")
        assert file is not None
        sums = dict(reversed(line.split("  ")) for line in file.read().decode().splitlines())
    with archive(deb, "--fsys-tarfile") as packed:
        kept = {file.name[2:] for file in packed if file.isfile()}
    assert set(sums) == kept
    path = "usr/lib/pairlens/_internal/data.txt"
    assert sums[path] == hashlib.md5(content(deb, path)).hexdigest()


def test_it_opens_every_kind_of_photo_and_folders(deb: Path) -> None:
    assert set(MEDIA_TYPES) == PHOTO_SUFFIXES
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment, method-assign]
    entry.read_string(content(deb, "usr/share/applications/pairlens.desktop").decode())
    desktop = entry["Desktop Entry"]
    assert desktop["Exec"] == "pairlens %F"
    types = desktop["MimeType"].removesuffix(";").split(";")
    assert {*MEDIA_TYPES.values(), "inode/directory"} == set(types)
    assert len(types) == len(set(types))


def test_its_icons_are_where_every_desktop_looks(deb: Path, repository: Path) -> None:
    for picture in (repository / "resources" / "icons").glob("*.png"):
        side = picture.stem.rpartition("-")[2]
        path = f"usr/share/icons/hicolor/{side}x{side}/apps/pairlens.png"
        assert content(deb, path) == picture.read_bytes()
    svg = content(deb, "usr/share/icons/hicolor/scalable/apps/pairlens.svg")
    assert svg == (repository / "resources" / "icons" / "pairlens.svg").read_bytes()


def test_software_centres_are_told_its_name_and_version(deb: Path) -> None:
    root = ElementTree.fromstring(content(deb, "usr/share/metainfo/pairlens.metainfo.xml"))
    assert root.findtext("id") == root.findtext("launchable") == "pairlens.desktop"
    release = root.find("releases/release")
    assert release is not None
    assert release.get("version") == __version__


def test_the_same_program_gives_the_same_bytes(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    made = []
    for name, mask in (("one", 0o022), ("two", 0o077)):
        # Another umask, and other times.
        os.umask(mask)
        (program / "_internal" / "data.txt").touch()
        for make in (installers.make_deb, installers.make_archive):
            (tmp_path / name).mkdir(exist_ok=True)
            file = make(program, tmp_path / name, tmp_path / f"work-{name}")
            made.append((file.name, hashlib.sha256(file.read_bytes()).hexdigest()))
    os.umask(0o022)
    assert made[:2] == made[2:]


def test_the_archive_holds_the_program_in_one_folder(program: Path, tmp_path: Path) -> None:
    file = installers.make_archive(program, tmp_path, tmp_path / "work")
    subprocess.run(["tar", "-C", tmp_path, "-xf", file], check=True)
    folder = tmp_path / f"pairlens-{__version__}"
    assert subprocess.run([folder / "pairlens"], check=False).returncode == 0
    assert (folder / "_internal" / "link.txt").read_text() == "data"


def test_what_the_programs_libraries_ask_for_becomes_a_dependency(deb: Path) -> None:
    depends = control(deb)["Depends"].split(", ")
    assert any(one.startswith("libc6 (>= 2.") for one in depends)
    assert {"fontconfig-config", "xkb-data", "libgl1"} <= {*depends}


def test_a_library_that_no_package_is_known_to_hold_ends_the_build(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "C_LIBRARY", needs.re.compile("nothing"))
    with pytest.raises(needs.UnknownLibraryError, match=r"needs libc\.so\.6"):
        needs.depends(program)


def test_a_library_that_comes_along_is_asked_of_nobody(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pairlens"
    shutil.copytree(program, folder, symlinks=True)
    (folder / "_internal" / "libc.so.6").touch()
    monkeypatch.setattr(needs, "C_LIBRARY", needs.re.compile("nothing"))
    assert needs.depends(folder)


def test_renamed_packages_are_asked_for_by_both_names() -> None:
    assert needs._either("libasound2") == "libasound2t64 | libasound2"
    assert needs._either("libnss3") == "libnss3"
