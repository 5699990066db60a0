from __future__ import annotations

from pathlib import Path

import pytest

from desktop.opening import command, open_photo, show_in_folder
from engine.errors import PhotoMissing, PhotoNotShown
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.viewer import stand_in


def test_each_system_is_asked_in_its_own_way(tmp_path: Path) -> None:
    photo = tmp_path / "a, b.jpg"
    assert command(photo, system="linux") == ["xdg-open", str(photo)]
    assert command(photo, in_folder=True, system="linux") == ["xdg-open", str(tmp_path)]
    assert command(photo, system="darwin") == ["open", str(photo)]
    assert command(photo, in_folder=True, system="darwin") == ["open", "-R", str(photo)]
    assert command(photo, system="win32") == f'explorer.exe "{photo}"'
    assert command(photo, in_folder=True, system="win32") == f'explorer.exe /select,"{photo}"'


def test_a_photo_and_its_folder_are_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = stand_in(tmp_path, monkeypatch)
    photo = coloured_photo(tmp_path / "照片 1.png", "red")
    open_photo(photo)
    show_in_folder(photo)
    assert told.read_text().splitlines() == [str(photo), str(tmp_path)]


def test_what_cannot_be_shown_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = coloured_photo(tmp_path / "a.png", "red")
    stand_in(tmp_path, monkeypatch, ends_with=3)
    with pytest.raises(PhotoNotShown, match="xdg-open: 3"):
        open_photo(photo)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(PhotoNotShown, match="No such file"):
        show_in_folder(photo)
    with pytest.raises(PhotoMissing):
        open_photo(tmp_path / "gone.png")


def test_a_picture_that_is_named_like_a_program_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = stand_in(tmp_path, monkeypatch)
    odd = coloured_photo(tmp_path / "a.png", "red").rename(tmp_path / "a.desktop")
    with pytest.raises(PhotoNotShown):
        open_photo(odd)
    show_in_folder(odd)
    assert told.read_text().splitlines() == [str(tmp_path)]
