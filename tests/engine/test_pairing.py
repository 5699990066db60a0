"""Models that decide by looking at photos again, and packs of two of which one finds."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import cli
from engine.errors import PackNeedsFinder, PackNotPairable, PackUnsupported
from engine.explain import explain
from engine.index import Library, index_folder
from engine.installed import find
from engine.matcher import Matcher, load_matcher
from engine.pack_install import import_folder
from engine.pairing import pair
from engine.query import Query
from engine.search import search
from engine.training.convert.families import read_foreign
from engine.training.convert.packing import make_pack
from tests.fixtures import photos as made
from tests.fixtures.foreign import make_clip
from tests.fixtures.retrieval_models import save_blip, save_vilt

CAPTIONS = ["a red circle", "two dogs", "the beach"]


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of packs in float, by family."""
    found = {}
    for family, save in (("clip", make_clip), ("blip", save_blip), ("vilt", save_vilt)):
        source = save(tmp_path_factory.mktemp(family))
        found[family] = tmp_path_factory.mktemp(f"{family}-pack")
        make_pack(read_foreign(source), source, found[family], family, "fp32", lambda line: None)
    return found


@pytest.fixture
def here(packs: dict[str, Path]) -> None:
    """All three, imported."""
    for folder in packs.values():
        import_folder(folder)


@pytest.fixture(params=["blip", "vilt"])
def paired(here: None, request: pytest.FixtureRequest) -> Path:
    """The folder of a pair whose decider is either."""
    return pair(find("clip"), find(request.param), "Both").pack.folder


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return made.folder_of(tmp_path / "photos", 4)


def logits(matcher: Matcher, photos: list[Path]) -> Any:
    return [match.logit for match in matcher.match(photos, CAPTIONS)]


def test_a_pair_finds_as_one_does_and_decides_as_the_other(
    packs: dict[str, Path], paired: Path, photos: list[Path]
) -> None:
    both, finder = load_matcher(paired), load_matcher(packs["clip"])
    family = "blip" if (paired / "decider-image.fp32.onnx").exists() else "vilt"
    decider = load_matcher(packs[family])
    pixels = [both.prepare(photo) for photo in photos]
    assert np.array_equal(
        both.encode(np.stack(pixels)).embeddings,
        finder.encode(np.stack([finder.prepare(photo) for photo in photos])).embeddings,
    )
    assert np.array_equal(
        both.encode_captions(CAPTIONS).embeddings, finder.encode_captions(CAPTIONS).embeddings
    )
    assert logits(both, photos) == logits(decider, photos)
    assert both.pack.manifest.calibration == decider.pack.manifest.calibration
    assert both.pack.manifest.languages == ("en",)
    assert not (paired / "decider-text.fp32.onnx").exists()
    assert both.tuned().model_id == both.model_id


def test_a_pair_travels_as_a_file(paired: Path, photos: list[Path], tmp_path: Path) -> None:
    before = logits(load_matcher(paired), photos)
    out = tmp_path / "both.pairlens"
    assert cli.main(["models", "export", "Both", str(out)]) == 0
    assert cli.main(["models", "remove", "Both"]) == 0
    assert cli.main(["models", "import", str(out)]) == 0
    assert logits(load_matcher(find("Both").folder), photos) == before


def test_a_library_keeps_what_finds_and_a_search_looks_at_the_photos_again(
    paired: Path, photos: list[Path]
) -> None:
    matcher, folder = load_matcher(paired), photos[0].parent
    index_folder(folder, matcher.indexer)
    said = {
        match.photo.resolve(): match.probability for match in matcher.match(photos, CAPTIONS[:1])
    }
    library = Library.find(folder)
    assert library is not None
    with closing(library):
        assert library.models() == [matcher.model_id]
        found = search(matcher, library, Query(words=CAPTIONS[0])).results
        assert [hit.photo for hit in found] == sorted(said, key=lambda path: -(said[path] or 0))
        assert [hit.probability for hit in found] == pytest.approx(
            [said[hit.photo] for hit in found], abs=1e-5
        )
        with_avoided = search(matcher, library, Query(words=CAPTIONS[0], avoid=("two dogs",)))
        avoided = matcher.match(photos, ["two dogs"])
        assert with_avoided.left_out == sum(bool(match.match) for match in avoided)

        # A photo that is not there now is found all the same; nobody can judge it.
        photos[0].unlink()
        found = search(matcher, library, Query(words=CAPTIONS[0])).results
    assert (found[-1].photo, found[-1].probability) == (photos[0].resolve(), None)
    assert found[-1].similarity is not None
    assert None not in [hit.probability for hit in found[:-1]]


def test_what_an_index_keeps_is_made_without_the_decider(
    packs: dict[str, Path], paired: Path, photos: list[Path]
) -> None:
    both, finder = load_matcher(paired), load_matcher(packs["clip"])
    pixels = both.indexer.prepare(photos[0])
    assert np.array_equal(pixels, finder.prepare(photos[0]))
    found = both.indexer.encode(pixels[None])
    assert np.array_equal(found.embeddings, both.encode(both.prepare(photos[0])[None]).embeddings)
    assert found.tokens.size == 0
    assert (both.indexer.model_id, both.indexer.pack_folder) == (both.model_id, paired)
    assert finder.indexer is finder


def test_work_on_a_folder_that_is_indexed_reads_the_photos(
    paired: Path, photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRLENS_PACK", str(paired))
    matcher = load_matcher()
    index_folder(photos[0].parent, matcher.indexer)
    captions, out = tmp_path / "captions.txt", tmp_path / "out.json"
    captions.write_text("\n".join(CAPTIONS), encoding="utf-8")
    words = ["batch", str(photos[0].parent), "--captions", str(captions), "--mode", "all"]
    assert cli.main([*words, "--out", str(out)]) == 0
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    expected = {
        (str(match.photo), match.caption): match.probability
        for match in matcher.match(photos, CAPTIONS)
    }
    assert {(row["photo"], row["caption"]): row["probability"] for row in rows} == {
        key: pytest.approx(value, abs=1e-5) for key, value in expected.items()
    }


def test_what_it_will_take_is_said_beforehand(
    paired: Path,
    photos: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PAIRLENS_PACK", str(paired))
    captions, out = tmp_path / "captions.txt", tmp_path / "out.json"
    captions.write_text("\n".join(f"a dog {number}" for number in range(10)), encoding="utf-8")
    words = ["batch", str(photos[0].parent), "--captions", str(captions), "--out", str(out)]
    assert cli.main([*words, "--exact"]) == 0
    assert "40 pairs are compared in full" in capsys.readouterr().err
    assert json.loads(out.read_text(encoding="utf-8"))["expected_seconds"] >= 0
    assert cli.main(words) == 0
    assert "32 pairs are compared in full" in capsys.readouterr().err


def test_what_looking_again_takes_is_listed_and_measured_by_verify(
    paired: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["models", "list"]) == 0
    assert "looks at photos again for each pair" in capsys.readouterr().out
    assert cli.main(["models", "verify", "clip"]) == 0
    assert "seconds" not in capsys.readouterr().err
    assert cli.main(["models", "verify", "Both"]) == 0
    assert "seconds for each pair on this computer" in capsys.readouterr().err


def test_a_model_that_only_decides_judges_pairs_and_is_not_chosen(
    here: None,
    photos: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = find("vilt").folder
    assert None not in logits(load_matcher(folder), photos)
    assert cli.main(["models", "use", "vilt"]) == 2
    assert "pairlens models pair FINDER" in capsys.readouterr().err
    assert cli.main(["models", "use", "default"]) == 0
    monkeypatch.setenv("PAIRLENS_PACK", str(folder))
    with pytest.raises(PackNeedsFinder):
        load_matcher()


def test_what_can_not_be_paired_is_said(here: None) -> None:
    with pytest.raises(PackNotPairable, match="FINDER"):
        pair(find("vilt"), find("blip"))
    with pytest.raises(PackNotPairable, match="DECIDER"):
        pair(find("clip"), find("clip"))
    assert cli.main(["models", "pair", "default", "vilt"]) == 2


def test_a_pair_is_chosen_and_called_after_both(
    here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["models", "pair", "clip", "vilt"]) == 0
    assert cli.main(["models", "use", "clip + vilt"]) == 0
    assert "looks at photos again" in capsys.readouterr().err
    assert load_matcher().pack.manifest.name == "clip + vilt"


def test_why_is_not_explained_where_it_would_take_an_hour(paired: Path, photos: list[Path]) -> None:
    with pytest.raises(PackUnsupported, match="looks at the photo again"):
        explain(load_matcher(paired), photos[0], CAPTIONS[0])
