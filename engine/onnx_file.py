"""What an ONNX file asks for, read without running it and without the package `onnx`.

ONNX Runtime would read weights from any file beside a graph, and run operators of libraries that
somebody registered. A model pack may want neither, so its graphs are read here first, field by
field as `onnx.proto` numbers them. Whatever two readers could take differently is refused, so that
what is found here is what ONNX Runtime will see.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Graphs within graphs, and fields in all: far above what real models have.
_DEEPEST = 16
_MOST_FIELDS = 2_000_000
_OWN_OPERATORS = ("", "ai.onnx")  # the standard's own domain has two spellings
_TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 5: "int16", 6: "int32", 7: "int64", 9: "bool",
    10: "float16", 11: "float64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output of a graph.

    Attributes:
        kind: "float32", "int64", "bool" and so on.
        shape: its sizes; None where the graph takes any.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"{self.name[:60]!r} {self.kind}[{sizes}]"


@dataclass(frozen=True, slots=True)
class Signature:
    """What goes into a graph and what comes out, each in the order of the file."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{'; '.join(map(str, self.inputs))} -> {'; '.join(map(str, self.outputs))}"


def read_signature(path: Path) -> Signature:
    """What a graph takes and gives.

    Raises:
        OSError: the file can't be read.
        ValueError: it is no ONNX file, or wants something that no model pack may: weights in other
            files, operators that are not the standard's, functions of its own, sparse weights, or
            weights larger than the file.
    """
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise ValueError("the file is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            reader = _Reader(content)
            return reader.model()


# A field: its number, and a number or the part of the file (first, beyond) that it holds.
_Part = tuple[int, int]
_Field = tuple[int, int | _Part]


class _Reader:
    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._left = _MOST_FIELDS

    def model(self) -> Signature:
        graphs = []
        for number, value in self._fields((0, len(self._content))):
            if number == 7:
                graphs.append(_part(value))
            elif number == 20:
                raise ValueError("it holds instructions for training")
            elif number == 25:
                raise ValueError("it holds functions of its own")
        if len(graphs) != 1:
            raise ValueError("it is no ONNX file with one graph")
        return self._graph(graphs[0], 0)

    def _graph(self, part: _Part, depth: int) -> Signature:
        if depth > _DEEPEST:
            raise ValueError("its graphs are nested too deeply")
        constants: set[str] = set()
        inputs, outputs = [], []
        for number, value in self._fields(part):
            if number == 1:
                self._node(_part(value), depth)
            elif number == 5:
                constants.add(self._tensor(_part(value)))
            elif number == 11:
                inputs.append(self._value(_part(value)))
            elif number == 12:
                outputs.append(self._value(_part(value)))
            elif number == 15:
                raise ValueError("it holds sparse weights")
        asked = tuple(value for value in inputs if value.name not in constants)
        return Signature(asked, tuple(outputs))

    def _node(self, part: _Part, depth: int) -> None:
        for number, value in self._fields(part):
            if number == 7 and (domain := self._text(value)) not in _OWN_OPERATORS:
                raise ValueError(f"it asks for operators of {domain[:60]!r}")
            if number == 5:
                self._attribute(_part(value), depth)

    def _attribute(self, part: _Part, depth: int) -> None:
        for number, value in self._fields(part):
            if number in (5, 10):
                self._tensor(_part(value))
            elif number in (6, 11):
                self._graph(_part(value), depth + 1)
            elif number in (22, 23):
                raise ValueError("it holds sparse weights")

    def _tensor(self, part: _Part) -> str:
        """Check weights; their name."""
        name, sizes = "", []
        for number, value in self._fields(part):
            if number == 8:
                name = self._text(value)
            elif number == 1:
                # One number a field, or all of them packed in one.
                sizes += [value] if isinstance(value, int) else list(self._numbers(value))
            elif number == 13 or (number == 14 and value != 0):
                raise ValueError("its weights are in another file")
        # The smallest kinds of numbers take a quarter of a byte.
        if math.prod(sizes) > 8 * len(self._content):
            raise ValueError(f"its weights {name[:60]!r} claim to be larger than the file")
        return name

    def _value(self, part: _Part) -> Value:
        name = self._only(part, 1)
        tensor = _part(self._only(_part(self._only(part, 2)), 1))
        kind = self._only(tensor, 1)
        if not isinstance(kind, int):
            raise ValueError("a type is no number")
        sizes = [
            self._size(_part(value))
            for number, value in self._fields(_part(self._only(tensor, 2)))
            if number == 1
        ]
        return Value(self._text(name), _TYPES.get(kind, f"type {kind}"), tuple(sizes))

    def _size(self, part: _Part) -> int | None:
        found = [(number, value) for number, value in self._fields(part) if number in (1, 2)]
        if len(found) > 1:
            raise ValueError("a size is given twice")
        if found and found[0][0] == 1:
            size = found[0][1]
            if not isinstance(size, int) or size >= 1 << 63:
                raise ValueError("a size is no number")
            return size
        return None

    def _only(self, part: _Part, wanted: int) -> int | _Part:
        found = [value for number, value in self._fields(part) if number == wanted]
        if len(found) != 1:
            raise ValueError("an input or output is not described, or twice")
        return found[0]

    def _text(self, value: int | _Part) -> str:
        first, beyond = _part(value)
        return self._content[first:beyond].decode("utf-8")

    def _numbers(self, part: _Part) -> Iterator[int]:
        place, beyond = part
        while place < beyond:
            number, place = self._number(place, beyond)
            yield number

    def _fields(self, part: _Part) -> Iterator[_Field]:
        place, beyond = part
        while place < beyond:
            self._left -= 1
            if self._left < 0:
                raise ValueError("it has too many parts")
            tag, place = self._number(place, beyond)
            number, wire = tag >> 3, tag & 7
            if not 0 < number < 1 << 29:
                raise ValueError("it is no ONNX file")
            if wire == 0:
                value, place = self._number(place, beyond)
                yield number, value
                continue
            if wire == 2:
                length, place = self._number(place, beyond)
            elif wire in (1, 5):
                length = 8 if wire == 1 else 4
            else:
                raise ValueError("it is no ONNX file")
            if length > beyond - place:
                raise ValueError("it ends too soon")
            yield number, (place, place + length)
            place += length

    def _number(self, place: int, beyond: int) -> tuple[int, int]:
        number = 0
        for shift in range(0, 70, 7):
            if place >= beyond:
                raise ValueError("it ends too soon")
            byte = self._content[place]
            place += 1
            number |= (byte & 127) << shift
            if byte < 128:
                if number >= 1 << 64:
                    break
                return number, place
        raise ValueError("it is no ONNX file")


def _part(value: int | _Part) -> _Part:
    if isinstance(value, int):
        raise ValueError("it is no ONNX file")
    return value
