"""The buttons that let a job rest, go on and end; the views lay them out beside its progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import gradio as gr

from desktop.i18n import Translator
from desktop.jobs import Snapshot, State
from desktop.ui.bridge import DIRECT, Changes


class Held(Protocol):
    """What the buttons are about: a `Job`, or the `Keeper`."""

    def snapshot(self) -> Snapshot | None:
        """Where it stands; None where there is nothing to be paused or cancelled."""

    def pause(self) -> None:
        """Let it rest."""

    def resume(self) -> None:
        """Let it go on."""

    def cancel(self) -> None:
        """End it."""


class JobButtons:
    """Laid out in the row where they are made; on show while there is something to hold up.

    Args:
        place: of the page; begins the names of the buttons.
        held: gives what they are about now.
        can_rest: whether there is more to it than to be cancelled.
    """

    def __init__(
        self, t: Translator, place: str, held: Callable[[], Held | None], can_rest: bool = True
    ) -> None:
        self._t = t
        self._held = held
        # Whether the buttons are on show, page.css tells from this: what begins invisible does not
        # always come up in Gradio 6.17.
        self._state = gr.HTML(elem_classes="pl-job-state")
        self._pause = self._button("job.pause", f"{place}-pause") if can_rest else None
        self._stop = self._button("job.cancel", f"{place}-cancel")
        self.shown = [self._state] if self._pause is None else [self._state, self._pause]

    def _button(self, key: str, name: str) -> gr.Button:
        return gr.Button(
            self._t(key), size="sm", scale=0, min_width=100, elem_id=name,
            elem_classes="pl-while-running",
        )  # fmt: skip

    def wire(
        self,
        look: Callable[[], Changes],
        shown: Sequence[Any],
        cancelled: Callable[[], Changes] | None = None,
    ) -> None:
        """Say what is shown after a click.

        Args:
            look: gives what the view shows of the job.
            shown: the components that ``look`` changes.
            cancelled: the same where it was cancelled, if that is something else.
        """
        on: dict[str, Any] = {"outputs": list(shown), **DIRECT}
        if self._pause is not None:
            self._pause.click(lambda: self._hold_or_go_on(look), **on)
        self._stop.click(lambda: self._cancel(cancelled or look), **on)

    def look(self) -> Changes:
        """What fits where the job stands now."""
        held = self._held()
        at = None if held is None else held.snapshot()
        open_ = at is not None and at.state in (State.WAITING, State.RUNNING) and not at.cancelling
        changes: Changes = {self._state: '<i class="pl-busy"></i>' if open_ else ""}
        if self._pause is not None:
            paused = at is not None and at.paused
            changes[self._pause] = self._t("job.resume" if paused else "job.pause")
        return changes

    def _hold_or_go_on(self, look: Callable[[], Changes]) -> Changes:
        held = self._held()
        at = None if held is None else held.snapshot()
        if held is not None and at is not None:
            if at.paused:
                held.resume()
            else:
                held.pause()
        return look()

    def _cancel(self, look: Callable[[], Changes]) -> Changes:
        held = self._held()
        if held is not None:
            held.cancel()
        return look()
