"""The panel "Copy or move photos": what would happen first, and the deed only after agreement."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from desktop.i18n import Translator
from desktop.ui import cards
from desktop.ui.action_run import ActionRun
from desktop.ui.bridge import DIRECT, Changes, folder_box
from desktop.ui.dry_run import dry_run
from desktop.workbench import Workbench
from engine.action_plan import Kind, Plan, plan_by_caption, plan_selection
from engine.actions import check
from engine.types import BatchRow


@dataclass(frozen=True, slots=True)
class Result:
    """What can be acted on: the whole of it, also what is not drawn on the page.

    Attributes:
        folders: in which the photos were found.
        rows: the photos; their captions and ranks are needed by caption only.
    """

    folders: Sequence[Path]
    rows: Sequence[BatchRow]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for; ``ticked`` holds the keys of the selected photos as JSON."""

    ticked: str
    kind: Kind
    into: str
    rest: str


class ActPanel:
    """Laid out where it is made; on show as soon as its view has photos with a `cards.tick`.

    Args:
        place: the name of the view, "batch" or "search".
        result: gives what to act on; None while there is nothing.
        by_caption: each caption gets a folder; otherwise everything goes straight into one.
    """

    def __init__(
        self,
        bench: Workbench,
        t: Translator,
        place: str,
        result: Callable[[], Result | None],
        *,
        by_caption: bool,
    ) -> None:
        self._bench = bench
        self._t = t
        self._result = result
        self._by_caption = by_caption
        with gr.Column(elem_id=f"{place}-act", elem_classes="pl-act"):
            self._lay_out(place)
        self._run = ActionRun(bench, t, place)
        self.shown, self.look = self._run.shown, self._run.look
        self._wire(place)

    def _lay_out(self, place: str) -> None:
        t = self._t
        with gr.Accordion(t("act.title"), open=False, elem_classes="pl-card"):
            self._kind = gr.Radio(
                [(t("act.copy"), "copy"), (t("act.move"), "move")], value="copy",
                label=t("act.kind"), elem_id=f"{place}-act-kind",
            )  # fmt: skip
            with gr.Row(elem_classes="pl-line"):
                self._into = folder_box(t, t("act.into"), f"{place}-act-into")
            self._rest = gr.Textbox(
                label=t("act.rest"), placeholder=t("act.rest_hint"), max_lines=1,
                visible=self._by_caption, elem_id=f"{place}-act-rest",
            )  # fmt: skip
            self._show = gr.Button(
                t("act.look"), elem_id=f"{place}-act-look", elem_classes="pl-look"
            )
            self._told = gr.HTML(
                elem_id=f"{place}-act-told", elem_classes="pl-may-be-empty pl-told"
            )
            # On show while there is an offer that nothing was changed of since: see page.css, as
            # what Gradio 6.17 shows for the first time may be hidden again in the next moment.
            self._do = gr.Button(
                "", variant="primary", elem_id=f"{place}-act-do", elem_classes="pl-do"
            )
        # The agreement is about what this visitor was shown: what was asked, and its plan.
        self._offered = gr.State(None)

    def _wire(self, place: str) -> None:
        asked = [gr.Textbox(visible=False), self._kind, self._into, self._rest]
        with_ticks = f'(_, ...others) => [window.pairlens.ticked("{place}"), ...others]'
        told = [self._told, self._do, self._offered]
        self._show.click(self._look, asked, told, **DIRECT, js=with_ticks)
        self._do.click(
            self._act, [*asked, self._offered], [*told, *self._run.shown], **DIRECT,
            js=with_ticks,
        )  # fmt: skip

    def forget_when(self, *events: Any) -> None:
        """Another result is asked for: what was said about the one before goes."""
        gr.on(
            list(events),
            lambda: {**self._withdraw(), **self._run.forget()},
            None, [self._told, self._offered, *self._run.shown], **DIRECT,
        )  # fmt: skip

    def _withdraw(self, said: str = "") -> Changes:
        """Say this, and offer nothing."""
        return {self._told: said, self._offered: None}

    def _look(self, ticked: str, kind: Kind, into: str, rest: str) -> Changes:
        t = self._t
        asked, result = _Asked(ticked, kind, into, rest), self._result()
        if not into.strip():
            return self._withdraw(cards.notice(t("act.no_folder")))
        if result is None:
            return self._withdraw(cards.notice(t("act.no_result")))
        try:
            rows = _chosen(result.rows, ticked, self._bench)
            plan = self._plan(asked, rows)
            if plan.steps:
                check(plan)
        except Exception as error:
            return self._withdraw(cards.notice(cards.sentence_for(error, t, self._bench)))
        unread = {row.photo for row in rows if row.failure}.intersection(plan.staying)
        photos = cards.photos(len(plan.steps), t)
        deed = t("act.do_copy" if kind == "copy" else "act.do_move", photos=photos)
        return {
            self._told: dry_run(plan, result.folders, unread, t),
            self._do: deed,
            self._offered: (asked, plan),
        }

    def _plan(self, asked: _Asked, rows: list[BatchRow]) -> Plan:
        into = cards.typed_path(asked.into)
        if self._by_caption:
            return plan_by_caption(rows, into, asked.kind, asked.rest.strip() or None)
        return plan_selection((row.photo for row in rows), into, asked.kind)

    def _act(
        self, ticked: str, kind: Kind, into: str, rest: str, offered: tuple[_Asked, Plan] | None
    ) -> Changes:
        if self._run.busy:
            return {self._told: cards.notice(self._t("act.busy"))}
        if offered is None or offered[0] != _Asked(ticked, kind, into, rest):
            changed = self._t("act.changed", button=self._t("act.look"))
            return self._withdraw(cards.notice(changed))
        return {**self._withdraw(), **self._run.start(offered[1])}


def _chosen(rows: Sequence[BatchRow], ticked: str, bench: Workbench) -> list[BatchRow]:
    """The rows of the selected photos, or all where none is, each with where its photo is now."""
    selected = {bench.thumbnails.photo(key) for key in json.loads(ticked)}
    return [
        replace(row, photo=bench.moves.where(row.photo))
        for row in rows
        if not selected or row.photo in selected
    ]
