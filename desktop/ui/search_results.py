"""What the Search view shows: found photos, what became of an index, and quiet remarks."""

from __future__ import annotations

import hashlib
from html import escape

from desktop.i18n import Translator
from desktop.keeper import Keeper
from desktop.ui import cards
from desktop.ui.why import ask_why
from desktop.workbench import Search, Workbench
from engine.indexing import IndexReport
from engine.types import SearchHit, SearchResult


def gallery(search: Search, bench: Workbench, t: Translator) -> str:
    """The photos of a search, with what has to be said about them; empty while it waits."""
    result = search.result
    if result is None:
        return ""
    hits = result.results or result.nearest
    above = []
    if result.same:
        names = ", ".join(sorted({path.name for path in result.same}))
        above.append(cards.note(t("search.same", names=names)))
    if result.left_out:
        above.append(cards.note(t("search.left_out", n=f"{result.left_out:,}")))
    if not hits:
        above.append(cards.notice(t("search.none_left")))
    elif result.nearest:
        above.append(cards.notice(t("search.nothing_matches")))
    elif result.unjudged:
        above.append(cards.note(t("search.not_judged")))
    if result.waiting:
        above.append(cards.note(t("search.waiting", n=f"{result.waiting:,}")))
    figures = "".join(_figure(hit, result.query.words, bench, t) for hit in hits)
    more = ""
    if len(result.results) >= search.top and result.competing > search.top:
        more = f'<p class="pl-more">{cards.ask("more", t("search.more"))}</p>'
    ticks = cards.tick_bar(t) if figures else ""
    return (
        f'{"".join(above)}{ticks}<div class="pl-gallery" data-result="{_name(search)}">{figures}'
        f"</div>{more}{_meaning(result, bench, t)}"
    )


def _name(search: Search) -> str:
    """Tells the results of one question from those of another, however many of them are shown."""
    asked = repr((search.folder, search.library, search.query)).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(asked, digest_size=8).hexdigest()


def _meaning(result: SearchResult, bench: Workbench, t: Translator) -> str:
    if not (result.results or result.nearest):
        return ""
    if result.query.words is None:
        return cards.note(t("search.by_photo"))
    both = t("search.by_both") + " " if result.query.photo is not None else ""
    return cards.note(both + cards.meaning(bench.matcher.get().calibrated, t))


def _figure(hit: SearchHit, words: str | None, bench: Workbench, t: Translator) -> str:
    score = ""
    links = cards.ask("like", t("search.like"), photo=bench.thumbnails.key(hit.photo))
    if hit.probability is not None:  # a search by a photo alone has none
        threshold = bench.matcher.get().threshold
        score = cards.bar(hit.probability, hit.probability >= threshold, threshold)
        if not hit.offline:
            links += ask_why(hit.photo, words or "", threshold, bench, t)
    offline = f" ({escape(t('search.offline'))})" if hit.offline else ""
    return (
        f"<figure>{cards.thumbnail(hit.photo, bench, 'pl-large')}{cards.tick(hit.photo, bench, t)}"
        f'<figcaption><span class="pl-name">{escape(hit.photo.name)}{offline}</span>'
        f'<span class="pl-score">{score}</span><span class="pl-links">{links}</span>'
        "</figcaption></figure>"
    )


def report_words(report: IndexReport, t: Translator) -> str:
    """What became of the photos when somebody asked to index them."""
    damage = cards.notice(t.error(report.damage)) if report.damage else ""
    if not (report.total or report.offline or report.cancelled):
        return damage + cards.notice(t("search.no_photo_left"))
    said = t("search.cancelled") if report.cancelled else t("search.indexed")
    counts = [t("search.count_total", n=f"{report.total:,}")]
    if report.indexed or report.reused:
        counts.append(t("search.count_new", n=f"{report.indexed + report.reused:,}"))
    if report.offline:
        counts.append(t("search.count_offline", n=f"{report.offline:,}"))
    if report.removed:
        counts.append(t("search.count_removed", n=f"{report.removed:,}"))
    summary = f'<p class="pl-summary">{escape(said)} {escape(" · ".join(counts))}</p>'
    return damage + summary + cards.failed(report.failures, t)


def news_words(keeper: Keeper, bench: Workbench, t: Translator) -> str:
    """What happens and happened by itself with the library in use; empty where nothing did."""
    news, job = keeper.news, keeper.quiet
    lines = []
    if job is not None and (at := job.snapshot()).has_found_work:
        doing = t("search.renewing") if keeper.renewing else t("search.catching_up")
        lines.append(cards.note(f"{doing} {cards.progress_words(at, t)}"))
    counts = []
    if news.added:
        one = news.added == 1
        counts.append(t("search.one_added") if one else t("search.added", n=f"{news.added:,}"))
    if news.renewed:
        counts.append(t("search.renewed", n=f"{news.renewed:,}"))
    if news.removed:
        counts.append(t("search.count_removed", n=f"{news.removed:,}"))
    if counts:
        lines.append(cards.note(" · ".join(counts)))
    if news.error is not None:
        lines.append(cards.note(cards.sentence_for(news.error, t, bench)))
    damage = cards.notice(t.error(news.damage)) if news.damage else ""
    return damage + "".join(lines) + cards.failed(news.failures, t)
