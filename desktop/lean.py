"""What Gradio does at a start and this program has no use for, left out."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any


@contextlib.contextmanager
def without_stub_files() -> Iterator[None]:
    """Keep Gradio from writing .pyi files beside its sources, which is half of its import time.

    It looks each component's source up and skips those that have none, so none are found while
    this lasts.
    """
    real = inspect.getfile

    def getfile(thing: Any) -> str:
        if isinstance(thing, type) and thing.__module__.startswith("gradio."):
            raise OSError("no source wanted")
        return real(thing)

    inspect.getfile = getfile  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = real


@contextlib.contextmanager
def without_spare_servers() -> Iterator[None]:
    """Keep a page that is built in here from making two servers before that which it is put into.

    Only Gradio's queue would ask them anything, and no event goes through that.
    """
    import gradio.blocks

    blocks: Any = gradio.blocks
    real = blocks.App
    blocks.App = SimpleNamespace(create_app=lambda *_, **__: None)
    try:
        yield
    finally:
        blocks.App = real


def draw_no_plots() -> None:
    """Keep Gradio from importing matplotlib, where that is installed, at the first event."""
    from gradio import utils

    utils.MatplotlibBackendMananger = contextlib.nullcontext  # type: ignore[assignment,misc]
