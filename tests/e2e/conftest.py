"""The real program with the model pack that is shipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.coloured import coloured_photo
from tests.fixtures.program import SERVE, Served, served


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("home"), SERVE) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "photos"
    coloured_photo(place / "red.png", "red")
    coloured_photo(place / "green.jpg", "green")
    return place
