"""The workflows that build on machines we don't have: what can be said of them without one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml


def workflow(repository: Path, name: str) -> dict[Any, Any]:
    path = repository / ".github" / "workflows" / f"{name}.yml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["test", "release"])
def test_actions_are_pinned_and_may_only_read_unless_a_job_says_so(
    repository: Path, name: str
) -> None:
    found = workflow(repository, name)
    assert found["permissions"] == {"contents": "read"}
    steps = [step for job in found["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one) for one in used)
    # What a person can name, such as a tag, never becomes part of a command.
    assert not any("${{" in step.get("run", "") for step in steps)


def test_the_three_systems_are_tested_and_built(repository: Path) -> None:
    systems = workflow(repository, "test")["jobs"]["test"]["strategy"]["matrix"]["os"]
    assert {one.partition("-")[0] for one in systems} == {"ubuntu", "macos", "windows"}
    built = workflow(repository, "release")["jobs"]["build"]["strategy"]["matrix"]["include"]
    assert {one["system"] for one in built} == {"linux", "windows", "macos"}


def test_a_release_is_made_by_a_tag_with_sums_and_provenance(repository: Path) -> None:
    found = workflow(repository, "release")
    # YAML takes the word "on" for true.
    assert found[True] == {"push": {"tags": ["v*"]}}
    job = found["jobs"]["release"]
    assert job["permissions"] == {
        "contents": "write", "id-token": "write", "attestations": "write",
    }  # fmt: skip
    text = str(job["steps"])
    for part in ("sha256sum", "attest-build-provenance", "gh release create"):
        assert part in text
