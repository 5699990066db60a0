"""The Match view: some photos, some captions, and how likely each pair belongs together.

Answers come while a person types: page.js asks, one question at a time, so that no older answer
takes the place of a newer one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import gradio as gr

from desktop.i18n import Translator
from desktop.ui import cards
from desktop.ui.bridge import DIRECT, Changes, sweep
from desktop.ui.why import ask_why
from desktop.workbench import Workbench
from engine.types import Match
from engine.verdict import UNSURE, Verdict, verdict

if TYPE_CHECKING:
    from engine.matcher import Matcher

# Beyond this many, the strip says how many more there are.
STRIP = 24

VERDICTS = MappingProxyType(
    {
        Verdict.MATCH: "verdict.match",
        Verdict.UNSURE: "verdict.unsure",
        Verdict.NO_MATCH: "verdict.no_match",
    }
)


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
        self._now = gr.Button("", elem_id="match-now", elem_classes="pl-hidden")
        self._ask = gr.Button("", elem_id="match-ask", elem_classes="pl-hidden")

    def _wire(self) -> None:
        self._upload.upload(
            self._take_upload, [self.photos, self._upload],
            [self.photos, self.strip, self._upload], **DIRECT,
        )  # fmt: skip
        # The window's own dialog hands the paths in like a drop does: no copy is made.
        self._pick.click(None, None, None, js="() => { window.pywebview.api.pick_photos(); }")
        self._now.click(
            self._match, [self.photos, self._captions], self._results, **DIRECT
        ).then(None, None, None, js="() => { window.pairlens.matched(); }")  # fmt: skip
        self.strip.change(None, None, None, js="() => { window.pairlens.match(); }")
        self._ask.click(
            self._remove, [gr.Textbox(visible=False), self.photos], [self.photos, self.strip],
            **DIRECT, js="(_, known) => [JSON.stringify(window.pairlens.asked), known]",
        )  # fmt: skip
        self._clear.click(
            lambda: ([], "", ""), None, [self.photos, self.strip, self._captions], **DIRECT
        ).then(None, None, None, js="() => { window.pairlens.match(); }")

    def add(self, known: list[str], more: Sequence[str]) -> tuple[list[str], str]:
        """The photos with some added, none of them twice, and the strip that shows them."""
        return self._shown(list(dict.fromkeys([*known, *more])))

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
        sweep(self._bench.uploads)
        return (*self.add(known, files or []), None)

    def _remove(self, asked: str, known: list[str]) -> tuple[list[str], str]:
        gone = self._bench.thumbnails.photo(json.loads(asked)["photo"])
        return self._shown([name for name in known if Path(name) != gone])

    def _shown(self, photos: list[str]) -> tuple[list[str], str]:
        return photos, _strip(photos, self._bench, self._t)

    def _match(self, photos: list[str], text: str) -> str:
        t, bench = self._t, self._bench
        captions = [line.strip() for line in text.splitlines() if line.strip()]
        if not (photos and captions):
            return self._nothing_yet(photos, captions)
        try:
            matcher = bench.matcher.get()
            matches = matcher.match(
                [Path(name) for name in photos], captions, bench.features.encode
            )
        except Exception as error:
            return cards.notice(cards.sentence_for(error, t, bench))
        return results(matches, matcher, bench, t)

    def _nothing_yet(self, photos: Sequence[str] = (), captions: Sequence[str] = ()) -> str:
        t = self._t
        if photos:
            return cards.empty(t("match.empty"), t("match.no_captions"), "match")
        if captions:
            return cards.empty(t("match.empty"), t("match.no_photos"), "match")
        return cards.empty(t("match.empty"), t("match.empty_hint"), "match")


def _strip(photos: list[str], bench: Workbench, t: Translator) -> str:
    if not photos:
        return ""
    shown = "".join(_tile(Path(name), bench, t) for name in photos[:STRIP])
    return f'<div class="pl-strip">{shown}</div>{cards.note(cards.photos(len(photos), t))}'


def _tile(photo: Path, bench: Workbench, t: Translator) -> str:
    words = escape(t("match.remove", name=photo.name))
    asked = cards.asking("remove", "match-ask", photo=bench.thumbnails.key(photo))
    return (
        f'<span class="pl-tile">{cards.thumbnail(photo, bench, "pl-tiny")}'
        f'<button type="button" class="pl-remove" title="{words}" aria-label="{words}" {asked}>✕'
        "</button></span>"
    )


def results(matches: Sequence[Match], matcher: Matcher, bench: Workbench, t: Translator) -> str:
    """A card for each photo with all captions, and what the numbers and words mean.

    Args:
        matches: photo by photo.
        matcher: the one that they are of.
    """
    found = "".join(
        _card(photo, list(pairs), matcher, bench, t)
        for photo, pairs in groupby(matches, lambda match: match.photo)
    )
    line = t("match.line", threshold=cards.percent(matcher.threshold))
    # How often an answer is wrong nobody knows of a model that was not calibrated.
    unsure = " " + t("match.unsure", share=round(1 / UNSURE)) if matcher.calibrated else ""
    meaning = cards.meaning(matcher.calibrated, t)
    return f"{found}{cards.note(meaning)}{cards.note(line + unsure)}"


def _card(
    photo: Path, pairs: list[Match], matcher: Matcher, bench: Workbench, t: Translator
) -> str:
    failed = pairs[0].failure
    if failed is not None:
        picture = cards.broken("pl-medium")
        rows = cards.notice(cards.failure_sentence(failed, t))
    else:
        picture = cards.thumbnail(photo, bench, "pl-medium")
        rows = "".join(_pair(pair, matcher, bench, t) for pair in pairs)
    return (
        f'<article class="pl-card pl-result">{picture}<div class="pl-grow">'
        f"<h3>{escape(photo.name)}</h3>{rows}</div></article>"
    )


def _pair(pair: Match, matcher: Matcher, bench: Workbench, t: Translator) -> str:
    if pair.probability is None:
        return ""
    said = verdict(pair.probability, matcher.threshold, matcher.calibrated)
    return (
        f'<div class="pl-pair"><p>{escape(pair.caption)}</p><div class="pl-score">'
        f"{cards.bar(pair.probability, said, matcher.threshold)}"
        f"{cards.chip(t(VERDICTS[said]), said)}"
        f"{ask_why(pair.photo, pair.caption, matcher.threshold, bench, t)}</div></div>"
    )
