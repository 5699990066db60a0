from __future__ import annotations

import subprocess
import sys

import pytest


def imported_with(statement: str) -> set[str]:
    """Top-level modules in a fresh process after ``statement``."""
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["desktop.app", "desktop.cli"])
def test_starting_up_waits_for_no_heavy_library(module: str) -> None:
    modules = imported_with(f"import {module}")
    assert modules.isdisjoint({"torch", "gradio", "webview", "transformers", "onnxruntime"})


def test_the_page_and_its_server_need_no_torch() -> None:
    modules = imported_with(
        "from desktop import offline; offline.stay_offline();"
        "import desktop.ui, desktop.ui.theme, engine.matcher, engine.backends.onnx"
    )
    assert "gradio" in modules
    assert "torch" not in modules
