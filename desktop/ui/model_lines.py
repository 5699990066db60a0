"""What the page says of the model that answers: at its head what is wrong, at its foot its name."""

from __future__ import annotations

from html import escape

import gradio as gr

from desktop.i18n import Translator
from desktop.ui import cards, model_card
from desktop.ui.bridge import Changes
from desktop.workbench import Workbench


class ModelLines:
    """The head is laid out where this is made; waits for the model.

    Attributes:
        foot: to be rendered below the views.
    """

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        problem, about = self._now()
        self._problem = gr.HTML(problem, elem_id="pl-problem", elem_classes="pl-may-be-empty")
        self.foot = gr.HTML(about, render=False)
        self.shown = [self._problem, self.foot]

    def look(self) -> Changes:
        """The same of the model that answers now."""
        problem, about = self._now()
        return {self._problem: problem, self.foot: about}

    def _now(self) -> tuple[str, str]:
        t = self._t
        private = escape(t("about.private"))
        try:
            manifest = self._bench.matcher.get().pack.manifest
        except Exception as error:
            return (
                cards.notice(cards.sentence_for(error, t, self._bench)),
                f'<p class="pl-about">{private}</p>',
            )
        model = t("about.model", name=manifest.name, version=manifest.version)
        licence = model_card.terms(manifest, t)
        return "", (
            f'<p class="pl-about"><span>{escape(model)}</span>'
            f'<span title="{escape(manifest.notice)}">{escape(licence)}</span>'
            f"<span>{private}</span></p>"
        )
