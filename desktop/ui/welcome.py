"""What a person sees who has never done anything here: what there is to do, and where to begin."""

from __future__ import annotations

from html import escape

import gradio as gr

from desktop.i18n import Translator
from desktop.ui.bridge import DIRECT, Changes
from desktop.ui.icons import icon
from desktop.ui.match import MatchView
from desktop.workbench import Workbench
from engine.action_journal import Journal
from engine.actions import list_actions
from engine.cards import cards as library_cards
from engine.samples import sample_photos


class Welcome:
    """Laid out above the view that it fills with the samples; ``wire`` once that is there.

    Attributes:
        shown: all that ``look`` changes.
    """

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        # On show while there is something in it, see page.css: what begins invisible does not
        # always come up in Gradio 6.17.
        with gr.Column(elem_id="welcome", elem_classes="pl-card"):
            self._said = gr.HTML(elem_id="welcome-said")
            with gr.Row(elem_classes="pl-line pl-start"):
                self._samples = gr.Button(
                    t("welcome.samples"), variant="primary", scale=0, min_width=170,
                    elem_id="welcome-samples",
                )  # fmt: skip
                self._folder = gr.Button(
                    t("folder.pick"), scale=0, min_width=170, elem_id="welcome-folder"
                )
                self._away = gr.Button(
                    t("welcome.away"), scale=0, min_width=110, elem_id="welcome-away"
                )
        self.shown = [self._said]

    def wire(self, matching: MatchView) -> None:
        """Let its buttons work, once the views are laid out."""
        captions = self._t("samples.captions").splitlines()
        self._samples.click(
            lambda: {**self._put_away(), **matching.show(sample_photos(), captions)},
            None, [self._said, *matching.shown], **{**DIRECT, "show_progress": "minimal"},
        )  # fmt: skip
        self._folder.click(
            self._put_away, None, [self._said], **DIRECT, js="() => { window.pairlens.begin(); }"
        )
        # Pressed by the script, too, when something else is begun.
        self._away.click(self._put_away, None, [self._said], **DIRECT)

    def look(self) -> Changes:
        """Offer the first steps, if none was taken yet."""
        return {self._said: "" if self._is_known() else self._first_steps()}

    def _is_known(self) -> bool:
        if self._bench.settings.choices.greeted or library_cards():
            return True
        try:
            with Journal() as journal:
                return bool(list_actions(journal))
        except Exception:  # History says what is wrong with it
            return True

    def _put_away(self) -> Changes:
        self._bench.settings.choose(greeted=True)
        return {self._said: ""}

    def _first_steps(self) -> str:
        t = self._t
        steps = "".join(
            f"<li>{icon(view)}<div><strong>{escape(t(title))}</strong> "
            f"{escape(t(words))}</div></li>"
            for view, title, words in (
                ("match", "match.title", "welcome.match"),
                ("batch", "batch.title", "welcome.batch"),
                ("search", "search.title", "welcome.search"),
            )
        )
        return (
            f'<h2>{escape(t("welcome.title"))}</h2><ul class="pl-first">{steps}</ul>'
            f'<p class="pl-note">{icon("private")} {escape(t("about.private"))}</p>'
        )
