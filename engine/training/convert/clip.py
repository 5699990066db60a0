"""CLIP and Chinese-CLIP: an image encoder and a text encoder, trained to agree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import (
    BertTokenizerFast,
    ChineseCLIPImageProcessor,
    ChineseCLIPModel,
    CLIPImageProcessor,
    CLIPModel,
    CLIPTokenizerFast,
)

from engine.config import DualConfig
from engine.training.convert.foreign import (
    Foreign,
    Unit,
    dual,
    facts_of,
    load_model,
    load_part,
    similarities,
    square_pixels,
)
from engine.types import FloatArray


def clip(folder: Path) -> Foreign:
    """CLIP reads a caption up to its end, so that padding needs no mask."""

    def text(model: Any, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        pooled = model.text_model(input_ids=ids, attention_mask=mask).pooler_output
        return model.text_projection(pooled)  # type: ignore[no-any-return]

    parts = CLIPModel, CLIPImageProcessor, CLIPTokenizerFast
    return _made(folder, "CLIP", ("en",), parts, text, masked=False)


def chinese_clip(folder: Path) -> Foreign:
    """Chinese-CLIP has a BERT for its text encoder."""

    def text(model: Any, ids: Tensor, mask: Tensor) -> Tensor:
        states = model.text_model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return model.text_projection(states[:, 0])  # type: ignore[no-any-return]

    parts = ChineseCLIPModel, ChineseCLIPImageProcessor, BertTokenizerFast
    return _made(folder, "Chinese-CLIP", ("zh",), parts, text, masked=True)


def _made(
    folder: Path,
    family: str,
    languages: tuple[str, ...],
    parts: tuple[Any, Any, Any],
    encode_text: Any,
    *,
    masked: bool,
) -> Foreign:
    model: Any = load_model(parts[0], folder)
    processor, tokenizer = load_part(parts[1], folder), load_part(parts[2], folder)
    seen, read = model.config.vision_config, model.config.text_config
    longest = min(read.max_position_embeddings, tokenizer.model_max_length)
    config = DualConfig(
        family=family,
        pixels=(3, seen.image_size, seen.image_size),
        embedding=model.config.projection_dim,
        vocabulary=read.vocab_size,
        max_tokens=longest,
        masked=masked,
    )

    def image(pixels: Tensor) -> Tensor:
        pooled = model.vision_model(pixel_values=pixels).pooler_output
        return model.visual_projection(pooled)  # type: ignore[no-any-return]

    def text(ids: Tensor, mask: Tensor | None = None) -> Tensor:
        return encode_text(model, ids, mask)  # type: ignore[no-any-return]

    @torch.inference_mode()
    def reference(images: Sequence[Image.Image], captions: Sequence[str]) -> FloatArray:
        pixels = processor(
            list(images), return_tensors="pt", input_data_format="channels_last"
        ).pixel_values
        words = tokenizer(
            list(captions), padding=True, truncation=True, max_length=longest, return_tensors="pt"
        )
        mask = words.attention_mask
        said = model(input_ids=words.input_ids, attention_mask=mask, pixel_values=pixels)
        return similarities(said.image_embeds, said.text_embeds)

    return dual(
        config,
        Unit(model, image),
        Unit(model, text),
        preprocessing=square_pixels(processor, seen.image_size),
        tokenizer=facts_of(tokenizer),
        tokenizer_json=tokenizer.backend_tokenizer.to_str(),
        languages=languages,
        scale=model.logit_scale.exp().item(),
        bias=None,
        reference=reference,
    )
