"""The Match view: some photos, some captions, and how likely each pair belongs together."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

import gradio as gr

from desktop.i18n import Translator
from desktop.ui import cards
from desktop.ui.bridge import DIRECT, Changes
from desktop.ui.why import WhyDialog, ask_why
from desktop.workbench import Workbench
from engine.types import Match

# Beyond this many, the strip says how many more there are.
STRIP = 24


class MatchView:
    """Laid out inside the current tab when it is made.

    Attributes:
        shown: all that ``show`` changes.
    """

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        self.photos = gr.State([])
        with gr.Row(elem_classes="pl-split"):
            with gr.Column(scale=4, min_width=300, elem_classes="pl-card"):
                self._lay_out_inputs()
            with gr.Column(scale=6, min_width=340):
                self._results = gr.HTML(self._nothing_yet(), elem_id="match-results")
                WhyDialog(bench, t)
        self.shown = [self.photos, self.strip, self._captions, self._results]
        self._wire()

    def _lay_out_inputs(self) -> None:
        t = self._t
        gr.HTML(f"<h2>{escape(t('match.photos'))}</h2>")
        self.strip = gr.HTML(elem_id="match-strip", elem_classes="pl-may-be-empty")
        self._upload = gr.File(
            file_count="multiple", label=t("match.photos"), show_label=False, height=132,
            elem_id="match-upload", elem_classes="pl-drop pl-in-browser",
        )  # fmt: skip
        self._pick = gr.Button(
            t("match.pick"), elem_id="match-pick", elem_classes="pl-drop pl-in-window"
        )
        self._captions = gr.Textbox(
            label=t("match.captions"), placeholder=t("match.captions_hint"), lines=4,
            max_lines=12, elem_id="match-captions",
        )  # fmt: skip
        with gr.Row(elem_classes="pl-actions"):
            self._clear = gr.Button(t("match.clear"), elem_id="match-clear", min_width=80)
            self._go = gr.Button(
                t("match.go"), variant="primary", elem_id="match-go", min_width=120
            )

    def _wire(self) -> None:
        self._upload.upload(
            self._take_upload, [self.photos, self._upload],
            [self.photos, self.strip, self._upload], **DIRECT,
        )  # fmt: skip
        # The window's own dialog hands the paths in like a drop does: no copy is made.
        self._pick.click(None, None, None, js="() => { window.pywebview.api.pick_photos(); }")
        self._go.click(
            self._match, [self.photos, self._captions], self._results,
            **{**DIRECT, "show_progress": "minimal"},
        )  # fmt: skip
        self._clear.click(self._forget, None, [self.photos, self.strip, self._results], **DIRECT)

    def add(self, known: list[str], more: Sequence[str]) -> tuple[list[str], str]:
        """The photos with some added, none of them twice, and the strip that shows them."""
        merged = list(dict.fromkeys([*known, *more]))
        return merged, _strip(merged, self._bench, self._t)

    def show(self, photos: Sequence[Path], captions: Sequence[str]) -> Changes:
        """These photos matched with these captions, in place of what was there."""
        names, text = list(map(str, photos)), "\n".join(captions)
        return {
            self.photos: names,
            self.strip: _strip(names, self._bench, self._t),
            self._captions: text,
            self._results: self._match(names, text),
        }

    def _take_upload(
        self, known: list[str], files: list[str] | None
    ) -> tuple[list[str], str, None]:
        return (*self.add(known, files or []), None)

    def _match(self, photos: list[str], text: str) -> str:
        captions = [line.strip() for line in text.splitlines() if line.strip()]
        if not photos:
            return cards.notice(self._t("match.no_photos"))
        try:
            matches = self._bench.matcher.get().match([Path(name) for name in photos], captions)
        except Exception as error:
            return cards.notice(cards.sentence_for(error, self._t, self._bench))
        return _results(matches, self._bench, self._t)

    def _forget(self) -> tuple[list[str], str, str]:
        return [], "", self._nothing_yet()

    def _nothing_yet(self) -> str:
        return cards.empty(self._t("match.empty"), self._t("match.empty_hint"), "match")


def _strip(photos: list[str], bench: Workbench, t: Translator) -> str:
    if not photos:
        return ""
    shown = "".join(cards.thumbnail(Path(name), bench, "pl-tiny") for name in photos[:STRIP])
    return f'<div class="pl-strip">{shown}</div>{cards.note(cards.photos(len(photos), t))}'


def _results(matches: Sequence[Match], bench: Workbench, t: Translator) -> str:
    found = [_card(photo, list(pairs), bench, t) for photo, pairs in groupby(matches, _photo)]
    return "".join(found) + cards.note(cards.meaning(bench.matcher.get().calibrated, t))


def _photo(match: Match) -> Path:
    return match.photo


def _card(photo: Path, pairs: list[Match], bench: Workbench, t: Translator) -> str:
    failed = pairs[0].failure
    if failed is not None:
        picture = cards.broken("pl-medium")
        rows = cards.notice(cards.failure_sentence(failed, t))
    else:
        picture = cards.thumbnail(photo, bench, "pl-medium")
        rows = "".join(_pair(pair, bench, t) for pair in pairs)
    return (
        f'<article class="pl-card pl-result">{picture}<div class="pl-grow">'
        f"<h3>{escape(photo.name)}</h3>{rows}</div></article>"
    )


def _pair(pair: Match, bench: Workbench, t: Translator) -> str:
    if pair.probability is None:
        return ""
    match = bool(pair.match)
    return (
        f'<div class="pl-pair"><p>{escape(pair.caption)}</p><div class="pl-score">'
        f"{cards.bar(pair.probability, match)}{cards.verdict(match, t)}"
        f"{ask_why(pair.photo, pair.caption, bench, t)}</div></div>"
    )
