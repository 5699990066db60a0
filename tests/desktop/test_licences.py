from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop import licences
from desktop.licences import Licence, program_licence, shipped_licences
from engine.doctor import packages_needed


@pytest.fixture
def resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands where the resources of a packaged program are."""
    monkeypatch.setattr(licences.paths, "resources_dir", lambda: tmp_path)
    return tmp_path


def test_from_source_every_package_needed_is_named_with_its_licence() -> None:
    found = {one.name.lower().replace("_", "-"): one for one in shipped_licences()}
    assert {name.lower().replace("_", "-") for name in packages_needed()} <= found.keys()
    assert all(one.licence and one.version for one in found.values())
    assert found["pillow"].licence == "MIT-CMU"
    assert "Permission" in found["pillow"].text


def test_a_packaged_program_names_what_was_packaged(resources: Path) -> None:
    entries = [
        {"name": "zlib", "version": "1.3", "licence": "Zlib", "text": "as is"},
        {"name": "Brotli", "version": "1.2", "licence": "MIT", "text": ""},
    ]
    (resources / licences.SHIPPED).write_text(json.dumps(entries), encoding="utf-8")
    assert shipped_licences() == [
        Licence("Brotli", "1.2", "MIT", ""),
        Licence("zlib", "1.3", "Zlib", "as is"),
    ]


@pytest.mark.parametrize("content", ["", "[{}]", "7", '[{"name": "x"}]'])
def test_a_damaged_list_is_passed_over(resources: Path, content: str) -> None:
    (resources / licences.SHIPPED).write_text(content, encoding="utf-8")
    assert {one.name for one in shipped_licences()} >= {"gradio"}


def test_the_programs_own_licence_is_at_hand() -> None:
    assert "Apache License" in program_licence()
