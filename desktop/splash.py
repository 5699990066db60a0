"""What the window shows until the page is ready, or instead of it when it can't be."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from string import Template
from types import MappingProxyType

from desktop.i18n import Translator
from desktop.settings import Theme

# Where the page is dark, as a style sheet asks for it.
DARK = MappingProxyType(
    {
        Theme.SYSTEM: "(prefers-color-scheme: dark)",
        Theme.LIGHT: "not all",
        Theme.DARK: "all",
    }
)


def splash(t: Translator, logo: str, theme: Theme, failure: str | None = None) -> str:
    """The page; with a failure, a sentence on that and a way to try again."""
    page = Template((Path(__file__).parent / "splash.html").read_text(encoding="utf-8"))
    return page.substitute(
        language=t.language,
        dark=DARK[theme],
        state="failed" if failure else "",
        logo=logo,
        sentence=escape(failure or t("splash.loading")),
        again=escape(t("splash.again")),
    )


def saying(sentence: str) -> str:
    """A script that lets the splash say something else."""
    # By now the page may be there instead.
    change = f"document.querySelector('p').textContent = {json.dumps(sentence)}"
    return f"if (!window.pairlens) {change}"
