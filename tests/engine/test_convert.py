"""Models of other families, imported by the command line and compared with transformers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from transformers import (
    BertTokenizerFast,
    ChineseCLIPImageProcessor,
    ChineseCLIPModel,
    CLIPImageProcessor,
    CLIPModel,
    CLIPTokenizerFast,
    GemmaTokenizerFast,
    Siglip2ImageProcessor,
    Siglip2Model,
    SiglipImageProcessor,
    SiglipModel,
    SiglipTokenizer,
)

from engine import cli, converting
from engine.config import TokenizerFacts
from engine.errors import ModelNeedsSource, ModelNeedsTraining, ModelUnusable, PackUnsupported
from engine.installed import packs
from engine.matcher import Matcher, load_matcher
from engine.pack import read_manifest
from engine.tokenizer import Tokenizer
from engine.training.convert import packing
from engine.training.convert.families import read_foreign
from engine.training.convert.foreign import Graph, NotConvertible
from engine.training.convert.graphs import export
from engine.training.convert.sentencepieces import siglip_tokenizer
from engine.types import FloatArray
from tests.fixtures import foreign
from tests.fixtures.photos import corners, noise, save, turned
from tests.fixtures.tiny_pack import rewrite_manifest

FP32, INT8 = 1e-3, 0.05
CAPTIONS = [
    "a dog", "A red car, parked!", "two people at the beach", "一只猫坐在窗边", "x" * 300,
    "unknown wörds ẞ 🐕", "a b c d e f g h i j k l m n o p q r s t u v w x y z", "42",
]  # fmt: skip


@dataclass(frozen=True)
class Family:
    """How transformers runs a family, and how a model of it is made."""

    make: Callable[[Path], Path]
    model: Any
    processor: Any
    tokenizer: Any
    fixed: int | None = None

    def similarities(self, folder: Path, photos: Sequence[Path]) -> FloatArray:
        """What transformers itself says: float32 [N, M]."""
        images = self.processor.from_pretrained(folder)(
            [as_seen(photo) for photo in photos],
            return_tensors="pt",
            input_data_format="channels_last",
        )
        length = {} if self.fixed is None else {"max_length": self.fixed}
        words = self.tokenizer.from_pretrained(folder)(
            CAPTIONS,
            padding="max_length" if length else True,
            truncation=True,
            return_tensors="pt",
            **length,
        )
        if self.fixed is not None:
            words = {"input_ids": words["input_ids"]}
        with torch.inference_mode():
            said = self.model.from_pretrained(folder).eval()(**images, **words)
        seen, read = said.image_embeds, said.text_embeds
        return (seen @ read.T / seen.norm(dim=1)[:, None] / read.norm(dim=1)).numpy()


FAMILIES = {
    "clip": Family(foreign.make_clip, CLIPModel, CLIPImageProcessor, CLIPTokenizerFast),
    "chinese_clip": Family(
        foreign.make_chinese_clip, ChineseCLIPModel, ChineseCLIPImageProcessor, BertTokenizerFast
    ),
    "siglip": Family(foreign.make_siglip, SiglipModel, SiglipImageProcessor, SiglipTokenizer, 16),
    "square_siglip2": Family(
        foreign.make_square_siglip2, SiglipModel, SiglipImageProcessor, GemmaTokenizerFast, 16
    ),
    "siglip2": Family(
        foreign.make_siglip2, Siglip2Model, Siglip2ImageProcessor, GemmaTokenizerFast, 16
    ),
}


def as_seen(photo: Path) -> Image.Image:
    """As people see it: upright, on white."""
    image = ImageOps.exif_transpose(Image.open(photo))
    if not image.has_transparency_data:
        return image.convert("RGB")
    image, page = image.convert("RGBA"), Image.new("RGB", image.size, "white")
    page.paste(image, mask=image)
    return page


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    clear = noise(45, 37, 5).convert("RGBA")
    clear.putalpha(corners(45, 37).convert("L"))
    return [
        save(Image.new("RGB", (1, 1), "orange"), folder / "dot.png"),
        save(noise(3, 2), folder / "few.png"),
        save(noise(700, 9, 1), folder / "wide.png"),
        # Not so tall that it is one patch wide: torch itself is at odds with itself there.
        save(noise(50, 300, 2), folder / "tall.png"),
        save(noise(97, 61, 3).convert("L"), folder / "grey.png"),
        save(corners(97, 61).convert("1"), folder / "black and white.png"),
        save(corners(64, 64).quantize(16), folder / "palette.png"),
        save(clear, folder / "clear.png"),
        turned(folder / "turned.jpg", 6),
        save(noise(900, 700, 4), folder / "large.jpg", quality=80),
        save(corners(333, 251), folder / "corners.bmp"),
        save(noise(32, 32, 6), folder / "as large as it is seen.png"),
    ]


@dataclass(frozen=True)
class Converted:
    """A family's model, the pack that the command line made of it, and the same in 8 bits."""

    family: Family
    source: Path
    home: Path
    exact: Path
    small: Path


@pytest.fixture(scope="module", params=FAMILIES)
def converted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Converted:
    family, folder = FAMILIES[request.param], tmp_path_factory.mktemp(request.param)
    source, home = family.make(folder / f"tiny-{request.param}"), folder / "home"
    (source / "README.md").write_text("---\nlicense: mit\n---\n# Tiny\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAIRLENS_HOME", str(home))
        assert cli.main(["models", "import", str(source), "--precision", "fp32"]) == 0
        _, exact = (pack.folder for pack in packs())
    small = folder / "small"
    small.mkdir()
    packing.small_pack(read_foreign(source), source, exact, small, lambda line: None)
    return Converted(family, source, home, exact, small)


def scores(matcher: Matcher, photos: Sequence[Path]) -> FloatArray:
    found = matcher.match(photos, CAPTIONS)
    assert [match.error for match in found if match.error] == []
    return np.array([match.logit for match in found], np.float32).reshape(len(photos), -1)


def test_every_score_is_that_of_transformers(converted: Converted, photos: list[Path]) -> None:
    wanted = converted.family.similarities(converted.source, photos)
    assert wanted.std() > 0.05, "a model that says the same to everything shows nothing"
    found = scores(load_matcher(converted.exact), photos)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=FP32)


def test_eight_bits_move_a_score_by_little(converted: Converted, photos: list[Path]) -> None:
    wanted = converted.family.similarities(converted.source, photos)
    found = scores(load_matcher(converted.small), photos)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=INT8)
    sizes = [
        sum(file.stat().st_size for file in pack.glob("*.onnx"))
        for pack in (converted.small, converted.exact)
    ]
    assert sizes[0] < sizes[1]


def test_the_manifest_says_what_was_measured_and_that_nothing_was_calibrated(
    converted: Converted,
) -> None:
    manifest = read_manifest(converted.small)
    assert manifest.kind == "embedding"
    assert manifest.licence == "mit"
    assert not manifest.calibration.fitted
    assert manifest.search is None
    parity = manifest.metrics["parity"]
    assert 0 <= parity["fp32"]["mean"] <= parity["fp32"]["most"] <= FP32
    assert 0 < parity["int8"]["mean"] <= parity["int8"]["most"] <= INT8


def test_a_pack_survives_becoming_one_file(
    converted: Converted, photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, name = tmp_path / "tiny.pairlens", read_manifest(converted.exact).model_id
    elsewhere = tmp_path / "elsewhere"
    with monkeypatch.context() as patch:
        patch.setenv("PAIRLENS_HOME", str(converted.home))
        assert cli.main(["models", "export", name, str(out)]) == 0
    monkeypatch.setenv("PAIRLENS_HOME", str(elsewhere))
    assert cli.main(["models", "import", str(out)]) == 0
    again = next(pack for pack in packs() if pack.manifest and pack.manifest.model_id == name)
    np.testing.assert_array_equal(
        scores(load_matcher(again.folder), photos[:2]),
        scores(load_matcher(converted.exact), photos[:2]),
    )


def test_siglips_captions_are_read_as_by_its_own_tokenizer(tmp_path: Path) -> None:
    own = foreign.siglip_tokenizer(tmp_path)
    own.save_pretrained(tmp_path)
    slow, written = siglip_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text(written, encoding="utf-8")
    made = Tokenizer(tmp_path / "tokenizer.json", 16, TokenizerFacts(slow.pad_token_id, fixed=True))
    texts = [
        *foreign.TEXTS, *CAPTIONS, "  two   people ", "ﬁne　ＷＩＤＥ ①", "don't; stop_it (now)!",
        "a▁dog", "tab\tand\nline", "—dash… “quotes”", "İstanbul ẞ", "",
    ]  # fmt: skip
    ids, _ = made.encode(texts)
    wanted = own(texts, padding="max_length", truncation=True, max_length=16)["input_ids"]
    assert dict(zip(texts, ids.tolist(), strict=True)) == dict(zip(texts, wanted, strict=True))


def test_siglips_tokenizer_may_be_written_already(tmp_path: Path) -> None:
    foreign.siglip_tokenizer(tmp_path).save_pretrained(tmp_path)
    _, written = siglip_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text(written, encoding="utf-8")
    pieces = shutil.copytree(tmp_path, tmp_path / "pieces")
    (tmp_path / "spiece.model").unlink()
    again, kept = siglip_tokenizer(tmp_path)
    assert again.pad_token == "</s>"
    assert again(CAPTIONS)["input_ids"] == SiglipTokenizer.from_pretrained(pieces)(CAPTIONS)[
        "input_ids"
    ]  # fmt: skip
    assert json.loads(kept)["normalizer"] == json.loads(written)["normalizer"]
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(NotConvertible, match=r"spiece\.model"):
        siglip_tokenizer(tmp_path)


@pytest.fixture
def in_use(converted: Converted, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pack answers in a home of its own."""
    monkeypatch.setenv("PAIRLENS_PACK", str(converted.exact))
    return converted.exact


def test_the_commands_work_with_it_and_say_that_it_is_uncalibrated(
    in_use: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photos"
    for number in range(4):
        save(noise(50 + number, 40, number), folder / f"{number}.png")
    captions = tmp_path / "captions.txt"
    captions.write_text("a dog\na red car\ntwo people\n", encoding="utf-8")
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("photo,caption\n0.png,a dog\n1.png,a red car\n", encoding="utf-8")
    shutil.copy(pairs, folder / "pairs.csv")

    def run(*arguments: object) -> str:
        assert cli.main([str(argument) for argument in arguments]) == 0
        said = capsys.readouterr()
        assert "uncalibrated" in said.err
        return said.out

    first = folder / "0.png"
    (match,) = json.loads(run("match", first, "--caption", "a dog", "--json"))
    for mode in ("best", "all", "assign"):
        out = tmp_path / f"{mode}.json"
        run("batch", folder, "--captions", captions, "--mode", mode, "--out", out)
        result = json.loads(out.read_text(encoding="utf-8"))
        assert result["model"]["calibrated"] is False
    rows = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["rows"]
    (row,) = [one for one in rows if one["caption"] == "a dog" and one["photo"] == str(first)]
    assert row["probability"] == pytest.approx(match["probability"], abs=1e-5)
    out = tmp_path / "verify.html"
    run("verify", folder / "pairs.csv", "--out", out)
    assert "uncalibrated" in out.read_text(encoding="utf-8")
    assert cli.main(["index", str(folder)]) == 0
    assert "4 photos indexed" in capsys.readouterr().err
    found = json.loads(run("search", folder, "a dog", "--json"))
    assert found["confident"] is None
    assert found["nearest"] == []
    assert len(found["results"]) == 4
    (hit,) = [hit for hit in found["results"] if hit["photo"] == str(first)]
    # The index keeps embeddings in half precision.
    assert hit["similarity"] == pytest.approx(match["logit"], abs=2e-3)
    run("search", folder, "a dog", "--not", "a red car", "--photo", first)
    explained = json.loads(
        run("explain", first, "--caption", "a dog", "--out", tmp_path / "why.png", "--json")
    )
    assert explained["probability"] == pytest.approx(match["probability"], abs=1e-5)
    assert np.ptp(explained["heat"]) > 0


def test_without_a_rule_the_nearest_are_shown_as_not_judged(
    in_use: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(noise(50, 40), tmp_path / "photos" / "0.png")
    assert cli.main(["index", str(tmp_path / "photos")]) == 0
    assert cli.main(["search", str(tmp_path / "photos"), "a dog"]) == 0
    said = capsys.readouterr()
    assert "0.png" in said.out
    assert "no rule" in said.err
    assert "matches well" not in said.err


def test_graphs_and_manifest_have_to_agree(converted: Converted, tmp_path: Path) -> None:
    pack = shutil.copytree(converted.small, tmp_path / "pack")
    manifest = read_manifest(pack)
    model: Any = manifest.model
    rewrite_manifest(pack, replace(manifest, model=replace(model, embedding=17)))
    with pytest.raises(PackUnsupported, match=r"image\.int8\.onnx"):
        load_matcher(pack)
    rewrite_manifest(pack, replace(manifest, model=replace(model, vocabulary=5)))
    with pytest.raises(PackUnsupported, match="more tokens"):
        load_matcher(pack)
    rewrite_manifest(pack, replace(manifest, tokenizer=None))
    with pytest.raises(PackUnsupported, match="tokenizer"):
        load_matcher(pack)


def copied(source: Path, out: Path) -> Path:
    return shutil.copytree(source, out, ignore=shutil.ignore_patterns("README.md"))


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return foreign.make_clip(tmp_path_factory.mktemp("clip") / "tiny")


def test_weights_that_can_hold_programs_are_not_opened(
    tiny_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(tiny_clip, tmp_path / "tiny")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert cli.main(["models", "import", str(folder)]) == cli.EXIT_NOTHING_DONE
    said = capsys.readouterr().err
    assert "its weights are no .safetensors file" in said
    assert "Traceback" not in said
    assert len(packs()) == 1


def test_half_a_model_is_refused(tiny_clip: Path, tmp_path: Path) -> None:
    folder = copied(tiny_clip, tmp_path / "tiny")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["vision_config"]["num_hidden_layers"] = 3
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(NotConvertible, match="its weights lack"):
        read_foreign(folder)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("config.json", '{"model_type": "bert"}', "family bert"),
        ("config.json", "{", "can't be read"),
        ("config.json", "[]", "no object"),
        ("preprocessor_config.json", '{"size": {"shortest_edge": 99}}', "its images become"),
        ("preprocessor_config.json", '{"do_rescale": false}', "scaled"),
        ("preprocessor_config.json", '{"resample": 0}', "filter 0"),
    ],
)
def test_what_can_not_be_matched_exactly_is_refused_with_a_reason(
    tiny_clip: Path, tmp_path: Path, file: str, content: str, words: str
) -> None:
    folder = copied(tiny_clip, tmp_path / "tiny")
    (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(NotConvertible, match=words):
        read_foreign(folder)


def test_graphs_that_say_something_else_are_not_packed(
    tiny_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = read_foreign(tiny_clip)
    wrong = replace(made, reference=lambda images, texts: made.reference(images, texts) + 0.002)
    with pytest.raises(NotConvertible, match="fp32 graphs differ"):
        packing.make_pack(wrong, tiny_clip, tmp_path, "wrong", "int8", lambda line: None)
    assert list(tmp_path.glob("*.onnx")) == []


def test_a_graph_that_can_not_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    class Unwritable(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            raise ValueError("too large\nby far")

    samples = {"pixels": torch.zeros(2, 3)}
    graph = Graph("image", Unwritable(), samples, {"pixels": {0: "batch"}}, ["embeddings"])
    with pytest.raises(NotConvertible, match="its image graph can't be written: ") as refused:
        export(graph, 9, tmp_path)
    assert "\n" not in str(refused.value)


def test_without_what_training_needs_the_line_that_installs_it_is_said(
    tiny_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converting, "_NEEDED", ("torch", "no_such_library"))
    with pytest.raises(ModelNeedsTraining) as refused:
        converting.import_model(tiny_clip, lambda line: None)
    assert "no_such_library" in str(refused.value)
    assert converting.INSTALL_TRAINING in str(refused.value)


def test_the_installed_program_says_that_it_imports_files_only(
    tiny_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(ModelNeedsSource, match=r"\.pairlens"):
        converting.import_model(tiny_clip, lambda line: None)


def test_what_fails_in_the_other_process_is_told_in_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    lines: list[str] = []
    with pytest.raises(ModelUnusable, match="None"):
        converting.import_model(folder, lines.append)
    assert lines == ["loading it"]


def test_what_is_cancelled_ends_the_other_process_and_leaves_nothing(
    tiny_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[str]] = []

    class Watched(subprocess.Popen[str]):
        def __init__(self, *words: Any, **how: Any) -> None:
            super().__init__(*words, **how)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    before = packs()
    assert converting.import_model(tiny_clip, lambda line: None, cancelled=lambda: True) is None
    (process,) = started
    assert process.returncode != 0
    assert packs() == before
