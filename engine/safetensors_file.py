"""What a safetensors file holds, from its header alone: nothing is allocated for the weights."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

_MOST_HEADER = 8 << 20
_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "I64": 8, "U64": 8, "F64": 8,
}  # fmt: skip

Shapes = dict[str, tuple[int, ...]]


def read_shapes(path: Path) -> Shapes:
    """The shape of every tensor by its name.

    Raises:
        OSError: the file can't be read.
        ValueError: it is no safetensors file, or its header does not describe all of it exactly:
            every byte belongs to one tensor, whose shape and type make up its length.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(_MOST_HEADER, size - 8):
            raise ValueError(f"its header claims {length} bytes")
        header = _header(file.read(length))
    spans, shapes = [], {}
    for name, entry in header.items():
        shapes[name], span = _tensor(name, entry)
        spans.append(span)
    end = 0
    for first, beyond in sorted(spans):
        if first != end:
            raise ValueError("its tensors overlap or leave gaps")
        end = beyond
    if end != size - 8 - length:
        raise ValueError("its tensors don't make up the file")
    return shapes


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_without_repeats)
    except RecursionError:
        raise ValueError("its header is nested too deeply") from None
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    about = header.pop("__metadata__", {})
    if not isinstance(about, dict) or not all(isinstance(text, str) for text in about.values()):
        raise ValueError("its metadata is no list of texts")
    return header


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("its header names something twice")
    return made


def _tensor(name: str, entry: object) -> tuple[tuple[int, ...], tuple[int, int]]:
    if not isinstance(entry, Mapping):
        raise ValueError(f"{name[:60]!r} is not described")
    kind, shape, span = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(kind, str) or kind not in _BYTES:
        raise ValueError(f"{name[:60]!r} is of another type")
    if not _are_sizes(shape) or not _are_sizes(span) or len(span) != 2:
        raise ValueError(f"{name[:60]!r} has no right shape or place")
    first, beyond = span
    if beyond - first != math.prod(shape) * _BYTES[kind]:
        raise ValueError(f"{name[:60]!r} is not as long as its shape and type say")
    return tuple(shape), (first, beyond)


def _are_sizes(values: object) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(
        type(value) is int and 0 <= value < 1 << 48 for value in values
    )
