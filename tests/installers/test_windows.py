"""The Windows installer: all of it that can be made on Linux."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import windows_files
from PIL import Image

from engine import __version__


@pytest.fixture
def icon(tmp_path: Path, repository: Path) -> Path:
    made = windows_files.write_icon(repository / "resources" / "icons", tmp_path / "pairlens.ico")
    return Path(made)


def test_the_windows_icon_has_every_size_that_explorer_shows(icon: Path) -> None:
    with Image.open(icon) as image:
        sizes = image.info["sizes"]
    assert sizes == {(side, side) for side in windows_files.SIDES}


def test_the_windows_properties_name_the_version(tmp_path: Path) -> None:
    path = windows_files.write_version(__version__, tmp_path / "version.txt")
    text = Path(path).read_text(encoding="utf-8")
    compile(text, path, "eval")
    assert f'"ProductVersion", "{__version__}"' in text
    assert windows_files.numbers("2.10.3") == (2, 10, 3, 0)


def test_the_windows_installer_compiles(icon: Path, tmp_path: Path, repository: Path) -> None:
    payload = tmp_path / "payload"
    (payload / "_internal").mkdir(parents=True)
    (payload / "pairlens.exe").write_bytes(b"MZ no program")
    (payload / "_internal" / "data.txt").write_text("data")
    out = tmp_path / "PairLens-x64-setup.exe"
    done = subprocess.run(
        [
            "makensis", "-V2", "-WX", f"-DVERSION={__version__}", f"-DNUMBERS={__version__}.0",
            f"-DPAYLOAD={payload}", f"-DICON={icon}", f"-DLICENCE={repository / 'LICENSE'}",
            f"-DOUT={out}", str(repository / "packaging" / "windows" / "pairlens.nsi"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert out.read_bytes().startswith(b"MZ")


def test_the_windows_uninstaller_removes_what_the_installer_wrote(repository: Path) -> None:
    text = (repository / "packaging" / "windows" / "pairlens.nsi").read_text(encoding="utf-8")
    installing, _, removing = text.partition('Section "Uninstall"')
    for kind in re.findall(r'!insertmacro OpenWith "(.+?)"', installing):
        assert f'DeleteRegKey HKCU "${{CLASSES}}\\{kind}\\shell\\PairLens"' in removing
    assert 'DeleteRegKey HKCU "${KEY}"' in removing
    assert "PairLens.lnk" in removing
    # A silent removal keeps the data, and none removes a folder that a person may have filled.
    assert "/SD IDYES" in removing
    assert 'RMDir /r "$INSTDIR"' not in removing
