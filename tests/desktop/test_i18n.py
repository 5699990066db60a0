from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import desktop
from desktop.i18n import load_translators, pick_language, system_language
from engine import errors, report_html
from engine.errors import FolderMissing, PairLensError
from engine.paths import resources_dir
from engine.results import BATCH_COLUMNS, REFUSALS, VERIFY_COLUMNS

LOCALES = resources_dir() / "locales"
AVAILABLE = ["en", "zh-CN"]


def texts(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((LOCALES / f"{language}.json").read_text(encoding="utf-8"))
    return found


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def error_classes(base: type[PairLensError] = PairLensError) -> Iterator[type[PairLensError]]:
    yield base
    for kind in base.__subclasses__():
        yield from error_classes(kind)


def strings_in_use() -> set[str]:
    """Of the desktop program, and of the page of results, which takes its words from there too."""
    found = set()
    for path in [*Path(desktop.__file__).parent.rglob("*.py"), Path(report_html.__file__)]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def keys_of_the_results_page() -> set[str]:
    """What its script asks for, and the heads and verdicts that it puts together."""
    script = (resources_dir() / "report" / "report.js").read_text(encoding="utf-8")
    asked = {name for name in re.findall(r'say\("(\w+)"', script) if not name.endswith("_")}
    heads = {*BATCH_COLUMNS, *VERIFY_COLUMNS} - {"match", "error"}
    verdicts = {"match", "not assigned", "error", *REFUSALS.values()}
    return (
        {"report.legend"}
        | {f"report.{name}" for name in asked}
        | {f"report.head_{name}" for name in heads}
        | {f"report.mean_{name}" for name in report_html.EXPLAINED}
        | {f"report.verdict_{name.replace(' ', '_')}" for name in verdicts}
    )


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    english, chinese = texts("en"), texts("zh-CN")
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert placeholders(text) == placeholders(chinese[key]), key
        assert text.strip(), key
        assert chinese[key].strip(), key


@pytest.mark.parametrize("language", AVAILABLE)
def test_no_key_has_two_sentences(language: str) -> None:
    text = (LOCALES / f"{language}.json").read_text(encoding="utf-8")
    keys = [key for key, _ in json.loads(text, object_pairs_hook=list)]
    assert len(keys) == len(set(keys))


def test_every_engine_error_has_a_sentence_with_fields_the_error_has() -> None:
    for kind in error_classes():
        if "template" in vars(kind):
            sentence = texts("en")[f"error.{kind.code}"]
            assert placeholders(sentence) == placeholders(kind.template), kind


def test_every_key_in_use_exists_and_none_is_left_over() -> None:
    keys = set(texts("en"))
    used = strings_in_use() | keys_of_the_results_page()
    codes = {f"error.{kind.code}" for kind in error_classes() if "template" in vars(kind)}
    assert keys - used == codes
    families = {key.split(".")[0] for key in keys}
    looks_like_a_key = {
        text
        for text in used
        if re.fullmatch(r"[a-z]+\.[a-z_]+", text) and text.split(".")[0] in families
    } - {"splash.html", "settings.json"}
    assert looks_like_a_key <= keys


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("zh_CN.UTF-8", "zh-CN"),
        ("zh-CN", "zh-CN"),
        ("zh_TW", "zh-CN"),
        ("en_GB.UTF-8", "en"),
        ("de_DE@euro", "en"),
        ("C.UTF-8", "en"),
        ("POSIX", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_nearest_language_is_picked(wanted: str | None, got: str) -> None:
    assert pick_language(wanted, AVAILABLE) == got


def test_the_systems_language_is_read_in_gettexts_order() -> None:
    assert system_language({"LANG": "de_DE", "LC_ALL": "zh_CN.UTF-8"}) == "zh_CN.UTF-8"
    assert system_language({"LANG": "de_DE", "LANGUAGE": "zh_CN:en"}) == "zh_CN"


def test_an_error_is_said_in_the_language() -> None:
    translators = load_translators(LOCALES)
    error = FolderMissing(path="/gone")
    assert translators["en"].error(error) == str(error)
    assert "没有这个文件夹" in translators["zh-CN"].error(error)


def test_an_unknown_error_keeps_its_own_words() -> None:
    class Odd(errors.PhotoError):
        code = "odd"
        template = "{path} is odd."

    said = load_translators(LOCALES)["zh-CN"].error(Odd(path="a.jpg"))
    assert said == "a.jpg is odd."
    assert list(load_translators(LOCALES)) == AVAILABLE
