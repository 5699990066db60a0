"""The Batch view: a folder of photos against captions, as a table to look through and keep."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from desktop.batching import asked_of, work_for
from desktop.i18n import Translator
from desktop.jobs import Job
from desktop.ui import cards
from desktop.ui.act import ActPanel, Result
from desktop.ui.batch_charts import charts
from desktop.ui.batch_save import SaveRow
from desktop.ui.batch_table import FILTERS, ORDERS, orders, summary, table
from desktop.ui.bridge import DIRECT, LOOK_EVERY, Changes, folder_box, sweep
from desktop.ui.job_buttons import JobButtons
from desktop.workbench import BatchForm, BatchResults, FileLabels, Outlook, Workbench
from engine.batch import BatchOptions
from engine.captions import as_captions, as_pairs, read_captions, read_pairs
from engine.errors import PairLensError
from engine.types import BatchRow, Caption, Mode

# Each mode's name, hint, and what its button says.
MODES = {
    Mode.BEST: ("batch.mode_best", "batch.mode_best_hint", "batch.go"),
    Mode.ALL: ("batch.mode_all", "batch.mode_all_hint", "batch.go"),
    Mode.ASSIGN: ("batch.mode_assign", "batch.mode_assign_hint", "batch.go"),
    Mode.VERIFY: ("batch.mode_verify", "batch.mode_verify_hint", "batch.go_verify"),
}
THRESHOLDS = {
    "own": "batch.threshold_own",
    "hand": "batch.threshold_hand",
    "alarms": "batch.threshold_alarms",
}
FALSE_ALARMS = (10, 20, 50, 100, 200, 500, 1_000, 5_000, 10_000)


class BatchView:
    """Laid out inside the current tab when it is made."""

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        with gr.Row(elem_classes="pl-split"):
            with gr.Column(scale=4, min_width=300, elem_classes="pl-card pl-ask"):
                self._lay_out_inputs()
            with gr.Column(scale=6, min_width=340):
                self._lay_out_results()
        self._wire()

    def _lay_out_inputs(self) -> None:
        t = self._t
        with gr.Row(elem_classes="pl-line"):
            last = cards.still_there(self._bench, "batch", cards.typed_folders)
            self.folder = folder_box(t, t("batch.folder"), "batch-folder", value=last)
        self._captions = gr.Textbox(
            label=t("batch.captions"), placeholder=t("batch.captions_hint"), lines=4,
            max_lines=8, elem_id="batch-captions",
        )  # fmt: skip
        self._pairs = gr.Textbox(
            label=t("batch.pairs"), placeholder=t("batch.pairs_hint"), lines=4, max_lines=8,
            elem_id="batch-pairs",
        )  # fmt: skip
        # Of the captions in the box those that have a name of their own; else None.
        self._labels = gr.State(None)
        self._labelled = gr.HTML(elem_id="batch-labelled", elem_classes="pl-may-be-empty")
        with gr.Row(elem_classes="pl-sources"):
            self._from_file = gr.UploadButton(
                t("batch.captions_file"), size="sm", elem_id="batch-captions-file", scale=0,
                min_width=150,
            )  # fmt: skip
            # What is on show follows from the mode and the like, in page.css: what begins invisible
            # does not always come up in Gradio 6.17.
            self._beside = gr.Checkbox(
                label=t("batch.beside"), elem_id="batch-beside", container=False, min_width=150
            )
        gr.HTML(cards.note(t("batch.beside_hint")), elem_id="batch-beside-hint")
        self._mode = gr.Radio(
            [(t(name), mode.value) for mode, (name, _, _) in MODES.items()],
            value=Mode.BEST.value, label=t("batch.mode"), elem_id="batch-mode",
        )  # fmt: skip
        self._hint = gr.HTML(_hint(Mode.BEST, t), elem_id="batch-hint")
        with gr.Accordion(
            t("batch.more_choices"), open=False, elem_id="batch-choices", elem_classes="pl-fold"
        ) as self._choices:
            self._threshold = gr.Radio(
                [(t(name), kind) for kind, name in THRESHOLDS.items()],
                value="own", label=t("batch.threshold"), info=t("batch.threshold_hint"),
                elem_id="batch-threshold",
            )  # fmt: skip
            self._percent = gr.Slider(
                0, 100, value=50, step=1, label=t("batch.threshold_percent"),
                elem_id="batch-percent",
            )  # fmt: skip
            self._alarms = gr.Dropdown(
                [(f"{n:,}", n) for n in FALSE_ALARMS], value=100, filterable=False,
                label=t("batch.false_alarms"), info=t("batch.false_alarms_hint"),
                elem_id="batch-alarms",
            )  # fmt: skip
            self._exact = gr.Checkbox(
                label=t("batch.exact"), info=t("batch.exact_hint"), elem_id="batch-exact"
            )
        with gr.Row(elem_classes="pl-actions"):
            self._go = gr.Button(t("batch.go"), variant="primary", elem_id="batch-go")

    def _lay_out_results(self) -> None:
        t = self._t
        with gr.Row(elem_classes="pl-job"):
            with gr.Column(min_width=240):
                self._status = gr.HTML(elem_id="batch-status", elem_classes="pl-may-be-empty")
            self._buttons = JobButtons(t, "batch", lambda: self._bench.batch_job)
        self._charts = gr.HTML(elem_id="batch-charts", elem_classes="pl-may-be-empty")
        with gr.Column(elem_classes="pl-keep"):
            self._saving = SaveRow(self._bench, t)
            with gr.Row(elem_classes="pl-line"):
                self._filter = gr.Dropdown(
                    [(t(words), name) for name, (words, _) in FILTERS.items()], value="all",
                    label=t("batch.filter"), elem_id="batch-filter", filterable=False, scale=0,
                    min_width=190,
                )  # fmt: skip
                self._order = gr.Dropdown(
                    self._orders(Mode.BEST), value="name", label=t("batch.order"),
                    elem_id="batch-order", filterable=False, scale=0, min_width=190,
                )  # fmt: skip
            self.acting = ActPanel(self._bench, t, "batch", self._to_act_on, by_caption=True)
        self._table = gr.HTML(
            cards.empty(t("batch.empty"), t("batch.empty_hint"), "batch"), elem_id="batch-table"
        )
        self._turn = gr.Button("", elem_id="batch-ask", elem_classes="pl-hidden")
        self._timer = gr.Timer(LOOK_EVERY, active=False)

    def _orders(self, mode: Mode) -> list[tuple[str, str]]:
        return [(self._t(ORDERS[name][0]), name) for name in orders(mode)]

    def _wire(self) -> None:
        self.shown = [
            self._status, self._charts, self._table, self._filter, self._order,
            *self._buttons.shown, self._go, self._timer, *self._saving.shown,
        ]  # fmt: skip
        # In the order of a `BatchForm`.
        self._boxes = [
            self.folder, self._captions, self._labels, self._pairs, self._beside, self._mode,
            self._threshold, self._percent, self._alarms, self._exact,
        ]  # fmt: skip
        self.resumed = [*self.shown, *self._boxes, self._labelled, self._hint, self._choices]
        self._go.click(self._start, self._boxes, self.shown, **DIRECT)
        self.acting.forget_when(self._go.click)
        self._timer.tick(self.look, None, self.shown, **DIRECT)
        self._buttons.wire(self.look, self.shown)
        gr.on(
            [self._filter.input, self._order.input], self._again, [self._filter, self._order],
            self._table, **DIRECT,
        )  # fmt: skip
        self._turn.click(
            self._to_page, [gr.Textbox(visible=False), self._filter, self._order], self._table,
            **DIRECT, js="(_, ...rest) => [JSON.stringify(window.pairlens.asked), ...rest]",
        )  # fmt: skip
        self._from_file.upload(
            self._read, [self._from_file, self._mode],
            [self._captions, self._labels, self._labelled, self._pairs, self._status], **DIRECT,
        )  # fmt: skip
        self._mode.input(
            lambda mode: (_hint(mode, self._t), self._deed(mode)),
            self._mode, [self._hint, self._go], **DIRECT,
        )  # fmt: skip

    def _start(self, *filled: Any) -> Changes:
        bench = self._bench
        if bench.batch_job is not None and not bench.batch_job.finished:
            return self.look()  # clicked again before the button could show that it was heard
        form = bench.batch_form = BatchForm(*filled)
        bench.batch_refusal = None
        options = BatchOptions(
            Mode(form.mode),
            exact=form.exact and form.mode == Mode.BEST,
            threshold=form.percent / 100 if form.threshold == "hand" else None,
            false_alarms=form.alarms if form.threshold == "alarms" else None,
        )
        try:
            asked = asked_of(cards.typed_folders(form.folder), options)
            if not form.beside and options.mode is Mode.VERIFY:
                asked = replace(asked, pairs=as_pairs(form.pairs.splitlines()))
            elif not form.beside:
                asked = replace(asked, captions=_named(form))
        except PairLensError as error:
            bench.batch_refusal = error
            return self._refused(error)
        bench.batch_outlook = Outlook()
        bench.batch_job = bench.jobs.submit(work_for(asked, bench.matcher, bench.batch_outlook))
        bench.settings.use_folder("batch", form.folder)
        bench.save_job = None
        return self.look()

    def resume(self) -> Changes:
        """After a reload of the page: what was asked last is in its boxes, with what came of it."""
        bench, changes, form = self._bench, self.look(), self._bench.batch_form
        if form is None:
            return changes
        job = bench.batch_job
        return {
            **changes,
            **dict(zip(self._boxes, form, strict=True)),
            self._labelled: self._where_labels_are_from(form.labels),
            self._hint: _hint(form.mode, self._t),
            self._choices: gr.update(open=form.threshold != "own" or form.exact),
            self._go: gr.update(
                value=self._deed(form.mode), interactive=job is None or job.finished
            ),
        }

    def _refused(self, error: PairLensError) -> Changes:
        return {self._status: cards.notice(self._t.error(error))}

    def look(self) -> Changes:
        """Show the job that runs or was the last, and why what was asked since was not begun."""
        job, refusal = self._bench.batch_job, self._bench.batch_refusal
        refused = {} if refusal is None else self._refused(refusal)
        if job is None:
            return {self._timer: gr.update(active=False), **refused}
        running = not job.finished
        return {
            self._timer: gr.update(active=running),
            **self._buttons.look(),
            self._go: gr.update(interactive=not running),
            **self._saving.look(),
            **(self._progress(job) if running else self._outcome(job)),
            **refused,
        }

    def _progress(self, job: Job[BatchResults]) -> Changes:
        said, cost = cards.progress(job.snapshot(), self._t), self._bench.batch_outlook.cost
        if cost is not None:
            said += cards.note(
                self._t(
                    "batch.cost", pairs=f"{cost.pairs:,}", each=f"{cost.each:.2g}",
                    minutes=f"{cost.minutes:,}",
                )
            )  # fmt: skip
        return {self._status: said, self._charts: "", self._table: ""}

    def _outcome(self, job: Job[BatchResults]) -> Changes:
        t, bench = self._t, self._bench
        try:
            found = job.outcome()
        except Exception as error:
            return {
                self._status: cards.notice(cards.sentence_for(error, t, bench)),
                self._charts: "",
                self._table: "",
            }
        return {
            self._status: summary(found, t),
            self._charts: charts(found, bench, t),
            self._table: table(found, bench, t),
            self._filter: "all",
            self._order: gr.update(choices=self._orders(found.about.mode), value="name"),
            **self._saving.offer(found),
        }

    def _to_act_on(self) -> Result | None:
        job = self._bench.batch_job
        if job is None or job.result is None:
            return None
        rows = [row for row in job.result.rows if isinstance(row, BatchRow)]
        return Result([job.result.about.source], rows) if rows else None

    def _again(self, kept: str, order: str, page: int = 1) -> str:
        job = self._bench.batch_job
        if job is None or job.result is None:
            return ""
        return table(job.result, self._bench, self._t, kept, order, page)

    def _to_page(self, asked: str, kept: str, order: str) -> str:
        typed = json.loads(asked)["page"]
        return self._again(kept, order, int(typed) if typed.isdecimal() else 1)

    def _read(self, file: str, mode: str) -> Changes:
        sweep(self._bench.uploads)
        path = Path(file)
        try:
            if mode == Mode.VERIFY:
                lines = [f"{pair.photo}\t{_line(pair.caption or '')}" for pair in read_pairs(path)]
                return {self._pairs: "\n".join(lines), self._status: ""}
            captions = read_captions(path)
        except PairLensError as error:
            # An uploaded file's own folder means nothing to the person who chose it.
            fields = {**error.fields, "path": path.name}
            sentence = self._t.failure(error.code, fields, str(error))
            return {self._status: cards.notice(sentence)}
        named = {_line(c.text): c.label for c in captions if c.label != c.text}
        labels = FileLabels(path.name, named) if named else None
        return {
            self._captions: "\n".join(_line(caption.text) for caption in captions),
            self._labels: labels,
            self._labelled: self._where_labels_are_from(labels),
            self._status: "",
        }

    def _where_labels_are_from(self, labels: FileLabels | None) -> str:
        return cards.note(self._t("batch.labelled", file=labels.file)) if labels else ""

    def _deed(self, mode: str) -> str:
        """What the button says."""
        return self._t(MODES[Mode(mode)][2])


def _hint(mode: str, t: Translator) -> str:
    return cards.note(t(MODES[Mode(mode)][1]))


def _line(caption: str) -> str:
    """A caption on one line of a box."""
    return " ".join(caption.splitlines())


def _named(form: BatchForm) -> list[Caption]:
    """The captions in the box, with the labels that their file gave them."""
    labels = form.labels.labels if form.labels else {}
    return [
        Caption(caption.text, labels.get(caption.text, caption.label))
        for caption in as_captions(form.captions.splitlines())
    ]
