"""Every text a person reads in the window, in the person's language."""

from __future__ import annotations

import json
import locale
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import PairLensError

FALLBACK = "en"

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Translator:
    """Looks texts up by key in one language; what is missing there is taken from English."""

    language: str
    texts: Texts
    fallback: Texts

    def __call__(self, key: str, **fields: object) -> str:
        """The text of ``key`` with its placeholders filled in; KeyError for an unknown key."""
        text = self.texts.get(key)
        if text is None:
            text = self.fallback[key]
        return text.format(**fields)

    def error(self, error: PairLensError) -> str:
        """An engine error as a sentence in this language."""
        return self.failure(error.code, error.fields, str(error))

    def failure(self, code: str, fields: Mapping[str, object], message: str) -> str:
        """As ``error``, from a failure's parts; ``message`` where no sentence is known."""
        key = f"error.{code}"
        if key not in self.fallback:
            return message
        return self(key, **fields)


def load_translators(folder: Path) -> dict[str, Translator]:
    """One translator for each ``<language>.json`` in ``folder``, English first.

    Raises:
        FileNotFoundError: ``folder`` has no en.json.
    """
    fallback: Texts = json.loads((folder / f"{FALLBACK}.json").read_text(encoding="utf-8"))
    translators = {FALLBACK: Translator(FALLBACK, fallback, fallback)}
    for path in sorted(folder.glob("*.json")):
        if path.stem != FALLBACK:
            texts: Texts = json.loads(path.read_text(encoding="utf-8"))
            translators[path.stem] = Translator(path.stem, texts, fallback)
    return translators


def pick_language(wanted: str | None, available: list[str]) -> str:
    """The available language nearest to ``wanted`` ("zh_CN.UTF-8", "zh-TW", "de"), else English.

    The same language of another country is nearer than English.
    """
    if not wanted:
        return FALLBACK
    tag = wanted.split(".")[0].split("@")[0].replace("_", "-")
    for name in available:
        if name.lower() == tag.lower():
            return name
    family = tag.split("-")[0].lower()
    for name in available:
        if name.split("-")[0].lower() == family:
            return name
    return FALLBACK


def system_language(environment: Mapping[str, str] = os.environ) -> str | None:
    """The language the person uses their computer in, as the system names it."""
    if sys.platform == "win32":
        import ctypes

        return locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage())
    # gettext's order: LANGUAGE may hold a list, the others a single locale.
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name)
        if value:
            return value.split(":")[0]
    return locale.getlocale()[0]
