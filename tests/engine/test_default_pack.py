"""The model pack that ships: what the README and the model card promise of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import metrics
from engine.backends.onnx import OnnxBackend
from engine.backends.torch import TorchBackend
from engine.caption_set import CaptionSet, read_caption_set
from engine.evaluation import encode_photos, pair_scores
from engine.matcher import Matcher, load_matcher
from engine.pack import TOKENIZER, WEIGHTS_FILE, Pack, open_pack
from engine.paths import resources_dir
from engine.tokenizer import Tokenizer
from engine.training.recipe import read_recipe

PHOTOS = 200


@pytest.fixture(scope="module")
def pack() -> Pack:
    return open_pack(resources_dir() / "models" / "default")


@pytest.fixture(scope="module")
def matcher(pack: Pack) -> Matcher:
    return load_matcher(pack.folder)


@pytest.fixture(scope="module", params=["en", "zh"])
def validation(shared_data: Path, request: pytest.FixtureRequest) -> CaptionSet:
    found = read_caption_set(shared_data / "flickr8k", "val", request.param)
    return CaptionSet(found.photos[:PHOTOS], found.captions[:PHOTOS])


def test_it_is_small_enough_to_travel(pack: Pack) -> None:
    sizes = {path.name: path.stat().st_size for path in pack.folder.iterdir()}
    assert sum(sizes.values()) <= 60_000_000
    assert sum(sizes.values()) - sizes[WEIGHTS_FILE] <= 25_000_000


def test_everything_in_its_folder_is_in_its_manifest(pack: Pack) -> None:
    found = {path.name for path in pack.folder.iterdir()} - {"manifest.json"}
    assert found == set(pack.manifest.files)


def test_it_says_what_it_is_and_what_it_may_be_used_for(pack: Pack) -> None:
    licence = (pack.folder / "LICENSE").read_text(encoding="utf-8")
    card = (pack.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "non-commercial" in pack.manifest.notice
    assert "non-commercial" in licence
    assert pack.manifest.licence in licence
    assert pack.manifest.notice in card
    assert pack.manifest.languages == ("en", "zh")


def test_its_shape_is_the_recipe_s(pack: Pack) -> None:
    assert pack.manifest.model == read_recipe().model


def test_its_card_gives_the_measured_numbers(pack: Pack) -> None:
    card = (pack.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for found in pack.manifest.metrics["test"]["languages"].values():
        assert f"{found['retrieval']['text_to_photo']['r10']:.1%}" in card
        assert f"{found['pairs']['auc']:.3f}" in card


def test_what_the_index_keeps_of_a_photo_is_small(matcher: Matcher, pack: Pack) -> None:
    size = pack.manifest.preprocessing.size
    kept = matcher.encode(np.zeros((1, 3, size, size), np.float32))
    assert kept.tokens.nbytes <= 4096
    assert kept.embeddings.astype(np.float16).nbytes <= 512


def test_right_captions_outrank_random_wrong_ones(matcher: Matcher, validation: CaptionSet) -> None:
    images = encode_photos(matcher, validation.photos)
    texts = matcher.encode_captions(validation.flat()[0])
    scores = pair_scores(matcher, images, texts, validation)
    assert metrics.auc(scores.logits, scores.actual) >= 0.9
    probabilities = matcher.probability(scores.logits)
    # 400 pairs leave a few hundredths of chance in each of so few bins.
    assert metrics.expected_calibration_error(probabilities, scores.actual, bins=5) <= 0.1


def test_the_graphs_compute_what_the_weights_do(pack: Pack, validation: CaptionSet) -> None:
    tokenizer = Tokenizer(pack.folder / TOKENIZER, pack.manifest.model.max_tokens)
    backends = [OnnxBackend(pack.folder), TorchBackend(pack.folder, pack.manifest.model)]
    part = CaptionSet(validation.photos[:40], validation.captions[:40])
    probabilities = []
    for backend in backends:
        matcher = Matcher(pack, backend, tokenizer)
        images = encode_photos(matcher, part.photos)
        texts = matcher.encode_captions(part.flat()[0])
        scores = pair_scores(matcher, images, texts, part)
        probabilities.append(matcher.probability(scores.logits))
    assert np.abs(probabilities[0] - probabilities[1]).mean() <= 0.02
    assert np.abs(probabilities[0] - probabilities[1]).max() <= 0.1


def test_half_precision_says_what_fp32_does_of_a_thousand_pairs(
    pack: Pack, shared_data: Path
) -> None:
    found = read_caption_set(shared_data / "flickr8k", "val", "en")
    tokenizer = Tokenizer(pack.folder / TOKENIZER, pack.manifest.model.max_tokens)
    captions = [said[0] for said in found.captions[:100]]
    pairs = np.divmod(np.arange(1000), len(captions))
    probabilities = []
    for half in (False, True):
        backend = TorchBackend(pack.folder, pack.manifest.model, "cpu", half=half)
        matcher = Matcher(pack, backend, tokenizer)
        images = encode_photos(matcher, found.photos[:10])
        logits = matcher.logits(images, matcher.encode_captions(captions), *pairs)
        probabilities.append(matcher.probability(logits))
    assert np.abs(probabilities[0] - probabilities[1]).max() <= 0.01
