"""Why a pair has its match probability: a dialog over the page, with the photo's map and words."""

from __future__ import annotations

import base64
import io
import json
import logging
from html import escape
from pathlib import Path

import gradio as gr

from desktop.i18n import Translator
from desktop.jobs import JobRunner
from desktop.ui import cards
from desktop.ui.bridge import DIRECT, LOOK_EVERY, Changes
from desktop.workbench import Why, Workbench
from engine.explain import Explanation, explain, strongest_word
from engine.heat_picture import RAMP, brightest, layer
from engine.types import FloatArray

log = logging.getLogger(__name__)

# Pixels of a map's colours; the browser stretches them over the photo.
LAYER = (64, 64)


def ask_why(
    photo: Path, caption: str, threshold: float | None, bench: Workbench, t: Translator
) -> str:
    """The link that opens the dialog about a pair.

    Args:
        threshold: match probability from which the pair matches, as `cards.bar` takes it.
    """
    asked = asks_why(photo, caption, threshold, bench)
    return f'<button type="button" class="pl-link" {asked}>{escape(t("match.why"))}</button>'


def asks_why(photo: Path, caption: str, threshold: float | None, bench: Workbench) -> str:
    """The attributes of an element that opens the dialog when it is clicked; as `ask_why`."""
    line = {} if threshold is None else {"threshold": str(threshold)}
    key = bench.thumbnails.key(photo)
    return cards.asking("why", "pl-ask-why", photo=key, caption=caption, **line)


class WhyDialog:
    """Made where its HTML may lie, which is anywhere: page.js shows it over the page."""

    def __init__(self, bench: Workbench, t: Translator) -> None:
        self._bench = bench
        self._t = t
        # Explanations take a second or two, and don't wait for hours of indexing.
        self._runner: JobRunner = bench.explainers
        self._dialog = gr.HTML(elem_id="pl-why", elem_classes="pl-may-be-empty")
        self._timer = gr.Timer(LOOK_EVERY, active=False)
        asked = gr.Button("", elem_id="pl-ask-why", elem_classes="pl-hidden")
        shown = [self._dialog, self._timer]
        asked.click(
            self._ask, gr.Textbox(visible=False), shown, **DIRECT,
            js="() => [JSON.stringify(window.pairlens.asked)]",
        )  # fmt: skip
        self._timer.tick(self._look, None, shown, **DIRECT)
        said = gr.HTML(elem_id="pl-hint", elem_classes="pl-hidden")
        hint = gr.Button("", elem_id="pl-ask-hint", elem_classes="pl-hidden")
        hint.click(
            lambda asked: cards.told("hint", self._hint(asked)),
            gr.Textbox(visible=False), said, **DIRECT,
            js="() => [JSON.stringify(window.pairlens.pointedAt)]",
        )  # fmt: skip

    def _hint(self, asked: str) -> str:
        """The word that counts most, in a sentence; nothing where it can't be told."""
        bench, t, what = self._bench, self._t, json.loads(asked)
        photo = bench.thumbnails.photo(what["photo"])
        if photo is None:
            return ""
        try:
            matcher = bench.matcher.get()
            ((_, features, failed),) = bench.features.encode(matcher, [bench.moves.where(photo)])
            found = None if failed else strongest_word(matcher, features, what["caption"])
        except Exception:  # whoever clicks is told why
            log.warning("no hint on a pair", exc_info=True)
            return ""
        if failed:
            return ""
        if found is None:
            return t("match.why_no_word")
        word, whole, without = found
        whole_said, without_said = cards.percent(whole), cards.percent(without)
        return t("match.why_word", word=word, whole=whole_said, without=without_said)

    def _ask(self, asked: str) -> Changes:
        bench, what = self._bench, json.loads(asked)
        photo = bench.thumbnails.photo(what["photo"])
        if photo is None:  # the program was started anew beneath an old page
            return {}
        caption, place = what["caption"], bench.moves.where(photo)
        job = self._runner.submit(lambda *_: explain(bench.matcher.get(), place, caption))
        threshold = float(what["threshold"]) if "threshold" in what else None
        bench.why = Why(photo, caption, threshold, job)
        return self._look()

    def _look(self) -> Changes:
        why, t = self._bench.why, self._t
        if why is None:
            return {self._timer: gr.update(active=False)}
        running = not why.job.finished
        said, layers = (_waiting(t), "") if running else self._outcome(why)
        return {
            self._dialog: _dialog(why, said, layers, self._bench, t),
            self._timer: gr.update(active=running),
        }

    def _outcome(self, why: Why) -> tuple[str, str]:
        """What is said of the pair, and the colours to be laid over its photo."""
        try:
            found = why.job.outcome()
        except Exception as error:
            return cards.notice(cards.sentence_for(error, self._t, self._bench)), ""
        most, most_word = brightest(found)
        heats = [(found.heat, most), *((word.heat, most_word) for word in found.words)]
        layers = "".join(_layer(number, *heat) for number, heat in enumerate(heats))
        said = _said(found, most, why.threshold, self._t)
        if not self._bench.matcher.get().calibrated:
            said += cards.note(cards.meaning(False, self._t))
        return said, layers


def _dialog(why: Why, said: str, layers: str, bench: Workbench, t: Translator) -> str:
    key = bench.thumbnails.key(why.photo)
    # The job tells page.js one dialog from the next: two that are there at once have other ids, and
    # a job is made before the one before it goes.
    return (
        f'<dialog class="pl-why" data-asked="{id(why.job)}" aria-label="{escape(t("match.why"))}">'
        f'<button type="button" class="pl-close" data-close '
        f'aria-label="{escape(t("match.why_close"))}">✕</button>'
        f'<div class="pl-why-photo"><div><img src="/photo/large/{key}" alt="">{layers}</div></div>'
        f"<div><h3>{escape(why.caption)}</h3>{said}</div></dialog>"
    )


def _waiting(t: Translator) -> str:
    words = escape(t("match.why_wait"))
    return (
        '<div class="pl-progress pl-unknown" role="status"><div><i></i></div>'
        f"<span>{words}</span></div>"
    )


def _said(found: Explanation, most: float, threshold: float | None, t: Translator) -> str:
    match = found.match if threshold is None else found.probability >= threshold
    probability = cards.bar(found.probability, match, threshold)
    strongest = max((word.weight for word in found.words), default=0.0)
    chips = [_chip(0, t("match.why_whole"))]
    for number, word in enumerate(found.words, start=1):
        share = max(0.0, word.weight) / strongest if strongest > 0 else 0.0
        # Plus 0, or what is just below would be written as -0.0.
        chips.append(_chip(number, word.text, f"{round(word.weight, 1) + 0.0:+.1f}", share))
    ramp = ", ".join(f"rgb{colour}" for colour in RAMP)
    ends = f"<span>{escape(t('match.why_dark'))}</span><span>{escape(t('match.why_bright'))}</span>"
    whole = t("match.why_of_whole") if most > 0 else t("match.why_nothing")
    return (
        f'<div class="pl-score">{probability}</div>'
        f'<div class="pl-words" role="radiogroup" aria-label="{escape(t("match.why_words"))}">'
        f"{''.join(chips)}</div>"
        f'<div class="pl-ramp"><i style="background: linear-gradient(90deg, {ramp})"></i>'
        f"{ends}</div>"
        f'<p class="pl-of-whole">{escape(whole)}</p>'
        f'<p class="pl-of-word">{escape(t("match.why_of_word"))}</p>'
        f"{cards.note(t('match.why_number'))}"
    )


def _chip(number: int, text: str, weight: str = "", share: float = 0.0) -> str:
    return (
        f'<label class="pl-word" style="--share: {share:.2f}"><input type="radio" name="pl-why" '
        f'value="{number}"{"" if number else " checked"}><span>{escape(text)}'
        f"{f'<b>{weight}</b>' if weight else ''}</span></label>"
    )


def _layer(number: int, heat: FloatArray, most: float) -> str:
    file = io.BytesIO()
    layer(heat, most, LAYER).save(file, format="PNG")
    data = base64.b64encode(file.getvalue()).decode("ascii")
    hidden = " hidden" if number else ""
    return f'<img data-map="{number}" src="data:image/png;base64,{data}" alt=""{hidden}>'
