from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.config import ModelConfig
from engine.nn import Block, FusionModel, FusionTransformer
from tests.fixtures.tiny_pack import random_model

CONFIG = ModelConfig(
    image_size=64,
    channels=(8, 8, 16, 16, 32),
    residuals=(0, 0, 1, 0, 1),
    feature=40,
    width=32,
    heads=2,
    image_layers=1,
    text_layers=2,
    fusion_layers=3,
    sentence=28,
    token_width=16,
    embedding=24,
    vocabulary=100,
    max_tokens=12,
)
# Double precision: what is left of a difference then is a difference of meaning.
CLOSE = {"rtol": 0, "atol": 1e-10}


@pytest.fixture(scope="module")
def model() -> FusionModel:
    return random_model(CONFIG).double()


@pytest.fixture(autouse=True)
def _no_gradients() -> object:
    with torch.inference_mode():
        yield


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def words(count: int, length: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random ids and a mask that pads all but the first caption, each differently."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, CONFIG.vocabulary, (count, length), generator=generator)
    lengths = torch.tensor([length, *range(2, 2 + count - 1)]).clamp(max=length)
    return ids, torch.arange(length) < lengths[:, None]


def attend_plainly(block: Block, x: Tensor, seen: Tensor) -> Tensor:
    """The block written out over one sequence x [B,T,D], position i seeing j where [B,T,T] says."""
    batch, length, width = x.shape
    normed = block.norm1(x)
    query = block.query(normed)
    key, value = block.key_value(normed)[..., :width], block.key_value(normed)[..., width:]
    outputs = []
    for head in range(block.heads):
        part = slice(head * width // block.heads, (head + 1) * width // block.heads)
        scores = query[..., part] @ key[..., part].mT / math.sqrt(width // block.heads)
        scores = scores.masked_fill(~seen, -torch.inf)
        outputs.append(scores.softmax(dim=-1) @ value[..., part])
    x = x + block.out(torch.cat(outputs, dim=-1))
    assert x.shape == (batch, length, width)
    return x + block.mlp(block.norm2(x))


def fuse_plainly(
    fusion: FusionTransformer, tokens: Tensor, text: Tensor, mask: Tensor, similarity: Tensor
) -> tuple[Tensor, Tensor]:
    """Logits [P], and the image states [P,K,D], of image and text tokens laid end to end."""
    image = fusion.expand(tokens) + fusion.image_position + fusion.kind[0]
    x = torch.cat((image, text + fusion.kind[1]), dim=1)
    pairs, length, patches = len(x), x.shape[1], image.shape[1]
    seen = torch.zeros(pairs, length, length, dtype=torch.bool)
    seen[:, :, :patches] = True  # all see the image
    seen[:, patches:, patches:] = mask[:, None, :]  # text sees text
    for block in fusion.blocks:
        x = attend_plainly(block, x, seen)
    cls = fusion.norm(x[:, patches])
    logits = fusion.match(torch.cat((cls, similarity[:, None]), dim=1)).squeeze(-1)
    return logits, x[:, :patches]


def test_fusing_with_a_photos_memory_equals_one_plain_sequence(model: FusionModel) -> None:
    ids, mask = words(4, 7)
    _, text = model.encode_texts(ids, mask)
    tokens = noise(4, CONFIG.image_tokens, CONFIG.token_width)
    similarity = noise(4)
    fast = model.fusion(model.fusion.memory(tokens), text, mask, similarity)
    plain, _ = fuse_plainly(model.fusion, tokens, text, mask, similarity)
    torch.testing.assert_close(fast, plain, **CLOSE)
    assert fast.std() > 0.01


def test_one_photos_memory_serves_many_captions(model: FusionModel) -> None:
    ids, mask = words(3, 6)
    _, text = model.encode_texts(ids, mask)
    tokens, similarity = noise(1, CONFIG.image_tokens, CONFIG.token_width), noise(3)
    memory = model.fusion.memory(tokens)
    together = model.fusion(memory.expand(3, -1, -1, -1, -1, -1), text, mask, similarity)
    for row in range(3):
        one = slice(row, row + 1)
        alone, _ = fuse_plainly(model.fusion, tokens, text[one], mask[one], similarity[one])
        torch.testing.assert_close(together[one], alone, **CLOSE)


def test_what_a_photo_contributes_does_not_depend_on_the_caption(model: FusionModel) -> None:
    tokens, similarity = noise(1, CONFIG.image_tokens, CONFIG.token_width), noise(1)
    states = []
    for seed in (1, 2):
        ids, mask = words(1, 5, seed)
        _, text = model.encode_texts(ids, mask)
        states.append(fuse_plainly(model.fusion, tokens, text, mask, similarity))
    torch.testing.assert_close(states[0][1], states[1][1], **CLOSE)
    assert not torch.allclose(states[0][0], states[1][0])


def test_a_logit_depends_on_photo_caption_word_order_and_similarity(model: FusionModel) -> None:
    ids, mask = words(1, 6)
    tokens, similarity = noise(1, CONFIG.image_tokens, CONFIG.token_width), noise(1)

    def logit(tokens: Tensor, ids: Tensor, similarity: Tensor) -> float:
        _, text = model.encode_texts(ids, mask)
        return float(model.fusion(model.fusion.memory(tokens), text, mask, similarity))

    base = logit(tokens, ids, similarity)
    others = [
        logit(tokens + 1, ids, similarity),
        logit(tokens.flip(1), ids, similarity),
        logit(tokens, (ids + 1) % CONFIG.vocabulary, similarity),
        logit(tokens, torch.cat((ids[:, :1], ids[:, 1:].flip(1)), dim=1), similarity),
        logit(tokens, ids, similarity + 0.1),
    ]
    assert all(abs(other - base) > 1e-3 for other in others)


def test_padding_changes_neither_an_embedding_nor_a_logit(model: FusionModel) -> None:
    ids, mask = words(1, 5)
    padding = torch.tensor([[0, 99, 7]])  # whatever stands there
    longer = torch.cat((ids, padding), dim=1)
    longer_mask = torch.cat((mask, torch.zeros(1, 3, dtype=torch.bool)), dim=1)
    embedding, text = model.encode_texts(ids, mask)
    padded_embedding, padded_text = model.encode_texts(longer, longer_mask)
    torch.testing.assert_close(padded_embedding, embedding, **CLOSE)
    torch.testing.assert_close(padded_text[:, :5], text, **CLOSE)
    memory = model.fusion.memory(noise(1, CONFIG.image_tokens, CONFIG.token_width))
    torch.testing.assert_close(
        model.fusion(memory, padded_text, longer_mask, noise(1)),
        model.fusion(memory, text, mask, noise(1)),
        **CLOSE,
    )


def test_embeddings_have_length_one(model: FusionModel) -> None:
    seen, tokens = model.encode_images(noise(3, 3, 64, 64))
    read, _ = model.encode_texts(*words(3, 6))
    assert seen.shape == read.shape == (3, CONFIG.embedding)
    assert tokens.shape == (3, CONFIG.image_tokens, CONFIG.token_width)
    for embeddings in (seen, read):
        torch.testing.assert_close(
            embeddings.norm(dim=1), torch.ones(3, dtype=torch.float64), **CLOSE
        )


def test_the_order_of_a_batch_does_not_matter(model: FusionModel) -> None:
    order = torch.tensor([2, 0, 3, 1])
    pixels, (ids, mask), similarity = noise(4, 3, 64, 64), words(4, 6), noise(4)
    seen, tokens = model.encode_images(pixels)
    read, text = model.encode_texts(ids, mask)
    logits = model.fusion(model.fusion.memory(tokens), text, mask, similarity)
    seen_again, tokens_again = model.encode_images(pixels[order])
    read_again, text_again = model.encode_texts(ids[order], mask[order])
    logits_again = model.fusion(
        model.fusion.memory(tokens_again), text_again, mask[order], similarity[order]
    )
    torch.testing.assert_close(seen_again, seen[order], **CLOSE)
    torch.testing.assert_close(read_again, read[order], **CLOSE)
    torch.testing.assert_close(logits_again, logits[order], **CLOSE)


def test_image_tokens_run_row_by_row_from_the_top_left(model: FusionModel) -> None:
    # The convolutions alone: blocks mix positions, convolutions keep them.
    dark = noise(1, 3, 64, 64) * 0.01
    lit = dark.clone()
    lit[..., :6, 58:] = 3.0  # the top right corner
    stages = model.image_encoder.stages
    change = (stages(lit) - stages(dark)).flatten(2).norm(dim=1)[0]
    assert change.argmax() == 1


def test_a_shape_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 32"):
        ModelConfig(image_size=100)
    with pytest.raises(ValueError, match="heads"):
        ModelConfig(width=100, heads=6)


def test_a_configuration_survives_json() -> None:
    assert ModelConfig.from_dict(CONFIG.to_dict()) == CONFIG
    with pytest.raises(TypeError):
        ModelConfig.from_dict(CONFIG.to_dict() | {"depth": 3})
