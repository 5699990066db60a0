"""Charts as SVG: how match probabilities are spread, and a matrix of them. Colours are page.css's.

To a screen reader a chart is one picture, or a group of buttons where its cells can be asked for
something, with a title and a description. It comes with a table that says the same in numbers.
Every text from outside is escaped here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from unicodedata import east_asian_width

# Bars of a histogram, each of so many hundredths.
BARS = 20
_WIDTH, _HEIGHT, _LEFT, _TOP, _FOOT = 600, 104, 8, 16, 20
# Of a matrix, in pixels.
_CELL, _ROW, _NAMES = 46, 26, 150
# Columns of a name or caption that fit: a letter takes one, a Chinese character two.
_FITS = 22
# Captions stand above a matrix aslant: in pixels, the least height and what each column adds.
_SLANT = (20, 3.85)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many probabilities lie in one part: those that match, and those that don't."""

    matched: int
    others: int


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of a chart.

    Attributes:
        title, description: for who can't see it; the title is also its heading.
        table: what unfolds its numbers.
        heads: of the table.
    """

    title: str
    description: str
    table: str
    heads: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cell:
    """One pair of a matrix.

    Attributes:
        ask: attributes of HTML that make a click ask for something, escaped already. page.js leads
            from cell to cell by the arrow keys.
    """

    probability: float
    match: bool
    said: str
    title: str
    ask: str


def bars_of(values: Sequence[tuple[float, bool]]) -> list[Bar]:
    """Count probabilities, 0 to 1, each with whether it matches, in `BARS` parts of like width."""
    counts = [[0, 0] for _ in range(BARS)]
    for probability, match in values:
        counts[min(int(probability * BARS), BARS - 1)][0 if match else 1] += 1
    return [Bar(matched, others) for matched, others in counts]


def histogram(bars: Sequence[Bar], lines: Sequence[float], words: Words) -> str:
    """How probabilities are spread, with a line at each threshold, 0 to 1."""
    most = max((bar.matched + bar.others for bar in bars), default=0) or 1
    step = (_WIDTH - 2 * _LEFT) / len(bars)
    drawn = []
    for number, bar in enumerate(bars):
        floor, left = float(_TOP + _HEIGHT), _LEFT + number * step
        for count, kind in ((bar.others, "pl-no"), (bar.matched, "pl-yes")):
            # The few must be seen beside the many.
            height = max(2.0, count / most * _HEIGHT) if count else 0.0
            floor -= height
            drawn.append(
                f'<rect class="{kind}" x="{left + 1:.1f}" y="{floor:.1f}" '
                f'width="{step - 2:.1f}" height="{height:.1f}"/>'
            )
    for line in lines:
        x = _LEFT + line * (_WIDTH - 2 * _LEFT)
        drawn.append(f'<path class="pl-mark" d="M{x:.1f} 2V{_TOP + _HEIGHT + 3}"/>')
    for share in (0, 25, 50, 75, 100):
        x = _LEFT + share / 100 * (_WIDTH - 2 * _LEFT)
        anchor = {0: "start", 100: "end"}.get(share, "middle")
        drawn.append(
            f'<text x="{x:.0f}" y="{_TOP + _HEIGHT + 15}" text-anchor="{anchor}">{share} %</text>'
        )
    rows = [
        (f"{number * 100 // BARS} - {(number + 1) * 100 // BARS} %", bar.matched, bar.others)
        for number, bar in enumerate(bars)
        if bar.matched or bar.others
    ]
    size = (_WIDTH, _TOP + _HEIGHT + _FOOT)
    table = _table(words, [(part, f"{yes:,}", f"{no:,}") for part, yes, no in rows])
    return _figure(words, "".join(drawn), size, table, "pl-histogram")


def matrix(
    names: Sequence[str], captions: Sequence[str], cells: Sequence[Sequence[Cell]], words: Words
) -> str:
    """Photos as rows, captions as columns; the darker a cell, the likelier, and matches are framed.

    Args:
        cells: one row for each name, one cell for each caption.
    """
    drawn = []
    shown = [_short(caption) for caption in captions]
    least, each = _SLANT
    top = least + round(each * max(map(_columns, shown)))
    for number, caption in enumerate(captions):
        x = _NAMES + number * _CELL + _CELL / 2
        drawn.append(
            f'<text transform="translate({x:.0f} {top - 6}) rotate(-38)">'
            f"{escape(shown[number])}<title>{escape(caption)}</title></text>"
        )
    for number, (name, row) in enumerate(zip(names, cells, strict=True)):
        y = top + number * _ROW
        drawn.append(
            f'<text x="{_NAMES - 8}" y="{y + 17}" text-anchor="end">{escape(_short(name))}'
            f"<title>{escape(name)}</title></text>"
        )
        for column, cell in enumerate(row):
            # All of them are one stop for the keyboard.
            stop = 0 if not number and not column else -1
            drawn.append(_cell(cell, _NAMES + column * _CELL, y, stop))
    rows = [(name, *(cell.said for cell in row)) for name, row in zip(names, cells, strict=True)]
    # A caption that is written aslant runs on to the right of its column.
    size = (_NAMES + len(captions) * _CELL + 84, top + len(names) * _ROW + 4)
    role = f'role="group" data-across="{len(captions)}"'
    return _figure(words, "".join(drawn), size, _table(words, rows), "pl-matrix", role)


def _cell(cell: Cell, x: float, y: float, stop: int) -> str:
    kind = "pl-yes" if cell.match else "pl-no"
    dark = " pl-dark" if cell.probability > 0.6 else ""
    return (
        f'<g class="{kind}{dark}" role="button" tabindex="{stop}" '
        f'aria-label="{escape(cell.title)}" {cell.ask}><rect x="{x + 1:.0f}" y="{y + 1}" '
        f'width="{_CELL - 2}" height="{_ROW - 2}" rx="4" '
        f'style="--share:{cell.probability:.2f}"/><text x="{x + _CELL / 2:.0f}" y="{y + 17}" '
        f'text-anchor="middle">{escape(cell.said)}</text><title>{escape(cell.title)}</title></g>'
    )


def _figure(
    words: Words,
    drawn: str,
    size: tuple[float, float],
    table: str,
    kind: str,
    role: str = 'role="img"',
) -> str:
    width, height = (round(side) for side in size)
    return (
        f'<figure class="pl-chart {kind}"><figcaption>{escape(words.title)}</figcaption>'
        f'<div><svg {role} viewBox="0 0 {width} {height}" style="--width:{width}px">'
        f"<title>{escape(words.title)}</title><desc>{escape(words.description)}</desc>{drawn}</svg>"
        f"</div>{table}</figure>"
    )


def _table(words: Words, rows: Sequence[Sequence[str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in words.heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(value)}</td>" for value in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f"<details><summary>{escape(words.table)}</summary><div><table><thead><tr>{heads}</tr>"
        f"</thead><tbody>{body}</tbody></table></div></details>"
    )


def _short(text: str) -> str:
    if _columns(text) <= _FITS:
        return text
    while _columns(text) >= _FITS:
        text = text[:-1]
    return f"{text}…"


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
