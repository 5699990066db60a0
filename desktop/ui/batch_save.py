"""Saving a batch's results: as a table, as JSON, or as one page."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from html import escape
from pathlib import Path

import gradio as gr

from desktop.i18n import Translator
from desktop.jobs import Job, Work
from desktop.moves import Moves
from desktop.ui import cards
from desktop.ui.bridge import DIRECT, LOOK_EVERY, Changes
from desktop.workbench import BatchResults, Saved, Workbench
from engine.errors import PairLensError
from engine.export import check_results, write_results
from engine.report_html import LARGE, expected_size
from engine.results import Row, Summary, begins
from engine.types import Cancelled, Progress

# Rows between two reports of progress.
ROWS_AT_ONCE = 50
# Asks for a place in the window's dialog; a browser has none and gets a download.
CHOOSE = "async () => window.pywebview ? await window.pywebview.api.choose_output('{name}') : ''"


class SaveRow:
    """A row of buttons and a line beneath; laid out where it is made."""

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        with gr.Row(elem_classes="pl-actions pl-save"):
            word = t("batch.save")
            meaning = cards.hint(word, t("batch.save_hint"))
            gr.HTML(f'<span class="pl-quiet">{escape(word)}</span>{meaning}', min_width=60)
            self._buttons = {
                "csv": self._button("batch.save_csv", "batch-save-csv"),
                "html": self._button("batch.save_html", "batch-save-html"),
                "json": self._button("batch.save_json", "batch-save-json"),
            }
            self._stop = gr.Button(
                t("job.cancel"), size="sm", visible=False, elem_id="batch-save-cancel", scale=0,
                min_width=100,
            )  # fmt: skip
        self._large = gr.HTML(elem_id="batch-large", elem_classes="pl-may-be-empty")
        self._saved = gr.HTML(elem_id="batch-saved", elem_classes="pl-may-be-empty")
        self._place = gr.Textbox(visible=False)
        self._timer = gr.Timer(LOOK_EVERY, active=False)
        self.shown = [self._large, self._saved, self._stop, self._timer, *self._buttons.values()]
        for kind, button in self._buttons.items():
            button.click(
                self._saver(kind), self._place, self.shown, **DIRECT,
                js=CHOOSE.format(name=f"pairlens.{kind}"),
            )  # fmt: skip
        self._timer.tick(self.look, None, self.shown, **DIRECT)
        self._stop.click(self._cancel, **DIRECT)

    def _button(self, key: str, name: str) -> gr.Button:
        return gr.Button(self._t(key), size="sm", elem_id=name, scale=0, min_width=110)

    def offer(self, found: BatchResults) -> Changes:
        """What is to be known before anything is saved."""
        return {self._large: size_note(found, self._t)}

    def look(self) -> Changes:
        """Show the job that writes or wrote last."""
        job = self._bench.save_job
        running = job is not None and not job.finished
        saved = ""
        if job is not None:
            saved = cards.progress(job.snapshot(), self._t) if running else self._outcome(job)
        return {
            self._saved: saved,
            self._stop: gr.update(visible=running),
            self._timer: gr.update(active=running),
            **{button: gr.update(interactive=not running) for button in self._buttons.values()},
        }

    def _saver(self, kind: str) -> Callable[[str | None], Changes]:
        def save(chosen: str | None) -> Changes:
            """``chosen`` is None where the dialog was left, and empty in a browser."""
            bench = self._bench
            job = bench.batch_job
            if chosen is None or job is None or job.result is None:
                return self.look()
            if bench.save_job is not None and not bench.save_job.finished:
                return self.look()  # clicked again before the button could show that it was heard
            try:
                path = Path(chosen) if chosen else _download(bench, kind)
                check_results(path)
            except PairLensError as error:
                return {**self.look(), self._saved: cards.notice(self._t.error(error))}
            work = writing(job.result, path, self._t.language, bench.moves)
            bench.save_job = bench.writers.submit(work)
            return self.look()

        return save

    def _outcome(self, job: Job[Saved]) -> str:
        t, bench = self._t, self._bench
        try:
            saved = job.outcome()
        except Exception as error:
            return cards.notice(cards.sentence_for(error, t, bench))
        if not saved.whole:
            return cards.note(t("batch.save_cancelled"))
        if saved.path.parent != bench.exports:
            return cards.note(t("batch.saved", path=saved.path))
        link = (
            f'<a class="pl-arrived" href="/result/{saved.path.name}" '
            f'download="pairlens{saved.path.suffix}">{escape(t("batch.download"))}</a>'
        )
        return f'<p class="pl-note">{link}</p>'

    def _cancel(self) -> None:
        if self._bench.save_job is not None:
            self._bench.save_job.cancel()


def size_note(found: BatchResults, t: Translator) -> str:
    """How large a page of these results would be, if that is too large to be looked at."""
    pictures = len({row.photo for row in found.rows if not row.failure})
    size = expected_size(pictures, len(found.rows))
    return cards.note(t("batch.large_page", size=f"{size / 1e6:,.0f}")) if size > LARGE else ""


def _download(bench: Workbench, kind: str) -> Path:
    """Where a browser will fetch a file; what it could fetch before goes."""
    for left in bench.exports.iterdir():
        with suppress(OSError):  # on Windows, while it is still being fetched
            left.unlink()
    return bench.exports / f"{secrets.token_hex(8)}.{kind}"


class _CancelledError(Exception):
    """Ends the writing of a file, of which nothing is to be left."""


def writing(found: BatchResults, path: Path, language: str, moves: Moves) -> Work[Saved]:
    """The work that writes results to a file; it raises what `write_results` does.

    Photos that were moved since are named by where they are now.
    Once cancelled, nothing is left of the new file or lost of an old one.
    """

    def work(progress: Progress, cancelled: Cancelled) -> Saved:
        counts = Summary(found.about.photos)
        total = sum(map(begins, found.rows))

        def rows() -> Iterator[Row]:
            for number, row in enumerate(counts.watch(found.rows)):
                if number % ROWS_AT_ONCE == 0:
                    progress(counts.done, total)
                    if cancelled():
                        raise _CancelledError
                yield moves.row(row, found.about.beside)

        try:
            write_results(rows(), replace(found.about, language=language), path)
        except _CancelledError:
            return Saved(path, whole=False)
        return Saved(path, whole=True)

    return work
