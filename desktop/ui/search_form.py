"""What a person fills in for a search: where, and behind an accordion what else there is to choose.

Words and folder are all that most searches need; everything else stays out of sight.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import gradio as gr

from desktop.i18n import Translator
from desktop.ui import cards
from desktop.ui.bridge import folder_box
from desktop.workbench import Search
from engine.cards import card_named, card_of
from engine.errors import FolderMissing, QueryEmpty
from engine.query import Orientation, PhotoFilter, Query
from engine.search import narrowed

# Photos shown at first, and how many more each time.
TOP = 40


class MoreChoices:
    """Laid out where it is made; ``fields`` are the inputs of `read_search` after the first three.

    Attributes:
        upload: takes a photo to search with, in a browser.
        pick: opens the window's dialog for one.
    """

    def __init__(self, t: Translator) -> None:
        with gr.Accordion(
            t("search.more_choices"), open=False, elem_id="search-choices", elem_classes="pl-fold"
        ):
            with gr.Row(elem_classes="pl-choices"):
                with gr.Column(scale=1, min_width=240):
                    self.upload = gr.File(
                        label=t("search.photo"), file_count="single", height=96,
                        elem_id="search-upload", elem_classes="pl-drop pl-in-browser",
                    )  # fmt: skip
                    self.pick = gr.Button(
                        t("search.photo_pick"), elem_id="search-photo-pick",
                        elem_classes="pl-drop pl-in-window",
                    )  # fmt: skip
                self._avoid = gr.Textbox(
                    value="", label=t("search.avoid"), placeholder=t("search.avoid_hint"), lines=3,
                    max_lines=6, scale=1, min_width=240, elem_id="search-avoid",
                )  # fmt: skip
            with gr.Row(elem_classes="pl-line"):
                self._under = folder_box(t, t("search.under"), "search-under")
            with gr.Row(elem_classes="pl-line"):
                self._after = _day(t("search.after"), "search-after")
                self._until = _day(t("search.until"), "search-until")
                self._orientation = gr.Dropdown(
                    [
                        (t("search.any"), ""),
                        (t("search.landscape"), Orientation.LANDSCAPE.value),
                        (t("search.portrait"), Orientation.PORTRAIT.value),
                        (t("search.square"), Orientation.SQUARE.value),
                    ],
                    value="", label=t("search.orientation"), filterable=False, min_width=130,
                    elem_id="search-orientation",
                )  # fmt: skip
                self._width = _pixels(t("search.min_width"), "search-min-width")
                self._height = _pixels(t("search.min_height"), "search-min-height")
        self.fields: list[Any] = [
            self._avoid, self._under, self._after, self._until, self._orientation, self._width,
            self._height,
        ]  # fmt: skip


def _day(label: str, name: str) -> gr.DateTime:
    return gr.DateTime(label=label, include_time=False, type="string", min_width=150, elem_id=name)


def _pixels(label: str, name: str) -> gr.Number:
    return gr.Number(value=None, label=label, minimum=0, precision=0, min_width=120, elem_id=name)


def read_place(typed: str) -> tuple[Path | None, str | None]:
    """The folder that a person typed, or else the name of the library.

    Raises:
        FolderMissing: there is neither, not even a library with a folder that is offline now.
    """
    known = card_named(typed.strip())
    if known is not None:
        return None, known.name
    return _folder(typed), None


def _folder(typed: str) -> Path:
    try:
        return cards.typed_folder(typed)
    except FolderMissing:
        folder = cards.typed_path(typed)
        if typed.strip() and folder.is_absolute() and card_of(folder.resolve()) is not None:
            return folder
        raise


def read_search(
    where: str,
    words: str,
    photo: str | None,
    avoid: str,
    under: str,
    after: str | None,
    until: str | None,
    orientation: str,
    width: int | None,
    height: int | None,
) -> Search:
    """The search that was filled in.

    Raises:
        FolderMissing: the place, or the folder to search below, is not there.
        FolderOutside: the folder to search below is not in the place.
        QueryEmpty: there are neither words nor a photo.
    """
    folder, library = read_place(where)
    if not (words.strip() or photo):
        raise QueryEmpty()
    below = narrowed(folder, _folder(under) if under.strip() else None)
    only = PhotoFilter(
        after=date.fromisoformat(after) if after else None,
        # The page asks for the last day that counts, the engine for the first that does not.
        before=date.fromisoformat(until) + timedelta(days=1) if until else None,
        orientation=Orientation(orientation) if orientation else None,
        min_width=width or 0,
        min_height=height or 0,
    )
    query = Query(
        words=words.strip() or None,
        photo=Path(photo) if photo else None,
        avoid=tuple(line.strip() for line in avoid.splitlines() if line.strip()),
        folder=below,
        only=only,
    )
    return Search(where.strip(), folder, library, query, TOP)
