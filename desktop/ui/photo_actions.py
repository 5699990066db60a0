"""What can be done with the photo that is seen large: it is opened, or shown in its folder."""

from __future__ import annotations

import json

import gradio as gr

from desktop.i18n import Translator
from desktop.opening import open_photo, show_in_folder
from desktop.ui import cards
from desktop.ui.bridge import DIRECT
from desktop.workbench import Workbench


class PhotoActions:
    """Has no look of its own: page.js asks here what a person asks of the large photo.

    Only photos of results can be named, by their keys.
    """

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        said = gr.HTML(elem_id="pl-photo-said", elem_classes="pl-hidden")
        asked = gr.Button("", elem_id="pl-photo-ask", elem_classes="pl-hidden")
        asked.click(
            lambda what: cards.told("photo", self._do(what)),
            gr.Textbox(visible=False), said, **DIRECT,
            js="() => [JSON.stringify(window.pairlens.asked)]",
        )  # fmt: skip

    def _do(self, asked: str) -> str:
        """Nothing, or what went wrong."""
        bench, what = self._bench, json.loads(asked)
        photo = bench.thumbnails.photo(what["photo"])
        if photo is None:  # the program was started anew beneath an old page
            return ""
        try:
            {"open": open_photo, "show": show_in_folder}[what["do"]](bench.moves.where(photo))
        except Exception as error:
            return cards.sentence_for(error, self._t, bench)
        return ""
