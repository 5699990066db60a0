"""ViLT for image-text retrieval: one Transformer over the words and the photo's patches.

It decides and can't search: there is no embedding of a photo alone, so each pair takes all of the
model. Its photos keep their aspect, and come as patches that know their places.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from transformers import BertTokenizerFast, ViltForImageAndTextRetrieval, ViltImageProcessor

from engine.architecture import VILT
from engine.deciding import ViltConfig
from engine.patches import PLACE
from engine.preprocess import Preprocessing
from engine.training.convert.foreign import (
    Foreign,
    Graph,
    NotConvertible,
    facts_of,
    filter_name,
    load_model,
    load_part,
    normalising,
    sample_words,
)
from engine.training.convert.masks import hidden
from engine.types import FloatArray

# Rows and columns of patches in the samples that the graph is traced with.
_SAMPLE_GRID = (2, 3)


def vilt(folder: Path) -> Foreign:
    """The model in a folder. Raises NotConvertible."""
    model: Any = load_model(ViltForImageAndTextRetrieval, folder)
    processor = load_part(ViltImageProcessor, folder)
    tokenizer = load_part(BertTokenizerFast, folder)
    about = model.config
    preprocessing = _pixels(processor, about)
    longest = min(about.max_position_embeddings, tokenizer.model_max_length)
    config = ViltConfig(preprocessing.shape, about.vocab_size, longest)

    @torch.inference_mode()
    def reference(images: Sequence[Image.Image], captions: Sequence[str]) -> FloatArray:
        words = tokenizer(
            list(captions), padding=True, truncation=True, max_length=longest, return_tensors="pt"
        )
        said = []
        for image in images:
            seen = processor(image, return_tensors="pt", input_data_format="channels_last")
            many = {
                name: value.expand(len(captions), *value.shape[1:]) for name, value in seen.items()
            }
            said.append(model(**words, **many).logits[:, 0].numpy())
        return np.stack(said).astype(np.float32)

    patches = _sample_patches(config, preprocessing.size)
    words = sample_words(config.vocabulary, config.max_tokens)
    return Foreign(
        architecture=VILT,
        config=config,
        preprocessing=preprocessing,
        tokenizer=facts_of(tokenizer),
        tokenizer_json=tokenizer.backend_tokenizer.to_str(),
        languages=("en",),
        graphs=[
            Graph(
                "fusion",
                Fusion(model),
                {"patches": patches, **words},
                {"patches": {0: "batch", 1: "patches"}}
                | {name: {0: "batch", 1: "length"} for name in words},
                ["logits"],
            )
        ],
        scale=1.0,
        bias=0.0,
        reference=reference,
        relative=True,
    )


def _pixels(processor: Any, about: Any) -> Preprocessing:
    side, shorter = about.patch_size, dict(processor.size).get("shortest_edge")
    if shorter is None or processor.size_divisor != side or shorter % side:
        raise NotConvertible(f"its images become {dict(processor.size)}, in patches of {side}")
    if about.max_image_length is not None and about.max_image_length >= 0:
        raise NotConvertible("it looks at some of an image's patches only, drawn by chance")
    return Preprocessing(
        size=side,
        resize="fit",
        shorter=int(shorter),
        resample=filter_name(processor),
        **normalising(processor),
    )


def _sample_patches(config: ViltConfig, side: int) -> Tensor:
    """Noise of three shapes of photo, in one row of patches each."""
    rows, columns = _SAMPLE_GRID
    count = rows * columns
    patches = torch.zeros(3, count, config.pixels[1])
    patches[..., -PLACE:] = torch.tensor([0.0, 0, 1, 0, 1])
    pixels = torch.rand(3, count, 3 * side * side, generator=torch.Generator().manual_seed(0))
    for number, shape in enumerate(((rows, columns), (1, count), (rows, columns - 1))):
        there = shape[0] * shape[1]
        for place in range(there):
            patches[number, place, :-PLACE] = pixels[number, place]
            row, column = divmod(place, shape[1])
            patches[number, place, -PLACE:] = torch.tensor([1.0, row, shape[0], column, shape[1]])
    return patches


class Fusion(nn.Module):
    """Patches float32 [P,N,F], ids int64 [P,L] and mask bool [P,L] -> logits [P].

    The patches are those of `engine.patches`. Positions were learnt for a square of patches; a
    photo of another shape takes what lies between them, as a linear interpolation with ends on ends
    does.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        vilt, embeddings = model.vilt, model.vilt.embeddings
        self.text = embeddings.text_embeddings
        self.encoder, self.norm, self.pooler = vilt.encoder, vilt.layernorm, vilt.pooler
        self.head = model.rank_output
        kernel = embeddings.patch_embeddings.projection
        # A patch's numbers are in the order row, column, channel.
        weight = kernel.weight.detach().permute(0, 2, 3, 1).flatten(1)
        self.project = nn.Linear(weight.shape[1], weight.shape[0])
        self.project.weight = nn.Parameter(weight.contiguous())
        self.project.bias = nn.Parameter(kernel.bias.detach())
        kinds = embeddings.token_type_embeddings.weight.detach()
        positions = embeddings.position_embeddings.detach()[0]
        self.kind_of_text = nn.Parameter(kinds[0].clone())
        self.kind_of_photo = nn.Parameter(kinds[1].clone())
        self.first = nn.Parameter(embeddings.cls_token.detach()[0] + positions[:1])
        self.positions = nn.Parameter(positions[1:].clone())
        self.grid = round(len(self.positions) ** 0.5)

    def forward(self, patches: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        """See the class."""
        pixels = patches[..., :-PLACE]
        there, row, rows, column, columns = patches[..., -PLACE:].unbind(-1)
        down, across = self._between(row, rows), self._between(column, columns)
        places = (down[..., :, None] * across[..., None, :]).flatten(2)
        photo = self.project(pixels) + places @ self.positions
        first = self.first.expand(patches.shape[0], 1, -1)
        photo = torch.cat((first, photo), dim=1) + self.kind_of_photo
        words = self.text(ids) + self.kind_of_text
        seen = there > 0.5
        attended = torch.cat((mask, torch.ones_like(seen[:, :1]), seen), dim=1)
        read = self.encoder(
            torch.cat((words, photo), dim=1),
            attention_mask=hidden(attended),
            head_mask=[None] * len(self.encoder.layer),
        )[0]
        logits: Tensor = self.head(self.pooler(self.norm(read)))[:, 0]
        return logits

    def _between(self, place: Tensor, of: Tensor) -> Tensor:
        """What each patch takes of ``grid`` learnt positions: [P,N] and [P,N] -> [P,N,grid]."""
        at = place * (self.grid - 1) / (of - 1).clamp(min=1)
        near = torch.arange(self.grid, dtype=torch.float32)
        weights: Tensor = (1 - (at[..., None] - near).abs()).clamp(min=0)
        return weights
