"""The charts of a batch: how its probabilities are spread, and photos against captions."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from desktop.i18n import Translator
from desktop.ui import cards
from desktop.ui.charts import Cell, Words, bars_of, histogram, matrix
from desktop.ui.why import asks_why
from desktop.workbench import BatchResults, Workbench
from engine.photos import locate
from engine.results import Row, begins
from engine.types import Mode

# Of more photos and captions the likeliest are drawn.
MOST_PHOTOS, MOST_CAPTIONS = 24, 10


def charts(found: BatchResults, bench: Workbench, t: Translator) -> str:
    """What suits the question; nothing where there is nothing to see in it."""
    rows = [row for row in found.rows if row.probability is not None]
    if len(rows) < 2:
        return ""
    drawn = _spread(found, rows, t)
    if found.about.mode is Mode.ALL and len(found.about.captions) > 1:
        drawn = _pairs(found, rows, bench, t) + drawn
    return f'<div class="pl-charts">{drawn}</div>'


def _spread(found: BatchResults, rows: Sequence[Row], t: Translator) -> str:
    values = [(row.probability or 0.0, bool(row.match)) for row in rows]
    # Each caption may have its own threshold; 2 stands for "nothing can match".
    used = {row.threshold for row in rows if row.threshold is not None and row.threshold <= 1}
    lines = sorted({min(used), max(used)}) if used else []
    matched = sum(match for _, match in values)
    said = t("chart.spread_said", matched=f"{matched:,}", n=f"{len(values):,}")
    if lines:
        low, high = cards.percent(lines[0]), cards.percent(lines[-1])
        several = t("chart.lines", low=low, high=high)
        said += " " + (t("chart.line", threshold=low) if low == high else several)
    heads = (t("batch.head_probability"), t("verdict.match"), t("verdict.no_match"))
    words = Words(t("chart.spread"), said, t("chart.table"), heads)
    return histogram(bars_of(values), lines, words)


def _pairs(found: BatchResults, rows: Sequence[Row], bench: Workbench, t: Translator) -> str:
    groups: list[list[Row]] = []
    for row in rows:
        if begins(row):
            groups.append([])
        groups[-1].append(row)
    # The rows of a photo come best first. Of those that are alike, the first given.
    shown = heapq.nsmallest(MOST_PHOTOS, groups, key=lambda group: -(group[0].probability or 0))
    best: dict[str, float] = {}
    for row in (row for group in shown for row in group):
        caption = row.caption or ""
        best[caption] = max(best.get(caption, 0.0), row.probability or 0.0)
    likeliest = heapq.nlargest(MOST_CAPTIONS, best, key=lambda caption: best[caption])
    captions = [text for text in _captions(found) if text in likeliest]
    names, cells = [], []
    for group in shown:
        by_caption = {row.caption: row for row in group}
        names.append(group[0].photo.name)
        cells.append([_cell(by_caption[text], found, bench, t) for text in captions])
    photos = t("chart.pairs_some", shown=len(shown), n=f"{len(groups):,}",
               captions=len(captions), m=f"{len(best):,}")  # fmt: skip
    some = len(shown) < len(groups) or len(captions) < len(best)
    said = t("chart.pairs_said") + (" " + photos if some else "")
    heads = (t("batch.head_photo"), *captions)
    words = Words(t("chart.pairs"), said, t("chart.table"), heads)
    return matrix(names, captions, cells, words) + cards.note(said)


def _captions(found: BatchResults) -> list[str]:
    return list(dict.fromkeys(caption.text for caption in found.about.captions))


def _cell(row: Row, found: BatchResults, bench: Workbench, t: Translator) -> Cell:
    probability, caption = row.probability or 0.0, row.caption or ""
    said = cards.percent(probability)
    verdict = t("verdict.match" if row.match else "verdict.no_match")
    title = f"{row.photo.name} · {caption}: {said}, {verdict}"
    photo = locate(row.photo, found.about.beside)
    return Cell(
        probability, bool(row.match), said, title, asks_why(photo, caption, row.threshold, bench)
    )
