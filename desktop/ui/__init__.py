"""The page: a header, a view for each tab, and one quiet line about the model."""

from __future__ import annotations

from html import escape

import gradio as gr

from desktop.i18n import Translator
from desktop.ui.arrival import Arrivals
from desktop.ui.batch import BatchView
from desktop.ui.bridge import DIRECT
from desktop.ui.history import HistoryView
from desktop.ui.icons import icon
from desktop.ui.match import MatchView
from desktop.ui.model_lines import ModelLines
from desktop.ui.models import ModelsView
from desktop.ui.photo_actions import PhotoActions
from desktop.ui.search import SearchView
from desktop.ui.settings import SettingsView
from desktop.ui.theme import read_logo
from desktop.ui.welcome import Welcome
from desktop.ui.why import WhyDialog
from desktop.workbench import Workbench


def build_page(bench: Workbench, language: str) -> gr.Blocks:
    """The whole page in one language; waits for the model, which the page names."""
    t = bench.translators[language]
    page = gr.Blocks(title="PairLens", analytics_enabled=False, fill_width=True)
    with page:
        gr.HTML(_header(t), elem_id="pl-header")
        lines = ModelLines(bench, t)
        arrivals = Arrivals(bench, t)
        with gr.Column(elem_id="view-match", elem_classes="pl-view"):
            welcome = Welcome(bench, t)
            matching = MatchView(bench, t)
            welcome.wire(matching)
        with gr.Column(elem_id="view-batch", elem_classes="pl-view"):
            batching = BatchView(bench, t)
        with gr.Column(elem_id="view-search", elem_classes="pl-view"):
            searching = SearchView(bench, t)
        with gr.Column(elem_id="view-history", elem_classes="pl-view"):
            HistoryView(bench, t)
        with gr.Column(elem_id="view-models", elem_classes="pl-view"):
            models = ModelsView(bench, t, lines)
        with gr.Column(elem_id="view-settings", elem_classes="pl-view"):
            SettingsView(bench, t)
        WhyDialog(bench, t)
        PhotoActions(bench, t)
        lines.foot.render()  # type: ignore[no-untyped-call]  # Gradio's
        arrivals.wire(matching, batching, searching, models)
        # After a reload, or in another language: go on showing what runs or ran last.
        page.load(
            lambda: {**batching.resume(), **searching.resume()}, None,
            [*batching.resumed, *searching.shown], **DIRECT,
        ).then(
            None, None, None, js="() => window.pairlens.resumed()"
        )  # fmt: skip
        # Each by itself: the journal may have to wait for a drive. Views that are not named here
        # look when they come on show.
        for part in (arrivals, welcome, batching.acting, searching.acting, models):
            page.load(part.look, None, part.shown, **DIRECT)
    return page


def _header(t: Translator) -> str:
    """The name, and the tabs beside it.

    Gradio 6.17's own tabs measure themselves in an endless loop: a tenth of a core, for ever.
    """
    names = (
        ("match", t("match.title")),
        ("batch", t("batch.title")),
        ("search", t("search.title")),
        ("history", t("history.title")),
        ("models", t("models.title")),
        ("settings", t("settings.title")),
    )
    tabs = "".join(
        f'<button type="button" role="tab" id="tab-{name}" data-view="{name}" '
        f'aria-controls="view-{name}" aria-selected="false" tabindex="-1">{icon(name)}'
        f"<span>{escape(title)}</span></button>"
        for name, title in names
    )
    return (
        f'<header class="pl-head"><div class="pl-brand">{read_logo()}<div><h1>PairLens</h1>'
        f"<p>{escape(t('app.tagline'))}</p></div></div>"
        f'<div id="pl-tabs" role="tablist" aria-label="{escape(t("app.views"))}">{tabs}</div>'
        "</header>"
    )
