"""What every test stands on: folders of its own, and the rule about skipped tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.fixtures.browser import CHROMIUM, chromium

pytest_plugins = ("pytester", "tests.skip_rule")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def pairlens_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data, cache and logs of this test alone; inherited by the processes it starts."""
    home = tmp_path / "pairlens-home"
    home.mkdir()
    monkeypatch.setenv("PAIRLENS_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's root folder."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The training and test photos, which are kept beside the project and not in it."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared photos are not beside this checkout")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for the tests of a module: what drives it keeps an event loop running."""
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed")
    with chromium() as running:
        yield running
