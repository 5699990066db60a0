"""Photos being copied, moved or taken back: progress, pause, cancel, what came of it, and Undo."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from desktop.i18n import Translator
from desktop.jobs import Job, Work
from desktop.ui import cards
from desktop.ui.bridge import DIRECT, LOOK_EVERY, Changes
from desktop.ui.job_buttons import JobButtons
from desktop.workbench import ActionJob, Workbench
from engine.action_journal import Journal
from engine.action_plan import Plan
from engine.actions import ActionReport, run, undo
from engine.types import Cancelled, Progress

# All done, and less than all, by what was done.
_SAID = {
    "copy": ("act.copied", "act.copied_some"),
    "move": ("act.moved", "act.moved_some"),
    "undo": ("act.undone", "act.undone_some"),
}


class ActionRun:
    """Laid out where it is made; one action at a time is started from a place on the page.

    Args:
        place: of the page, by whose name the action is found again after a reload.
        ended: what else is to be shown once an action has ended.
        also: the components that ``ended`` changes.
    """

    def __init__(
        self,
        bench: Workbench,
        t: Translator,
        place: str,
        ended: Callable[[], Changes] = dict,
        also: tuple[Any, ...] = (),
    ) -> None:
        self._bench = bench
        self._t = t
        self._place = place
        self._ended = ended
        # Whether Undo is on show, page.css tells from the status.
        with gr.Column(elem_classes="pl-run"):
            self._status = gr.HTML(elem_id=f"{place}-action")
            with gr.Row(elem_classes="pl-actions"):
                self._buttons = JobButtons(t, f"{place}-action", self._job)
                take_back = gr.Button(
                    t("act.undo"), size="sm", scale=0, min_width=100,
                    elem_id=f"{place}-action-undo", elem_classes="pl-when-done",
                )  # fmt: skip
        self._timer = gr.Timer(LOOK_EVERY, active=False)
        self.shown = [self._status, *self._buttons.shown, self._timer, *also]
        self._timer.tick(self.look, None, self.shown, **DIRECT)
        self._buttons.wire(self.look, self.shown)
        take_back.click(self._undo_last, None, self.shown, **DIRECT)

    @property
    def busy(self) -> bool:
        """Whether an action of this place is under way."""
        now = self._now()
        return now is not None and not now.job.finished

    def start(self, plan: Plan) -> Changes:
        """Carry out a plan."""
        job = self._bench.jobs.submit(_carrying_out(plan, self._bench))
        self._bench.action_jobs[self._place] = ActionJob(plan.kind, plan.into, job)
        return self.look()

    def undo(self, action: int) -> Changes:
        """Take an action back."""
        job = self._bench.jobs.submit(_taking_back(action, self._bench))
        self._bench.action_jobs[self._place] = ActionJob("undo", None, job)
        return self.look()

    def forget(self) -> Changes:
        """Show nothing of the last action any more, unless it runs."""
        if self.busy:
            return {}
        self._bench.action_jobs.pop(self._place, None)
        return {self._status: ""}

    def look(self) -> Changes:
        """Show the action that runs or was the last, also after a reload of the page."""
        now = self._now()
        if now is None:
            return {self._timer: gr.update(active=False)}
        if not now.job.finished:
            return {
                self._timer: gr.update(active=True),
                self._status: _said(cards.progress(now.job.snapshot(), self._t)),
                **self._buttons.look(),
            }
        try:
            said = _outcome(now, now.job.outcome(), self._t)
        except Exception as error:
            said = cards.notice(cards.sentence_for(error, self._t, self._bench))
        return {
            self._timer: gr.update(active=False),
            self._status: _said(said),
            **self._buttons.look(),
            **self._ended(),
        }

    def _now(self) -> ActionJob | None:
        return self._bench.action_jobs.get(self._place)

    def _job(self) -> Job[ActionReport] | None:
        now = self._now()
        return None if now is None else now.job

    def _undo_last(self) -> Changes:
        now = self._now()
        if now is None or self.busy:
            return self.look()
        return self.undo(now.job.outcome().action)


def _carrying_out(plan: Plan, bench: Workbench) -> Work[ActionReport]:
    def work(progress: Progress, cancelled: Cancelled) -> ActionReport:
        with Journal() as journal:
            report = run(plan, journal, progress, cancelled)
        if plan.kind == "move":
            bench.moves.add(report.done)
        return report

    return work


def _taking_back(action: int, bench: Workbench) -> Work[ActionReport]:
    def work(progress: Progress, cancelled: Cancelled) -> ActionReport:
        with Journal() as journal:
            report = undo(journal, action, progress, cancelled)
        # Of a deleted copy too, the photo it was made of is what is left.
        bench.moves.add(report.done)
        return report

    return work


def _outcome(now: ActionJob, report: ActionReport, t: Translator) -> str:
    all_done, some_done = _SAID[now.verb]
    into = cards.written(now.into) if now.into else ""
    done, total = len(report.done), cards.photos(report.total, t)
    if done == report.total:
        summary = t(all_done, photos=total, into=into)
    else:
        summary = t(some_done, n=f"{done:,}", photos=total, into=into)
    undoable = " pl-undoable" if done and now.verb != "undo" else ""
    parts = [f'<p class="pl-summary{undoable}">{escape(summary)}</p>']
    if report.stopped:
        parts.append(cards.notice(t.error(report.stopped)))
    elif report.cancelled:
        parts.append(cards.note(t("act.cancelled")))
    if report.failures:
        failed = t("act.failed", photos=cards.photos(len(report.failures), t))
        parts.append(
            f'<div class="pl-notice" role="alert">{escape(failed)}'
            f"{cards.failures(report.failures, t)}</div>"
        )
    if now.verb == "move" and done:
        parts.append(cards.note(t("act.moved_note")))
    return "".join(parts)


def _said(what: str) -> str:
    return f'<div class="pl-said">{what}</div>'
