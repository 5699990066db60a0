"""The Models view: which model packs are here, what each can do, and which one answers."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gradio as gr

from desktop.i18n import Translator
from desktop.jobs import Job, Work
from desktop.making import Question, asking, converting, fetching
from desktop.packs import Doing, Imports, PackChange, checking, importing, removing, using
from desktop.ui import cards, model_card
from desktop.ui.bridge import DIRECT, LOOK_EVERY, Changes
from desktop.ui.job_buttons import JobButtons
from desktop.ui.model_lines import ModelLines
from desktop.ui.other_models import OtherModels, asked
from desktop.workbench import PackJob, Workbench
from engine import hub
from engine.architecture import LOOKING_AGAIN
from engine.installed import Installed, InUse, Why, find, packs, used
from engine.pack import read_manifest
from engine.pack_file import ENDING
from engine.paths import packs_dir

WHY = MappingProxyType(
    {
        Why.DEFAULT: "models.why_default",
        Why.CHOSEN: "models.why_chosen",
        Why.VARIABLE: "models.why_variable",
    }
)
DONE = MappingProxyType(
    {
        "imported": "models.imported",
        "here": "models.here",
        "stopped": "models.stopped",
        "kept": "models.kept",
        "used": "models.used",
        "whole": "models.whole",
        "removed": "models.removed",
    }
)


class ModelsView:
    """Laid out inside the current tab when it is made.

    Args:
        lines: say which model answers, which is changed here.

    Attributes:
        shown: all that its events change.
    """

    def __init__(self, bench: Workbench, t: Translator, lines: ModelLines) -> None:
        self._bench = bench
        self._t = t
        self._lines = lines
        with gr.Column(elem_classes="pl-card"):
            gr.HTML(f"<h2>{escape(t('models.packs'))}</h2>{cards.note(t('models.hint'))}")
            self._list = gr.HTML(elem_id="models-list", elem_classes="pl-may-be-empty")
            with gr.Row(elem_classes="pl-line"):
                self._file = gr.UploadButton(
                    t("models.import"), size="sm", scale=0, min_width=190, file_types=[ENDING],
                    elem_id="models-import",
                )  # fmt: skip
                gr.HTML(cards.note(t("models.import_hint")))
            self._other = OtherModels(t)
            self._remark = gr.HTML(elem_id="models-remark", elem_classes="pl-may-be-empty")
            with gr.Row(elem_classes="pl-job"):
                with gr.Column(min_width=240):
                    self._status = gr.HTML(elem_id="models-status", elem_classes="pl-may-be-empty")
                self._buttons = JobButtons(t, "models", self._held, can_rest=False)
        with gr.Column(elem_classes="pl-card pl-model-card", elem_id="models-card"):
            self._facts = gr.HTML(elem_id="models-facts", elem_classes="pl-may-be-empty")
            self._card = gr.Markdown("", latex_delimiters=[], elem_id="models-text")
        self._timer = gr.Timer(LOOK_EVERY, active=False)
        self.shown = [
            self._list, self._remark, self._status, *self._buttons.shown, self._facts, self._card,
            self._timer, *lines.shown,
        ]  # fmt: skip
        self._wire()

    def _wire(self) -> None:
        look = gr.Button("", elem_id="models-look", elem_classes="pl-hidden")
        link = gr.Button("", elem_id="models-ask", elem_classes="pl-hidden")
        look.click(self.look, None, self.shown, **DIRECT)
        self._timer.tick(self._follow, None, self.shown, **DIRECT)
        self._buttons.wire(self._follow, self.shown)
        self._file.upload(self._take_upload, self._file, self.shown, **DIRECT)
        if self._other.possible:
            typed = self._other.typed
            gr.on(
                [self._other.convert.click, typed.submit], self._convert, typed, self.shown,
                **DIRECT,
            )  # fmt: skip
            self._other.ask.click(self._ask_hub, typed, self.shown, **DIRECT)
        link.click(
            self._do, gr.Textbox(visible=False), self.shown, **DIRECT,
            js="() => [JSON.stringify(window.pairlens.asked)]",
        )  # fmt: skip

    def look(self) -> Changes:
        """The packs as they are now, and the job that runs or was the last."""
        return {self._list: self._rows(), **self._lines.look(), **self._follow()}

    def start_import(self, files: Sequence[Path]) -> Changes:
        """Import `.pairlens` files, as a job."""
        doing = Doing("models.importing", {"file": files[0].name})
        return self._begin(doing, importing(files, self._bench.uploads, doing), can_cancel=True)

    def _take_upload(self, file: str) -> Changes:
        return self.start_import([Path(file)])

    def _convert(self, typed: str) -> Changes:
        """Make a pack of the folder that was typed; nobody else is asked for anything."""
        t, name = self._t, typed.strip()
        folder = cards.typed_path(name)
        if not name or not folder.is_dir():
            ask = t("models.ask_hub", host=hub.hub_host())
            return {self._remark: cards.notice(t("models.no_folder", typed=name or "…", ask=ask))}
        doing = Doing("models.step_loading", {"name": folder.name})
        return self._begin(doing, converting(folder, doing), can_cancel=True)

    def _ask_hub(self, typed: str) -> Changes:
        """Ask the hub about the name that was typed; nothing is fetched yet."""
        name, host = typed.strip(), hub.hub_host()
        if not hub.NAME.fullmatch(name):
            said = self._t("models.no_name", typed=name or "…", host=host)
            return {self._remark: cards.notice(said)}
        doing = Doing("models.asking", {"name": name, "host": host})
        return self._begin(doing, asking(name), can_cancel=True)

    def _fetch(self, token: str) -> Changes:
        """Fetch what the question on show was about; nothing where it is another one by now."""
        known = self._bench.pack_job
        question = known.job.result if known and known.job.finished else None
        if not isinstance(question, Question) or question.token != token:
            return self._follow()
        offer = question.offer
        doing = Doing("models.fetching", {"name": offer.name, "host": offer.host})
        return self._begin(doing, fetching(offer, doing), can_cancel=True)

    def _leave(self) -> Changes:
        """Take the question away unanswered."""
        known = self._bench.pack_job
        if known is not None and known.job.finished:
            self._bench.pack_job = None
        return {**self._follow(), self._status: ""}

    def _do(self, asked_for: str) -> Changes:
        """What a link of the list asks for, or the answer to a question."""
        bench, what = self._bench, json.loads(asked_for)
        if what["do"] == "fetch":
            return self._fetch(what["token"])
        if what["do"] == "leave":
            return self._leave()
        name = what["pack"]
        try:
            if what["do"] == "card":
                return self._shown_card(find(name))
            works = {
                "use": ("models.switching", using(name, bench.matcher, bench.keeper)),
                "check": ("models.checking", checking(name)),
                "remove": ("models.removing", removing(name, bench.matcher, bench.keeper)),
            }
            doing, work = works[what["do"]]
        except Exception as error:
            return {self._status: self._sorry(error)}
        return self._begin(Doing(doing), work)

    def _begin(
        self,
        doing: Doing,
        work: Work[PackChange] | Work[PackChange | Question] | Work[Imports],
        can_cancel: bool = False,
    ) -> Changes:
        bench = self._bench
        if bench.pack_job is not None and not bench.pack_job.job.finished:
            return {**self._follow(), self._remark: cards.notice(self._t("models.busy"))}
        bench.pack_job = PackJob(doing, bench.packers.submit(work), can_cancel)
        return {**self._follow(), self._remark: ""}

    def _held(self) -> Job[Any] | None:
        """What can be cancelled now."""
        known = self._bench.pack_job
        return known.job if known is not None and known.can_cancel else None

    def _follow(self) -> Changes:
        known = self._bench.pack_job
        if known is None:
            return {**self._buttons.look(), self._timer: gr.update(active=False)}
        job = known.job
        if not job.finished:
            return {
                **self._buttons.look(),
                self._status: self._under_way(known),
                self._timer: gr.update(active=True),
            }
        try:
            said = self._said(job.outcome())
        except Exception as error:
            said = self._sorry(error)
        return {
            **self._buttons.look(),
            self._status: said,
            self._list: self._rows(),
            self._timer: gr.update(active=False),
            **self._lines.look(),
        }

    def _under_way(self, known: PackJob) -> str:
        at, doing = known.job.snapshot(), known.doing
        counted = {"done": f"{at.done:,}", "total": f"{at.total:,}"}
        key = "models.cancelling" if at.cancelling else doing.key
        return cards.progress_bar(at, self._t(key, **doing.fields, **counted))

    def _said(self, outcome: PackChange | Question | Imports) -> str:
        if isinstance(outcome, Question):
            return asked(outcome, self._t)
        if isinstance(outcome, PackChange):
            return self._changed(outcome)
        return "".join(
            self._changed(one) if isinstance(one, PackChange) else self._sorry(one)
            for one in outcome
        )

    def _changed(self, change: PackChange) -> str:
        t = self._t
        size = f"{change.size / 1e6:,.1f}"
        words = t(DONE[change.what], title=change.title, size=size)
        use = ""
        if change.what in ("imported", "here"):
            use = " " + cards.ask("use", t("models.use"), "models-ask", pack=change.name)
        hint = "" if change.calibrated else cards.note(t("models.uncalibrated_hint"))
        if change.seconds is not None:
            hint += cards.note(t("models.takes", **model_card.takes(change.seconds)))
        return f'<p class="pl-summary">{escape(words)}{use}</p>{hint}'

    def _sorry(self, error: Exception) -> str:
        return cards.notice(cards.sentence_for(error, self._t, self._bench))

    # The list

    def _rows(self) -> str:
        bench = self._bench
        try:
            # Which one answers after the next start, as the command line may have chosen too.
            now = used(read_manifest)[1]
            replaced = cards.notice(self._t.error(now.replaced)) if now.replaced else ""
        except Exception as error:
            now, replaced = None, self._sorry(error)
        try:
            running = bench.matcher.get().pack_folder.resolve()
        except Exception:  # the page says why at its head
            running = None
        try:
            rows = "".join(self._row(pack, running, now) for pack in packs())
        except Exception as error:
            return self._sorry(error)
        return f'{replaced}<ul class="pl-libraries">{rows}</ul>'

    def _row(self, pack: Installed, running: Path | None, now: InUse | None) -> str:
        t, manifest = self._t, pack.manifest
        folder = pack.folder.resolve()
        answers = folder == running
        next_start = now is not None and folder == now.folder.resolve()
        chips = []
        if answers:
            chips.append(cards.chip(t("models.in_use"), True))
        elif next_start and running is not None:
            chips.append(cards.chip(t("models.next_start"), True))
        if manifest is None:
            chips.append(cards.chip(t("models.damaged"), False))
        elif not model_card.is_calibrated(manifest):
            chips.append(cards.chip(t("models.uncalibrated"), False))
        said = [t("libraries.size", n=f"{pack.size / 1e6:,.1f}")]
        below = cards.notice(t.error(pack.error)) if pack.error else ""
        if manifest is not None:
            said = [model_card.languages(manifest.languages, t), *said]
            below = f"<div>{escape(model_card.notice(manifest, t))}</div>"
            if manifest.architecture in LOOKING_AGAIN:
                below += f"<div>{escape(t('models.looks_again'))}</div>"
        if answers and next_start and now is not None:
            below += f"<div>{escape(t(WHY[now.why], path=os.fspath(pack.folder)))}</div>"
        links = self._links(pack, answers)
        return (
            f'<li><div class="pl-grow"><strong>{escape(pack.title)}</strong> {"".join(chips)} '
            f"<span>{escape(' · '.join(said))}</span>{below}</div>{links}</li>"
        )

    def _links(self, pack: Installed, answers: bool) -> str:
        t = self._t
        known = pack.folder.name if pack.manifest is None else pack.manifest.model_id
        asked = [] if pack.manifest is None else [("card", t("models.card"))]
        if not answers and pack.manifest is not None:
            asked.append(("use", t("models.use")))
        asked.append(("check", t("models.check")))
        links = "".join(cards.ask(do, words, "models-ask", pack=known) for do, words in asked)
        if pack.folder.parent == packs_dir():
            links += cards.ask(
                "remove", t("models.remove"), "models-ask", pack=known, deed=t("models.remove_now"),
                question=t("models.question", title=pack.title, size=f"{pack.size / 1e6:,.1f}"),
            )  # fmt: skip
        return links

    def _shown_card(self, pack: Installed) -> Changes:
        if pack.manifest is None:
            return {}
        return {
            self._facts: model_card.facts(pack.manifest, self._t),
            self._card: model_card.text(pack.folder, self._t),
        }
