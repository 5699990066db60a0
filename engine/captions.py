"""Where captions come from: a text file, a table, or a file beside each photo."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.encoding import failure
from engine.errors import (
    CaptionEmpty,
    CaptionsUnreadable,
    PairIncomplete,
    PairsUnreadable,
    SidecarsMissing,
    SidecarUnusable,
)
from engine.types import Caption, JudgedPair, Pair

TABLES = (".csv", ".tsv")
DELIMITERS = ",;\t"
PHOTO, CAPTION = PAIR = ("photo", "caption")
MATCH = "match"
_JUDGEMENTS = {
    **dict.fromkeys(("yes", "y", "true", "1", "match", "是", "对"), True),
    **dict.fromkeys(("no", "n", "false", "0", "mismatch", "否", "不"), False),
}
LABELS = ("label", "folder")
SIDECAR = ".txt"


class _UnreadableError(Exception):
    """Why a file can't be read, in words; becomes one of the errors of the tree."""


def as_captions(lines: Iterable[str]) -> list[Caption]:
    """Lines as captions that go by their own text, blank ones left out and each once.

    Raises CaptionEmpty when none is left.
    """
    return _distinct(Caption(line.strip(), line.strip()) for line in lines)


def as_pairs(lines: Iterable[str]) -> list[Pair]:
    """Lines as pairs, as people write them: a photo, a comma, semicolon or tab, a caption.

    The first of these marks parts the two, a tab before the others, so that captions may hold
    commas. Blank lines are left out, and so is a first line that names the columns photo and
    caption. Photos are named as the lines name them.

    Raises PairIncomplete for the first line that lacks one of the two, or CaptionEmpty when there
    is no pair.
    """
    pairs: list[Pair] = []
    for number, line in enumerate(lines, start=1):
        fields = re.split(r"\t" if "\t" in line else "[,;，；]", line, maxsplit=1)
        photo, caption = (field.strip().strip('"') for field in [*fields, ""][:2])
        if not line.strip() or (not pairs and (photo.lower(), caption.lower()) == PAIR):
            continue
        if not photo or not caption:
            raise PairIncomplete(line=number)
        pairs.append(Pair(Path(photo), caption))
    if not pairs:
        raise CaptionEmpty()
    return pairs


def read_captions(path: Path) -> list[Caption]:
    """Captions of a text file, one a line, or of a table; each once, in the order of the file.

    A file is a table when it is called .csv or .tsv or its first line holds a tab. The captions
    are its column ``caption``, or its only column; the column ``label`` or ``folder``, where there
    is one and it is filled in, names them. A first line without these names is a caption itself if
    the file has one column. Fields are separated by comma, semicolon or tab. The text is UTF-8, or
    UTF-16 if it says so itself, as Excel's "Unicode text" does. Of two lines with the same caption
    the first counts.

    Raises CaptionsUnreadable, or CaptionEmpty when there is none.
    """
    try:
        text = _decoded(path)
        first, _, _ = text.partition("\n")
        if path.suffix.lower() not in TABLES and "\t" not in first:
            return as_captions(text.splitlines())
        names, rows = _table(text)
        if len(names) == 1:
            # A heading of any other name would be a caption lost in silence.
            plain = [row[0] for row in rows]
            known = names[0].lower() in (CAPTION, *LABELS)
            return as_captions(plain if known else [names[0], *plain])
        columns = [name.lower() for name in names]
        label = next((columns.index(name) for name in LABELS if name in columns), None)
        if CAPTION not in columns:
            raise _UnreadableError("it has several columns, and its first line names none caption")
        place = columns.index(CAPTION)
        return _distinct(
            Caption(row[place], (row[label] if label is not None else "") or row[place])
            for row in rows
        )
    except _UnreadableError as error:
        raise CaptionsUnreadable(path=path, reason=str(error)) from error


def read_pairs(path: Path) -> list[Pair]:
    """Pairs of a CSV file with the columns photo and caption, read as `read_captions` reads tables.

    Photos are named as the file names them. Raises PairsUnreadable.
    """
    return [Pair(Path(photo), caption) for _, (photo, caption) in _pair_rows(path, PAIR)]


def read_judged(path: Path) -> list[JudgedPair]:
    """Pairs that a person has judged: as `read_pairs`, with a third column match, of yes and no.

    What `pairlens verify` writes can be corrected in that column and given here.

    Raises PairsUnreadable.
    """
    judged = []
    for number, (photo, caption, said) in _pair_rows(path, (*PAIR, MATCH)):
        if said.casefold() not in _JUDGEMENTS:
            reason = f"line {number} says {said!r} in the column match, not yes or no"
            raise PairsUnreadable(path=path, reason=reason)
        judged.append(JudgedPair(Path(photo), caption, _JUDGEMENTS[said.casefold()]))
    return judged


def _pair_rows(path: Path, wanted: tuple[str, ...]) -> list[tuple[int, list[str]]]:
    """Line numbers, and the columns that are wanted. Raises PairsUnreadable."""
    try:
        names, rows = _table(_decoded(path))
        columns = [name.lower() for name in names]
        if not set(wanted) <= set(columns):
            raise _UnreadableError("its first line names no such columns")
        if not rows:
            raise _UnreadableError("it holds no pair")
        places = [columns.index(name) for name in wanted]
        for number, row in enumerate(rows, start=2):
            if not row[places[0]] or not row[places[1]]:
                raise _UnreadableError(f"line {number} lacks a photo or a caption")
    except _UnreadableError as error:
        raise PairsUnreadable(path=path, reason=str(error)) from error
    return [(number, [row[place] for place in places]) for number, row in enumerate(rows, start=2)]


def read_sidecars(folder: Path, photos: Sequence[Path]) -> list[Pair]:
    """Each photo with the caption in the file beside it: photo.txt beside photo.jpg.

    The whole file is one caption; line breaks count as blanks. A photo without a usable file has
    ``failure`` instead. Raises SidecarsMissing when no photo has one.
    """
    pairs = [_beside(photo) for photo in photos]
    if all(pair.caption is None for pair in pairs):
        raise SidecarsMissing(path=folder)
    return pairs


def _beside(photo: Path) -> Pair:
    sidecar = photo.with_suffix(SIDECAR)
    try:
        if not sidecar.is_file():
            raise _UnreadableError("there is none")
        caption = " ".join(_decoded(sidecar).split())
        if not any(letter.isalnum() for letter in caption):
            raise _UnreadableError("it holds no word")
    except _UnreadableError as error:
        why = SidecarUnusable(path=photo, sidecar=sidecar.name, reason=str(error))
        return Pair(photo, None, failure(photo, why))
    return Pair(photo, caption)


def _distinct(captions: Iterable[Caption]) -> list[Caption]:
    kept: dict[str, Caption] = {}
    for caption in captions:
        if caption.text:
            kept.setdefault(caption.text, caption)
    if not kept:
        raise CaptionEmpty()
    return list(kept.values())


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _UnreadableError(str(error)) from error
    if "\0" in text:
        raise _UnreadableError("it is no text")
    return text


def _table(text: str) -> tuple[list[str], list[list[str]]]:
    """The names of the first line, and rows of as many fields; blank lines are left out."""
    # Told from the first line alone: captions are full of commas.
    first = next((line for line in text.splitlines() if line.strip()), "")
    try:
        delimiter = csv.Sniffer().sniff(first, DELIMITERS).delimiter
    except csv.Error:
        delimiter = next((mark for mark in DELIMITERS[::-1] if mark in first), ",")
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows = [[field.strip() for field in row] for row in lines]
    except csv.Error as error:
        raise _UnreadableError(str(error)) from error
    rows = [row for row in rows if any(row)]
    if not rows:
        return [""], []
    width = len(rows[0])
    for number, row in enumerate(rows[1:], start=2):
        if len(row) > width:
            raise _UnreadableError(
                f"row {number} has more columns than the first line: a caption with a "
                f'"{delimiter}" in it must stand in double quotes'
            )
    return rows[0], [row + [""] * (width - len(row)) for row in rows[1:]]
