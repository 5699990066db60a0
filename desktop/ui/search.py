"""The Search view: photos of a folder or library found by words, by a photo, or by both.

What was asked for last is in the Workbench, so that it outlives a reload of the page; a search in a
folder that is not indexed waits there until it is. Indexing is the business of `desktop.keeper`.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from desktop.i18n import Translator
from desktop.jobs import Job
from desktop.ui import cards, search_results
from desktop.ui.act import ActPanel, Result
from desktop.ui.bridge import DIRECT, LOOK_EVERY, Changes, folder_box, sweep
from desktop.ui.job_buttons import JobButtons
from desktop.ui.libraries import LibrariesSection, names_at_hand
from desktop.ui.search_form import TOP, MoreChoices, read_place, read_search
from desktop.workbench import Search, Workbench
from engine.cards import card_named
from engine.errors import LibraryDamaged, LibraryMissing, NoPhotos
from engine.index import Library
from engine.indexing import IndexReport
from engine.resident import Resident
from engine.search import quoted, search
from engine.types import BatchRow

# Seconds between two looks at what happens by itself.
CALM = 2.0


class SearchView:
    """Laid out inside the current tab when it is made.

    Attributes:
        folder: what is searched: a folder, or the name of a library.
        shown: all that its events change.
    """

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        self._photo = gr.State(None)
        with gr.Column(elem_classes="pl-card"):
            self._lay_out_inputs()
            self._choices = MoreChoices(t)
            self._libraries = LibrariesSection(bench, t)
        with gr.Row(elem_classes="pl-line pl-job"):
            with gr.Column(min_width=240):
                self._status = gr.HTML(elem_id="search-status", elem_classes="pl-may-be-empty")
                self._news = gr.HTML(elem_id="search-news", elem_classes="pl-may-be-empty")
            self._buttons = JobButtons(t, "search", lambda: bench.keeper)
        self.acting = ActPanel(bench, t, "search", self._to_act_on, by_caption=False)
        self._gallery = gr.HTML(
            cards.empty(t("search.empty"), t("search.empty_hint"), "search"),
            elem_id="search-gallery",
        )
        self._timer = gr.Timer(LOOK_EVERY, active=False)
        # The number of the job whose end this page has shown last.
        self._told = gr.State(0)
        self._calm = gr.Timer(CALM, active=False)
        self._ask = gr.Button("", elem_id="search-ask", elem_classes="pl-hidden")
        self._carrier = gr.Textbox(visible=False)
        self._wire()

    def _lay_out_inputs(self) -> None:
        t = self._t
        with gr.Row(elem_classes="pl-line"):
            last = cards.still_there(self._bench, "search", read_place)
            self.folder = folder_box(t, t("search.folder"), "search-folder", value=last)
            self._renew = gr.Button(
                t("search.renew"), scale=0, min_width=160, elem_id="search-renew"
            )
        self._names = gr.HTML(elem_id="search-names", elem_classes="pl-may-be-empty")
        with gr.Row(elem_classes="pl-line"):
            self._query = gr.Textbox(
                value="",
                label=t("search.query"), placeholder=t("search.query_hint"), max_lines=1, scale=6,
                elem_id="search-query",
            )  # fmt: skip
            self._go = gr.Button(
                t("search.go"), variant="primary", scale=0, min_width=160, elem_id="search-go"
            )
        with gr.Row(visible=False, elem_classes="pl-line") as self._photo_row:
            self._photo_shown = gr.HTML(elem_id="search-photo")
            self._photo_off = gr.Button(
                t("search.photo_off"), size="sm", scale=0, min_width=96, elem_id="search-photo-off"
            )

    def _wire(self) -> None:
        libraries = self._libraries
        self.shown = [
            self.folder, self._query, self._photo, self._photo_row, self._photo_shown,
            self._choices.upload, self._names, *libraries.shown, self._status, self._news,
            *self._buttons.shown, self._renew, self._gallery, self._timer, self._told,
            self._calm,
        ]  # fmt: skip
        inputs = [self.folder, self._query, self._photo, *self._choices.fields]
        on: dict[str, Any] = {"outputs": self.shown, **DIRECT}
        gr.on([self._go.click, self._query.submit], self._find, inputs, **on)
        self.acting.forget_when(self._go.click, self._query.submit, self._ask.click)
        self._renew.click(self._renew_index, self.folder, **on)
        self._timer.tick(self._follow, self._told, **on)
        self._calm.tick(self._look_calmly, **on)
        self._buttons.wire(self._look_calmly, self.shown, self._cancelled)
        self._choices.upload.upload(self._take_upload, self._choices.upload, **on)
        self._photo_off.click(lambda: self.take_photo(None), **on)
        libraries.accordion.expand(libraries.refreshed, **on)
        libraries.add.click(self._add_folder, [libraries.folder, libraries.name], **on)
        libraries.keep.click(libraries.ask_nothing, **on)
        libraries.leave.click(libraries.ask_nothing, **on)
        gr.on(
            [libraries.rename.click, libraries.new_name.submit], self._rename,
            [libraries.renamed, libraries.new_name, self.folder], **on,
        )  # fmt: skip
        libraries.delete.click(self._delete, [libraries.doomed, self.folder], **on)
        # The window's own dialog hands the photo in like a drop does: no copy is made.
        self._choices.pick.click(None, None, None, js="() => window.pywebview.api.pick_photos()")
        self._ask.click(
            self._do, [self._carrier, *inputs], **on,
            js="(_, ...rest) => [JSON.stringify(window.pairlens.asked), ...rest]",
        )  # fmt: skip

    # Searching

    def _find(self, *filled: Any) -> Changes:
        try:
            return self._run(read_search(*filled))
        except Exception as error:
            return self._no_answer(error)

    def _show_more(self) -> Changes:
        asked = self._bench.search
        return {} if asked is None else self._run(replace(asked, top=asked.top + TOP))

    def _do(self, asked: str, *filled: Any) -> Changes:
        """What a link on the page asks for."""
        what = json.loads(asked)
        try:
            if what["do"] == "use":
                return {self.folder: what["name"]}
            if what["do"] == "more":
                return self._show_more()
            if what["do"] == "delete":
                return self._libraries.ask_to_delete(what["name"])
            if what["do"] == "rename":
                return self._libraries.ask_for_a_name(what["name"])
            photo = self._bench.thumbnails.photo(what["photo"])
            where, _, _, *choices = filled
            if photo is None:  # the page is older than the program
                return {}
            like = self._find(where, "", str(photo), *choices)
            return {**like, **self.take_photo(photo), self._query: ""}
        except Exception as error:
            return {self._status: self._sorry(error)}

    def _run(self, asked: Search) -> Changes:
        """Search, or index first: then the search waits for the end of that."""
        bench = self._bench
        bench.search = replace(asked, result=None)
        bench.settings.use_folder("search", asked.where)
        try:
            return {self._status: "", **self._found(asked)}
        except LibraryMissing:
            bench.keeper.index(asked.folder, asked.library)
        except LibraryDamaged as damage:
            bench.keeper.index(asked.folder, asked.library, damage)
        except Exception as error:
            return self._no_answer(error)
        return {self._gallery: "", **self._look()}

    def _found(self, asked: Search) -> Changes:
        bench, keeper = self._bench, self._bench.keeper
        matcher = bench.matcher.get()
        library = _open(asked, bench.resident)
        with closing(library):
            # Asked before and after, as ours may end in between.
            ours = keeper.is_indexing(library.name)
            busy = library.is_being_indexed()
            ours = ours or keeper.is_indexing(library.name)
            result = search(matcher, library, asked.query, asked.top)
        bench.search = replace(asked, result=result)
        keeper.read_news()
        keeper.use(library.name)
        remark = ""
        if busy and not ours:
            remark = cards.note(self._t("search.indexing_elsewhere"))
        elif ours and keeper.under_way is not None:
            remark = cards.note(self._t("search.indexing_now"))
        return {
            self._gallery: remark + search_results.gallery(bench.search, bench, self._t),
            self._names: names_at_hand(self._t),
            **self._look_calmly(),
        }

    def _no_answer(self, error: Exception) -> Changes:
        # What an earlier search found would look like an answer to this one.
        self._bench.search = None
        return {
            self._status: self._sorry(error),
            self._gallery: "",
        }

    # The photo to search with

    def take_photo(self, photo: Path | None) -> Changes:
        """Search with this photo from now on, or with none."""
        if photo is None:
            return {self._photo: None, self._photo_row: gr.update(visible=False)}
        words = self._t("search.like_photo", name=photo.name)
        shown = f'<div class="pl-chosen">{cards.thumbnail(photo, self._bench, "pl-tiny")}'
        return {
            self._photo: str(photo),
            self._photo_shown: f"{shown}{cards.note(words)}</div>",
            self._photo_row: gr.update(visible=True),
        }

    def _take_upload(self, file: str | None) -> Changes:
        sweep(self._bench.uploads)
        if file is None:
            return {}
        return {**self.take_photo(Path(file)), self._choices.upload: None}

    # Indexing

    def _renew_index(self, typed: str) -> Changes:
        try:
            self._bench.keeper.index(*read_place(typed))
        except Exception as error:
            return {self._status: self._sorry(error)}
        return self._look()

    def _follow(self, told: int) -> Changes:
        """What the timer asks for: it may ask once more when the end of a job was shown already,
        and meanwhile something else may have been searched."""
        job = self._bench.keeper.asked
        if job is None or job.number == told:
            return {self._timer: gr.update(active=False)}
        return self._look()

    def _look(self) -> Changes:
        """Show the indexing that was asked for."""
        job = self._bench.keeper.asked
        if job is None:
            return {self._timer: gr.update(active=False)}
        running = not job.finished
        return {
            self._timer: gr.update(active=running),
            self._renew: gr.update(interactive=not running),
            **(
                {self._status: cards.progress(job.snapshot(), self._t)}
                if running
                else self._indexed(job)
            ),
            **self._buttons.look(),
        }

    def _indexed(self, job: Job[IndexReport]) -> Changes:
        changes: Changes = {
            self._told: job.number,
            self._names: names_at_hand(self._t),
            **self._libraries.refreshed(),
        }
        try:
            report = job.outcome()
        except Exception as error:
            return {**changes, self._status: self._sorry(error)}
        usable = report.total + report.offline - len(report.failures)
        if not report.cancelled and usable > 0:
            changes |= self._search_again()
        return {**changes, self._status: search_results.report_words(report, self._t)}

    def _search_again(self) -> Changes:
        """The search that has waited for its index, or the last one in what was indexed anew."""
        asked = self._bench.search
        if asked is None or self._bench.keeper.asked_for != (asked.folder, asked.library):
            return {}
        try:
            return self._found(asked)
        except LibraryMissing as error:  # all is indexed, and yet nothing is there
            return {self._gallery: self._sorry(NoPhotos(path=error.fields["path"]))}
        except Exception as error:
            return {self._gallery: self._sorry(error)}

    def _look_calmly(self) -> Changes:
        """Show what happens by itself."""
        keeper = self._bench.keeper
        return {
            self._calm: gr.update(active=keeper.in_use),
            self._news: search_results.news_words(keeper, self._bench, self._t),
            **self._buttons.look(),
        }

    def _cancelled(self) -> Changes:
        if self._bench.keeper.under_way is not None:
            return self._look()
        return {**self._look_calmly(), self._status: cards.note(self._t("search.cancelled"))}

    def resume(self) -> Changes:
        """After a reload of the page: go on showing the last search and the indexing that runs."""
        changes: Changes = {self._names: names_at_hand(self._t), **self._look_calmly()}
        asked = self._bench.search
        if asked is not None:
            changes |= {self.folder: asked.where, self._query: asked.query.words or ""}
            if asked.query.photo is not None:
                changes |= self.take_photo(asked.query.photo)
            changes[self._gallery] = search_results.gallery(asked, self._bench, self._t)
        job = self._bench.keeper.asked
        waiting = asked is not None and asked.result is None
        if job is not None and (waiting or not job.finished):
            changes |= self._look()
        return changes

    def _to_act_on(self) -> Result | None:
        asked = self._bench.search
        if asked is None or asked.result is None:
            return None
        card = None if asked.library is None else card_named(asked.library)
        folders = card.folders if card else () if asked.folder is None else (asked.folder,)
        hits = asked.result.results or asked.result.nearest
        return Result(folders, [BatchRow(hit.photo) for hit in hits])

    # Libraries

    def _add_folder(self, typed: str, name: str) -> Changes:
        try:
            self._libraries.start_adding(typed, name)
        except Exception as error:
            return {self._status: self._sorry(error)}
        return {self._libraries.folder: "", self._libraries.name: "", **self._look()}

    def _delete(self, name: str, typed: str) -> Changes:
        t, bench = self._t, self._bench
        changes = self._libraries.ask_nothing()
        try:
            self._libraries.delete_now(name)
        except Exception as error:
            return {**changes, self._status: self._sorry(error)}
        changes |= {
            **self._libraries.refreshed(),
            **self._look_calmly(),
            self._names: names_at_hand(t),
            self._status: cards.note(t("libraries.deleted", name=name)),
        }
        if typed.strip().casefold() == name.casefold():
            bench.search = None
            changes |= {
                self.folder: "",
                self._gallery: cards.empty(t("search.empty"), t("search.empty_hint"), "search"),
            }
        return changes

    def _rename(self, name: str, to: str, typed: str) -> Changes:
        t, bench = self._t, self._bench
        try:
            now = bench.keeper.rename(name, to).name
        except Exception as error:
            return {self._status: self._sorry(error)}
        asked = bench.search
        if asked is not None and asked.library == name:
            bench.search = replace(asked, where=now, library=now)
        changes = {
            **self._libraries.ask_nothing(),
            **self._libraries.refreshed(),
            **self._look_calmly(),
            self._names: names_at_hand(t),
            self._status: cards.note(t("libraries.renamed", name=name, now=now)),
        }
        if typed.strip().casefold() == name.casefold():
            changes[self.folder] = now
        return changes

    def _sorry(self, error: Exception) -> str:
        return cards.notice(cards.sentence_for(error, self._t, self._bench))


def _open(asked: Search, resident: Resident) -> Library:
    """The library of a search. Raises LibraryMissing where nothing is indexed yet."""
    if asked.library is not None:
        found = Library.named(asked.library, resident)
    else:
        found = None if asked.folder is None else Library.find(asked.folder, resident)
    if found is None:
        missing = asked.folder or asked.where
        raise LibraryMissing(path=missing, quoted=quoted(Path(missing)))
    return found
