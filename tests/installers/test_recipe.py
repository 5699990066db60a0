"""PyInstaller's recipe, run with classes that only note what they are given."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import contents
import pytest


def run(repository: Path, work: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> Any:
    """What the recipe asked for: the arguments of Analysis and COLLECT by name."""
    asked = SimpleNamespace()

    def analysis(scripts: list[str], **given: Any) -> SimpleNamespace:
        asked.analysis = given
        datas = [
            (str(Path(folder) / Path(source).name), source, "DATA")
            for source, folder in given["datas"]
            if Path(source).is_file()
        ]
        return SimpleNamespace(scripts=[], pure=[], binaries=[], datas=datas)

    def collect(*given: Any, **named: Any) -> None:
        asked.files = {name: source for entries in given[1:] for name, source, _ in entries}
        asked.name = named["name"]

    monkeypatch.setattr(sys, "argv", ["pyinstaller", *options])
    recipe = repository / "packaging" / "pairlens.spec"
    names = {
        "SPECPATH": str(recipe.parent), "workpath": str(work), "Analysis": analysis,
        "PYZ": lambda pure: None, "EXE": lambda *given, **named: None, "COLLECT": collect,
        "BUNDLE": lambda *given, **named: None,
    }  # fmt: skip
    exec(compile(recipe.read_text(encoding="utf-8"), recipe, "exec"), names)
    return asked


@pytest.fixture(scope="module")
def ordinary(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield run(repository, tmp_path_factory.mktemp("work"), monkeypatch)


def test_what_is_looked_up_by_name_is_named(ordinary: Any) -> None:
    assert {"lap._lapjv_rh", *contents.HIDDEN_ON[sys.platform]} <= {
        *ordinary.analysis["hiddenimports"]
    }


def test_what_is_read_at_run_time_comes_along(ordinary: Any, repository: Path) -> None:
    files = ordinary.files
    for path in (
        "desktop/splash.html", "desktop/ui/page.css", "desktop/ui/page.js", "LICENSE",
        "gradio/templates/frontend/index.html", "gradio_client/types.json",
        "groovy/version.txt", "safehttpx/version.txt",
        "resources/models/default/image.int8.onnx", "resources/locales/zh-CN.json",
    ):  # fmt: skip
        assert path in files, path


def test_of_gradios_page_only_two_plots_that_nothing_else_asks_for_go(ordinary: Any) -> None:
    files = ordinary.files
    source = Path(files["gradio/templates/frontend/index.html"]).parent
    chunks = {path.name: path for path in (source / "assets").rglob("*") if path.is_file()}
    left_out = chunks.keys() - {Path(name).name for name in files if "frontend/assets/" in name}
    assert {name.partition("-")[0] for name in left_out} == {"PlotlyPlot", "AltairPlot"}
    asking = {
        path.name.partition("-")[0]
        for path in (*chunks.values(), source / "index.html")
        if path.suffix in (".js", ".html") and path.name not in left_out
        for name in left_out
        if name in path.read_text(encoding="utf-8")
    }
    # It asks when it has one to show: with import(), which nothing but that plot waits for.
    assert asking == {"Plot"}
    (plot,) = (path for name, path in chunks.items() if name.startswith("Plot-"))
    text = plot.read_text(encoding="utf-8")
    assert all(f'import("./{name}")' in text for name in left_out)
    assert not any(f'{word}"./{name}"' in text for name in left_out for word in ("from", "import"))


def test_what_nothing_loads_stays_out(ordinary: Any) -> None:
    files = ordinary.files
    assert not any(name.endswith((".pyi", ".safetensors")) for name in files)
    assert not any("static/ffmpeg" in name or "templates/node" in name for name in files)
    assert {"torch", "engine.training", "engine.nn"} <= {*ordinary.analysis["excludes"]}


def test_the_report_of_licences_comes_along(ordinary: Any) -> None:
    listed = Path(ordinary.files["resources/licences.json"])
    names = {part["name"] for part in json.loads(listed.read_text(encoding="utf-8"))}
    assert {"gradio", "Python", "Fonts of KaTeX"} <= names
    assert "resources/THIRD-PARTY.txt" in ordinary.files


def test_the_edition_for_nvidia_cards_holds_torch_and_weights(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = run(repository, tmp_path, monkeypatch, "--cuda")
    assert asked.name == "pairlens-cuda"
    assert {"torch", "engine.backends.torch"} <= {*asked.analysis["hiddenimports"]}
    assert "torch" not in asked.analysis["excludes"]
    assert "engine.training" in asked.analysis["excludes"]
    assert "resources/models/default/weights.safetensors" in asked.files


@pytest.mark.parametrize(
    "name",
    [
        "pillow.libs/libavif-8a7f9d56.so.16.4.2",
        "PySide6/Qt/lib/libQt6WebEngineCore.so.6",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt/translations/qtwebengine_locales/zh-CN.pak",
        "gradio/templates/frontend/assets/Index-B_dIVkq3.js",
        "onnxruntime/capi/onnxruntime_pybind11_state.cpython-311-x86_64-linux-gnu.so",
    ],
)
def test_what_looks_unused_and_is_not_stays(name: str) -> None:
    entry = (name, f"/home/ann/venv/{name}", "BINARY")
    assert contents.used([entry]) == [entry]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("libstdc++.so.6", False), ("libX11-xcb.so.1", False), ("libxcb-randr.so.0", False),
        ("libxcb-cursor.so.0", True), ("libssl.so.3", True), ("libpython3.11.so.1.0", True),
    ],
)  # fmt: skip
def test_of_the_systems_libraries_only_those_of_python_and_the_rare_ones_come_along(
    name: str, kept: bool
) -> None:
    entry = (name, f"/usr/lib/x86_64-linux-gnu/{name}", "BINARY")
    assert bool(contents.used([entry])) is kept


def test_a_link_to_what_is_left_out_is_left_out_too() -> None:
    link = ("libQt6Pdf.so.6", "PySide6/Qt/lib/libQt6Pdf.so.6", "SYMLINK")
    assert contents.used([link]) == []
