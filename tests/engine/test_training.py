from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engine.caption_set import CaptionSet, languages, read_caption_set
from engine.edited import TEMPLATES as TESTED
from engine.errors import EvaluationDataMissing
from engine.evaluation import evaluate, random_pairs
from engine.matcher import load_matcher
from engine.pack import WEIGHTS_FILE, open_pack
from engine.tokenizer import CLS, SPECIAL_TOKENS, UNK
from engine.training.distil_text import hide_words
from engine.training.edits import TEMPLATES as TRAINED
from engine.training.losses import contrastive_loss, hard_negatives
from engine.training.packing import build_pack
from engine.training.pipeline import make_pack, train
from engine.training.recipe import read_recipe
from engine.training.run import TEACHER
from tests.fixtures.tiny_pack import TinyPack, tiny_run


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_aligned_embeddings_cost_nothing_and_random_ones_cost_chance() -> None:
    aligned = torch.eye(16)
    scale = torch.tensor(100.0).log()
    assert contrastive_loss(aligned, aligned, scale).item() == pytest.approx(0, abs=1e-6)
    same = torch.ones(16, 4) / 2
    chance = np.log(16)
    assert contrastive_loss(same, same, scale).item() == pytest.approx(chance, rel=1e-5)


def test_the_scale_is_held_at_a_hundred() -> None:
    left, right = torch.eye(4), torch.eye(4).roll(1, 0)
    held, at = (contrastive_loss(left, right, torch.tensor(x).log()) for x in (1e6, 100.0))
    assert held.item() == pytest.approx(at.item())


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_negative_is_never_the_own_column(share: float) -> None:
    similarity = 100 * torch.eye(12)
    for seed in range(30):
        drawn = hard_negatives(similarity, share, generator(seed))
        assert (drawn != torch.arange(12)).all()


def test_close_columns_are_drawn_as_often_as_asked() -> None:
    rows = 3000
    similarity = torch.zeros(rows, rows)
    close = torch.arange(rows).roll(1)
    similarity[torch.arange(rows), close] = 50
    for share in (0.0, 0.25, 1.0):
        drawn = hard_negatives(similarity, share, generator())
        assert (drawn == close).float().mean().item() == pytest.approx(share, abs=0.04)


def test_hidden_words_are_unknown_and_the_start_stays() -> None:
    start, unknown = SPECIAL_TOKENS.index(CLS), SPECIAL_TOKENS.index(UNK)
    ids = torch.randint(3, 100, (200, 10), generator=generator())
    ids[:, 0] = start
    ids[:, 8:] = 0
    hidden = hide_words(ids, 0.3, generator())
    assert (hidden[:, 0] == start).all()
    assert (hidden[:, 8:] == 0).all()
    changed = hidden != ids
    assert (hidden[changed] == unknown).all()
    assert changed[:, 1:8].float().mean().item() == pytest.approx(0.3, abs=0.04)


def test_the_default_recipe_can_be_read() -> None:
    recipe = read_recipe()
    assert recipe.languages == ("en", "zh")
    assert recipe.model.vocabulary > len(SPECIAL_TOKENS)


def test_captions_are_read_by_language_and_split(tiny_pack: TinyPack, tmp_path: Path) -> None:
    assert languages(tiny_pack.data) == ["en", "zh"]
    found = read_caption_set(tiny_pack.data, "val", "zh")
    assert len(found.photos) == 10
    assert all(photo.is_file() for photo in found.photos)
    texts, relevant = found.flat()
    assert relevant.shape == (10, len(texts))
    assert (relevant.sum(axis=0) == 1).all()
    with pytest.raises(EvaluationDataMissing, match=r"none\.txt"):
        read_caption_set(tiny_pack.data, "none", "zh")


def test_random_pairs_are_half_right_and_half_wrong() -> None:
    photos = [Path(str(number)) for number in range(40)]
    captions = CaptionSet(photos, [[f"{n} first", f"{n} second"] for n in range(40)])
    rows, texts, actual = random_pairs(captions)
    flat, relevant = captions.flat()
    assert len(flat) == 80
    assert actual.sum() == 40
    assert np.array_equal(relevant[rows, texts], actual)


def test_evaluation_of_a_pack_repeats(tiny_pack: TinyPack) -> None:
    matcher = load_matcher(tiny_pack.folder)
    first, again = (evaluate(matcher, tiny_pack.data, "test") for _ in range(2))
    # The speed of this machine at the moment.
    for report in (first, again):
        assert report["footprint"].pop("photos_per_cpu_second") > 0
    assert first == again
    pairs = first["languages"]["en"]["pairs"]
    assert pairs["count"] == 20
    low, high = pairs["auc_interval"]
    assert 0 <= low <= high <= 1


def test_training_makes_a_pack_and_goes_on_where_it_stopped(
    tmp_path: Path, shared_data: Path
) -> None:
    run = tiny_run(tmp_path)
    (run.data / TEACHER).symlink_to(shared_data / TEACHER)
    out = tmp_path / "pack"
    make_pack(run, out)
    pack = open_pack(out)
    assert pack.manifest.model == run.recipe.model
    assert set(pack.manifest.metrics) == {"val", "test"}
    assert "R@10" in (out / "MODEL_CARD.md").read_text(encoding="utf-8")
    curves = {path: path.read_text() for path in run.work.glob("*.jsonl")}
    assert {path.stem for path in curves} == {
        "image",
        "text",
        "contrastive",
        "contrastive-fold-0",
        "contrastive-fold-1",
        "fusion",
    }
    assert all(len(curve.splitlines()) == 2 for curve in curves.values())

    again = train(run)
    assert {path: path.read_text() for path in run.work.glob("*.jsonl")} == curves
    build_pack(run, again, run.work / "graphs", out)
    assert open_pack(out).model_id == pack.model_id
    assert not list(tmp_path.glob(".*"))


def test_the_pack_holds_no_weight_of_a_teacher(tiny_pack: TinyPack) -> None:
    names = load_file(tiny_pack.folder / WEIGHTS_FILE).keys()
    assert set(names) == set(tiny_pack.model.state_dict())


def test_training_and_test_edits_share_no_wording() -> None:
    def wordings(templates: tuple[str, ...]) -> set[str]:
        """Templates as they read, whatever their slots are called."""
        return {re.sub(r"\{[^}]*\}", "{}", text.lower()).strip(" .") for text in templates}

    assert len(wordings(TRAINED)) > 50
    assert len(wordings(TESTED)) > 50
    assert not wordings(TRAINED) & wordings(TESTED)


def test_a_photo_of_a_labelled_folder_gets_its_label(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    barrel, tulip, other = (
        run.data / name
        for name in (
            "photos/caltech101/barrel/1.jpg",
            "flowers/train/tulips/2.jpg",
            "photos/bsds500/all/3.jpg",
        )
    )
    for photo in (barrel, tulip, other):
        photo.parent.mkdir(parents=True)
        photo.touch()
    kinds = dict(zip(run.photos, run.kind.tolist(), strict=True))
    assert run.kinds[kinds[barrel]].english == "barrel"
    assert run.kinds[kinds[tulip]].english == "tulips"
    assert kinds[other] == -1
    assert kinds[run.photos[0]] == -1
