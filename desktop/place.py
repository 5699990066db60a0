"""Where the window was, so that it opens there again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

# Of the window's upper edge so much has to be on a screen, for a hand to move it by.
GRIP = (120, 24)


@dataclass(frozen=True, slots=True)
class Place:
    """A window's upper left corner and size, in pixels as the system counts them.

    Attributes:
        maximised: whether it filled its screen; the rest is then what it goes back to.
    """

    x: int
    y: int
    width: int
    height: int
    maximised: bool = False


class Screen(NamedTuple):
    """A screen in the same pixels."""

    x: int
    y: int
    width: int
    height: int


def read_place(found: object) -> Place | None:
    """A place from its JSON; None for anything else."""
    if not isinstance(found, dict):
        return None
    numbers: list[Any] = [found.get(name) for name in ("x", "y", "width", "height")]
    if not all(type(number) is int and abs(number) < 1_000_000 for number in numbers):
        return None
    x, y, width, height = numbers
    return Place(x, y, width, height, found.get("maximised") is True)


def is_on(place: Place, screens: Iterable[Screen]) -> bool:
    """Whether one of the screens shows enough of the window's upper edge."""
    width, height = GRIP
    for screen in screens:
        left, right = max(place.x, screen.x), min(place.x + place.width, screen.x + screen.width)
        below = screen.y + screen.height - place.y
        if right - left >= width and place.y >= screen.y and below >= height:
            return True
    return False
