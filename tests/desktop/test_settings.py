from __future__ import annotations

from pathlib import Path

import pytest

from desktop.settings import Choices, Settings


def test_a_chosen_language_is_there_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = folder / "settings.json"
    Settings(path).choose_language("zh-CN")
    assert Settings(path).choices == Choices(language="zh-CN")
    assert list(folder.iterdir()) == [path]


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert Settings(tmp_path / "settings.json").choices == Choices()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"language": 7}', b"\xff\xfe", b"null"])
def test_a_damaged_file_means_the_defaults(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    assert Settings(path).choices == Choices()


def test_a_place_that_cannot_be_written_to_keeps_the_choice_for_now(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "missing" / "settings.json")
    settings.choose_language("en")
    assert settings.choices.language == "en"
