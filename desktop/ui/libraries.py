"""The Search view's section about libraries: which there are, adding to one, renaming, deleting."""

from __future__ import annotations

from html import escape

import gradio as gr

from desktop.i18n import Translator
from desktop.jobs import Job
from desktop.ui import cards
from desktop.ui.bridge import Changes, folder_box
from desktop.workbench import Workbench
from engine.cards import card_named, remove
from engine.cards import cards as library_cards
from engine.errors import LibraryUnknown
from engine.indexing import IndexReport
from engine.standing import Standing, standings

# Names that fit in a line below the folder; the section has all of them.
AT_HAND = 6


class LibrariesSection:
    """Laid out where it is made. Its methods give what changes in ``shown``.

    Attributes:
        accordion: to be refreshed when it is opened.
        folder, name: of what is to be added.
        doomed: the name of the library whose deletion is to be confirmed.
        renamed: the name of the library that is to be renamed, and ``new_name`` what to.
    """

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        with gr.Accordion(
            t("libraries.title"), open=False, elem_id="search-libraries", elem_classes="pl-fold"
        ) as self.accordion:
            self._list = gr.HTML(elem_id="libraries-list", elem_classes="pl-may-be-empty")
            # Which of the two questions is on show, page.css tells from what is in it: what Gradio
            # 6.17 shows for the first time may be hidden again in the next moment.
            with gr.Row(elem_classes="pl-line pl-confirm"):
                self._question = gr.HTML(elem_id="libraries-question")
                self.keep = gr.Button(
                    t("libraries.keep"), scale=0, min_width=120, elem_id="libraries-keep"
                )
                self.delete = gr.Button(
                    t("libraries.delete_now"), variant="stop", scale=0, min_width=140,
                    elem_id="libraries-delete",
                )  # fmt: skip
            with gr.Row(elem_classes="pl-line pl-renaming"):
                self._renaming = gr.HTML(elem_classes="pl-hidden")
                self.new_name = gr.Textbox(
                    value="", max_lines=1, scale=4, elem_id="libraries-new-name"
                )
                self.leave = gr.Button(
                    t("libraries.rename_off"), scale=0, min_width=120, elem_id="libraries-leave"
                )
                self.rename = gr.Button(
                    t("libraries.rename_now"), variant="primary", scale=0, min_width=140,
                    elem_id="libraries-rename",
                )  # fmt: skip
            with gr.Row(elem_classes="pl-line"):
                self.folder = folder_box(t, t("libraries.folder"), "libraries-folder", scale=5)
                self.name = gr.Textbox(
                    value="",
                    label=t("libraries.name"), placeholder=t("libraries.name_hint"), max_lines=1,
                    scale=4, elem_id="libraries-name",
                )  # fmt: skip
                self.add = gr.Button(
                    t("libraries.add"), scale=0, min_width=150, elem_id="libraries-add"
                )
        self.doomed = gr.State(None)
        self.renamed = gr.State(None)
        self.shown = [
            self._list, self._question, self.doomed, self._renaming, self.new_name, self.renamed,
            self.folder, self.name,
        ]  # fmt: skip

    def refreshed(self) -> Changes:
        """The libraries as they stand now."""
        try:
            found = standings()
        except Exception as error:
            return {self._list: cards.notice(cards.sentence_for(error, self._t, self._bench))}
        rows = "".join(self._row(library) for library in found)
        empty = cards.note(self._t("libraries.none"))
        return {self._list: f'<ul class="pl-libraries">{rows}</ul>' if rows else empty}

    def start_adding(self, typed: str, name: str) -> Job[IndexReport]:
        """Add a folder to the library of this name, made if needed, and begin to index it.

        Raises:
            FolderMissing: there is no such folder.
        """
        return self._bench.keeper.index(cards.typed_folder(typed), name.strip() or None)

    def ask_to_delete(self, name: str) -> Changes:
        """Say what deleting means before it is done. Raises LibraryUnknown."""
        card = card_named(name)
        if card is None:
            raise LibraryUnknown(name=name)
        folders = ", ".join(map(str, card.folders))
        question = self._t("libraries.question", name=card.name, folders=folders)
        return {
            **self.ask_nothing(),
            self._question: cards.notice(question),
            self.doomed: card.name,
        }

    def ask_for_a_name(self, name: str) -> Changes:
        """Ask what a library is to be called."""
        return {
            **self.ask_nothing(),
            self._renaming: '<i class="pl-asked"></i>',
            self.new_name: gr.update(label=self._t("libraries.rename_to", name=name), value=name),
            self.renamed: name,
        }

    def ask_nothing(self) -> Changes:
        """Take back what was asked."""
        return {
            self._question: "",
            self.doomed: None,
            self._renaming: "",
            self.renamed: None,
        }

    def delete_now(self, name: str) -> None:
        """Delete a library once nothing is going on with it any more; photos are not touched.

        Raises:
            LibraryUnknown, LibraryBusy, OutputUnwritable: see `engine.cards.remove`.
        """
        self._bench.keeper.let_go(name)
        remove(name)
        self._bench.resident.clear()

    def _row(self, library: Standing) -> str:
        t = self._t
        said = []
        if library.error is not None:
            below = cards.notice(t.error(library.error))
        else:
            said = [
                t("search.count_total", n=f"{library.photos:,}"),
                t("libraries.size", n=f"{library.size / 1e6:,.1f}"),
                t("libraries.looked", when=f"{library.looked:%Y-%m-%d %H:%M}")
                if library.looked
                else t("libraries.never_looked"),
            ]
            if library.indexing:
                ours = self._bench.keeper.is_indexing(library.name)
                said.append(t("libraries.indexing") if ours else t("libraries.indexing_elsewhere"))
            below = ""
        folders = "".join(
            f"<div>{escape(str(folder))}"
            + (f" ({escape(t('search.offline'))})" if folder in library.away else "")
            + "</div>"
            for folder in library.folders
        )
        name = escape(library.name)
        return (
            f'<li><div class="pl-grow"><strong>{name}</strong> '
            f"<span>{escape(' · '.join(said))}</span>{folders}{below}</div>"
            f"{cards.ask('use', t('libraries.use'), name=library.name)}"
            f"{cards.ask('rename', t('libraries.rename'), name=library.name)}"
            f"{cards.ask('delete', t('libraries.delete'), name=library.name)}</li>"
        )


def names_at_hand(t: Translator) -> str:
    """The first libraries in a line, to be chosen with a click; empty where there are none."""
    names = [card.name for card in library_cards()]
    if not names:
        return ""
    links = " ".join(cards.ask("use", name, name=name) for name in names[:AT_HAND])
    more = "…" if len(names) > AT_HAND else ""
    title = t("libraries.title")
    meaning = cards.hint(title, t("libraries.hint"))
    return f'<p class="pl-names">{escape(title)}{meaning} {links}{more}</p>'
