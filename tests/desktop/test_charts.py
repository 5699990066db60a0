"""Charts: what is counted and drawn, and that nothing from outside is taken for markup."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from desktop.ui.charts import BARS, Cell, Words, bars_of, histogram, matrix

WORDS = Words("How <many>", "A & B", "Numbers", ("Part", "Yes", "No"))


def parsed(drawn: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawn)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans())))
def test_every_probability_is_counted_once_where_it_lies(values: list[tuple[float, bool]]) -> None:
    bars = bars_of(values)
    assert len(bars) == BARS
    assert sum(bar.matched for bar in bars) == sum(match for _, match in values)
    assert sum(bar.matched + bar.others for bar in bars) == len(values)


def test_the_ends_lie_in_the_first_and_the_last_bar() -> None:
    bars = bars_of([(0.0, False), (1.0, True), (0.999, True), (0.5, True), (0.4999, False)])
    assert (bars[0].others, bars[-1].matched) == (1, 2)
    assert (bars[BARS // 2].matched, bars[BARS // 2 - 1].others) == (1, 1)


def test_a_histogram_is_one_picture_with_its_numbers_as_a_table() -> None:
    figure = parsed(histogram(bars_of([(0.02, False)] * 1_500 + [(0.88, True)]), [0.5], WORDS))
    svg = figure.find("div/svg")
    assert svg is not None
    assert svg.get("role") == "img"
    assert (svg.findtext("title"), svg.findtext("desc")) == ("How <many>", "A & B")
    heights = {
        rect.get("class"): float(rect.get("height", "0"))
        for rect in svg.findall("rect")
        if float(rect.get("height", "0"))
    }
    # One of 1,500 can still be seen.
    assert heights["pl-yes"] >= 2
    assert heights["pl-no"] > 90
    assert len(svg.findall("path")) == 1
    cells = ["".join(cell.itertext()) for row in figure.iter("tr") for cell in row]
    assert cells == ["Part", "Yes", "No", "0 - 5 %", "0", "1,500", "85 - 90 %", "1", "0"]


def test_the_line_stands_where_the_threshold_is() -> None:
    (line,) = parsed(histogram(bars_of([(0.5, True)]), [0.25], WORDS)).findall("div/svg/path")
    assert line.get("d", "").startswith("M154.0 ")  # 8 + a quarter of 584


def test_a_matrix_has_a_cell_for_each_pair_and_names_are_no_markup() -> None:
    ask = 'data-ask="x"'
    cells = [
        [Cell(0.88, True, "88 %", "a<b: 88 %", ask), Cell(0.02, False, "2 %", "two", ask)],
        [Cell(0.5, True, "50 %", "three", ask), Cell(0.1, False, "10 %", "four", ask)],
    ]
    figure = parsed(matrix(["<b>.png", "x" * 40], ["a <i>", "y"], cells, WORDS))
    groups = figure.findall("div/svg/g")
    assert [group.findtext("text") for group in groups] == ["88 %", "2 %", "50 %", "10 %"]
    assert [group.get("class") for group in groups] == [
        "pl-yes pl-dark",
        "pl-no",
        "pl-yes",
        "pl-no",
    ]
    assert groups[0].get("data-ask") == "x"
    assert [group.get("tabindex") for group in groups] == ["0", "-1", "-1", "-1"]
    assert groups[0].get("aria-label") == "a<b: 88 %"
    texts = ["".join(text.itertext()) for text in figure.findall("div/svg/text")]
    assert texts == ["a <i>a <i>", "yy", "<b>.png<b>.png", "x" * 21 + "…" + "x" * 40]
    rows = [[*map("".join, map(ElementTree.Element.itertext, row))] for row in figure.iter("tr")]
    assert rows[1:] == [["<b>.png", "88 %", "2 %"], ["x" * 40, "50 %", "10 %"]]


def test_of_chinese_captions_as_much_is_shown_as_there_is_room_for() -> None:
    cells = [[Cell(0.88, True, "88 %", "one", ""), Cell(0.02, False, "2 %", "two", "")]]
    figure = parsed(matrix(["a.png"], ["狗" * 11, "狗" * 12], cells, WORDS))
    short, long, _ = (text.text for text in figure.findall("div/svg/text"))
    assert short == "狗" * 11
    assert long == "狗" * 10 + "…"
