"""The Search view: photos of a folder found by words, and an honest word when nothing fits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from desktop.i18n import Translator
from desktop.jobs import Job, Work
from desktop.ui import cards
from desktop.ui.bridge import PICK_FOLDER, Changes
from desktop.workbench import Workbench
from engine.errors import CaptionEmpty, LibraryMissing, NoPhotos
from engine.index import Library
from engine.search import quoted, search
from engine.types import Cancelled, Progress, SearchHit, SearchResult

if TYPE_CHECKING:
    from engine.index import IndexReport

TOP = 40


class SearchView:
    """Laid out inside the current tab when it is made."""

    def __init__(self, page: gr.Blocks, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        with gr.Column(elem_classes="pl-card"):
            self._lay_out_inputs()
        self._status = gr.HTML(elem_id="search-status", elem_classes="pl-may-be-empty")
        self._gallery = gr.HTML(
            cards.empty(t("search.empty"), t("search.empty_hint")), elem_id="search-gallery"
        )
        self._wire(page)

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

    def _wire(self, page: gr.Blocks) -> None:
        shown = [self._status, self._gallery, self._stop, self._go, self._renew]
        gr.on(
            [self._go.click, self._query.submit], self._find, [self.folder, self._query], shown,
            show_progress="hidden",
        )  # fmt: skip
        self._renew.click(self._renew_index, self.folder, shown, show_progress="hidden")
        self._stop.click(self._cancel, queue=False, show_progress="hidden")
        self._pick.click(None, self.folder, self.folder, js=PICK_FOLDER)
        page.load(self._resume, None, shown, show_progress="hidden")

    def _find(self, typed: str, query: str) -> Iterator[Changes]:
        try:
            folder = cards.typed_folder(typed)
            if not query.strip():
                raise CaptionEmpty()
            try:
                yield self._found(folder, query)
            except LibraryMissing:
                yield from self._index(folder)
                report = self._bench.index_job and self._bench.index_job.result
                if report and not report.cancelled:
                    yield self._found(folder, query)
        except Exception as error:
            yield {self._status: self._sorry(error)}

    def _renew_index(self, typed: str) -> Iterator[Changes]:
        try:
            yield from self._index(cards.typed_folder(typed))
        except Exception as error:
            yield {self._status: self._sorry(error)}

    def _index(self, folder: Path) -> Iterator[Changes]:
        job = self._bench.jobs.submit(_work(self._bench, folder))
        self._bench.index_job = job
        yield from self._follow(job)

    def _follow(self, job: Job[IndexReport]) -> Iterator[Changes]:
        locked = gr.update(interactive=False)
        while not job.wait(0.25):
            yield {
                self._status: cards.progress(job.snapshot(), self._t),
                self._stop: gr.update(visible=True),
                self._go: locked,
                self._renew: locked,
            }
        try:
            said = _report(job.outcome(), self._t)
        except Exception as error:
            said = self._sorry(error)
        free = gr.update(interactive=True)
        yield {
            self._status: said,
            self._stop: gr.update(visible=False),
            self._go: free,
            self._renew: free,
        }

    def _resume(self) -> Iterator[Changes]:
        """After a reload of the page: go on showing the indexing that runs."""
        job = self._bench.index_job
        if job is None or job.finished:
            yield {self._status: gr.skip()}  # yielding nothing would empty all outputs
        else:
            yield from self._follow(job)

    def _found(self, folder: Path, query: str) -> Changes:
        matcher = self._bench.matcher.get()
        library = Library.find(folder)
        if library is None:
            raise LibraryMissing(path=folder, quoted=quoted(folder))
        with closing(library):
            result = search(matcher, library, folder, query.strip(), TOP)

        return {self._gallery: _gallery(result, self._bench, self._t)}

    def _cancel(self) -> None:
        if self._bench.index_job is not None:
            self._bench.index_job.cancel()

    def _sorry(self, error: Exception) -> str:
        return cards.notice(cards.sentence_for(error, self._t, self._bench))


def _work(bench: Workbench, folder: Path) -> Work[IndexReport]:
    def work(progress: Progress, cancelled: Cancelled) -> IndexReport:
        matcher = bench.matcher.get()
        with closing(Library.open_or_create(folder)) as library:
            report = library.index(folder, matcher, progress, cancelled)
        if report.total == 0:
            raise NoPhotos(path=folder)
        return report

    return work


def _report(report: IndexReport, t: Translator) -> str:
    said = t("search.cancelled") if report.cancelled else t("search.indexed")
    counts = [t("search.count_total", n=f"{report.total:,}")]
    if report.indexed or report.reused:
        counts.append(t("search.count_new", n=f"{report.indexed + report.reused:,}"))
    if report.removed:
        counts.append(t("search.count_removed", n=f"{report.removed:,}"))
    failures = "".join(
        f"<li>{escape(cards.failure_sentence(f.photo, f.code, f.fields, f.message, t))}</li>"
        for f in report.failures
    )
    listed = (
        f'<details class="pl-failures"><summary>'
        f"{escape(t('search.count_failed', n=len(report.failures)))}"
        f"</summary><ul>{failures}</ul></details>"
        if failures
        else ""
    )
    return f'<p class="pl-summary">{escape(said)} {escape(" · ".join(counts))}</p>{listed}'


def _gallery(result: SearchResult, bench: Workbench, t: Translator) -> str:
    honest = "" if result.confident else cards.notice(t("search.nothing_matches"))
    figures = "".join(_figure(hit, result, bench) for hit in result.results)
    return f'{honest}<div class="pl-gallery">{figures}</div>{cards.note(t("match.meaning"))}'


def _figure(hit: SearchHit, result: SearchResult, bench: Workbench) -> str:
    threshold = bench.matcher.get().threshold
    match = hit.probability >= threshold
    return (
        f"<figure>{cards.thumbnail(hit.photo, bench, 'pl-large')}"
        f'<figcaption><span class="pl-name">{escape(hit.photo.name)}</span>'
        f'<span class="pl-score">{cards.bar(hit.probability, match)}</span></figcaption></figure>'
    )
