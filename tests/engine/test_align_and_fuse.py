"""The stages on frozen encoders, on made-up features in which there is something to learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.config import ModelConfig
from engine.nn import FusionModel
from engine.training.align import (
    AlignmentCheck,
    AlignmentData,
    Captioned,
    ContrastiveAlignment,
    Heads,
    Named,
    retrieval,
)
from engine.training.compute import Compute
from engine.training.fuse import Edits, Fuser, FusionCheck, FusionTraining, Sayings
from engine.training.recipe import read_recipe
from engine.training.views import EncodedView

CONFIG = ModelConfig(
    image_size=64,
    channels=(8, 8, 8, 8, 16),
    residuals=(0, 0, 0, 0, 0),
    feature=24,
    width=16,
    heads=2,
    image_layers=1,
    text_layers=1,
    fusion_layers=2,
    sentence=20,
    token_width=8,
    embedding=12,
    vocabulary=30,
    max_tokens=8,
    dropout=0.0,
)
PHOTOS = 24
RECIPE = read_recipe()
STAGE = replace(RECIPE.contrastive, epochs=1, batch=8)
PLAIN = Compute(torch.device("cpu"), half=False, compiled=False)


def drawn(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def alignment(kept: Tensor, seed: int = 0) -> tuple[ContrastiveAlignment, Heads]:
    """Photos whose two captions are a linear map of their features, slightly off."""
    features = torch.rand(PHOTOS, CONFIG.feature, generator=drawn(1))
    mapping = torch.randn(CONFIG.feature, CONFIG.sentence, generator=drawn(2))
    owner = torch.arange(PHOTOS).repeat_interleave(2)
    sentences = F.normalize((features @ mapping)[owner] + 0.01, dim=1)
    captions = {"en": Captioned(sentences, owner)}
    names = torch.randn(5, 2, CONFIG.sentence, generator=drawn(3))
    data = AlignmentData(
        views=[features.half(), features.half()],
        captions=captions,
        teacher_labels=torch.full((PHOTOS, 5), 0.2),
        classifier=torch.randn(5, CONFIG.feature, generator=drawn(4)),
        labels=Named(names),
        kinds=Named(names),
        kind=torch.full((PHOTOS,), -1),
    )
    torch.manual_seed(seed)
    heads = Heads(FusionModel(CONFIG), dropout=0.0)
    how = replace(RECIPE.alignment, captions=2, noise=0.0)
    check = AlignmentCheck(features.half(), captions)
    return ContrastiveAlignment(heads, data, check, kept, STAGE, how, seed), heads


def train(objective: ContrastiveAlignment | FusionTraining, module: torch.nn.Module) -> list[float]:
    optimiser = torch.optim.AdamW(module.parameters(), lr=0.01)
    found = []
    for epoch in range(25):
        losses = []
        for loss in objective.losses(epoch):
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        assert len(losses) == objective.steps
        found.append(float(np.mean(losses)))
    return found


def test_heads_learn_to_bring_captions_to_their_photos() -> None:
    objective, heads = alignment(torch.ones(PHOTOS, dtype=torch.bool))
    losses = train(objective, heads)
    assert losses[-1] < losses[0]
    with torch.no_grad():
        found = objective.validate()
    assert found["score"] == pytest.approx(
        (found["en_photo_to_text"] + found["en_text_to_photo"]) / 2
    )
    # Chance is 10 of 24 or of 48.
    assert found["score"] > 0.8


def test_photos_that_are_left_out_are_never_drawn() -> None:
    kept = torch.arange(PHOTOS) % 3 > 0
    objective, _ = alignment(kept)
    seen: list[int] = []
    features = objective._features
    objective._features = lambda photos, drawn: (  # type: ignore[method-assign]
        seen.extend(photos.tolist()),
        features(photos, drawn),
    )[1]
    objective._how = replace(objective._how, labels=0.0)
    captions = objective._captions
    for epoch in range(3):
        order = torch.from_numpy(np.random.default_rng(epoch).permutation(int(kept.sum())))
        captions(objective._photos[order][:8], drawn(epoch))
    assert seen
    assert all(kept[number] for number in seen)


def test_the_same_epoch_gives_the_same_losses() -> None:
    kept = torch.ones(PHOTOS, dtype=torch.bool)
    first, second = ([loss.item() for loss in alignment(kept)[0].losses(epoch=4)] for _ in range(2))
    assert first == second


def test_recall_counts_a_photo_s_own_captions() -> None:
    images = torch.eye(30)
    owner = torch.arange(30)
    assert retrieval(images, Captioned(images, owner), images) == (1.0, 1.0)
    assert retrieval(images, Captioned(images, owner), -images) == (0.0, 0.0)


def fusion(fold: Tensor, heads: int) -> tuple[FusionTraining, Fuser, list[list[int]]]:
    """Photos with one token each that says which word is right for them."""
    torch.manual_seed(0)
    model = FusionModel(CONFIG).eval()
    right = torch.randint(3, 11, (PHOTOS,), generator=drawn(5))
    tokens = F.one_hot(right, 16).float()[:, None].expand(-1, CONFIG.image_tokens, -1).half()
    features = torch.rand(PHOTOS, CONFIG.feature, generator=drawn(6)).half()
    view = EncodedView(features, tokens)
    start = torch.full((PHOTOS, 1), 2)
    ids = torch.cat((start, right[:, None], torch.zeros(PHOTOS, 2, dtype=torch.int64)), dim=1)
    wrong = ids.clone()
    wrong[:, 1] = (right - 3 + 1) % 8 + 3
    photo = torch.arange(PHOTOS)
    edits = Edits(ids, wrong, photo, torch.zeros(PHOTOS, dtype=torch.int64))
    captions = Sayings(torch.cat((ids, ids)), torch.cat((photo, photo)))
    check = FusionCheck(view, captions, photo, (photo + 1) % PHOTOS, edits)
    fuser = Fuser(model)
    asked: list[list[int]] = [[] for _ in range(heads)]

    class Watched(Heads):
        def __init__(self, number: int) -> None:
            super().__init__(model, 0.0)
            self.number = number

        def images(self, given: Tensor) -> Tensor:
            rows = torch.cdist(given, features.float()).argmin(dim=1)
            asked[self.number] += rows.tolist()
            return super().images(given)

    objective = FusionTraining(
        model,
        fuser,
        [view],
        captions,
        edits,
        [Watched(number).eval() for number in range(heads)],
        fold,
        check,
        replace(RECIPE.fusion, batch=6),
        replace(RECIPE.fusing, edits=1),
        seed=0,
        compute=PLAIN,
    )
    return objective, fuser, asked


def test_the_fusion_learns_which_word_fits_a_photo() -> None:
    objective, fuser, _ = fusion(torch.zeros(PHOTOS, dtype=torch.int64), heads=1)
    losses = train(objective, fuser)
    assert losses[-1] < losses[0]
    fuser.eval()
    with torch.no_grad():
        found = objective.validate()
    assert found["colour"] > 0.9
    # Similarity knows nothing here.
    assert found["colour_similarity"] < 0.8


def test_a_photo_s_similarity_comes_from_heads_of_its_fold() -> None:
    fold = torch.arange(PHOTOS) % 2
    objective, _, asked = fusion(fold, heads=2)
    list(objective.losses(0))
    for number in range(2):
        assert asked[number]
        assert all(fold[row] == number for row in asked[number])


def test_a_photo_that_is_blanked_out_is_as_good_as_none() -> None:
    _, fuser, _ = fusion(torch.zeros(PHOTOS, dtype=torch.int64), heads=1)
    tokens = torch.randn(2, CONFIG.image_tokens, 16, generator=drawn(7))
    memory = fuser.memory(tokens, torch.tensor([True, False]))
    nothing = fuser.fusion.memory(torch.zeros(1, CONFIG.image_tokens, CONFIG.token_width))
    torch.testing.assert_close(memory[:1], nothing)
    assert not torch.allclose(memory[1:], nothing)


def test_what_the_fusion_says_is_weakened_until_it_spoils_no_order() -> None:
    objective, fuser, _ = fusion(torch.zeros(PHOTOS, dtype=torch.int64), heads=1)
    match = fuser.fusion.match
    with torch.no_grad():
        alone = objective.validate()["auc"]
        match.weight[:, :-1] = 5 * torch.randn(1, CONFIG.width, generator=drawn(8))
        learnt = match.weight[:, :-1].clone()
    kept = objective.temper()
    torch.testing.assert_close(match.weight[:, :-1], kept * learnt)
    with torch.no_grad():
        assert objective.validate()["auc"] >= alone - 0.001
