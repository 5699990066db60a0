"""The Models view's section for models of other kinds, and the question before one is fetched."""

from __future__ import annotations

from html import escape

import gradio as gr

from desktop.i18n import Translator
from desktop.making import Question
from desktop.ui import cards
from desktop.ui.bridge import folder_box
from engine.converting import check_needed
from engine.errors import ModelNeedsSource, ModelNeedsTraining
from engine.hub import Offer, hub_host


class OtherModels:
    """Laid out where it is made, folded away.

    Attributes:
        typed: the folder or name, of which the two buttons mean one each.
        convert, ask: only ``ask``, whose words name the hub, lets another computer be asked.
        possible: whether there is a form: the installed program says what it would take instead.
    """

    def __init__(self, t: Translator) -> None:
        with gr.Accordion(
            t("models.other"), open=False, elem_id="models-other", elem_classes="pl-fold"
        ):
            reason = _what_is_missing(t)
            self.possible = not reason
            if reason:
                gr.HTML(cards.note(reason), elem_id="models-other-needs")
                return
            host = hub_host()
            gr.HTML(cards.note(t("models.other_hint", host=host)))
            with gr.Row(elem_classes="pl-line"):
                self.typed = folder_box(
                    t, t("models.other_box", host=host), "models-typed",
                    hint=t("models.other_box_hint"),
                )  # fmt: skip
            with gr.Row(elem_classes="pl-line"):
                self.convert = gr.Button(
                    t("models.convert"), size="sm", scale=0, min_width=230,
                    elem_id="models-convert",
                )  # fmt: skip
                self.ask = gr.Button(
                    t("models.ask_hub", host=host), size="sm", scale=0, min_width=270,
                    elem_id="models-ask-hub",
                )  # fmt: skip
            gr.HTML(cards.note(t("models.ask_hint", host=host)))


def asked(question: Question, t: Translator) -> str:
    """What would be fetched, from where and under which licence, with a yes and a no."""
    offer = question.offer
    said = t(
        "models.offer", name=offer.name, host=offer.host, size=f"{offer.size / 1e6:,.0f}",
        files=len(offer.files),
    )  # fmt: skip
    buttons = "".join(
        f'<button type="button" class="pl-button" {attributes}>{escape(t(words))}</button>'
        for words, attributes in (
            ("models.fetch", cards.asking("fetch", "models-ask", token=question.token)),
            ("models.fetch_not", cards.asking("leave", "models-ask")),
        )
    )
    label = escape(t("models.offer_question"))
    return (
        f'<div class="pl-choice" role="group" aria-label="{label}"><p role="status">'
        f"{escape(said)}<br>{escape(_licence(offer, t))}<br>{label}</p>"
        f'<div class="pl-row">{buttons}</div></div>'
    )


def _licence(offer: Offer, t: Translator) -> str:
    if offer.licence:
        return t("models.offer_licence", licence=offer.licence)
    return t("models.offer_no_licence")


def _what_is_missing(t: Translator) -> str:
    try:
        check_needed("PairLens")
    except ModelNeedsSource:
        return t("models.needs_source")
    except ModelNeedsTraining as error:
        return t.error(error)
    return ""
