"""What macOS is told about the program."""

from __future__ import annotations

import plistlib
from pathlib import Path

import macos_files
from PIL import Image

from engine import __version__
from engine.decode import PHOTO_SUFFIXES


def test_the_macos_program_opens_every_kind_of_photo_and_folders() -> None:
    information = plistlib.loads(plistlib.dumps(macos_files.information(__version__)))
    assert information["CFBundleShortVersionString"] == __version__
    photos, folders = information["CFBundleDocumentTypes"]
    assert {f".{one}" for one in photos["CFBundleTypeExtensions"]} == PHOTO_SUFFIXES
    assert folders["LSItemContentTypes"] == ["public.folder"]


def test_the_macos_icon_is_made_of_the_largest_picture(tmp_path: Path, repository: Path) -> None:
    made = macos_files.write_icon(repository / "resources" / "icons", tmp_path / "pairlens.icns")
    with Image.open(made) as image:
        assert max(image.info["sizes"])[0] >= 512
