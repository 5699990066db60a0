"""`pairlens models`, as a person types it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.pack import read_manifest
from engine.pack_listing import headline
from engine.paths import packs_dir, shipped_pack_dir
from tests.fixtures import photos as made
from tests.fixtures.packs import another_pack, packed
from tests.fixtures.tiny_pack import TinyPack

PROGRAM = [sys.executable, "-c", "import sys; from desktop.cli import main; sys.exit(main())"]


@pytest.fixture(scope="module")
def archive(tiny_pack: TinyPack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack called "Other 1.0" as a file."""
    folder = tmp_path_factory.mktemp("source")
    return packed(another_pack(tiny_pack.folder, folder / "pack"), folder / "other.pairlens")


@pytest.fixture
def brought(archive: Path) -> Path:
    """The pack, imported: its folder."""
    assert pairlens("models", "import", archive).returncode == 0
    (folder,) = [one for one in packs_dir().iterdir() if one.is_dir()]
    return folder


def pairlens(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", timeout=100, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def listed() -> list[dict[str, Any]]:
    found = pairlens("models", "list", "--json")
    assert found.returncode == 0
    answer: list[dict[str, Any]] = json.loads(found.stdout)
    return answer


def test_what_is_exported_can_be_imported_chosen_and_removed(
    archive: Path, brought: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.pairlens"
    assert pairlens("models", "export", "Other", out).returncode == 0
    assert out.read_bytes() == archive.read_bytes()
    again = pairlens("models", "import", out)
    assert (again.returncode, "is here already" in again.stderr) == (0, True)

    used = pairlens("models", "use", "Other")
    assert (used.returncode, "Other 1.0 is in use" in used.stderr) == (0, True)
    assert "Other 1.0 in" in pairlens("doctor").stdout

    removed = pairlens("models", "remove", "current")
    assert removed.returncode == 0
    assert "Other 1.0 is removed, which frees" in removed.stderr
    assert "from now on the default model pack is" in removed.stderr
    assert not brought.exists()


def test_the_list_has_the_documented_fields(brought: Path, repository: Path) -> None:
    default, other = listed()
    manifest = read_manifest(brought)
    assert other == {
        "name": "Other", "version": "1.0", "model_id": manifest.model_id, "kind": "both",
        "languages": ["en", "zh"], "licence": manifest.licence, "notice": manifest.notice,
        "where": str(brought), "bytes": sum(file.stat().st_size for file in brought.iterdir()),
        "in_use": False, "why": None, "calibrated": True, "looks_again": False,
        "metrics": other["metrics"],
    }  # fmt: skip
    assert (default["in_use"], default["why"]) == (True, "it is the default")
    assert 0.5 < default["metrics"]["en"]["auc"] < 1
    documented = (repository / "docs" / "models.md").read_text(encoding="utf-8")
    assert all(f"`{field}`" in documented for field in (*other, "error"))
    assert all(f"`{name}`" in documented for name in default["metrics"]["en"])
    words = pairlens("models", "list").stdout
    assert "* PairLens Small" in words
    assert "  Other 1.0: en, zh;" in words


def test_a_damaged_pack_is_listed_and_named_by_verify(brought: Path) -> None:
    (brought / "LICENSE").write_text("changed")
    found = pairlens("models", "verify")
    assert found.returncode == 1
    assert "ok   PairLens Small" in found.stdout
    assert "BAD  Other 1.0: " in found.stdout
    assert "LICENSE has the wrong" in found.stdout
    assert pairlens("models", "verify", "Other").returncode == 2
    assert pairlens("models", "verify", "default").returncode == 0
    (brought / "manifest.json").write_text("{")
    _, other = listed()
    assert (other["name"], "damaged" in other["error"]) == (brought.name, True)


def test_a_chosen_pack_that_is_gone_is_said_in_one_line_and_the_default_answers(
    brought: Path, tmp_path: Path
) -> None:
    (photo,) = made.folder_of(tmp_path / "photos", 1)
    assert pairlens("models", "use", "Other").returncode == 0
    shutil.rmtree(brought)

    found = pairlens("match", photo, "--caption", "a dog", "--json")

    assert found.returncode == 0
    assert json.loads(found.stdout)[0]["probability"] is not None
    (line,) = found.stderr.splitlines()
    assert str(brought) in line
    assert "the default one answers instead" in line


def test_a_pack_that_can_not_run_is_not_chosen(brought: Path) -> None:
    (brought / "image.int8.onnx").write_bytes(b"")
    found = pairlens("models", "use", "Other")
    assert (found.returncode, "damaged" in found.stderr) == (2, True)
    assert listed()[0]["in_use"]


def test_the_variable_is_said_to_go_before_a_choice(
    tiny_pack: TinyPack, brought: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRLENS_PACK", str(tiny_pack.folder))
    found = pairlens("models", "use", "Other")
    assert (found.returncode, "as long as PAIRLENS_PACK is set" in found.stderr) == (0, True)
    assert [pack["in_use"] for pack in listed()] == [False, False, True]
    assert "nothing was changed" in pairlens("models", "use", "current").stderr


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "holidays"
    folder.mkdir()
    found = pairlens("models", "import", folder)
    assert found.returncode == 2
    assert "holidays: this is neither a .pairlens file" in found.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["remove", "default"], "can be removed"),
        (["use", "nothing"], "no model pack called nothing"),
        (["export", "current", "pack.zip"], "ends in .pairlens"),
        (["verify", "nothing"], "models list"),
    ],
)
def test_what_can_not_be_done_is_said_and_nothing_is(words: list[str], said: str) -> None:
    found = pairlens("models", *words)
    assert (found.returncode, said in found.stderr) == (2, True)


def test_removing_a_pack_says_what_libraries_keep_of_it_until_they_are_indexed(
    brought: Path, tmp_path: Path
) -> None:
    made.folder_of(tmp_path / "photos", 3)
    assert pairlens("index", tmp_path / "photos").returncode == 0
    pairlens("models", "use", "Other")
    assert "3 photos indexed" in pairlens("index", tmp_path / "photos").stderr
    pairlens("models", "use", "default")
    # Switching back encodes nothing.
    assert "0 photos indexed, 3 unchanged" in pairlens("index", tmp_path / "photos").stderr

    removed = pairlens("models", "remove", "Other")

    assert "The library photos keeps 0.0 MB that it encoded" in removed.stderr
    assert 'pairlens index "photos"' in removed.stderr
    (library,) = json.loads(pairlens("libraries", "--json").stdout)
    assert len(library["models"]) == 2
    assert "3 unchanged" in pairlens("index", "photos").stderr
    (library,) = json.loads(pairlens("libraries", "--json").stdout)
    assert [model["id"] for model in library["models"]] == [
        read_manifest(shipped_pack_dir()).model_id
    ]


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"test": 3},
        {"test": {"languages": []}},
        {"test": {"languages": {"en": None, "zh": {"pairs": {"auc": "high"}}}}},
        {"test": {"languages": {"en": {"pairs": {"auc": float("nan"), "accuracy": 1e9}}}}},
    ],
)
def test_metrics_of_another_make_are_left_out(metrics: dict[str, Any]) -> None:
    assert headline(metrics) == {}
