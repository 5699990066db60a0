from __future__ import annotations

import pytest

from desktop.display import has_display
from desktop.i18n import load_translators
from desktop.splash import splash
from engine.paths import resources_dir


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
