"""What the views share of Gradio's and the native window's ways."""

from __future__ import annotations

from typing import Any

# What an event gives back: component -> its new value or gr.update(...).
Changes = dict[Any, Any]

# Script of a button that fills a box with the folder chosen in the window's dialog.
PICK_FOLDER = "async (now) => (await window.pywebview.api.pick_folder()) || now"
