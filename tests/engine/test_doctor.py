from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from engine import __version__, doctor
from engine.doctor import Finding


def finding(name: str) -> Finding:
    found = [one for one in doctor.examine() if one.name == name]
    assert len(found) == 1, f"{name} was found {len(found)} times"
    return found[0]


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_every_finding_that_is_wrong_says_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PAIRLENS_PACK", str(tmp_path / "nowhere"))
    monkeypatch.setitem(doctor.BASE_PACKAGES, "no-such-thing", "no_such_thing")
    findings = doctor.examine()
    assert all(one.name and one.value for one in findings)
    assert all(one.remedy for one in findings if not one.ok)
    assert all(one.remedy is None for one in findings if one.ok)


def test_the_programs_version_and_python_are_named() -> None:
    assert finding("PairLens").value.startswith(__version__)
    assert sys.executable in finding("Python").value


def test_an_old_python_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (99, 0))
    old = finding("Python")
    assert not old.ok
    assert old.remedy is not None
    assert "99.0" in old.remedy


def test_installed_packages_are_named_with_their_versions() -> None:
    assert finding("onnxruntime") == Finding("onnxruntime", True, metadata.version("onnxruntime"))


def test_a_package_that_is_not_installed_comes_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(doctor.BASE_PACKAGES, "no-such-thing", "no_such_thing")
    missing = finding("no-such-thing")
    assert not missing.ok
    assert missing.value == "not installed"
    assert missing.remedy is not None
    assert missing.remedy.startswith(f'"{sys.executable}" -m pip install')
    assert missing.remedy.endswith(" no-such-thing")


def test_a_package_whose_files_are_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.BASE_PACKAGES, "numpy", "no_such_module")
    broken = finding("numpy")
    assert not broken.ok
    assert "its files are gone" in broken.value


def test_the_frozen_program_never_suggests_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setitem(doctor.BASE_PACKAGES, "no-such-thing", "no_such_thing")
    assert finding("no-such-thing").remedy == "Install PairLens again."


def test_the_device_is_named_with_the_reason() -> None:
    device = finding("Device")
    assert device.ok
    assert device.value.startswith("CPU through ONNX Runtime: ")


def test_a_missing_model_pack_is_named_with_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PAIRLENS_PACK", str(tmp_path / "nowhere"))
    pack = finding("Model pack")
    assert not pack.ok
    assert str(tmp_path / "nowhere") in pack.value
    assert pack.remedy is not None
    assert "PAIRLENS_PACK" in pack.remedy


def test_a_damaged_model_pack_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    monkeypatch.setenv("PAIRLENS_PACK", str(tmp_path))
    pack = finding("Model pack")
    assert not pack.ok
    assert pack.remedy is not None
    assert "damaged" in pack.remedy


@pytest.mark.parametrize("kind", ["data", "cache", "logs"])
def test_folders_are_named_with_their_free_space(kind: str, pairlens_home: Path) -> None:
    folder = finding({"data": "Data folder", "cache": "Cache folder", "logs": "Log folder"}[kind])
    assert folder.ok
    assert folder.value.startswith(str(pairlens_home / kind))
    assert folder.value.endswith(" GB free")


def test_a_full_disk_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(100, 99, 1))
    folder = finding("Data folder")
    assert not folder.ok
    assert folder.remedy is not None
    assert "PAIRLENS_HOME" in folder.remedy


def test_a_folder_that_cannot_be_made_is_a_finding_and_not_a_crash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("PAIRLENS_HOME", str(tmp_path / "file"))
    folder = finding("Cache folder")
    assert not folder.ok
    assert "can't be made" in folder.value


def test_a_folder_that_cannot_be_written_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write anywhere, so the system's answer is put in its place.
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    folder = finding("Log folder")
    assert not folder.ok
    assert folder.value.endswith("not writable")


@pytest.mark.skipif(sys.platform != "linux", reason="Qt is used on Linux only")
class TestLinux:
    def test_the_window_needs_qt_and_its_web_engine(self) -> None:
        assert {"QtPy", "PySide6_Addons", "PySide6_WebEngine"} <= set(doctor.packages_needed())

    def test_missing_libraries_come_with_the_packages_that_hold_them(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def load(name: str) -> object:
            if name in ("libEGL.so.1", "libxcb-cursor.so.0"):
                raise OSError(f"{name}: cannot open shared object file")
            return object()

        monkeypatch.setattr(doctor, "ctypes", SimpleNamespace(CDLL=load))
        monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/usr/bin/{name}")
        libraries = finding("System libraries")
        assert libraries == Finding(
            "System libraries",
            False,
            "missing: libEGL.so.1, libxcb-cursor.so.0",
            "sudo apt-get install libegl1 libxcb-cursor0",
        )

    def test_fedora_is_given_the_library_names_dnf_understands(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def load(name: str) -> object:
            raise OSError(name)

        monkeypatch.setattr(doctor, "ctypes", SimpleNamespace(CDLL=load))
        monkeypatch.setattr(
            doctor.shutil, "which", lambda name: "/usr/bin/dnf" if name == "dnf" else None
        )
        remedy = finding("System libraries").remedy
        assert remedy is not None
        assert remedy.startswith("sudo dnf install 'libEGL.so.1()(64bit)' ")

    def test_a_screen_is_named_and_its_absence_is_no_fault(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setenv("DISPLAY", ":7")
        assert finding("Screen").value == ":7"
        monkeypatch.delenv("DISPLAY")
        assert finding("Screen").ok
        assert finding("Screen").value.startswith("none: ")

    def test_debian_packages_of_the_doctor_are_those_the_script_installs(
        self, repository: Path
    ) -> None:
        script = (repository / "scripts" / "system-packages.sh").read_text(encoding="utf-8")
        installed = set(script.partition("window=(")[2].partition(")")[0].split())
        assert set(doctor.LINUX_LIBRARIES.values()) <= installed

    def test_a_script_check_names_what_is_missing_and_installs_nothing(
        self, repository: Path, tmp_path: Path
    ) -> None:
        fake = tmp_path / "bin" / "dpkg-query"
        fake.parent.mkdir()
        fake.write_text("#!/bin/sh\necho 'installed libegl1'\n", encoding="utf-8")
        fake.chmod(0o755)
        done = subprocess.run(
            ["bash", str(repository / "scripts" / "system-packages.sh"), "--check"],
            env={"PATH": f"{fake.parent}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 1
        assert "apt-get install" in done.stderr
        assert " libxcb-cursor0" in done.stderr
        assert " libegl1" not in done.stderr
