"""What the views share of Gradio's and the native window's ways."""

from __future__ import annotations

from typing import Any

# What an event gives back: component -> its new value or gr.update(...).
Changes = dict[Any, Any]

# Every event of the page goes by a plain request. Gradio 6.17's queue answers through a stream that
# it closes when nothing is pending; an event that begins at that moment is lost, and its button is
# dead until the page is reloaded (seen in 4 of 25 tries). Long work is a job that a timer asks.
DIRECT: dict[str, Any] = {"queue": False, "show_progress": "hidden"}

# Seconds between two looks at a job.
LOOK_EVERY = 0.4

# Script of a button that fills a box with the folder chosen in the window's dialog.
PICK_FOLDER = "async (now) => (await window.pywebview.api.pick_folder()) || now"
