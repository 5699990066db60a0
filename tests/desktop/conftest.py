from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.fixtures.browser import open_page
from tests.fixtures.program import Served, served


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real server with a fake matcher, shared by the tests of a module."""
    with served(tmp_path_factory.mktemp("shared-home")) as running:
        yield running


@pytest.fixture
def page(browser: Browser, program: Served) -> Iterator[Page]:
    """A fresh visitor of the program."""
    opened = open_page(browser, program)
    yield opened
    opened.context.close()
