from __future__ import annotations

import pytest

from desktop.place import Place, Screen, is_on

SCREENS = [Screen(0, 0, 1280, 900), Screen(1280, -200, 1920, 1080)]


@pytest.mark.parametrize(
    ("x", "y", "there"),
    [
        (0, 0, True),
        (-600, 100, True),  # its right part can be seen
        (-790, 100, False),
        (2000, -150, True),  # on the second screen
        (2000, -250, False),  # its upper edge is above it
        (100, 890, False),  # only a few lines of it can be seen
        (3100, 0, False),
        (9000, 9000, False),
    ],
)
def test_a_window_is_on_a_screen_if_it_can_be_moved_by_its_upper_edge(
    x: int, y: int, there: bool
) -> None:
    assert is_on(Place(x, y, 800, 600), SCREENS) is there
