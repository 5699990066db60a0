"""`make train`: from photos and captions to a model pack, step by step, resumable."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from engine.caption_set import CaptionSet, read_caption_set
from engine.evaluate import summary
from engine.nn import FusionModel
from engine.tokenizer import Tokenizer
from engine.training.data import Captions, cache_photos, exact_pixels, preprocessing
from engine.training.export import Inputs
from engine.training.packing import build_pack, write_graphs
from engine.training.recipe import Recipe
from engine.training.tokenizer import train_tokenizer
from engine.training.train import Trainer, TrainingSet, ValidationSet

log = logging.getLogger(__name__)

PARITY_PAIRS = 64


def _sets(data: Path, split: str, recipe: Recipe) -> dict[str, CaptionSet]:
    sets = {name: read_caption_set(data, split, name) for name in recipe.languages}
    photos = [found.photos for found in sets.values()]
    if any(listed != photos[0] for listed in photos):
        raise ValueError(f"the languages caption different photos of {split}.txt")
    return sets


def tokenizer_step(data: Path, work: Path, recipe: Recipe) -> Path:
    """Train the tokenizer on the training captions, once."""
    path = work / "tokenizer.json"
    if not path.exists():
        sets = _sets(data, "train", recipe)
        captions = (text for s in sets.values() for texts in s.captions for text in texts)
        train_tokenizer(captions, recipe.model.vocabulary, path)
    return path


def train_step(data: Path, work: Path, recipe: Recipe) -> FusionModel:
    """Run both stages, or go on where they stopped; the best model by validation."""
    torch.manual_seed(recipe.seed)
    tokenizer = Tokenizer(tokenizer_step(data, work, recipe), recipe.model.max_tokens)
    train, val = _sets(data, "train", recipe), _sets(data, "val", recipe)
    photos = next(iter(train.values())).photos
    side = recipe.augment.side
    training = TrainingSet(
        cache_photos(photos, side, work / f"photos-{side}.npy"),
        {name: Captions.encode(found, tokenizer) for name, found in train.items()},
    )
    how = preprocessing(recipe.model.image_size)
    validation = ValidationSet(
        exact_pixels(next(iter(val.values())).photos, how),
        {name: Captions.encode(found, tokenizer) for name, found in val.items()},
    )
    model = FusionModel(recipe.model)
    size = sum(value.numel() for value in model.parameters())
    log.info("%d photos, %.1f M parameters", len(training.photos), size / 1e6)
    trainer = Trainer(model, recipe, training, validation, work)
    trainer.contrastive()
    trainer.fusion()
    return model.eval()


def _parity_inputs(data: Path, work: Path, recipe: Recipe) -> Inputs:
    """Real pairs for the parity checks: validation photos with their first caption."""
    tokenizer = Tokenizer(work / "tokenizer.json", recipe.model.max_tokens)
    found = read_caption_set(data, "val", recipe.languages[0])
    photos, texts = found.photos[:PARITY_PAIRS], found.captions[:PARITY_PAIRS]
    ids, mask = tokenizer.encode([captions[0] for captions in texts])
    pixels = exact_pixels(photos, preprocessing(recipe.model.image_size))
    return Inputs(pixels, torch.from_numpy(ids), torch.from_numpy(mask))


def run(data: Path, work: Path, out: Path, recipe: Recipe) -> None:
    """All steps, each of which a stopped run does not repeat, up to the pack at ``out``.

    Only the last step reads the test split.
    """
    work.mkdir(parents=True, exist_ok=True)
    model = train_step(data, work, recipe)
    write_graphs(model, recipe, work / "graphs", _parity_inputs(data, work, recipe))
    test = build_pack(model, recipe, work / "graphs", work / "tokenizer.json", data, out)
    log.info("model pack written to %s\n%s", out, summary(test))
