"""What the views share of Gradio's and the native window's ways."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr

from desktop.i18n import Translator

# What an event gives back: component -> its new value or gr.update(...).
Changes = dict[Any, Any]

# Every event of the page goes by a plain request. Gradio 6.17's queue answers through a stream that
# it closes when nothing is pending; an event that begins at that moment is lost, and its button is
# dead until the page is reloaded (seen in 4 of 25 tries). Long work is a job that a timer asks.
DIRECT: dict[str, Any] = {
    "queue": False,
    "show_progress": "hidden",
    "api_visibility": "undocumented",
}

# Seconds between two looks at a job.
LOOK_EVERY = 0.4

# Script of a button that fills a box with the folder chosen in the window's dialog.
PICK_FOLDER = "async (now) => (await window.pywebview.api.pick_folder()) || now"


def sweep(uploads: Path) -> None:
    """Remove the empty files that Gradio 6.17 makes for each upload that it hands over."""
    for left in uploads.glob("tmp*"):
        with suppress(OSError):
            if left.is_file() and left.stat().st_size == 0:
                left.unlink()


def folder_box(
    t: Translator, label: str, name: str, scale: int = 6, value: str = "", hint: str = ""
) -> gr.Textbox:
    """A box for a folder in a row, and beside it the window's button that fills it."""
    box = gr.Textbox(
        value=value, label=label, placeholder=hint or t("folder.hint"), max_lines=1, scale=scale,
        elem_id=name,
    )  # fmt: skip
    pick = gr.Button(
        t("folder.pick"), scale=0, min_width=160, elem_id=f"{name}-pick",
        elem_classes="pl-in-window",
    )  # fmt: skip
    pick.click(None, box, box, js=PICK_FOLDER)
    return box
