"""BLIP for image-text retrieval: a contrastive head that finds, and a match head that decides.

The match head reads a caption while it looks, layer by layer, at all of the photo's image tokens. A
photo has hundreds of those, so they are not kept in an index: they are made again for the photos
that the contrastive head finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import BertTokenizerFast, BlipForImageTextRetrieval, BlipImageProcessor

from engine.architecture import BLIP
from engine.deciding import BlipConfig
from engine.training.convert.foreign import (
    SAMPLES,
    Foreign,
    Graph,
    facts_of,
    load_model,
    load_part,
    sample_words,
    square_pixels,
)
from engine.training.convert.masks import hidden
from engine.types import FloatArray


def blip(folder: Path) -> Foreign:
    """The model in a folder. Raises NotConvertible."""
    model: Any = load_model(BlipForImageTextRetrieval, folder)
    processor, tokenizer = (
        load_part(kind, folder) for kind in (BlipImageProcessor, BertTokenizerFast)
    )
    seen, read = model.config.vision_config, model.config.text_config
    longest = min(read.max_position_embeddings, tokenizer.model_max_length)
    config = BlipConfig(
        pixels=(3, seen.image_size, seen.image_size),
        tokens=(seen.image_size // seen.patch_size) ** 2 + 1,
        width=seen.hidden_size,
        embedding=model.config.image_text_hidden_size,
        vocabulary=read.vocab_size,
        max_tokens=longest,
    )

    @torch.inference_mode()
    def reference(images: Sequence[Image.Image], captions: Sequence[str]) -> FloatArray:
        words = tokenizer(
            list(captions), padding=True, truncation=True, max_length=longest, return_tensors="pt"
        )
        asked = {"input_ids": words.input_ids, "attention_mask": words.attention_mask}
        said = []
        for image in images:
            pixels = processor(
                image, return_tensors="pt", input_data_format="channels_last"
            ).pixel_values
            scores = model(pixel_values=pixels.expand(len(captions), -1, -1, -1), **asked).itm_score
            said.append((scores[:, 1] - scores[:, 0]).numpy())
        return np.stack(said).astype(np.float32)

    return Foreign(
        architecture=BLIP,
        config=config,
        preprocessing=square_pixels(processor, seen.image_size),
        tokenizer=facts_of(tokenizer),
        tokenizer_json=tokenizer.backend_tokenizer.to_str(),
        languages=("en",),
        graphs=_graphs(model, config),
        scale=1.0,
        bias=0.0,
        reference=reference,
        relative=True,
    )


def _graphs(model: Any, config: BlipConfig) -> list[Graph]:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(SAMPLES, *config.pixels, generator=generator)
    tokens = torch.randn(SAMPLES, config.tokens, config.width, generator=generator)
    words = sample_words(config.vocabulary, config.max_tokens)
    photos, free = {0: "batch"}, {name: {0: "batch", 1: "length"} for name in words}
    return [
        Graph(
            "image", Images(model), {"pixels": pixels}, {"pixels": photos}, ["embeddings", "tokens"]
        ),
        Graph("text", Texts(model), words, free, ["embeddings"]),
        Graph(
            "fusion",
            Fusion(model),
            {"tokens": tokens, **words},
            {"tokens": photos, **free},
            ["logits"],
        ),
    ]


class Images(nn.Module):
    """Pixels float32 [N,3,S,S] -> embeddings [N,E] of length 1, and image tokens [N,K,W]."""

    def __init__(self, model: BlipForImageTextRetrieval) -> None:
        super().__init__()
        self.vision = model.vision_model
        self.head = model.vision_proj

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        encoded = self.vision.encoder(self.vision.embeddings(pixels)).last_hidden_state
        tokens = self.vision.post_layernorm(encoded)
        return normalize(self.head(tokens[:, 0]), dim=-1), tokens


class Texts(nn.Module):
    """Ids int64 [M,L] and mask bool [M,L] -> embeddings [M,E] of length 1."""

    def __init__(self, model: BlipForImageTextRetrieval) -> None:
        super().__init__()
        self.text = model.text_encoder
        self.head = model.text_proj

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """See the class."""
        read = self.text.encoder(
            self.text.embeddings(ids),
            attention_mask=hidden(mask),
            head_mask=[None] * len(self.text.encoder.layer),
        ).last_hidden_state
        return normalize(self.head(read[:, 0]), dim=-1)


class Fusion(nn.Module):
    """Image tokens [P,K,W], ids int64 [P,L] and mask bool [P,L] -> logits [P].

    The model says two numbers, for "no match" and "match"; the softmax of two is the sigmoid of
    their difference, which is the logit.
    """

    def __init__(self, model: BlipForImageTextRetrieval) -> None:
        super().__init__()
        self.text = model.text_encoder
        weight, bias = model.itm_head.weight.detach(), model.itm_head.bias.detach()
        self.head = nn.Linear(weight.shape[1], 1)
        self.head.weight = nn.Parameter(weight[1:] - weight[:1])
        self.head.bias = nn.Parameter(bias[1:] - bias[:1])

    def forward(self, tokens: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        """See the class."""
        read = self.text.encoder(
            self.text.embeddings(ids),
            attention_mask=hidden(mask),
            head_mask=[None] * len(self.text.encoder.layer),
            encoder_hidden_states=tokens,
        ).last_hidden_state
        logits: Tensor = self.head(read[:, 0])[:, 0]
        return logits
