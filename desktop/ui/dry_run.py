"""What a plan to copy or move photos would do, as a person reads it before agreeing to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from desktop.i18n import Translator
from desktop.ui import cards
from engine.action_plan import Plan, Step

# Steps that are written out; the others are counted.
STEPS = 10


def dry_run(plan: Plan, folders: Sequence[Path], unread: set[Path], t: Translator) -> str:
    """A plan as HTML.

    Args:
        folders: in which the photos were found.
        unread: of the photos that stay, those that stay because they could not be read.
    """
    folders = [folder.absolute() for folder in folders]
    parts = [_sum(plan, t)]
    if plan.steps:
        parts += [_folders(plan, t), _steps(plan, folders, t)]
    within = any(plan.into.is_relative_to(folder) for folder in folders)
    if plan.kind == "copy" and plan.steps and within:
        parts.append(cards.note(t("act.inside")))
    staying = len(plan.staying) - len(unread)
    for key, count in (
        ("act.there", len(plan.already_there)),
        ("act.stay_unmatched", staying),
        ("act.stay_unread", len(unread)),
    ):
        if count:
            parts.append(cards.note(t(key, photos=cards.photos(count, t))))
    if plan.failures:
        left = t("act.left", photos=cards.photos(len(plan.failures), t))
        listed = cards.failures(plan.failures, t)
        parts.append(f'<div class="pl-notice">{escape(left)}{listed}</div>')
    return "".join(parts)


def _sum(plan: Plan, t: Translator) -> str:
    said = t("act.nothing")
    if plan.steps:
        said = t(
            "act.would_copy" if plan.kind == "copy" else "act.would_move",
            photos=cards.photos(len(plan.steps), t), size=_megabytes(plan.size),
            into=cards.written(plan.into),
        )  # fmt: skip
    # A plan that can be agreed to; the page shows the button by it.
    offer = " pl-offer" if plan.steps else ""
    return f'<p class="pl-summary{offer}">{escape(said)}</p>'


def _folders(plan: Plan, t: Translator) -> str:
    counts = Counter(step.target.parent for step in plan.steps)
    items = []
    for folder, count in list(counts.items())[: cards.LISTED]:
        name = _below(folder, [plan.into])
        if not folder.exists():
            name = t("act.folder_new", name=name)
        items.append(t("act.folder_photos", folder=name, photos=cards.photos(count, t)))
    if len(counts) > cards.LISTED:
        items.append(t("act.more", n=f"{len(counts) - cards.LISTED:,}"))
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f'<h4>{escape(t("act.folders"))}</h4><ul class="pl-listed">{listed}</ul>'


def _steps(plan: Plan, folders: Sequence[Path], t: Translator) -> str:
    renamed = sum(_is_renamed(step) for step in plan.steps)
    said = cards.note(t("act.renamed", photos=cards.photos(renamed, t))) if renamed else ""
    # First those that get another name: that is what a person wants to see beforehand.
    first = sorted(plan.steps, key=lambda step: not _is_renamed(step))[:STEPS]
    rows = "".join(_row(step, plan.into, folders) for step in first)
    left = len(plan.steps) - len(first)
    more = cards.note(t("act.more", n=f"{left:,}")) if left else ""
    heads = f"<th>{escape(t('act.from'))}</th><th>{escape(t('act.to'))}</th>"
    return (
        f'{said}<table class="pl-steps"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>{more}"
    )


def _row(step: Step, into: Path, folders: Sequence[Path]) -> str:
    source, target = _below(step.source, folders), escape(_below(step.target, [into]))
    if _is_renamed(step):
        target = f"<strong>{target}</strong>"
    return (
        f'<tr><td title="{escape(cards.written(step.source))}">{escape(source)}</td>'
        f'<td title="{escape(cards.written(step.target))}">{target}</td></tr>'
    )


def _is_renamed(step: Step) -> bool:
    return step.source.name != step.target.name


def _below(path: Path, folders: Sequence[Path]) -> str:
    """A path as seen from the folder that it is in, or in full where it is in none of them."""
    within = next((folder for folder in folders if folder in path.parents), None)
    return cards.written(path if within is None else path.relative_to(within))


def _megabytes(size: int) -> str:
    return "< 0.1 MB" if size < 100_000 else f"{size / 1e6:,.1f} MB"
