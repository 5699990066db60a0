"""The History view: everything that was copied or moved, and the way back."""

from __future__ import annotations

from html import escape

import gradio as gr

from desktop.i18n import Translator
from desktop.ui import cards
from desktop.ui.action_run import ActionRun
from desktop.ui.bridge import DIRECT, Changes
from desktop.workbench import Workbench
from engine.action_journal import Journal
from engine.actions import Action, ActionState, list_actions

# Seconds between two looks at the journal while photos are being copied or moved.
LOOK_AGAIN = 2.0
HEADS = (
    "history.head_when", "history.head_what", "history.head_photos", "history.head_into",
    "history.head_state",
)  # fmt: skip


class HistoryView:
    """Laid out inside the current tab when it is made."""

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        # Above the list, but made after what it changes.
        with gr.Column():
            above = gr.Column(elem_id="history-run")
            self._list = gr.HTML(elem_id="history-list")
            self._timer = gr.Timer(LOOK_AGAIN, active=False)
            changed = (self._list, self._timer)
            with above:
                self._run = ActionRun(bench, t, "history", self._listed, changed)
        # Pressed by the script, when the view is shown and when an undoing was agreed to.
        renew = gr.Button("", elem_id="history-look", elem_classes="pl-hidden")
        undo = gr.Button("", elem_id="history-undo", elem_classes="pl-hidden")
        renew.click(self._listed, None, list(changed), **DIRECT)
        self._timer.tick(self._listed, None, list(changed), **DIRECT)
        self.shown = self._run.shown
        undo.click(
            self._undo, gr.Textbox(visible=False), self.shown, **DIRECT,
            js="() => [window.pairlens.undoing]",
        )  # fmt: skip

    def look(self) -> Changes:
        """Show what was done, and the undoing that runs or was the last."""
        return {**self._listed(), **self._run.look()}

    def _undo(self, action: str) -> Changes:
        return self._run.look() if self._run.busy else self._run.undo(int(action))

    def _listed(self) -> Changes:
        t = self._t
        try:
            with Journal() as journal:
                actions = list_actions(journal)
        except Exception as error:
            said = cards.notice(cards.sentence_for(error, t, self._bench))
            return {self._list: said, self._timer: gr.update(active=False)}
        running = any(action.state is ActionState.RUNNING for action in actions)
        return {self._list: _table(actions, t), self._timer: gr.update(active=running)}


def _table(actions: list[Action], t: Translator) -> str:
    if not actions:
        return cards.empty(t("history.empty"), t("history.empty_hint"), "history")
    heads = "".join(f"<th>{escape(t(key))}</th>" for key in HEADS)
    body = "".join(_row(action, t) for action in actions)
    return (
        f'<table class="pl-table pl-history"><thead><tr>{heads}<th></th></tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _row(action: Action, t: Translator) -> str:
    when = f"{action.began:%Y-%m-%d %H:%M}"
    what = t("history.copy" if action.kind == "copy" else "history.move")
    state, hint = _state(action, t)
    values = (
        escape(when), escape(what), f"{action.total:,}",
        f'<span class="pl-path">{escape(cards.written(action.into))}</span>',
        escape(state) + "".join(cards.note(line) for line in hint),
    )  # fmt: skip
    # In a narrow window the heads stand beside the values instead of above them.
    cells = "".join(
        f'<td data-head="{escape(t(key))}"><div>{value}</div></td>'
        for key, value in zip(HEADS, values, strict=True)
    )
    return f"<tr>{cells}<td>{_button(action, what, when, t)}</td></tr>"


def _state(action: Action, t: Translator) -> tuple[str, list[str]]:
    """The state in words, and what to do about it."""
    hints = []
    done = f"{action.done:,}"
    match action.state:
        case ActionState.RUNNING:
            state = t("history.running")
        case ActionState.DONE:
            missing = action.total - action.done
            state = t("history.done_some", n=f"{missing:,}") if missing else t("history.done")
        case ActionState.INTERRUPTED:
            state = t("history.interrupted", n=done)
            hints.append(t("history.interrupted_hint"))
        case ActionState.PARTLY_UNDONE:
            state = t("history.partly_undone", n=done)
            hints.append(t("history.partly_undone_hint"))
        case ActionState.UNDONE:
            state = t("history.undone")
    if action.unknown and action.state is not ActionState.RUNNING:
        hints.append(t("history.unknown", n=f"{action.unknown:,}"))
    return state, hints


def _button(action: Action, what: str, when: str, t: Translator) -> str:
    count = action.done + action.unknown
    if action.state is ActionState.RUNNING or not count:
        return ""
    copied = action.kind == "copy"
    ask = t(
        "history.ask_copy" if copied else "history.ask_move",
        photos=cards.photos(count, t), into=cards.written(action.into),
    )  # fmt: skip
    deed = t("history.do_copy" if copied else "history.do_move")
    name = t("history.undo", what=what, when=when)
    return (
        f'<button type="button" class="pl-button" data-undo="{action.id}" '
        f'data-question="{escape(ask)}" data-deed="{escape(deed)}" aria-label="{escape(name)}">'
        f"{escape(t('act.undo'))}</button>"
    )
