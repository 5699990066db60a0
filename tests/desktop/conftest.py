from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.program import Served, served


@pytest.fixture(scope="module")
def fake_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real server with a fake matcher, shared by the tests of a module."""
    with served(tmp_path_factory.mktemp("shared-home")) as running:
        yield running
