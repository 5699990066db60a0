from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.caption_set import read_caption_set
from engine.matcher import Matcher, load_matcher

if TYPE_CHECKING:
    from tests.fixtures.tiny_pack import TinyPack


@pytest.fixture(scope="session")
def tiny_pack(tmp_path_factory: pytest.TempPathFactory) -> TinyPack:
    """A real model pack, made once. Read only: whoever changes it works on a copy."""
    # Here, because it takes torch and its kin, which few tests need, some seconds to load.
    from tests.fixtures.tiny_pack import make_tiny_pack

    return make_tiny_pack(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def matcher(tiny_pack: TinyPack) -> Matcher:
    """As the program runs it, int8."""
    return load_matcher(tiny_pack.folder)


@pytest.fixture(scope="session")
def exact_matcher(tiny_pack: TinyPack) -> Matcher:
    """The same model in fp32."""
    return tiny_pack.exact_matcher()


@pytest.fixture(scope="session")
def scenes(tiny_pack: TinyPack) -> list[Path]:
    """Ten different photos."""
    return read_caption_set(tiny_pack.data, "test", "en").photos
