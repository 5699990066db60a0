"""The table of a batch's results: one row a photo, drawn to suit what was asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from types import MappingProxyType

from desktop.i18n import Translator
from desktop.ui import cards
from desktop.ui.why import ask_why
from desktop.workbench import BatchResults, Workbench
from engine.photos import locate
from engine.results import Row, Summary, begins
from engine.types import BatchRow, Mode, VerifyRow

# Photos on a page: with thousands of pictures any browser gets slow.
SHOWN = 100
# Of a photo's captions, when all were asked for.
CAPTIONS_SHOWN = 6
# Margins, in log-odds: below the first a toss-up (less than twice the odds), below the second close
# (less than ten times).
TOSS_UP, CLOSE = 0.7, 2.3

# The rows of one photo, or of one pair: several where every caption was asked for, best first.
Group = Sequence[Row]

FILTERS: Mapping[str, tuple[str, Callable[[Group], bool]]] = MappingProxyType(
    {
        "all": ("batch.filter_all", lambda group: True),
        "match": ("verdict.match", lambda group: any(row.match for row in group)),
        "no": (
            "verdict.no_match",
            lambda group: not group[0].failure and not any(row.match for row in group),
        ),
        "failed": ("batch.filter_failed", lambda group: group[0].failure is not None),
    }
)
# Each order as the value that a group is sorted by.
ORDERS: Mapping[str, tuple[str, Callable[[Group], tuple[object, ...]]]] = MappingProxyType(
    {
        "name": ("batch.order_name", lambda group: ()),
        "probability": ("batch.order_probability", lambda group: (-(group[0].probability or 0),)),
        "margin": ("batch.order_margin", lambda group: (_margin(group[0]),)),
    }
)
HEADS = {
    Mode.BEST: ("batch.head_photo", "batch.head_caption", "batch.head_probability"),
    Mode.ALL: ("batch.head_photo", "batch.head_captions"),
    Mode.ASSIGN: ("batch.head_photo", "batch.head_assigned", "batch.head_probability"),
    Mode.VERIFY: ("batch.head_photo", "batch.head_given", "batch.head_probability"),
}


def orders(mode: Mode) -> list[str]:
    """The names in `ORDERS` that a table of this mode can have."""
    return [name for name in ORDERS if name != "margin" or mode is Mode.ASSIGN]


def summary(found: BatchResults, t: Translator) -> str:
    """Counts and threshold in a line, with a notice before it where something is amiss."""
    about = found.about
    counts = Summary(about.photos)
    for _ in counts.watch(found.rows):
        pass
    things = "batch.done_pairs" if about.mode is Mode.VERIFY else "batch.done_photos"
    words = [t(things, n=f"{counts.done:,}"), t("batch.done_matched", n=f"{counts.matched:,}")]
    if counts.failures:
        words.append(t("batch.done_failed", n=f"{len(counts.failures):,}"))
    words.append(_threshold(found, t))
    notices = []
    if not counts.complete:
        notices.append(t("batch.cancelled"))
    if not about.source.is_dir():
        notices.append(t("batch.folder_vanished", path=about.source))
    elif found.rows and not counts.usable:
        notices.append(t("batch.nothing_usable"))
    said = "".join(map(cards.notice, notices))
    line = f'<p class="pl-summary">{escape(" · ".join(words))}</p>'
    return said + line + cards.failed(counts.failures.values(), t)


def table(
    found: BatchResults,
    bench: Workbench,
    t: Translator,
    kept: str = "all",
    order: str = "name",
    page: int = 1,
) -> str:
    """One page of the photos that pass a filter of `FILTERS`, by an order of `ORDERS`.

    Failures come first: they are few, and what a person has to do something about. Photos that an
    assignment had no caption for come last.

    Args:
        page: from 1 on; the nearest there is where it is none.
    """
    groups = _lines(found, kept, order)
    if not groups:
        return _results(found, cards.note(t("batch.nothing_like_this"))) if found.rows else ""
    mode = found.about.mode
    drawing = _Drawing(found, bench, t)
    pages = math.ceil(len(groups) / SHOWN)
    page = min(max(page, 1), pages)
    shown = groups[(page - 1) * SHOWN : page * SHOWN]
    body = "".join(drawing.line(group) for group in shown)
    heads = "".join(_head(key, found.about.calibrated, t) for key in HEADS[mode])
    turn = pager(page, pages, (page - 1) * SHOWN + len(shown), len(groups), t) if pages > 1 else ""
    ticks = "" if mode is Mode.VERIFY else cards.tick_bar(t)
    note = "" if found.about.calibrated else cards.note(cards.meaning(False, t))
    return _results(
        found,
        f'{ticks}{turn}<table class="pl-table pl-table-{mode.value}">'
        f"<thead><tr><th></th>{heads}</tr></thead>"
        f"<tbody>{body}</tbody></table>{turn}{note}",
    )


def _head(key: str, calibrated: bool, t: Translator) -> str:
    """A column's head, with a hint where not everybody knows its word."""
    meaning = ""
    if key in ("batch.head_probability", "batch.head_captions"):
        meaning = f"{cards.meaning(calibrated, t)} {t('batch.line')}"
    elif key == "batch.head_assigned":
        meaning = t("batch.head_assigned_hint")
    word = escape(t(key))
    if not meaning:
        return f"<th>{word}</th>"
    # Read out with every cell below, it is to be no more than the word.
    return f'<th abbr="{word}">{word}{cards.hint(t(key), meaning)}</th>'


def pager(page: int, pages: int, last: int, total: int, t: Translator) -> str:
    """What turns the pages: back, on, and a box for the number."""
    first = (page - 1) * SHOWN + 1
    back = _to_page(page - 1, t("report.previous"), page > 1)
    on = _to_page(page + 1, t("report.next"), page < pages)
    said = t("batch.page_of", first=f"{first:,}", last=f"{last:,}", n=f"{total:,}")
    number = (
        f'<label>{escape(t("batch.page"))} <input type="number" min="1" max="{pages}" '
        f'value="{page}" data-to="batch-ask"> / {pages:,}</label>'
    )
    return f'<nav class="pl-pager">{back}{number}<span>{escape(said)}</span>{on}</nav>'


def _to_page(page: int, words: str, there: bool) -> str:
    link = cards.ask("page", words, to="batch-ask", page=str(page))
    return link if there else link.replace("<button ", "<button disabled ", 1)


def _lines(found: BatchResults, kept: str, order: str) -> list[list[Row]]:
    """Groups of rows that pass a filter, in order; sorting many takes a while, so it is kept."""
    if (kept, order) not in found.lines:
        found.lines[kept, order] = _sorted(found, kept, order)
    return found.lines[kept, order]


def _sorted(found: BatchResults, kept: str, order: str) -> list[list[Row]]:
    if (kept, order) == ("all", "name"):
        return sorted(
            _groups(found.rows),
            key=lambda group: (*_part(group), group[0].photo.name.casefold(), str(group[0].photo)),
        )
    _, passes = FILTERS[kept]
    _, place = ORDERS[order]
    groups = [group for group in _lines(found, "all", "name") if passes(group)]
    # Sorting keeps the order of the names where the rest is the same.
    return sorted(groups, key=lambda group: (*_part(group), *place(group)))


def _part(group: Group) -> tuple[bool, bool]:
    usable = group[0].failure is None
    return usable, usable and group[0].caption is None


def _results(found: BatchResults, content: str) -> str:
    # Where this is, the page shows what can be done with results.
    return f'<div class="pl-results" data-result="{found.name}">{content}</div>'


class _Drawing:
    """Draws lines of one table."""

    def __init__(self, found: BatchResults, bench: Workbench, t: Translator) -> None:
        self._about = found.about
        self._bench = bench
        self._t = t

    def line(self, group: Group) -> str:
        """A photo as a row of the table."""
        row, mode = group[0], self._about.mode
        photo = locate(row.photo, self._about.beside)
        title = escape(cards.written(self._bench.moves.where(photo)))
        name = f'<td class="pl-name" title="{title}">{escape(row.photo.name)}</td>'
        if row.failure:
            why = cards.notice(cards.failure_sentence(row.failure, self._t))
            given = f"<p>{escape(row.caption)}</p>" if row.caption else ""
            cells = f'<td colspan="{len(HEADS[mode]) - 1}">{given}{why}</td>'
            return f'<tr class="pl-failed"><td>{cards.broken("pl-tiny")}</td>{name}{cells}</tr>'
        if mode is Mode.ALL:
            cells = f"<td>{self._captions(group)}</td>"
        elif row.caption is None:
            cells = f'<td colspan="2"><p class="pl-note">{escape(self._t("batch.left_over"))}</p>'
            cells += "</td>"
        else:
            score = self._score(row, self._why(row))
            cells = f"<td>{self._caption(row)}{self._beside(row)}</td><td>{score}</td>"
        picture = cards.thumbnail(photo, self._bench, "pl-tiny")
        if isinstance(row, BatchRow):  # what was verified is not acted on
            picture = cards.tick(photo, self._bench, self._t) + picture
        return f"<tr><td>{picture}</td>{name}{cells}</tr>"

    def _captions(self, group: Group) -> str:
        shown = "".join(
            f'<div class="pl-pair">{self._caption(row)}{self._score(row, self._why(row))}</div>'
            for row in group[:CAPTIONS_SHOWN]
        )
        rest = group[CAPTIONS_SHOWN:]
        if not rest:
            return shown
        best = cards.percent(rest[0].probability or 0)
        return shown + cards.note(self._t("batch.more_captions", n=f"{len(rest):,}", best=best))

    def _caption(self, row: Row) -> str:
        caption = escape(row.caption or "")
        if self._about.mode is Mode.BEST and not row.match:
            nearest = escape(self._t("batch.nearest", caption=row.caption or ""))
            said = escape(self._t("batch.nothing_matches"))
            return f'<p>{said}</p><p class="pl-quiet">{nearest}</p>'
        if isinstance(row, BatchRow) and row.label not in (None, row.caption):
            return f'<p>{caption} <span class="pl-label">{escape(row.label or "")}</span></p>'
        return f"<p>{caption}</p>"

    def _beside(self, row: Row) -> str:
        """What else is to be known of a caption, beneath it."""
        if isinstance(row, VerifyRow) and row.better_caption is not None:
            better = self._t(
                "batch.better",
                caption=row.better_caption,
                probability=cards.percent(row.better_probability or 0),
            )
            return f'<p class="pl-better">{escape(better)}</p>'
        if isinstance(row, BatchRow) and self._about.mode is Mode.ASSIGN:
            return self._lead(row)
        return ""

    def _lead(self, row: BatchRow) -> str:
        if row.margin is None:
            return ""
        t = self._t
        times = math.exp(min(row.margin, 5))
        words = t("batch.lead", times=">99" if times > 99 else f"{times:.1f}")
        if row.margin < 0:
            kind, words = "pl-warn", t("batch.lead_given_away")
        elif row.margin < TOSS_UP:
            kind, words = "pl-warn", f"{t('batch.toss_up')} {words}"
        elif row.margin < CLOSE:
            kind, words = "", f"{t('batch.close')} {words}"
        else:
            return f'<p class="pl-lead">{escape(words)}</p>'
        others = [
            *([t("batch.runner_up", caption=row.runner_up)] if row.runner_up else []),
            *([t("batch.rival", photo=row.rival.name)] if row.rival else []),
        ]
        rest = escape(" · ".join(others))
        return f'<p class="pl-lead {kind}"><strong>{escape(words)}</strong><br>{rest}</p>'

    def _why(self, row: Row) -> str:
        photo = locate(row.photo, self._about.beside)
        return ask_why(photo, row.caption or "", row.threshold, self._bench, self._t)

    def _score(self, row: Row, beside: str) -> str:
        if row.probability is None:
            return ""
        match = bool(row.match)
        word = self._t("verdict.match" if match else "verdict.no_match")
        needs = ""
        # Without this, 60 % may be a match in one row and 70 % none in the next.
        if self._about.false_alarms is not None and row.threshold is not None and not match:
            said = self._t("batch.needs", probability=cards.percent(row.threshold))
            if row.threshold > 1:
                said = self._t("batch.needs_more")
            needs = f'<p class="pl-lead">{escape(said)}</p>'
        return (
            f'<div class="pl-score">{cards.bar(row.probability, match, row.threshold)}'
            f"{cards.chip(word, match)}{beside}</div>{needs}"
        )


def _groups(rows: Sequence[Row]) -> list[list[Row]]:
    groups: list[list[Row]] = []
    for row in rows:
        if begins(row):
            groups.append([row])
        else:
            groups[-1].append(row)
    return groups


def _margin(row: Row) -> float:
    margin = row.margin if isinstance(row, BatchRow) else None
    return math.inf if margin is None else margin


def _threshold(found: BatchResults, t: Translator) -> str:
    about = found.about
    if about.threshold is not None:
        return t("batch.threshold_used", probability=cards.percent(about.threshold))
    # Each caption has its own; 2 stands for "nothing can match".
    used = [row.threshold for row in found.rows if row.threshold is not None and row.threshold <= 1]
    alarms = f"{about.false_alarms:,}"
    if not used:
        return t("batch.threshold_never", n=alarms)
    low, high = (cards.percent(value) for value in (min(used), max(used)))
    if low == high:
        return t("batch.threshold_one", probability=low, n=alarms)
    return t("batch.threshold_several", low=low, high=high, n=alarms)
