"""The last steps: from a trained model to a verified model pack with its card."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from engine import __version__
from engine.backends.onnx import GRAPHS, graph_file
from engine.backends.torch import WEIGHTS_FILE
from engine.calibration import Calibration, fit_calibration
from engine.caption_set import read_caption_set
from engine.evaluate import encode_photos, evaluate, pair_scores
from engine.matcher import load_matcher
from engine.nn import FusionModel
from engine.pack import MANIFEST, TOKENIZER, Manifest, PackFile, file_entry
from engine.training.card import model_card
from engine.training.data import preprocessing
from engine.training.export import Inputs, check_parity, export_fp32, quantise_int8
from engine.training.recipe import Recipe

log = logging.getLogger(__name__)

NAME = "PairLens Small"
NOTICE = "This model is for non-commercial use only: it was trained on Flickr8k's photos."


def write_graphs(model: FusionModel, recipe: Recipe, folder: Path, inputs: Inputs) -> None:
    """Export and quantise into ``folder``, comparing with torch on ``inputs``.

    Raises ParityError when a graph does not compute what torch computes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    export_fp32(model, folder)
    check_parity(model, folder, "fp32", inputs)
    quantise_int8(folder, recipe.reduce_range)
    check_parity(model, folder, "int8", inputs)


def build_pack(
    model: FusionModel, recipe: Recipe, graphs: Path, tokenizer: Path, data: Path, out: Path
) -> dict[str, Any]:
    """Put a pack together beside ``out``, calibrate and evaluate it, then take its place.

    Returns the evaluation on the test split. A pack that was at ``out`` is replaced only when
    the new one is whole.
    """
    made = out.with_name(f".{out.name}.partial")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    for graph in GRAPHS:
        shutil.copy(graphs / graph_file(graph, "int8"), made)
    shutil.copy(tokenizer, made / TOKENIZER)
    # Half precision: half the size, and far finer than the noise of training.
    save_file({key: _half(value) for key, value in model.state_dict().items()}, made / WEIGHTS_FILE)
    shutil.copy(Path(__file__).with_name("LICENSE.pack"), made / "LICENSE")
    manifest = Manifest(
        name=NAME,
        version=__version__,
        kind="both",
        licence="LicenseRef-PairLens-Model-Pack",
        notice=NOTICE,
        languages=recipe.languages,
        architecture="pairlens-fusion",
        model=recipe.model,
        preprocessing=preprocessing(recipe.model.image_size),
        calibration=Calibration(scale=1.0, bias=0.0, threshold=0.5),
        files=_files(made),
        metrics={},
    )
    _write(manifest, made)
    manifest = replace(manifest, calibration=_calibrate(made, data, recipe))
    _write(manifest, made)
    validation = evaluate(load_matcher(made), data, "val")
    test = evaluate(load_matcher(made), data, "test")
    card = model_card(manifest, recipe, test)
    (made / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    metrics = {"val": validation["languages"], "test": test["languages"]}
    _write(replace(manifest, files=_files(made), metrics=metrics), made)
    shutil.rmtree(out, ignore_errors=True)
    made.rename(out)
    return test


def _half(value: torch.Tensor) -> torch.Tensor:
    return (value.half() if value.is_floating_point() else value).contiguous()


def _files(folder: Path) -> dict[str, PackFile]:
    return {
        path.name: file_entry(path, optional=path.name == WEIGHTS_FILE)
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST
    }


def _write(manifest: Manifest, folder: Path) -> None:
    text = json.dumps(manifest.to_dict(), indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _calibrate(folder: Path, data: Path, recipe: Recipe) -> Calibration:
    """Fit on the validation split: each photo with a right and a random wrong caption."""
    matcher = load_matcher(folder)
    images, scores = None, []
    for language in recipe.languages:
        captions = read_caption_set(data, "val", language)
        if images is None:
            images = encode_photos(matcher, captions.photos)
        texts = matcher.encode_captions(captions.flat()[0])
        scores.append(pair_scores(matcher, images, texts, captions))
    return fit_calibration(
        np.concatenate([score.logits for score in scores]),
        np.concatenate([score.actual for score in scores]),
    )
