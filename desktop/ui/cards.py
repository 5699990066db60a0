"""Pieces of HTML that the views share. Every text from outside is escaped here."""

from __future__ import annotations

import logging
import os
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from html import escape
from pathlib import Path

from desktop.i18n import Translator
from desktop.intake import as_path
from desktop.jobs import Snapshot, State
from desktop.ui.icons import icon
from desktop.workbench import Workbench
from engine.errors import FolderMissing, PairLensError
from engine.types import PhotoFailure
from engine.verdict import Verdict

# Of long lists the page shows this many, and counts the rest.
LISTED = 20
# The same of what has to be unfolded first.
UNFOLDED = 500

log = logging.getLogger(__name__)


def empty(sentence: str, hint: str = "", sign: str = "photo") -> str:
    """What a view shows before there is anything to show; ``sign`` is one of `icons.SHAPES`."""
    below = f"<p>{escape(hint)}</p>" if hint else ""
    return f'<div class="pl-empty">{icon(sign)}<strong>{escape(sentence)}</strong>{below}</div>'


def notice(sentence: str) -> str:
    """Something went wrong, and what to do."""
    return f'<div class="pl-notice" role="alert">{escape(sentence)}</div>'


def note(sentence: str) -> str:
    """A quiet remark."""
    return f'<p class="pl-note">{escape(sentence)}</p>'


def hint(word: str, meaning: str) -> str:
    """Stands beside a word that not everybody knows, and says what it means; page.js shows it."""
    return (
        f'<button type="button" class="pl-hint" data-hint="{escape(meaning)}" '
        f'aria-label="{escape(f"{word}: {meaning}")}">?</button>'
    )


def sentence_for(error: Exception, t: Translator, bench: Workbench) -> str:
    """Any exception as a sentence; unexpected ones point to the log."""
    if isinstance(error, PairLensError):
        return t.error(error)
    log.error("unexpected error", exc_info=error)
    return t("error.unexpected", log=bench.log_file)


def failure_sentence(failure: PhotoFailure, t: Translator) -> str:
    """Why one photo failed, naming the file without its folders."""
    fields = {**failure.fields, "path": failure.photo.name}
    return t.failure(failure.code, fields, failure.message)


def typed_path(text: str) -> Path:
    """A path as people type or paste it: with quotes, spaces around it, a ~, or as a URI."""
    plain = text.strip().strip("\"'")
    return as_path(plain) if plain.lower().startswith("file:") else Path(plain).expanduser()


def typed_folder(text: str) -> Path:
    """A folder as `typed_path` reads it.

    Raises:
        FolderMissing: there is none of that name.
    """
    folder = typed_path(text)
    if not text.strip() or not folder.is_dir():
        raise FolderMissing(path=text.strip() or "…")
    return folder


def spelled(folders: Sequence[Path]) -> str:
    """Folders as `typed_folders` reads them: one as it is, several in quotes."""
    if len(folders) == 1:
        return str(folders[0])
    return " ".join(f'"{folder}"' for folder in folders)


def typed_folders(text: str) -> list[Path]:
    """One folder as people type it, or several, each in quotes.

    Raises:
        FolderMissing: there is none of that name.
    """
    several = re.findall(r'"([^"]+)"', text)
    return [typed_folder(one) for one in several] if len(several) > 1 else [typed_folder(text)]


def still_there(bench: Workbench, purpose: str, read: Callable[[str], object]) -> str:
    """What was typed for something last, if ``read`` can still make sense of it; else nothing."""
    last = bench.settings.choices.folders.get(purpose, "")
    try:
        read(last)
    except PairLensError:
        return ""
    return last


def ask(what: str, words: str, to: str = "search-ask", **fields: str) -> str:
    """A link that asks a view for something by its hidden button ``to``; page.js hands it on."""
    asked = asking(what, to, **fields)
    return f'<button type="button" class="pl-link" {asked}>{escape(words)}</button>'


def asking(what: str, to: str, **fields: str) -> str:
    """The attributes that make of any element what `ask` makes."""
    data = "".join(f' data-{name}="{escape(value)}"' for name, value in fields.items())
    return f'data-ask="{to}" data-do="{what}"{data}'


def told(by: str, sentence: str) -> str:
    """What page.js is to say itself, in its way for ``by``.

    It is never twice the same, as page.js waits for a change.
    """
    return f'<i data-told="{secrets.token_hex(4)}" data-by="{by}">{escape(sentence)}</i>'


def thumbnail(photo: Path, bench: Workbench, size_class: str) -> str:
    """The photo's small copy; a click opens the large one."""
    key = bench.thumbnails.key(photo)
    # Of an upload there is nothing to open but a copy that is ours.
    file = "" if photo.is_relative_to(bench.uploads) else f' data-file="{key}"'
    return (
        f'<button type="button" class="pl-photo {size_class}" data-large="/photo/large/{key}"'
        f'{file} title="{escape(_place(photo, bench))}" aria-label="{escape(photo.name)}">'
        f'<img src="/photo/small/{key}" alt="" loading="lazy" decoding="async"></button>'
    )


def tick(photo: Path, bench: Workbench, t: Translator) -> str:
    """A box that selects the photo of a result to be acted on; see `desktop.ui.act`."""
    key = bench.thumbnails.key(photo)
    name = escape(t("act.tick", name=photo.name))
    return (
        f'<label class="pl-tick" title="{name}"><input type="checkbox" data-photo="{key}" '
        f'aria-label="{name}"></label>'
    )


def tick_bar(t: Translator) -> str:
    """Stands above photos with a `tick`: all, none, and how many are selected."""
    none, some = escape(t("act.none_ticked")), escape(t("act.ticked", n="{n}"))
    return (
        '<div class="pl-tick-bar">'
        f'<button type="button" data-tick="all">{escape(t("act.tick_all"))}</button>'
        f'<button type="button" data-tick="none">{escape(t("act.tick_none"))}</button>'
        f'<span role="status" data-none="{none}" data-some="{some}">{none}</span></div>'
    )


def broken(size_class: str) -> str:
    """Stands where the picture of a photo that can't be shown would."""
    return f'<span class="pl-photo pl-broken {size_class}"></span>'


def _place(photo: Path, bench: Workbench) -> str:
    # Where a browser's upload lies for the moment is of no use to anybody.
    return photo.name if photo.is_relative_to(bench.uploads) else str(bench.moves.where(photo))


def written(path: Path) -> str:
    """A path as it can be sent to the page, also where its name is no text."""
    return os.fsencode(path).decode("utf-8", "replace")


def photos(count: int, t: Translator) -> str:
    """So many photos, in words."""
    return t("match.one_photo") if count == 1 else t("match.count", n=f"{count:,}")


def failures(failed: Sequence[PhotoFailure], t: Translator, most: int = LISTED) -> str:
    """A list of why each photo failed, of the first ``most``, and how many more there are."""
    items = [failure_sentence(one, t) for one in failed[:most]]
    if len(failed) > most:
        items.append(t("act.more", n=f"{len(failed) - most:,}"))
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f'<ul class="pl-listed">{listed}</ul>' if items else ""


def failed(photos: Collection[PhotoFailure], t: Translator) -> str:
    """Photos that can't be used, each with its reason and remedy, folded away."""
    if not photos:
        return ""
    one = len(photos) == 1
    counted = t("search.one_failed") if one else t("search.count_failed", n=f"{len(photos):,}")
    return (
        f'<details class="pl-failures"><summary>{escape(counted)}</summary>'
        f"{failures(list(photos), t, UNFOLDED)}</details>"
    )


def percent(probability: float) -> str:
    """0 to 1 as people say it; never 0 % or 100 %, which no model can know."""
    if probability < 0.01:
        return "< 1 %"
    if probability > 0.99:
        return "> 99 %"
    return f"{probability * 100:.0f} %"


def bar(probability: float, said: bool | Verdict, threshold: float | None = None) -> str:
    """The match probability as a bar with its number, and a line where the threshold is.

    Args:
        said: whether it is a match; decides the colour.
        threshold: where there is one; 2 stands for "nothing can match".
    """
    width = round(max(0.0, min(1.0, probability)) * 100, 1)
    line = ""
    if threshold is not None and threshold <= 1:
        line = f'<b style="left:{threshold * 100:.1f}%"></b>'
    return (
        # It is drawn for the eye; the number says the same.
        f'<span class="pl-bar {_colour(said)}" aria-hidden="true"><i style="width:{width}%"></i>'
        f"{line}</span>"
        f'<span class="pl-percent" data-probability="{probability:.4f}">'
        f"{escape(percent(probability))}</span>"
    )


def meaning(calibrated: bool, t: Translator) -> str:
    """What the percentages beside it mean: stands wherever a `bar` does."""
    return t("match.meaning") if calibrated else t("match.uncalibrated")


def chip(word: str, said: bool | Verdict) -> str:
    """A word that says how a pair was judged."""
    return f'<span class="pl-chip {_colour(said)}">{escape(word)}</span>'


def _colour(said: bool | Verdict) -> str:
    if said is Verdict.UNSURE:
        return "pl-unsure"
    return "pl-yes" if said in (True, Verdict.MATCH) else "pl-no"


def progress_words(snapshot: Snapshot, t: Translator) -> str:
    """How far a job has come, with its rate and the time left."""
    if snapshot.cancelling:
        return t("progress.cancelling")
    if snapshot.paused:
        done, total = f"{snapshot.done:,}", f"{snapshot.total:,}"
        return t("progress.paused", done=done, total=total)
    if snapshot.state is State.WAITING:
        return t("progress.waiting")
    if snapshot.total == 0:
        return t("progress.looking")
    words = t("progress.count", done=f"{snapshot.done:,}", total=f"{snapshot.total:,}")
    if snapshot.rate:
        words += " · " + t("progress.rate", rate=_short(snapshot.rate))
    if snapshot.left is not None:
        words += " · " + time_left(snapshot.left, t)
    return words


def progress(snapshot: Snapshot, t: Translator) -> str:
    """How far a job has come, as a bar above `progress_words`."""
    return progress_bar(snapshot, progress_words(snapshot, t))


def progress_bar(snapshot: Snapshot, words: str) -> str:
    """How far a job has come, as a bar above these words."""
    share = snapshot.done / snapshot.total * 100 if snapshot.total else 0
    kind = "" if snapshot.total else " pl-unknown"
    return (
        f'<div class="pl-progress{kind}" role="status">'
        f'<div><i style="width:{share:.1f}%"></i></div><span>{escape(words)}</span></div>'
    )


def time_left(seconds: float, t: Translator) -> str:
    """Seconds under a minute and a half, minutes above."""
    if seconds < 90:
        return t("progress.left_seconds", n=max(1, round(seconds)))
    return t("progress.left_minutes", n=round(seconds / 60))


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"
