from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from engine.cli import main
from engine.explain import GRID
from tests.fixtures.patch_model import bright_cells

CAPTION = "a white square"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return bright_cells(tmp_path / "photo.png", (2, 5))


def test_a_pair_is_explained_in_words_and_as_a_picture(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "why.png"
    assert main(["explain", str(photo), "--caption", CAPTION, "--out", str(out)]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.endswith(f"{photo}  {CAPTION}")
    assert [line.split()[2] for line in rest] == CAPTION.split()
    with Image.open(out) as drawn:
        assert drawn.format == "PNG"
        assert drawn.width > 900
    assert {path.name for path in tmp_path.iterdir()} >= {"photo.png", "why.png"}


def test_json_is_printed_alone(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "why.PNG"
    words = ["explain", str(photo), "--caption", "一只狗", "--out", str(out), "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["photo", "caption", "probability", "logit", "match", "heat", "words"]
    assert [word["word"] for word in found["words"]] == ["一只", "狗"]
    for heat in (found["heat"], found["words"][0]["heat"]):
        assert [len(row) for row in heat] == [GRID] * GRID
    assert isinstance(found["words"][1]["weight"], float)
    assert out.exists()


@pytest.mark.parametrize(
    ("out", "sentence"), [("why.jpg", "does not end in .png"), ("why", "does not end in .png")]
)
def test_a_picture_is_a_png(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str, sentence: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["explain", str(photo), "--caption", CAPTION, "--out", str(tmp_path / out)])
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["none.jpg", "--caption", "a dog", "--out", "why.png"], "there is no such file"),
        (["photo.png", "--caption", " . ", "--out", "why.png"], "Write at least one word"),
        (["photo.png", "--caption", "a dog", "--out", "none/why.png"], "does not exist"),
    ],
)
def test_what_cannot_be_explained_leaves_no_picture(
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", *words]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "why.png").exists()
