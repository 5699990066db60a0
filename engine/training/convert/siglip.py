"""SigLIP and SigLIP 2: two encoders, trained to say of each pair whether it matches.

Captions are padded to the length that they were trained with, and the padding is read too. Of
SigLIP 2 there are models for square pixels, which are SigLIP's with another tokenizer, and models
that keep the aspect of a photo (NaFlex), see `engine.patches`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from transformers import (
    GemmaTokenizerFast,
    Siglip2ImageProcessor,
    Siglip2Model,
    SiglipImageProcessor,
    SiglipModel,
)

from engine.config import DualConfig
from engine.patches import PLACE
from engine.preprocess import Preprocessing
from engine.training.convert.foreign import (
    Foreign,
    NotConvertible,
    Unit,
    dual,
    facts_of,
    filter_name,
    load_model,
    load_part,
    normalising,
    read_json,
    similarities,
    square_pixels,
)
from engine.training.convert.sentencepieces import siglip_tokenizer
from engine.types import FloatArray

# SigLIP 2 reads many languages; these are those that PairLens has words for.
_LANGUAGES = {False: ("en",), True: ("en", "zh")}

See = Callable[[Sequence[Image.Image]], dict[str, Tensor]]


def siglip(folder: Path) -> Foreign:
    """SigLIP, and SigLIP 2 for square pixels."""
    model: Any = load_model(SiglipModel, folder)
    processor = load_part(SiglipImageProcessor, folder)
    side = model.config.vision_config.image_size

    def image(pixels: Tensor) -> Tensor:
        return model.vision_model(pixel_values=pixels).pooler_output  # type: ignore[no-any-return]

    def see(images: Sequence[Image.Image]) -> dict[str, Tensor]:
        return dict(processor(list(images), return_tensors="pt", input_data_format="channels_last"))

    return _made(folder, model, (3, side, side), square_pixels(processor, side), image, see)


def siglip2(folder: Path) -> Foreign:
    """SigLIP 2 NaFlex."""
    model: Any = load_model(Siglip2Model, folder)
    processor = load_part(Siglip2ImageProcessor, folder)
    vision, side = model.vision_model, processor.patch_size
    grid = vision.embeddings.position_embedding_size
    if (side, grid**2) != (
        model.config.vision_config.patch_size,
        model.config.vision_config.num_patches,
    ):
        raise NotConvertible("its patches are not those of its images, or are no square of them")
    how = Preprocessing(
        size=side,
        resize="patches",
        patches=processor.max_num_patches,
        resample=filter_name(processor),
        **normalising(processor),
    )

    def weights(place: Tensor, count: Tensor) -> Tensor:
        """How much each row (or column) of positions counts, [N,P,G]: bilinear, antialiased.

        The positions were learnt on a grid of G x G, and are resized to that of the photo.
        """
        step = grid / count
        away = torch.arange(grid) + 0.5 - ((place + 0.5) * step).unsqueeze(2)
        near = (1 - away.abs() / step.clamp(min=1).unsqueeze(2)).clamp(min=0)
        shares: Tensor = near / near.sum(dim=2, keepdim=True)
        return shares

    def product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Rows [N,P,I] times weights [O,I], as a convolution, which stays in float.

        In 8 bits the first product of all blurs everything after it, in this family as in others.
        """
        return F.conv1d(rows.transpose(1, 2), weight.unsqueeze(2), bias).transpose(1, 2)

    def image(patches: Tensor) -> Tensor:
        there, row, rows, column, columns = patches[..., -PLACE:].unbind(2)
        down, across = weights(row, rows), weights(column, columns)
        both = (down.unsqueeze(3) * across.unsqueeze(2)).flatten(2)
        embed = vision.embeddings.patch_embedding
        states = product(patches[..., :-PLACE], embed.weight, embed.bias)
        states = states + product(both, vision.embeddings.position_embedding.weight.T)
        hidden = (1 - there)[:, None, None] * torch.finfo(states.dtype).min
        seen = vision.encoder(inputs_embeds=states, attention_mask=hidden).last_hidden_state
        return vision.head(vision.post_layernorm(seen), there)  # type: ignore[no-any-return]

    def see(images: Sequence[Image.Image]) -> dict[str, Tensor]:
        return dict(processor(list(images), return_tensors="pt", input_data_format="channels_last"))

    return _made(folder, model, how.shape, how, image, see)


def _made(
    folder: Path,
    model: Any,
    pixels: tuple[int, ...],
    how: Preprocessing,
    image: Callable[[Tensor], Tensor],
    see: See,
) -> Foreign:
    read = model.config.text_config
    longest = read.max_position_embeddings
    about = read_json(folder, "tokenizer_config.json")
    is_second = str(about.get("tokenizer_class", "")).startswith("Gemma")
    lowercase = is_second and bool(about.get("do_lower_case", False))
    tokenizer: Any
    if is_second:
        tokenizer = load_part(GemmaTokenizerFast, folder)
        written = tokenizer.backend_tokenizer.to_str()
    else:
        tokenizer, written = siglip_tokenizer(folder)
    config = DualConfig(
        family="SigLIP 2" if is_second else "SigLIP",
        pixels=pixels,
        embedding=read.projection_size,
        vocabulary=read.vocab_size,
        max_tokens=longest,
        masked=False,
    )

    def text(ids: Tensor) -> Tensor:
        return model.text_model(input_ids=ids).pooler_output  # type: ignore[no-any-return]

    @torch.inference_mode()
    def reference(images: Sequence[Image.Image], captions: Sequence[str]) -> FloatArray:
        words = tokenizer(
            [caption.lower() if lowercase else caption for caption in captions],
            padding="max_length",
            truncation=True,
            max_length=longest,
            return_tensors="pt",
        )
        said = model(input_ids=words.input_ids, **see(images))
        return similarities(said.image_embeds, said.text_embeds)

    return dual(
        config,
        Unit(model, image),
        Unit(model, text),
        preprocessing=how,
        tokenizer=facts_of(tokenizer, fixed=True, lowercase=lowercase),
        tokenizer_json=written,
        languages=_LANGUAGES[is_second],
        scale=model.logit_scale.exp().item(),
        bias=model.logit_bias.item(),
        reference=reference,
    )
