"""Whether a pack's files hold what names and manifest promise, before any of them is used."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.architecture import Expected
from engine.onnx_file import read_signature
from engine.safetensors_file import read_shapes

# The most bytes of a file by its ending: what ONNX allows, what ZIP allows, and twice what the
# largest tokenizers take. The others are read by people.
_LARGEST = {".onnx": (1 << 31) - 1, ".safetensors": (1 << 32) - 1, ".json": 64 << 20}
_LARGEST_TEXT = 4 << 20


def largest(name: str) -> int:
    """The most bytes that a pack's file of this name may have."""
    return _LARGEST.get(Path(name).suffix, _LARGEST_TEXT)


def check_content(folder: Path, names: Iterable[str], wanted: Expected) -> None:
    """Read of each file what tells whether it may be used.

    Raises:
        OSError: one can't be read.
        ValueError: one is not what it has to be; the message names it.
    """
    for name in names:
        try:
            _check(folder / name, wanted)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error


def _check(path: Path, wanted: Expected) -> None:
    if path.stat().st_size > largest(path.name):
        raise ValueError(f"it is larger than {largest(path.name)} bytes")
    if path.suffix == ".onnx":
        _check_graph(path, wanted)
    elif path.suffix == ".safetensors":
        found = read_shapes(path)
        if found != wanted.weights:
            odd = min(found.items() ^ wanted.weights.items())[0]
            raise ValueError(f"its tensor {odd[:60]!r} is not what the manifest's sizes make it")
    elif path.suffix == ".json":
        with path.open("rb") as file:
            if not file.read(64).lstrip().startswith(b"{"):
                raise ValueError("it holds no JSON object")
    else:
        text = path.read_bytes().decode("utf-8")
        if "\0" in text:
            raise ValueError("it is no text")


def _check_graph(path: Path, wanted: Expected) -> None:
    signature = wanted.graphs.get(path.name.partition(".")[0])
    if signature is None:
        raise ValueError("this kind of model has no such graph")
    if (found := read_signature(path)) != signature:
        raise ValueError(f"it takes and gives {found}, and should {signature}")
