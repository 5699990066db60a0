"""Where what people hand in goes: photos to Match or Search, folders to Batch or Search, and
files with a model pack to Models.

It comes from the window (drop, paste, dialog, command line) as paths, or from the command line
without one; page.js hands it over here, one arrival at a time, and shows the view that is named in
the answer.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from desktop.i18n import Translator
from desktop.intake import told_apart
from desktop.ui import cards
from desktop.ui.batch import BatchView
from desktop.ui.bridge import DIRECT, Changes, sweep
from desktop.ui.match import MatchView
from desktop.ui.models import ModelsView
from desktop.ui.search import SearchView
from desktop.workbench import Workbench

# The views that work on folders, and what the choice between them says.
CHOICES = {"batch": "arrive.to_batch", "search": "arrive.to_search"}


class Arrivals:
    """Laid out where it is made: a place for remarks and the choice, empty at most times."""

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        self._said = gr.HTML(elem_id="pl-arrival", elem_classes="pl-may-be-empty")
        self._given = gr.HTML(elem_id="pl-given", elem_classes="pl-hidden")
        self._arrive = gr.Button("", elem_id="pl-arrive", elem_classes="pl-hidden")
        self._choose = gr.Button("", elem_id="pl-choose", elem_classes="pl-hidden")
        self._pasted = gr.File(file_count="multiple", elem_id="pl-pasted", elem_classes="pl-hidden")
        self._carrier = gr.Textbox(visible=False)
        # Tells page.js one answer from the next.
        self._count = itertools.count()

    def wire(
        self, matching: MatchView, batching: BatchView, searching: SearchView, models: ModelsView
    ) -> None:
        """Say where the parts of the views are; to be called once they are laid out."""
        self._matching, self._batching, self._searching = matching, batching, searching
        self._models = models
        on: dict[str, Any] = {
            "outputs": [
                self._said, self._pasted, matching.photos, matching.strip, batching.folder,
                *searching.shown, *models.shown,
            ],
            **DIRECT,
        }  # fmt: skip
        self._arrive.click(
            self._receive, [self._carrier, matching.photos], **on,
            js="(_, known) => [JSON.stringify(window.pairlens.arrived), known]",
        )  # fmt: skip
        self._pasted.upload(
            self._receive_pasted, [self._pasted, self._carrier, matching.photos], **on,
            js="(files, _, known) => [files, document.documentElement.dataset.view, known]",
        )  # fmt: skip
        self._choose.click(
            self._put_chosen, self._carrier, **on,
            js="() => JSON.stringify(window.pairlens.asked)",
        )  # fmt: skip

    def look(self) -> Changes:
        """Say once that the program crashed the last time, and hand over once what it was given."""
        bench = self._bench
        crash, bench.crash = bench.crash, None
        given, bench.given = bench.given, []
        said = self._answer(cards.notice(self._t("crash.told", log=crash))) if crash else gr.skip()
        handed = cards.told("given", json.dumps(given)) if given else gr.skip()
        return {self._said: said, self._given: handed}

    @property
    def shown(self) -> list[Any]:
        """All that `look` changes."""
        return [self._said, self._given]

    def _receive(self, arrived: str, known: list[str]) -> Changes:
        what = json.loads(arrived)
        return self._sorted_in(what["paths"], what["view"], known)

    def _receive_pasted(self, files: list[str] | None, view: str, known: list[str]) -> Changes:
        sweep(self._bench.uploads)
        return {**self._sorted_in(files or [], view, known), self._pasted: None}

    def _sorted_in(self, paths: Sequence[str], view: str, known: list[str]) -> Changes:
        try:
            return self._sort_in(paths, view, known)
        except Exception as error:  # page.js waits for an answer before it hands over more
            sentence = cards.sentence_for(error, self._t, self._bench)
            return {self._said: self._answer(cards.notice(sentence))}

    def _sort_in(self, paths: Sequence[str], view: str, known: list[str]) -> Changes:
        t = self._t
        came = told_apart(paths)
        changes: Changes = {}
        remarks: list[str] = []
        go = ""
        if came.unusable:
            remarks.append(
                f'<div class="pl-notice" role="alert">{escape(t("arrive.unusable"))}'
                f"{cards.failures(came.unusable, t)}</div>"
            )
        if came.photos and view == "search":
            first = came.photos[0]
            changes |= self._searching.take_photo(first)
            if len(came.photos) > 1:
                remarks.append(cards.note(t("arrive.one_photo", name=first.name)))
        elif came.photos:
            photos, strip = self._matching.add(known, [str(photo) for photo in came.photos])
            changes |= {self._matching.photos: photos, self._matching.strip: strip}
            go = "match"
        if came.folders and view in CHOICES:
            changes |= self._put(view, came.folders, remarks)
            go = view
        elif came.folders:
            remarks.append(self._choice(came.folders))
        if came.packs:
            changes |= self._models.start_import(came.packs)
            go = "models"
        if came.photos and view != "search" and go != "match":
            count = cards.photos(len(came.photos), t)
            remarks.append(cards.note(t("arrive.photos_in_match", photos=count)))
        return {**changes, self._said: self._answer("".join(remarks), go)}

    def _put(self, view: str, folders: Sequence[Path], remarks: list[str]) -> Changes:
        if view == "batch":
            return {self._batching.folder: cards.spelled(folders)}
        if len(folders) > 1:
            links = " ".join(cards.ask("use", folder.name, name=str(folder)) for folder in folders)
            words = escape(self._t("arrive.one_folder"))
            remarks.append(f'<p class="pl-names">{words} {links}</p>')
        return {self._searching.folder: str(folders[0])}

    def _put_chosen(self, asked: str) -> Changes:
        chosen = json.loads(asked)
        remarks: list[str] = []
        folders = [Path(path) for path in json.loads(chosen["paths"])]
        changes = self._put(chosen["do"], folders, remarks)
        return {**changes, self._said: self._answer("".join(remarks), chosen["do"])}

    def _choice(self, folders: Sequence[Path]) -> str:
        """What is to be done with folders that came in where neither answer is at hand."""
        t = self._t
        paths = json.dumps([str(folder) for folder in folders])
        buttons = "".join(
            f'<button type="button" class="pl-button" data-ask="pl-choose" data-do="{view}" '
            f'data-paths="{escape(paths)}">{escape(t(words))}</button>'
            for view, words in CHOICES.items()
        )
        question = (
            t("arrive.folder", name=folders[0].name or str(folders[0]))
            if len(folders) == 1
            else t("arrive.folders", n=len(folders))
        )
        return (
            f'<div class="pl-choice" role="group" aria-label="{escape(question)}">'
            f"<p>{escape(question)}</p>{buttons}"
            f'<button type="button" class="pl-button" data-dismiss>{escape(t("arrive.nothing"))}'
            "</button></div>"
        )

    def _answer(self, remarks: str, go: str = "") -> str:
        return f'<div data-arrival="{next(self._count)}" data-go="{go}">{remarks}</div>'
