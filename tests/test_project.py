from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import engine
from engine.doctor import packages_needed

NEVER_AT_RUN_TIME = ("torch", "transformers", "optimum", "onnx", "sklearn")


def modules_after(statement: str) -> set[str]:
    """Top-level modules that a fresh process holds after `statement`."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_the_changelogs_newest_release_is_the_programs_version(repository: Path) -> None:
    text = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", text, re.MULTILINE)
    assert releases
    assert releases[0] == engine.__version__
    assert len(set(releases)) == len(releases)


def test_the_version_stands_in_one_place(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "engine/__init__.py"


def test_every_named_dependency_is_pinned_to_a_version_it_allows(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = [
        Requirement(line)
        for line in [*project["dependencies"], *(r for e in extras.values() for r in e)]
    ]
    pins = {}
    for line in (repository / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            pins[canonicalize_name(name)] = version
    for requirement in named:
        version = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} is pinned to {version}"
    assert pins["torch"] == "2.13.0"


def test_the_doctor_looks_for_every_package_that_the_program_needs(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [Requirement(line) for line in project["dependencies"]]
    named = {one.name for one in needed if one.marker is None or one.marker.evaluate()}
    assert named <= packages_needed().keys()


def test_the_base_installation_names_nothing_that_brings_torch(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    assert base.isdisjoint({"torch", "transformers", "optimum", "optimum-onnx", "onnx"})


def test_the_import_contracts_hold(repository: Path) -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(command), "--no-cache"],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_importing_the_program_leaves_torch_out() -> None:
    assert modules_after("import desktop.app").isdisjoint(NEVER_AT_RUN_TIME)


@pytest.mark.parametrize("module", ["engine.cli", "engine.matcher", "engine.doctor"])
def test_importing_the_engine_leaves_torch_and_the_window_out(module: str) -> None:
    loaded = modules_after(f"import {module}")
    assert loaded.isdisjoint({*NEVER_AT_RUN_TIME, "gradio", "webview", "desktop", "fastapi"})


def test_the_words_of_make_are_all_listed_by_make_help(repository: Path) -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory"],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
    words = re.findall(r"^  make ([\w-]+)", listed, re.MULTILINE)
    assert set(words) == {
        "help", "run", "test", "lint", "types", "bench", "train", "freeze", "package",
        "test-package",
    }  # fmt: skip


def test_the_packaging_folder_does_not_shadow_the_library_of_that_name(repository: Path) -> None:
    assert not (repository / "packaging" / "__init__.py").exists()
    assert Requirement.__module__ == "packaging.requirements"
