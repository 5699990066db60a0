"""`manifest.json` as plain values, from a stranger: how large, how deep, and of which types."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

LARGEST = 1 << 20
_DEEPEST = 20
_LONGEST_TEXT = 2000
_LONGEST_NAME = 100
# What a pack may name. Nothing that can hold a program: no pickle, no library, no script.
KINDS_OF_FILES = (".onnx", ".safetensors", ".json", ".txt", ".md")
TEXTS_WITHOUT_ENDING = ("LICENSE", "NOTICE")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,98}")
# Windows takes these for devices, whatever follows the first dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "name": str, "version": str, "kind": str, "licence": str, "notice": str, "languages": list,
    "architecture": str, "model": dict, "preprocessing": dict, "files": dict, "metrics": dict,
}  # fmt: skip


def parse(content: bytes) -> dict[str, Any]:
    """The manifest's values; ones that this version does not know are left alone.

    Raises ValueError when it is no JSON object, or one too large or nested too deeply.
    """
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST} bytes")
    try:
        values = json.loads(content.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(values, dict):
        raise ValueError("it holds no object")
    layer: list[Any] = [values]
    for _ in range(_DEEPEST):
        layer = [inner for outer in layer for inner in _within(outer)]
    if layer:
        raise ValueError("it is nested too deeply")
    return values


def _within(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def check_types(values: Mapping[str, Any]) -> None:
    """Raise ValueError or KeyError where a value that has to be there is not of its type."""
    for key, kind in _TYPES.items():
        if not isinstance(values[key], kind):
            raise ValueError(f"{key} is of the wrong type")
        # A terminal would obey what is no plain text.
        if kind is str and not (values[key].isprintable() and len(values[key]) <= _LONGEST_TEXT):
            raise ValueError(f"{key} is not one line of text")
    for key in ("name", "version", "architecture"):
        if not values[key].strip() or len(values[key]) > _LONGEST_NAME:
            raise ValueError(f"{key} is empty or too long")
    for language in values["languages"]:
        if not isinstance(language, str) or not language.isprintable() or len(language) > 20:
            raise ValueError("languages are no names of languages")
    for name, entry in values["files"].items():
        check_name(name)
        _check_entry(name, entry)
    if len({name.casefold() for name in values["files"]}) < len(values["files"]):
        raise ValueError("two files differ in capitals only")


def check_name(name: str) -> None:
    """Raise ValueError unless it is a plain name, on every system, of a kind a pack may hold."""
    if not _NAME.fullmatch(name) or _DEVICE.fullmatch(name) or name.endswith("."):
        raise ValueError(f"it names the file {name!r}")
    if not name.endswith(KINDS_OF_FILES) and name not in TEXTS_WITHOUT_ENDING:
        raise ValueError(f"a model pack can't hold {name!r}")
    if name.casefold() == "manifest.json":
        raise ValueError("it names itself among its files")


def _check_entry(name: str, entry: Any) -> None:
    if not isinstance(entry, dict):
        raise ValueError(f"{name} is not described")
    digest, size, optional = entry["sha256"], entry["size"], entry.get("optional", False)
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(f"{name} has no SHA-256")
    if type(size) is not int or size < 0 or not isinstance(optional, bool):
        raise ValueError(f"{name} has no right size")
