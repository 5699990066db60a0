from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.captions import as_captions, as_pairs, read_captions, read_pairs, read_sidecars
from engine.errors import (
    CaptionEmpty,
    CaptionsUnreadable,
    PairIncomplete,
    PairsUnreadable,
    SidecarsMissing,
)
from engine.types import Caption, Pair
from tests.fixtures import photos as made


def written(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def found(path: Path) -> list[tuple[str, str]]:
    return [(caption.text, caption.label) for caption in read_captions(path)]


def test_captions_are_read_line_by_line_and_each_once(tmp_path: Path) -> None:
    path = written(tmp_path, "c.txt", "\ufeffa dog\r\n\r\n  一只猫  \na dog\nbeach, sea; sand\n")
    assert [text for text, _ in found(path)] == ["a dog", "一只猫", "beach, sea; sand"]
    assert all(text == label for text, label in found(path))


def test_pasted_lines_are_captions_of_their_own_name() -> None:
    assert as_captions(["beach", " ", "beach"]) == [Caption("beach", "beach")]
    with pytest.raises(CaptionEmpty):
        as_captions(["", " \t"])


@pytest.mark.parametrize(
    ("content", "captions"),
    [
        ("caption\na dog\n\na cat\n", [("a dog", "a dog"), ("a cat", "a cat")]),
        ("Caption\n\"a dog, a cat\"\n", [("a dog, a cat", "a dog, a cat")]),
        ("beach\nreceipts\n", [("beach", "beach"), ("receipts", "receipts")]),
        ("label\nbeach\n", [("beach", "beach")]),
        ("id,caption,folder\n1,\"the sea, calm\",Sea\n2,a bill,\n",
         [("the sea, calm", "Sea"), ("a bill", "a bill")]),
        ("caption;label\n\"he said \"\"yes\"\"; twice\";Words\na, b;\n",
         [('he said "yes"; twice', "Words"), ("a, b", "a, b")]),
        ("folder\tcaption\nSea\ta beach\n", [("a beach", "Sea")]),
        ("caption,label\na dog,Dogs\na dog,Others\n", [("a dog", "Dogs")]),
    ],
)  # fmt: skip
def test_tables_are_read_however_they_were_saved(
    tmp_path: Path, content: str, captions: list[tuple[str, str]]
) -> None:
    for name, saved in {
        "plain.csv": content.encode(),
        "bom.CSV": content.encode("utf-8-sig"),
        "wide.csv": content.encode("utf-16"),
        "windows.csv": content.replace("\n", "\r\n").encode(),
    }.items():
        assert found(written(tmp_path, name, saved)) == captions, name


def test_excels_unicode_text_is_a_table(tmp_path: Path) -> None:
    content = 'caption\tfolder\r\n"海边, 沙滩"\t海\r\n'.encode("utf-16")
    assert found(written(tmp_path, "unicode.txt", content)) == [("海边, 沙滩", "海")]


@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip),
            st.text(st.characters(exclude_categories=["Cs", "Cc"])),
        ),
        min_size=1,
    ),
    delimiter=st.sampled_from(",;\t"),
)
def test_what_csv_writes_is_read_back(
    rows: list[tuple[str, str]], delimiter: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    content = io.StringIO(newline="")
    csv.writer(content, delimiter=delimiter).writerows([("caption", "label"), *rows])
    path.write_bytes(content.getvalue().encode("utf-8"))
    expected: dict[str, str] = {}
    for text, label in rows:
        expected.setdefault(text.strip(), label.strip() or text.strip())
    assert found(path) == list(expected.items())


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("c.txt", "两只狗在草地上奔跑".encode("gbk"), "UTF-8"),
        ("c.txt", b"\x00\x01\x02", "no text"),
        ("c.csv", b"photo,text\na.jpg,b\n", "names none caption"),
        ("c.csv", b"caption\na dog, a cat\n", "double quotes"),
        ("c.csv", b"caption,label\n\"a dog,x\n", "unexpected end"),
    ],
)  # fmt: skip
def test_unusable_captions_are_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(CaptionsUnreadable, match=reason):
        read_captions(written(tmp_path, name, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaptionsUnreadable, match=r"nowhere\.txt"):
        read_captions(tmp_path / "nowhere.txt")


@pytest.mark.parametrize(("name", "content"), [("c.txt", "\n \n"), ("c.csv", "caption,label\n")])
def test_a_file_without_words_holds_no_caption(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(CaptionEmpty):
        read_captions(written(tmp_path, name, content))


def test_pairs_are_read_by_their_column_names(tmp_path: Path) -> None:
    for content in (
        'id,caption,photo\n1,"a dog, a cat",x.jpg\n',
        "Photo;Caption\nx.jpg;a dog, a cat\n",
    ):
        path = written(tmp_path, "pairs.csv", content.encode("utf-8-sig"))
        assert read_pairs(path) == [Pair(Path("x.jpg"), "a dog, a cat")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "columns"),
        ("picture,text\na,b\n", "columns"),
        ("photo,caption\n", "no pair"),
        ("photo,caption\na.jpg,b\na.jpg\n", "line 3"),
        ("photo,caption\n,b\n", "line 2"),
    ],
)
def test_unusable_pairs_are_refused_with_the_reason(
    tmp_path: Path, content: str, reason: str
) -> None:
    with pytest.raises(PairsUnreadable, match=reason):
        read_pairs(written(tmp_path, "pairs.csv", content))


@pytest.mark.parametrize("heading", [[], ["photo,caption"], ["Photo\tCaption"]])
def test_pasted_lines_are_pairs_and_captions_may_hold_commas(heading: list[str]) -> None:
    lines = ["a.jpg, red, and round", "", 'b, c.jpg\t"a dog"', "/d/e.jpg；一只狗，在跑"]
    assert as_pairs([*heading, *lines]) == [
        Pair(Path("a.jpg"), "red, and round"),
        Pair(Path("b, c.jpg"), "a dog"),
        Pair(Path("/d/e.jpg"), "一只狗，在跑"),
    ]


def test_a_pasted_line_that_is_no_pair_is_named() -> None:
    with pytest.raises(PairIncomplete, match="Line 3"):
        as_pairs(["a.jpg,red", "", "b.jpg"])
    with pytest.raises(PairIncomplete, match="Line 1"):
        as_pairs([",red"])
    with pytest.raises(CaptionEmpty):
        as_pairs(["photo,caption", " "])


def test_sidecars_give_each_photo_its_own_caption(tmp_path: Path) -> None:
    photos = made.folder_of(tmp_path / "photos", 4)
    photos[0].with_suffix(".txt").write_text("\ufeffa dog,\n  a ball\n", encoding="utf-8")
    photos[1].with_suffix(".txt").write_text(" \n!\n", encoding="utf-8")
    photos[2].with_suffix(".txt").write_bytes(b"\xff\xfe\xff")
    pairs = read_sidecars(tmp_path, photos)
    assert [pair.photo for pair in pairs] == photos
    assert pairs[0] == Pair(photos[0], "a dog, a ball")
    for pair, reason in zip(pairs[1:], ("no word", "utf-16", "there is none"), strict=True):
        assert pair.caption is None
        assert pair.failure is not None
        assert reason in pair.failure.message
        assert pair.photo.with_suffix(".txt").name in pair.failure.message


def test_a_folder_without_sidecars_is_refused(tmp_path: Path) -> None:
    photos = made.folder_of(tmp_path / "photos", 2)
    with pytest.raises(SidecarsMissing, match="beside it"):
        read_sidecars(tmp_path, photos)
