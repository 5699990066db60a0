"""What a model pack says of itself, for people: its numbers, its licence, and its card."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path

from desktop.i18n import Translator
from desktop.ui import cards
from engine.cost import Cost
from engine.pack import Manifest
from engine.pack_listing import headline

CARD = "MODEL_CARD.md"
# Characters: a card that is longer is cut.
LONGEST = 100_000

LANGUAGES = {"en": "models.english", "zh": "models.chinese"}
NUMBERS = {
    "accuracy": "models.accuracy",
    "auc": "models.auc",
    "photo_to_text_r10": "models.photo_to_text",
    "text_to_photo_r10": "models.text_to_photo",
}
# Pictures of a card could only come from elsewhere, and nothing is fetched.
_PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]*)[^)]*\)")


def is_calibrated(manifest: Manifest) -> bool:
    """Whether its scores are match probabilities."""
    return manifest.calibration.fitted


def languages(codes: Iterable[str], t: Translator) -> str:
    """Languages in words, as far as there is one for them."""
    return ", ".join(t(LANGUAGES[code]) if code in LANGUAGES else code for code in codes)


def terms(manifest: Manifest, t: Translator) -> str:
    """What its licence allows, or the licence's name where that takes more words."""
    return t("about.non_commercial") if _is_non_commercial(manifest) else manifest.licence


def notice(manifest: Manifest, t: Translator) -> str:
    """What its licence allows, in a sentence."""
    short = _is_non_commercial(manifest) or not manifest.notice
    return t("models.licence", said=terms(manifest, t) if short else manifest.notice)


def _is_non_commercial(manifest: Manifest) -> bool:
    # The pack's own sentence is English; what most people must know of it is said in theirs.
    return "non-commercial" in manifest.notice.lower()


def takes(seconds: float) -> dict[str, str]:
    """Seconds for a pair, and minutes for a thousand, as people say them."""
    return {"seconds": f"{seconds:.2g}", "minutes": f"{Cost(1_000, seconds).minutes:,}"}


def facts(manifest: Manifest, t: Translator) -> str:
    """Name, licence, and the few numbers that say most, as HTML."""
    title = escape(f"{manifest.name} {manifest.version}")
    said = [f"<h2>{title}</h2>", cards.note(notice(manifest, t))]
    if not is_calibrated(manifest):
        said.append(cards.notice(t("models.uncalibrated_hint")))
    measured = headline(manifest.metrics)
    if not measured:
        return "".join(said) + cards.note(t("models.not_measured"))
    heads = "".join(f"<th>{escape(languages([code], t))}</th>" for code in measured)
    rows = "".join(
        f"<tr><td>{escape(t(words))}</td>"
        + "".join(f"<td>{_share(numbers.get(name))}</td>" for numbers in measured.values())
        + "</tr>"
        for name, words in NUMBERS.items()
        if any(name in numbers for numbers in measured.values())
    )
    said.append(
        f'<table class="pl-steps pl-numbers"><thead><tr><th></th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>{cards.note(t('models.measured'))}"
    )
    return "".join(said)


def _share(number: float | None) -> str:
    return "" if number is None else f"{number * 100:.1f} %"


def text(folder: Path, t: Translator) -> str:
    """The pack's card as Markdown in which nothing leads elsewhere."""
    try:
        with (folder / CARD).open(encoding="utf-8", errors="replace") as file:
            found = file.read(LONGEST)
    except OSError:
        return t("models.no_card")
    return _LINK.sub(r"\1 (`\2`)", _PICTURE.sub(r"\1", found))
