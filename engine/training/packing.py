"""The last steps: from a trained model to a verified model pack with its card."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from engine import __version__
from engine.architecture import FUSION
from engine.backends.onnx import GRAPHS, graph_file
from engine.calibration import Calibration
from engine.confidence import SearchConfidence
from engine.evaluation import Labelled, evaluate
from engine.matcher import load_matcher
from engine.nn import FusionModel
from engine.pack import MANIFEST, TOKENIZER, WEIGHTS_FILE, Manifest, PackFile, file_entry
from engine.training.calibrate import calibrate_pairs, calibrate_searches, check_images
from engine.training.card import model_card
from engine.training.export import Inputs, check_parity, export_fp32, quantise_int8
from engine.training.photos import preprocessing
from engine.training.recipe import Recipe
from engine.training.run import FOLDER_LABELS, Run

NAME = "PairLens Small"
NOTICE = "This model is for non-commercial use only: it was trained on Flickr8k's photos."


def write_graphs(
    model: FusionModel, recipe: Recipe, folder: Path, inputs: Inputs, photos: torch.Tensor
) -> None:
    """Export and quantise into ``folder``, comparing with torch on ``inputs``.

    The scales of activations come from ``photos`` [B,3,S,S].

    Raises ParityError when a graph does not compute what torch computes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    export_fp32(model, folder)
    check_parity(model, folder, "fp32", inputs)
    quantise_int8(folder, recipe.reduce_range, photos)
    check_parity(model, folder, "int8", inputs)


def build_pack(run: Run, model: FusionModel, graphs: Path, out: Path) -> dict[str, Any]:
    """Put a pack together beside ``out``, calibrate and evaluate it, then take its place.

    Returns the evaluation on the test split. A pack that was at ``out`` is replaced only when
    the new one is whole.
    """
    made = out.with_name(f".{out.name}.partial")
    manifest = calibrated_pack(run, model, graphs, made)
    validation = _evaluate(run, made, "val")
    test = _evaluate(run, made, "test")
    card = model_card(manifest, run.recipe, test)
    (made / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    metrics = {"val": validation, "test": test}
    _write(replace(manifest, files=_files(made), metrics=metrics), made)
    shutil.rmtree(out, ignore_errors=True)
    made.rename(out)
    return test


def calibrated_pack(run: Run, model: FusionModel, graphs: Path, folder: Path) -> Manifest:
    """A pack in ``folder`` that can be used, with neither metrics nor a card."""
    recipe = run.recipe
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for graph in GRAPHS:
        shutil.copy(graphs / graph_file(graph, "int8"), folder)
    shutil.copy(run.tokenizer_file, folder / TOKENIZER)
    # Half precision: half the size, and far finer than the noise of training.
    weights = {key: _half(value) for key, value in model.state_dict().items()}
    save_file(weights, folder / WEIGHTS_FILE)
    shutil.copy(Path(__file__).with_name("LICENSE.pack"), folder / "LICENSE")
    manifest = Manifest(
        name=NAME,
        version=__version__,
        kind="both",
        licence="LicenseRef-PairLens-Model-Pack",
        notice=NOTICE,
        languages=recipe.languages,
        architecture=FUSION,
        model=recipe.model,
        preprocessing=preprocessing(recipe.model.image_size),
        calibration=Calibration(scale=1.0, bias=0.0, threshold=0.5),
        search=SearchConfidence(dict.fromkeys(recipe.languages, 0.0), 0.0),
        files=_files(folder),
        metrics={},
    )
    _write(manifest, folder)
    # Each step needs the ones before it: it reads the pack as they left it.
    images = check_images(run, load_matcher(folder))
    manifest = replace(manifest, calibration=calibrate_pairs(run, load_matcher(folder), images))
    _write(manifest, folder)
    manifest = replace(manifest, search=calibrate_searches(run, load_matcher(folder), images))
    _write(manifest, folder)
    return manifest


def _evaluate(run: Run, folder: Path, split: str) -> dict[str, Any]:
    more = run.data / "photos"
    labelled = Labelled(FOLDER_LABELS, more) if more.is_dir() else None
    return evaluate(load_matcher(folder), run.captioned, split, labelled=labelled)


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
