"""`pairlens calibrate`: a pack's match probability, fitted to pairs that a person judged."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from engine import cli
from engine.calibrating import LEAST, Fit, fit_to
from engine.caption_set import read_caption_set
from engine.captions import read_judged
from engine.errors import PacksBusy, PairsContradict, PairsUnreadable, TooFewJudged
from engine.matcher import Matcher, load_matcher
from engine.pack import MANIFEST, read_manifest
from engine.pack_install import import_folder, recalibrate
from engine.paths import packs_dir
from engine.sqlite_file import WriterLock
from engine.types import JudgedPair
from tests.fixtures.packs import another_pack, change_manifest
from tests.fixtures.tiny_pack import TinyPack


@pytest.fixture(scope="module")
def source(tiny_pack: TinyPack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack called Other that is sure of everything."""
    folder = another_pack(tiny_pack.folder, tmp_path_factory.mktemp("source") / "pack")
    change_manifest(
        folder, lambda values: values["calibration"].update(scale=1.0, bias=50.0, threshold=0.5)
    )
    return folder


@pytest.fixture(scope="module")
def judged(tiny_pack: TinyPack, source: Path) -> list[JudgedPair]:
    """Pairs of which those match that the model says more of, but for one in ten."""
    found = read_caption_set(tiny_pack.data, "test", "en")
    matcher, captions = load_matcher(source), found.flat()[0][:8]
    images = matcher.encode(np.stack([matcher.prepare(photo) for photo in found.photos]))
    rows, columns = np.indices((len(images), len(captions))).reshape(2, -1)
    logits = matcher.logits(images, matcher.encode_captions(captions), rows, columns)
    match = logits > np.median(logits)
    match[::10] = ~match[::10]
    return [
        JudgedPair(found.photos[row], captions[column], bool(said))
        for row, column, said in zip(rows, columns, match, strict=True)
    ]


@pytest.fixture
def pack(source: Path) -> Path:
    """The pack, imported: its folder."""
    return import_folder(source).pack.folder


def written(path: Path, judged: list[JudgedPair], words: tuple[str, str] = ("yes", "no")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["photo", "caption", "match"])
        for pair in judged:
            writer.writerow([pair.photo, pair.caption, words[0] if pair.match else words[1]])
    return path


def test_an_imported_pack_is_calibrated_and_stays_the_same_model(
    pack: Path, judged: list[JudgedPair], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change_manifest(pack, lambda values: values.update(later="kept"))
    before = read_manifest(pack)

    assert cli.main(["calibrate", str(written(tmp_path / "p.csv", judged)), "--pack", "Other"]) == 0

    now = read_manifest(pack)
    assert now.model_id == before.model_id
    assert now.files == before.files
    assert now.calibration != before.calibration
    assert now.calibration.threshold == 0.5
    assert json.loads((pack / MANIFEST).read_text())["later"] == "kept"
    said = capsys.readouterr().err
    assert f"Other 1.0 is calibrated on {len(judged)} pairs" in said
    assert [path.name for path in pack.iterdir() if path.name.startswith(".")] == []
    # It judges nine in ten as the person did, where half were judged so.
    matcher = load_matcher(pack)
    fit = fit_to(matcher, judged, tmp_path)
    assert fit is not None
    assert fit.right_before == fit.right_now > 0.8 * len(judged)


def test_the_share_of_pairs_that_match_is_no_part_of_what_is_found(
    pack: Path, judged: list[JudgedPair], tmp_path: Path
) -> None:
    matcher = load_matcher(pack)
    once = fit_to(matcher, judged, tmp_path)
    # Each pair that matches three times over.
    more = fit_to(matcher, judged + 2 * [pair for pair in judged if pair.match], tmp_path)
    assert once is not None
    assert more is not None
    assert more.pairs > once.pairs

    def even(fit: Fit) -> float:
        """The logit at which it is as likely as not."""
        return -fit.calibration.bias / fit.calibration.scale

    assert abs(even(more) - even(once)) < 0.3 / once.calibration.scale


@pytest.mark.parametrize(
    ("yes", "no"), [("YES", "No"), ("true", "false"), ("1", "0"), ("是", "否"), ("y", "n")]
)
def test_judgements_are_read_in_several_words(yes: str, no: str, tmp_path: Path) -> None:
    given = [JudgedPair(Path("a.jpg"), "a, b", True), JudgedPair(Path("b.jpg"), "c", False)]
    assert read_judged(written(tmp_path / "pairs.csv", given, (yes, no))) == given


def test_what_is_neither_yes_nor_no_is_named_by_its_line(tmp_path: Path) -> None:
    given = [JudgedPair(Path("a.jpg"), "a", True), JudgedPair(Path("b.jpg"), "c", False)]
    with pytest.raises(PairsUnreadable, match="line 3 says 'perhaps'"):
        read_judged(written(tmp_path / "pairs.csv", given, ("yes", "perhaps")))
    (tmp_path / "two.csv").write_text("photo,caption\na.jpg,b\n")
    with pytest.raises(PairsUnreadable):
        read_judged(tmp_path / "two.csv")


def test_too_few_of_either_kind_are_refused_and_counted(
    pack: Path, judged: list[JudgedPair], tmp_path: Path
) -> None:
    matcher = load_matcher(pack)
    few = [pair for pair in judged if pair.match][: LEAST - 1]
    none_fit = [pair for pair in judged if not pair.match]
    with pytest.raises(TooFewJudged, match=f"{LEAST - 1} pairs that match"):
        fit_to(matcher, few + none_fit, tmp_path)
    # Those whose photos can't be read do not count.
    gone = [JudgedPair(tmp_path / "gone.jpg", "a dog", True)] * LEAST
    with pytest.raises(TooFewJudged, match="0 pairs that match"):
        fit_to(matcher, gone + none_fit, tmp_path)


def test_photos_that_can_not_be_used_are_named_and_left_out(
    pack: Path, judged: list[JudgedPair], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [*judged, JudgedPair(Path("gone.jpg"), "a dog", True)]
    assert cli.main(["calibrate", str(written(tmp_path / "p.csv", more)), "--pack", "Other"]) == 1
    said = capsys.readouterr().err
    assert "gone.jpg: there is no such file" in said
    assert f"on {len(judged)} pairs" in said


def test_judgements_the_wrong_way_round_change_nothing(
    pack: Path, judged: list[JudgedPair], tmp_path: Path
) -> None:
    turned = [JudgedPair(pair.photo, pair.caption, not pair.match) for pair in judged]
    with pytest.raises(PairsContradict):
        fit_to(load_matcher(pack), turned, tmp_path)
    before = (pack / MANIFEST).read_bytes()
    assert cli.main(["calibrate", str(written(tmp_path / "p.csv", turned)), "--pack", "Other"]) == 2
    assert (pack / MANIFEST).read_bytes() == before


def test_the_pack_that_ships_is_refused_before_anything_is_read(
    judged: list[JudgedPair], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["calibrate", str(written(tmp_path / "pairs.csv", judged))]) == 2
    assert "is calibrated already" in capsys.readouterr().err


def test_stopping_early_changes_nothing(
    pack: Path, judged: list[JudgedPair], tmp_path: Path
) -> None:
    assert fit_to(load_matcher(pack), judged, tmp_path, cancelled=lambda: True) is None


def test_one_at_a_time_changes_packs(pack: Path, matcher: Matcher) -> None:
    calibration = matcher.pack.manifest.calibration
    with WriterLock(packs_dir() / "packs", "packs"), pytest.raises(PacksBusy):
        recalibrate("Other", calibration)
    assert recalibrate("Other", calibration).manifest is not None
