"""`make train`: from photos and captions to a model pack, step by step, resumable."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import Tensor

from engine.evaluation import summary
from engine.nn import FusionModel
from engine.training.curves import plot_curves
from engine.training.export import Inputs
from engine.training.packing import build_pack, write_graphs
from engine.training.photos import exact_pixels, preprocessing
from engine.training.run import Run
from engine.training.stages import (
    contrastive_stage,
    encoded,
    fusion_stage,
    image_stage,
    text_stage,
    tokenizer_stage,
)

log = logging.getLogger(__name__)

PARITY_PAIRS = 64
# Photos on which the scales of the quantised convolutions are found.
SCALE_PHOTOS = 128


def train(run: Run) -> FusionModel:
    """Run every stage, or go on where it stopped; the best model by validation."""
    torch.manual_seed(run.recipe.seed)
    model = FusionModel(run.recipe.model)
    size = sum(value.numel() for value in model.parameters())
    log.info("%d photos, %.1f M parameters", len(run.photos), size / 1e6)
    tokenizer_stage(run)
    image_stage(run, model)
    text_stage(run, model)
    views, check = encoded(run, model)
    heads, fold = contrastive_stage(run, model, views, check)
    fusion_stage(run, model, views, check, heads, fold)
    return model.cpu().eval()


def parity_inputs(run: Run) -> Inputs:
    """Real pairs for the parity checks: validation photos with their first caption."""
    found = run.captions("val", run.recipe.languages[0])
    captions = [texts[0] for texts in found.captions[:PARITY_PAIRS]]
    ids, mask = run.tokenizer().encode(captions)
    return Inputs(run.check_pixels[:PARITY_PAIRS], torch.from_numpy(ids), torch.from_numpy(mask))


def scale_photos(run: Run) -> Tensor:
    """Pixels float32 [B,3,S,S] of training photos, taken evenly from all of them."""
    photos = run.photos[:: -(-len(run.photos) // SCALE_PHOTOS)]
    return exact_pixels(photos, preprocessing(run.recipe.model.image_size))


def make_pack(run: Run, out: Path) -> None:
    """All steps, each of which a stopped run does not repeat, up to the pack at ``out``.

    Only the last step reads the test split.
    """
    run.work.mkdir(parents=True, exist_ok=True)
    model = train(run)
    plot_curves(run.work)
    graphs = run.work / "graphs"
    write_graphs(model, run.recipe, graphs, parity_inputs(run), scale_photos(run))
    report = build_pack(run, model, graphs, out)
    log.info("model pack written to %s\n%s", out, summary(report))
