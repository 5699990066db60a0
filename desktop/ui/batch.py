"""The Batch view: a folder of photos against a list of captions, as a table to keep."""

from __future__ import annotations

from html import escape
from pathlib import Path

import gradio as gr

from desktop.i18n import Translator
from desktop.jobs import Job, Work
from desktop.ui import cards
from desktop.ui.act import ActPanel, Result
from desktop.ui.bridge import DIRECT, LOOK_EVERY, PICK_FOLDER, Changes
from desktop.workbench import BatchResults, Workbench
from engine.batch import BatchOptions, batch
from engine.captions import as_captions, read_captions
from engine.errors import NoPhotos, PairLensError
from engine.export import write_results
from engine.photos import find_photos
from engine.recall import recalled
from engine.results import About, Summary
from engine.types import BatchRow, Cancelled, Caption, Mode, Progress

# A page with thousands of pictures is slow in any browser; the file has all rows.
SHOWN = 200
FILE_NAME = "pairlens.csv"


class BatchView:
    """Laid out inside the current tab when it is made."""

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        with gr.Row(elem_classes="pl-split"):
            with gr.Column(scale=4, min_width=300, elem_classes="pl-card"):
                self._lay_out_inputs()
            with gr.Column(scale=6, min_width=340):
                self._lay_out_results()
        self._wire()

    def _lay_out_inputs(self) -> None:
        t = self._t
        self.folder = gr.Textbox(
            label=t("batch.folder"), placeholder=t("folder.hint"), max_lines=1,
            elem_id="batch-folder",
        )  # fmt: skip
        self._pick = gr.Button(
            t("folder.pick"), size="sm", elem_id="batch-pick", elem_classes="pl-in-window"
        )
        self._captions = gr.Textbox(
            label=t("batch.captions"), placeholder=t("batch.captions_hint"), lines=5,
            max_lines=12, elem_id="batch-captions",
        )  # fmt: skip
        self._from_file = gr.UploadButton(
            t("batch.captions_file"), size="sm", elem_id="batch-captions-file"
        )
        self._exact = gr.Checkbox(
            label=t("batch.exact"), info=t("batch.exact_hint"), elem_id="batch-exact"
        )
        with gr.Row(elem_classes="pl-actions"):
            self._stop = gr.Button(t("job.cancel"), visible=False, elem_id="batch-cancel")
            self._go = gr.Button(t("batch.go"), variant="primary", elem_id="batch-go")

    def _lay_out_results(self) -> None:
        t = self._t
        self._status = gr.HTML(elem_id="batch-status", elem_classes="pl-may-be-empty")
        with gr.Row(visible=False, elem_classes="pl-actions") as self._keep:
            self._save = gr.Button(
                t("batch.save"),
                size="sm",
                elem_id="batch-save",
                elem_classes="pl-in-window",
                scale=0,
                min_width=150,
            )
            self._download = gr.DownloadButton(
                t("batch.save"), size="sm", elem_id="batch-download",
                elem_classes="pl-in-browser", scale=0, min_width=150,
            )  # fmt: skip
        self._saved = gr.HTML(elem_id="batch-saved", elem_classes="pl-may-be-empty")
        self.acting = ActPanel(self._bench, t, "batch", self._to_act_on, by_caption=True)
        self._table = gr.HTML(
            cards.empty(t("batch.empty"), t("batch.empty_hint")), elem_id="batch-table"
        )
        self._place = gr.Textbox(visible=False)
        self._timer = gr.Timer(LOOK_EVERY, active=False)

    def _wire(self) -> None:
        self.shown = [
            self._status, self._table, self._keep, self._download, self._stop, self._go,
            self._saved, self._timer,
        ]  # fmt: skip
        self._go.click(
            self._start, [self.folder, self._captions, self._exact], self.shown, **DIRECT
        )
        self.acting.forget_when(self._go.click)
        self._timer.tick(self.look, None, self.shown, **DIRECT)
        self._stop.click(self._cancel, **DIRECT)
        self._from_file.upload(
            self._read_captions, self._from_file, [self._captions, self._status], **DIRECT
        )
        self._pick.click(None, self.folder, self.folder, js=PICK_FOLDER)
        self._save.click(
            self._save_to, self._place, self._saved, **DIRECT,
            js=f"async () => await window.pywebview.api.choose_output('{FILE_NAME}')",
        )  # fmt: skip

    def _start(self, folder: str, captions: str, exact: bool) -> Changes:
        bench = self._bench
        try:
            work = _work(
                bench, cards.typed_folder(folder), as_captions(captions.splitlines()), exact
            )
        except PairLensError as error:
            return {self._status: cards.notice(self._t.error(error))}
        bench.batch_job = bench.jobs.submit(work)
        return self.look()

    def look(self) -> Changes:
        """Show the job that runs or was the last; also what a reload of the page comes back to."""
        job = self._bench.batch_job
        if job is None:
            return {self._timer: gr.update(active=False)}
        running = not job.finished
        return {
            self._timer: gr.update(active=running),
            self._stop: gr.update(visible=running),
            self._go: gr.update(interactive=not running),
            self._saved: "",
            **(self._progress(job) if running else self._outcome(job)),
        }

    def _progress(self, job: Job[BatchResults]) -> Changes:
        return {self._status: cards.progress(job.snapshot(), self._t)}

    def _outcome(self, job: Job[BatchResults]) -> Changes:
        t, bench = self._t, self._bench
        try:
            found = job.outcome()
            path = bench.exports / FILE_NAME
            write_results(found.rows, found.about, path)
        except Exception as error:
            return {self._status: cards.notice(cards.sentence_for(error, t, bench))}
        return {
            self._status: _summary(found, t),
            self._table: _table(found, bench, t),
            self._keep: gr.update(visible=True),
            self._download: gr.update(value=str(path)),
        }

    def _to_act_on(self) -> Result | None:
        job = self._bench.batch_job
        if job is None or job.result is None:
            return None
        return Result(job.result.about.source, job.result.rows)

    def _cancel(self) -> None:
        if self._bench.batch_job is not None:
            self._bench.batch_job.cancel()

    def _save_to(self, chosen: str | None) -> str:
        job = self._bench.batch_job
        if not chosen or job is None:
            return ""
        try:
            found = job.outcome()
            write_results(found.rows, found.about, Path(chosen))
        except PairLensError as error:
            return cards.notice(self._t.error(error))
        return cards.note(self._t("batch.saved", path=chosen))

    def _read_captions(self, file: str) -> Changes:
        path = Path(file)
        try:
            captions = read_captions(path)
        except PairLensError as error:
            # An uploaded file's own folder means nothing to the person who chose it.
            fields = {**error.fields, "path": path.name}
            sentence = self._t.failure(error.code, fields, str(error))
            return {self._status: cards.notice(sentence)}
        return {self._captions: "\n".join(caption.text for caption in captions), self._status: ""}


def _work(
    bench: Workbench, folder: Path, captions: list[Caption], exact: bool
) -> Work[BatchResults]:
    def work(progress: Progress, cancelled: Cancelled) -> BatchResults:
        photos = find_photos(folder)
        if not photos:
            raise NoPhotos(path=folder)
        matcher = bench.matcher.get()
        pack = matcher.pack.manifest
        about = About(
            mode=Mode.BEST, source=folder, photos=len(photos), captions=captions, model=pack.name,
            version=pack.version, exact=exact, threshold=matcher.threshold, false_alarms=None,
        )  # fmt: skip
        with recalled(folder, matcher.model_id) as known:
            rows = batch(
                matcher, photos, captions, BatchOptions(exact=exact),
                known=known, progress=progress, cancelled=cancelled,
            )  # fmt: skip
            return BatchResults(list(rows), about)

    return work


def _summary(found: BatchResults, t: Translator) -> str:
    counts = Summary(found.about.photos)
    for _ in counts.watch(found.rows):
        pass
    words = [
        t("batch.done_photos", n=f"{counts.done:,}"),
        t("batch.done_matched", n=f"{counts.matched:,}"),
    ]
    if counts.failures:
        words.append(t("batch.done_failed", n=f"{len(counts.failures):,}"))
    kept = "" if counts.complete else cards.notice(t("batch.cancelled"))
    return kept + f'<p class="pl-summary">{escape(" · ".join(words))}</p>'


def _table(found: BatchResults, bench: Workbench, t: Translator) -> str:
    # The failures come first: they are few, and what a person has to do something about.
    rows = sorted(found.rows, key=lambda row: row.failure is None)
    if not rows:
        return ""
    body = "".join(_row(row, bench, t) for row in rows[:SHOWN])
    heads = "".join(
        f"<th>{escape(t(key))}</th>"
        for key in ("batch.head_photo", "batch.head_caption", "batch.head_probability")
    )
    more = cards.note(t("batch.more", shown=SHOWN, n=f"{len(rows):,}")) if len(rows) > SHOWN else ""
    return (
        f'{cards.tick_bar(t)}<table class="pl-table"><thead><tr><th></th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table>{more}{cards.note(t('match.meaning'))}"
    )


def _row(row: BatchRow, bench: Workbench, t: Translator) -> str:
    name = f'<td class="pl-name" title="{escape(str(row.photo))}">{escape(row.photo.name)}</td>'
    if row.failure or row.probability is None:
        why = cards.notice(cards.failure_sentence(row.failure, t)) if row.failure else ""
        picture = cards.broken("pl-tiny")
        return f'<tr><td>{picture}</td>{name}<td colspan="2">{why}</td></tr>'
    match = bool(row.match)
    return (
        f"<tr><td>{cards.tick(row.photo, bench, t)}"
        f"{cards.thumbnail(row.photo, bench, 'pl-tiny')}</td>{name}"
        f"<td>{escape(row.caption or '')}</td>"
        f'<td><div class="pl-score">{cards.bar(row.probability, match)}'
        f"{cards.verdict(match, t)}</div></td></tr>"
    )
