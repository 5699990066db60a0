from __future__ import annotations

from pathlib import Path

import pytest

from desktop.i18n import load_translators
from desktop.window import has_display, sort_out, splash
from engine.paths import resources_dir


def test_a_dropped_folder_is_a_folder_even_among_photos(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"x")
    folder = tmp_path / "holiday"
    folder.mkdir()
    assert sort_out([str(photo), str(folder)]) == {"folder": str(folder)}


def test_dropped_photos_are_photos_and_what_is_gone_is_left_out(tmp_path: Path) -> None:
    photo = tmp_path / "日落 %20.jpg"
    photo.write_bytes(b"x")
    assert sort_out([str(photo), str(tmp_path / "gone.jpg")]) == {"photos": [str(photo)]}
    assert sort_out([str(tmp_path / "gone.jpg")]) is None
    assert sort_out([]) is None


@pytest.mark.parametrize(
    ("environment", "there"),
    [
        ({}, False),
        ({"DISPLAY": ""}, False),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "w"}, True),
    ],
)
def test_a_display_is_what_the_environment_names(
    environment: dict[str, str], there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert has_display(environment) is there


def test_the_splash_says_what_went_wrong_in_the_language() -> None:
    t = load_translators(resources_dir() / "locales")["zh-CN"]
    waiting = splash(t, "<svg></svg>")
    assert "正在准备" in waiting
    assert 'lang="zh-CN"' in waiting
    failed = splash(t, "<svg></svg>", "no <luck>")
    assert "no &lt;luck&gt;" in failed
    assert '<body class="failed">' in failed
