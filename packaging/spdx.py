"""Whether a licence, named as SPDX does, lets us pass a part on."""

from __future__ import annotations

import re

from licence_tables import ALLOWED, ALLOWED_EXCEPTIONS


class LicenceError(Exception):
    """A part can't be shipped; the message says which, and why."""


def allowed(expression: str) -> bool:
    """Whether an SPDX expression lets us pass a part on: of OR one side, of AND both.

    Raises:
        LicenceError: it is no SPDX expression.
    """
    words = re.findall(r"\(|\)|[A-Za-z0-9.+:\-]+|\S", expression)
    answer = _any_of(words)
    if words:
        raise LicenceError(f"{expression!r} is no SPDX expression")
    return answer


def _any_of(words: list[str]) -> bool:
    answer = _all_of(words)
    while words and words[0] == "OR":
        words.pop(0)
        answer = _all_of(words) or answer
    return answer


def _all_of(words: list[str]) -> bool:
    answer = _one(words)
    while words and words[0] == "AND":
        words.pop(0)
        answer = _one(words) and answer
    return answer


def _one(words: list[str]) -> bool:
    if not words or not re.match(r"[A-Za-z0-9(]", words[0]) or words[0] in ("AND", "OR", "WITH"):
        raise LicenceError("an SPDX expression ends too early")
    word = words.pop(0)
    if word == "(":
        answer = _any_of(words)
        if not words or words.pop(0) != ")":
            raise LicenceError("a bracket of an SPDX expression is not closed")
        return answer
    if words and words[0] == "WITH":
        words.pop(0)
        return bool(words) and words.pop(0) in ALLOWED_EXCEPTIONS
    return word in ALLOWED
