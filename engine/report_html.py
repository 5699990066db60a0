"""Results as one page that needs nothing else: pictures, style and script are inside.

The page takes no string for markup: rows travel as JSON, the script makes text of them, and a
content security policy lets no other script run and nothing be loaded.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, TextIO

from engine.decode import thumbnail
from engine.encoding import in_order
from engine.errors import PhotoError
from engine.paths import locale_file, resources_dir
from engine.photos import locate
from engine.results import About, Row, Summary, record
from engine.types import Mode

# Shown half as large, so that they are sharp on fine screens.
THUMBNAIL_SIDE = 144
QUALITY = 70
ROWS_AHEAD = 32
# Bytes of a picture in the page, and of a row without it; measured on photos and captions of
# Flickr8k.
PICTURE_BYTES = 6_600
ROW_BYTES = 450
# From about here on, browsers are slow to open a page.
LARGE = 50_000_000
# What only one mode, or only named captions, fill in.
SPECIAL = {"rank": (Mode.ALL,), "runner_up": (Mode.BEST, Mode.ASSIGN), "rival": (Mode.ASSIGN,)}

# Columns whose heads not everybody knows.
EXPLAINED = ("probability", "threshold", "runner_up", "rival", "margin")

Texts = dict[str, str]


def expected_size(photos: int, rows: int) -> int:
    """About how many bytes the page of so many photos and rows will have."""
    return photos * PICTURE_BYTES + rows * ROW_BYTES


def write_html(rows: Iterable[Row], about: About, file: TextIO) -> None:
    """Write the page, row by row as they come."""
    texts: Texts = json.loads(locale_file(about.language).read_text(encoding="utf-8"))
    style, script = (
        (resources_dir() / "report" / f"report.{kind}").read_text(encoding="utf-8")
        for kind in ("css", "js")
    )
    shown = {key.removeprefix("report."): text for key, text in texts.items() if "report." in key}
    model = texts["report.model"].format(name=about.model, version=about.version)
    if not about.calibrated:
        model += f" · {texts['match.uncalibrated']}"
    head = {"texts": shown, "columns": _columns(about)}
    file.write(
        f'<!doctype html>\n<html lang="{escape(about.language)}"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"img-src data:; style-src {_checksum(style)}; script-src {_checksum(script)}; "
        "base-uri 'none'; form-action 'none'\">\n"
        f"<title>{escape(texts['report.title'])}</title>\n<style>{style}</style></head><body>\n"
        f"<header><h1>{escape(texts['report.title'])}</h1>\n<p>{escape(str(about.source))}</p>\n"
        f'<p id="counts"></p><p>{escape(model)}</p></header>\n'
        f'<form><label>{escape(texts["report.find"])}<input id="find" type="search"></label>\n'
        f'<label>{escape(texts["report.show"])}<select id="show">'
        f'<option value="">{escape(texts["report.show_all"])}</option></select></label></form>\n'
        '<div class="scroll"><table><thead><tr></tr></thead><tbody></tbody></table></div>\n'
        f'<nav><button type="button">{escape(texts["report.previous"])}</button>'
        f'<span id="count"></span>'
        f'<button type="button">{escape(texts["report.next"])}</button></nav>\n'
        f"{_legend(about, shown)}"
        f"<noscript><p>{escape(texts['report.script'])}</p></noscript>\n"
        f"{_data('about', _json(head))}"
        '<script type="application/json" id="rows">['
    )
    summary, between = Summary(about.photos), "\n"
    for value in _records(summary.watch(rows), about, texts):
        file.write(between + _json(value))
        between = ",\n"
    file.write(f"\n]</script>\n{_data('summary', _json(summary.to_dict()))}")
    file.write(f"<script>{script}</script>\n</body></html>\n")


def _legend(about: About, shown: Texts) -> str:
    """What the columns mean, folded away."""
    # Of a model that is not calibrated the page's head says what its percentages are.
    names = [
        name
        for name in _columns(about)
        if name in EXPLAINED and (about.calibrated or name != "probability")
    ]
    said = "".join(
        f"<dt>{escape(shown[f'head_{name}'])}</dt><dd>{escape(shown[f'mean_{name}'])}</dd>"
        for name in names
    )
    title = escape(shown["legend"])
    return f"<details><summary>{title}</summary><dl>{said}</dl></details>\n"


def _columns(about: About) -> list[str]:
    named = any(caption.label != caption.text for caption in about.captions)
    return [
        name
        for name in about.columns
        if name not in ("match", "error")
        and (named or name != "label")
        and about.mode in SPECIAL.get(name, (about.mode,))
        and (about.mode is not Mode.ALL or name != "margin")
    ]


def _records(rows: Iterable[Row], about: About, texts: Texts) -> Iterator[dict[str, Any]]:
    """What the script is given of each row; a photo's picture comes with its first row only."""
    seen: set[Path] = set()

    def tasks() -> Iterator[tuple[Row, bool]]:
        for row in rows:
            yield row, row.failure is None and row.photo not in seen
            seen.add(row.photo)

    yield from in_order(partial(_record, about, texts), tasks(), ROWS_AHEAD)


def _record(about: About, texts: Texts, task: tuple[Row, bool]) -> dict[str, Any]:
    row, pictured = task
    photo = locate(row.photo, about.beside).absolute()
    value = record(row, about.mode) | {"name": row.photo.name, "uri": photo.as_uri()}
    if row.failure:
        fields = {**row.failure.fields, "path": row.photo.name}
        value["error"] = texts[f"error.{row.failure.code}"].format(**fields)
    if pictured and (picture := _picture(photo)):
        value["picture"] = picture
    return {name: found for name, found in value.items() if found is not None}


def _picture(photo: Path) -> str | None:
    copy = io.BytesIO()
    try:
        thumbnail(photo, THUMBNAIL_SIDE).save(copy, format="JPEG", quality=QUALITY)
    except PhotoError:  # gone since it was matched
        return None
    return base64.b64encode(copy.getvalue()).decode("ascii")


def _json(value: object) -> str:
    # Nothing in a string may end the element that it stands in.
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _data(name: str, content: str) -> str:
    return f'<script type="application/json" id="{name}">{content}</script>\n'


def _checksum(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
