"""What PairLens is, and whose work it is made of; a section of the Settings view."""

from __future__ import annotations

import json
from html import escape

import gradio as gr

from desktop import releases
from desktop.i18n import Translator
from desktop.licences import program_licence, shipped_licences
from desktop.ui import cards, model_card
from desktop.ui.bridge import DIRECT, Changes
from desktop.workbench import Workbench
from engine import __version__

PROGRAM, PACK = "program", "pack"
PACK_LICENCE = "LICENSE"


class AboutSection:
    """Laid out where it is made.

    Attributes:
        model: says which model is in use, and what for; ``look`` fills it.
    """

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        self._where = releases.address()
        private = t("about.private_long")
        if self._where is not None:
            private += " " + t("about.private_but", button=t("about.newer"))
        with gr.Column(elem_classes="pl-card", elem_id="about"):
            gr.HTML(
                f"<h2>PairLens {escape(__version__)}</h2>"
                f'<p class="pl-para">{escape(t("about.what"))}</p>'
                f'<p class="pl-para">{escape(private)}</p>'
                f'<p class="pl-para">{escape(t("about.program_licence"))} '
                f"{self._link(PROGRAM, t('about.show_text'))}</p>"
            )
            self.model = gr.HTML(elem_id="about-model")
            self._lay_out_newer()
            with gr.Accordion(
                t("about.others"), open=False, elem_id="about-licences", elem_classes="pl-fold"
            ) as fold:
                others = gr.HTML(elem_id="about-others")
            text = gr.HTML(elem_id="about-text", elem_classes="pl-may-be-empty")
            ask = gr.Button("", elem_id="about-ask", elem_classes="pl-hidden")
            carrier = gr.Textbox(visible=False)
        fold.expand(self._listed, None, others, **DIRECT)
        ask.click(
            self._text, carrier, text, **DIRECT, js="() => [JSON.stringify(window.pairlens.asked)]"
        )

    def _lay_out_newer(self) -> None:
        """What asks for a new version: nobody is asked before a person clicks and agrees."""
        t, where = self._t, self._where
        if where is None:
            gr.HTML(cards.note(t("about.newer_unknown")), elem_id="about-newer")
            return
        host = releases.host_of(where)
        link = cards.ask(
            "newer", t("about.newer"), to="about-newer-ask",
            question=t("about.newer_question", host=host), deed=t("about.newer_now", host=host),
        )  # fmt: skip
        gr.HTML(f'<p class="pl-para">{link}</p>', elem_id="about-newer")
        said = gr.HTML(elem_id="about-newer-said", elem_classes="pl-may-be-empty")
        ask = gr.Button("", elem_id="about-newer-ask", elem_classes="pl-hidden")
        asking = cards.note(t("about.newer_asking", host=host))
        ask.click(lambda: asking, None, said, **DIRECT).then(
            lambda: self._newest(where), None, said, **DIRECT
        )

    def _newest(self, where: str) -> str:
        t, host = self._t, releases.host_of(where)
        try:
            found = releases.newest(where)
        except releases.NotAnsweredError as error:
            return cards.notice(t("about.newer_failed", host=host, reason=error))
        if not found.is_newer:
            return cards.note(t("about.newer_no", version=__version__))
        words, page = escape(t("about.newer_yes", version=found.version)), escape(found.page)
        # In the window it is the system's browser that opens it.
        link = f'<a href="{page}" target="_blank" rel="noopener noreferrer">{page}</a>'
        return f'<p class="pl-para" role="status">{words} {link}</p>'

    def look(self) -> Changes:
        """The model in use and its terms."""
        t = self._t
        try:
            manifest = self._bench.matcher.get().pack.manifest
        except Exception:  # the page's head says what is wrong with it
            return {self.model: ""}
        said = t(
            "about.model_terms", name=manifest.name, version=manifest.version,
            terms=model_card.terms(manifest, t),
        )  # fmt: skip
        return {
            self.model: f'<p class="pl-para">{escape(said)} '
            f"{self._link(PACK, t('about.show_text'))}</p>"
        }

    def _link(self, what: str, words: str) -> str:
        return cards.ask(what, words, to="about-ask")

    def _listed(self) -> str:
        rows = "".join(
            f"<li><strong>{escape(one.name)}</strong> <span>{escape(one.version)} · "
            f"{escape(one.licence)}</span> "
            + (cards.ask("other", self._t("about.show_text"), to="about-ask", name=one.name)
               if one.text else "")
            + "</li>"
            for one in shipped_licences()
        )  # fmt: skip
        return f'<ul class="pl-libraries">{rows}</ul>'

    def _text(self, asked: str) -> str:
        what = json.loads(asked)
        if what["do"] == PROGRAM:
            title, text = "PairLens", program_licence()
        elif what["do"] == PACK:
            title, text = self._pack_licence()
        else:
            title = what["name"]
            text = next((one.text for one in shipped_licences() if one.name == title), "")
        said = escape(text.strip() or self._t("about.no_text"))
        return (
            f'<h3>{escape(title)}</h3><pre class="pl-text" tabindex="0" role="region" '
            f'aria-label="{escape(title)}">{said}</pre>'
        )

    def _pack_licence(self) -> tuple[str, str]:
        try:
            pack = self._bench.matcher.get().pack
            text = (pack.folder / PACK_LICENCE).read_text(encoding="utf-8", errors="replace")
        except Exception:
            return self._t("about.pack"), ""
        return pack.manifest.name, f"{pack.manifest.notice}\n\n{text}"
