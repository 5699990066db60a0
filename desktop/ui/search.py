"""The Search view: photos of a folder found by words, and an honest word when nothing fits."""

from __future__ import annotations

from contextlib import closing
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from desktop.i18n import Translator
from desktop.jobs import Job, Work
from desktop.ui import cards
from desktop.ui.act import ActPanel, Result
from desktop.ui.bridge import DIRECT, LOOK_EVERY, PICK_FOLDER, Changes
from desktop.workbench import Workbench
from engine.errors import CaptionEmpty, LibraryMissing, NoPhotos
from engine.index import Library, index_folder
from engine.query import Query
from engine.search import quoted, search
from engine.types import BatchRow, Cancelled, Progress, SearchHit, SearchResult

if TYPE_CHECKING:
    from engine.indexing import IndexReport

TOP = 40


class SearchView:
    """Laid out inside the current tab when it is made."""

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        with gr.Column(elem_classes="pl-card"):
            self._lay_out_inputs()
        self._status = gr.HTML(elem_id="search-status", elem_classes="pl-may-be-empty")
        self.acting = ActPanel(bench, t, "search", self._to_act_on, by_caption=False)
        self._gallery = gr.HTML(
            cards.empty(t("search.empty"), t("search.empty_hint")), elem_id="search-gallery"
        )
        self._timer = gr.Timer(LOOK_EVERY, active=False)
        # The search (folder, words) that waits for its folder to be indexed.
        self._waiting = gr.State(None)
        self._wire()

    def _lay_out_inputs(self) -> None:
        t = self._t
        with gr.Row(elem_classes="pl-line"):
            self.folder = gr.Textbox(
                label=t("search.folder"), placeholder=t("folder.hint"), max_lines=1, scale=6,
                elem_id="search-folder",
            )  # fmt: skip
            self._pick = gr.Button(
                t("folder.pick"), scale=0, min_width=160, elem_id="search-pick",
                elem_classes="pl-in-window",
            )  # fmt: skip
            self._renew = gr.Button(
                t("search.renew"), scale=0, min_width=160, elem_id="search-renew"
            )
        with gr.Row(elem_classes="pl-line"):
            self._query = gr.Textbox(
                label=t("search.query"), placeholder=t("search.query_hint"), max_lines=1, scale=6,
                elem_id="search-query",
            )  # fmt: skip
            self._stop = gr.Button(
                t("job.cancel"), visible=False, scale=0, min_width=120, elem_id="search-cancel"
            )
            self._go = gr.Button(
                t("search.go"), variant="primary", scale=0, min_width=160, elem_id="search-go"
            )

    def _wire(self) -> None:
        self.shown = [
            self._status, self._gallery, self._stop, self._go, self._renew, self._timer,
            self._waiting,
        ]  # fmt: skip
        gr.on(
            [self._go.click, self._query.submit], self._find, [self.folder, self._query],
            self.shown, **DIRECT,
        )  # fmt: skip
        self.acting.forget_when(self._go.click, self._query.submit)
        self._renew.click(self._renew_index, self.folder, self.shown, **DIRECT)
        self._timer.tick(self._look, self._waiting, self.shown, **DIRECT)
        self._stop.click(self._cancel, **DIRECT)
        self._pick.click(None, self.folder, self.folder, js=PICK_FOLDER)

    def _find(self, typed: str, query: str) -> Changes:
        try:
            folder = cards.typed_folder(typed)
            if not query.strip():
                raise CaptionEmpty()
            try:
                return {self._status: "", **self._found(folder, query)}
            except LibraryMissing:
                return self._index(folder, query)
        except Exception as error:
            # What an earlier search found would look like an answer to this one.
            return {self._status: self._sorry(error), self._gallery: ""}

    def _renew_index(self, typed: str) -> Changes:
        try:
            return self._index(cards.typed_folder(typed), None)
        except Exception as error:
            return {self._status: self._sorry(error)}

    def _index(self, folder: Path, query: str | None) -> Changes:
        """Start to index; a query waits for the end of it."""
        self._bench.index_job = self._bench.jobs.submit(_work(self._bench, folder))
        waiting = None if query is None else (str(folder), query)
        return {self._waiting: waiting, **self._look(waiting)}

    def _look(self, waiting: tuple[str, str] | None) -> Changes:
        job = self._bench.index_job
        if job is None:
            return {self._timer: gr.update(active=False)}
        running = not job.finished
        return {
            self._timer: gr.update(active=running),
            self._stop: gr.update(visible=running),
            self._go: gr.update(interactive=not running),
            self._renew: gr.update(interactive=not running),
            **(
                {self._status: cards.progress(job.snapshot(), self._t)}
                if running
                else {self._waiting: None, **self._indexed(job, waiting)}
            ),
        }

    def _indexed(self, job: Job[IndexReport], waiting: tuple[str, str] | None) -> Changes:
        try:
            report = job.outcome()
            found = {}
            if waiting is not None and not report.cancelled:
                found = self._found(Path(waiting[0]), waiting[1])
        except Exception as error:
            return {self._status: self._sorry(error)}
        return {self._status: _report(report, self._t), **found}

    def resume(self) -> Changes:
        """After a reload of the page: go on showing the indexing that runs."""
        job = self._bench.index_job
        return {} if job is None or job.finished else self._look(None)

    def _found(self, folder: Path, query: str) -> Changes:
        matcher = self._bench.matcher.get()
        library = Library.find(folder)
        if library is None:
            raise LibraryMissing(path=folder, quoted=quoted(folder))
        with closing(library):
            result = search(matcher, library, Query(query.strip(), folder=folder), TOP)
        self._bench.found = folder, result.results or result.nearest
        return {self._gallery: _gallery(result, self._bench, self._t)}

    def _to_act_on(self) -> Result | None:
        if self._bench.found is None:
            return None
        folder, hits = self._bench.found
        return Result(folder, [BatchRow(hit.photo) for hit in hits])

    def _cancel(self) -> None:
        if self._bench.index_job is not None:
            self._bench.index_job.cancel()

    def _sorry(self, error: Exception) -> str:
        return cards.notice(cards.sentence_for(error, self._t, self._bench))


def _work(bench: Workbench, folder: Path) -> Work[IndexReport]:
    def work(progress: Progress, cancelled: Cancelled) -> IndexReport:
        report = index_folder(folder, bench.matcher.get(), progress, cancelled)
        if report.total == 0 and not report.offline:
            raise NoPhotos(path=folder)
        return report

    return work


def _report(report: IndexReport, t: Translator) -> str:
    said = t("search.cancelled") if report.cancelled else t("search.indexed")
    counts = [t("search.count_total", n=f"{report.total:,}")]
    if report.indexed or report.reused:
        counts.append(t("search.count_new", n=f"{report.indexed + report.reused:,}"))
    if report.offline:
        counts.append(t("search.count_offline", n=f"{report.offline:,}"))
    if report.removed:
        counts.append(t("search.count_removed", n=f"{report.removed:,}"))
    failures = "".join(f"<li>{escape(cards.failure_sentence(f, t))}</li>" for f in report.failures)
    listed = (
        f'<details class="pl-failures"><summary>'
        f"{escape(t('search.count_failed', n=len(report.failures)))}"
        f"</summary><ul>{failures}</ul></details>"
        if failures
        else ""
    )
    damage = cards.notice(t.error(report.damage)) if report.damage else ""
    summary = f'<p class="pl-summary">{escape(said)} {escape(" · ".join(counts))}</p>'
    return damage + summary + listed


def _gallery(result: SearchResult, bench: Workbench, t: Translator) -> str:
    honest = cards.notice(t("search.nothing_matches")) if result.nearest else ""
    waiting = cards.note(t("search.waiting", n=f"{result.waiting:,}")) if result.waiting else ""
    figures = "".join(_figure(hit, bench, t) for hit in result.results or result.nearest)
    return (
        f"{honest}{waiting}{cards.tick_bar(t) if figures else ''}"
        f'<div class="pl-gallery">{figures}</div>{cards.note(t("match.meaning"))}'
    )


def _figure(hit: SearchHit, bench: Workbench, t: Translator) -> str:
    score = ""
    if hit.probability is not None:  # a search by a photo alone has none
        score = cards.bar(hit.probability, hit.probability >= bench.matcher.get().threshold)
    offline = f" ({escape(t('search.offline'))})" if hit.offline else ""
    return (
        f"<figure>{cards.thumbnail(hit.photo, bench, 'pl-large')}{cards.tick(hit.photo, bench, t)}"
        f'<figcaption><span class="pl-name">{escape(hit.photo.name)}{offline}</span>'
        f'<span class="pl-score">{score}</span></figcaption></figure>'
    )
