from __future__ import annotations

from pathlib import Path

import pytest

from desktop.place import Place
from desktop.settings import Choices, Settings, Theme
from engine.types import DeviceChoice


def test_what_was_chosen_is_there_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = folder / "settings.json"
    Settings(path).choose(language="zh-CN", theme=Theme.DARK)
    Settings(path).choose(device=DeviceChoice.CPU, greeted=True)
    assert Settings(path).choices == Choices("zh-CN", Theme.DARK, DeviceChoice.CPU, greeted=True)
    assert list(folder.iterdir()) == [path]


def test_the_windows_place_and_the_folders_used_last_are_there_after_a_restart(
    tmp_path: Path,
) -> None:
    path = tmp_path / "settings.json"
    settings = Settings(path)
    settings.choose(window=Place(-1200, 30, 900, 700, maximised=True))
    settings.use_folder("batch", "/photos/日落")
    settings.use_folder("search", "holiday")
    assert Settings(path).choices == Choices(
        window=Place(-1200, 30, 900, 700, maximised=True),
        folders={"batch": "/photos/日落", "search": "holiday"},
    )


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert Settings(tmp_path / "settings.json").choices == Choices()


def test_a_file_of_an_older_program_is_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"language": "zh-CN"}\n', encoding="utf-8")
    assert Settings(path).choices == Choices(language="zh-CN")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b"\xff\xfe",
        b"null",
        b'{"language": 7, "window": {"x": 1}, "folders": ["a"]}',
        b'{"window": {"x": 0, "y": 0, "width": 1e99, "height": true}, "folders": {"batch": 1}}',
    ],
)
def test_a_damaged_file_means_the_defaults(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    assert Settings(path).choices == Choices()


def test_a_damaged_choice_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(
        '{"language": "en", "theme": ["dark"], "device": "abacus", "greeted": "yes"}',
        encoding="utf-8",
    )
    assert Settings(path).choices == Choices(language="en")


def test_a_place_that_cannot_be_written_to_keeps_the_choice_for_now(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "missing" / "settings.json")
    settings.choose(language="en")
    assert settings.choices.language == "en"
