from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser

from desktop.display import has_display
from desktop.i18n import load_translators
from desktop.settings import Theme
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
    waiting = splash(t, "<svg></svg>", Theme.SYSTEM)
    assert "正在准备" in waiting
    assert 'lang="zh-CN"' in waiting
    failed = splash(t, "<svg></svg>", Theme.SYSTEM, "no <luck>")
    assert "no &lt;luck&gt;" in failed
    assert '<body class="failed">' in failed


@pytest.mark.parametrize(
    ("theme", "system", "background"),
    [
        (Theme.SYSTEM, "light", "rgb(250, 249, 247)"),
        (Theme.SYSTEM, "dark", "rgb(22, 21, 19)"),
        (Theme.LIGHT, "dark", "rgb(250, 249, 247)"),
        (Theme.DARK, "light", "rgb(22, 21, 19)"),
    ],
)
def test_the_splash_is_light_or_dark_as_was_chosen(
    browser: Browser, theme: Theme, system: Literal["light", "dark"], background: str
) -> None:
    t = load_translators(resources_dir() / "locales")["en"]
    with browser.new_page(color_scheme=system) as page:
        page.set_content(splash(t, "<svg></svg>", theme))
        found = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert found == background
