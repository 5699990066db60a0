from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.caption_set import CaptionSet, languages, read_caption_set
from engine.errors import EvaluationDataMissing
from engine.evaluate import evaluate, random_pairs
from engine.matcher import load_matcher
from engine.pack import open_pack
from engine.tokenizer import CLS, SPECIAL_TOKENS, UNK
from engine.training.data import augment, cache_photos, hide_words, shuffled_batches
from engine.training.losses import contrastive_loss, hard_negatives
from engine.training.pipeline import run
from engine.training.recipe import read_recipe
from tests.fixtures.caption_data import write_caption_data
from tests.fixtures.tiny_pack import TinyPack, tiny_recipe


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


def test_augmented_pixels_have_the_model_s_shape_and_repeat_with_the_seed() -> None:
    photos = np.random.default_rng(0).integers(0, 256, (6, 40, 40, 3), dtype=np.uint8)
    how = read_recipe().augment
    first, again, other = (augment(photos, how, 32, generator(seed)) for seed in (1, 1, 2))
    assert first.shape == (6, 3, 32, 32)
    assert first.dtype == torch.float32
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.abs().max() < 3  # normalised by mean and deviation


def test_augmentation_without_change_is_a_plain_resize() -> None:
    how = type(read_recipe().augment)(side=32, smallest_area=1.0, colour=0.0, word_dropout=0.0)
    flat = np.full((2, 32, 32, 3), (255, 0, 128), dtype=np.uint8)
    pixels = augment(flat, how, 32, generator())
    assert pixels.std(dim=(2, 3)).max() < 1e-5


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


def test_batches_hold_every_photo_at_most_once() -> None:
    batches = list(shuffled_batches(50, 16, np.random.default_rng(0)))
    rows = np.concatenate(batches)
    assert [len(batch) for batch in batches] == [16, 16, 16]
    assert len(set(rows.tolist())) == 48


def test_cached_photos_are_decoded_once(tmp_path: Path) -> None:
    data = write_caption_data(tmp_path / "data", 3, 1, 1)
    photos = read_caption_set(data, "train", "en").photos
    path = tmp_path / "photos.npy"
    first = cache_photos(photos, 16, path)
    assert first.shape == (3, 16, 16, 3)
    for photo in photos:
        photo.unlink()
    assert np.array_equal(cache_photos(photos, 16, path), first)


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
    first = evaluate(matcher, tiny_pack.data, "test")
    assert first == evaluate(matcher, tiny_pack.data, "test")
    pairs = first["languages"]["en"]["pairs"]
    assert pairs["count"] == 20
    low, high = pairs["auc_interval"]
    assert 0 <= low <= high <= 1


def test_training_makes_a_pack_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    data = write_caption_data(tmp_path / "data")
    work, out, recipe = tmp_path / "work", tmp_path / "pack", tiny_recipe(tmp_path)
    run(data, work, out, recipe)
    pack = open_pack(out)
    assert pack.manifest.model == recipe.model
    assert set(pack.manifest.metrics) == {"val", "test"}
    assert "R@10" in (out / "MODEL_CARD.md").read_text(encoding="utf-8")
    curves = {path: path.read_text() for path in work.glob("*.jsonl")}
    assert [len(curve.splitlines()) for curve in curves.values()] == [2, 2]
    assert all("fusion_auc" in json.loads(c.splitlines()[0]) for c in curves.values())

    run(data, work, out, recipe)
    assert {path: path.read_text() for path in work.glob("*.jsonl")} == curves
    assert open_pack(out).model_id == pack.model_id
    assert not list(tmp_path.glob(".*"))
