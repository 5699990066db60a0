"""What has to be known of another's model to make a pack of it, and how a folder tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.architecture import DUAL
from engine.config import DualConfig, TokenizerFacts
from engine.deciding import Config
from engine.preprocess import FILTERS, Preprocessing
from engine.types import FloatArray

# Photos and captions in the samples that graphs are traced with.
SAMPLES = 3
SAMPLE_LENGTH = 9

_FILTER_NAMES = {int(resample): name for name, resample in FILTERS.items()}


class NotConvertible(Exception):
    """No pack can be made of the folder; the message says why, as part of a sentence."""


@dataclass(frozen=True, slots=True)
class Graph:
    """One graph of the pack.

    Attributes:
        name: the first part of its file's name.
        module: takes tensors in the order of ``samples``, gives those of ``outputs``.
        samples: by the name of the input, what it is traced with.
        free: by the name of the input, the axes that may have any size, and what each is called.
        outputs: their names.
    """

    name: str
    module: nn.Module
    samples: dict[str, Tensor]
    free: dict[str, dict[int, str]]
    outputs: list[str]


@dataclass(frozen=True, slots=True)
class Foreign:
    """A model of another family, ready to become a pack.

    Attributes:
        scale, bias: what makes log-odds of what the model says of a pair; a bias of None is found
            on unrelated pairs.
        reference: what the model's own code says of every image with every caption, before scale
            and bias: float32 [N, M].
        relative: whether differences count as shares of the range of what the model says, as
            logits may have any; else as they are.
    """

    architecture: str
    config: Config
    preprocessing: Preprocessing
    tokenizer: TokenizerFacts
    tokenizer_json: str
    languages: tuple[str, ...]
    graphs: list[Graph]
    scale: float
    bias: float | None
    reference: Callable[[Sequence[Image.Image], Sequence[str]], FloatArray]
    relative: bool = False


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """One of the folder's JSON files; empty where there is none.

    Raises NotConvertible: it is none.
    """
    try:
        values = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NotConvertible(f"{name} can't be read: {error}") from error
    if not isinstance(values, dict):
        raise NotConvertible(f"{name} holds no object")
    return values


def load_model(kind: type[PreTrainedModel], folder: Path) -> PreTrainedModel:
    """The model in float32 for evaluation: of safetensors alone, and all of it.

    Raises NotConvertible.
    """
    if not any(folder.glob("*.safetensors")):
        raise NotConvertible(
            "its weights are no .safetensors file; others can hold programs, and are not opened"
        )
    try:
        model, found = kind.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            attn_implementation="eager",  # what exports
            output_loading_info=True,
        )
    except Exception as error:  # transformers raises whatever it meets
        raise NotConvertible(f"transformers can't load it: {error}") from error
    if found["missing_keys"]:
        raise NotConvertible(f"its weights lack {min(found['missing_keys'])}")
    loaded: PreTrainedModel = model.eval()
    return loaded


def load_part(kind: Any, folder: Path) -> Any:
    """A tokenizer or an image processor of this class. Raises NotConvertible."""
    try:
        return kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers raises whatever it meets
        raise NotConvertible(f"transformers can't load its {kind.__name__}: {error}") from error


def filter_name(processor: Any) -> str:
    """The name that `Preprocessing` has for the filter of an image processor."""
    name = _FILTER_NAMES.get(int(processor.resample))
    if name is None:
        raise NotConvertible(f"its images are resized by filter {processor.resample}")
    return name


def normalising(processor: Any) -> dict[str, Any]:
    """Mean and deviation that an image processor makes pixels with. Raises NotConvertible."""
    if not processor.do_resize or not processor.do_rescale:
        raise NotConvertible("its images are not resized and scaled to 0..1")
    if abs(processor.rescale_factor * 255 - 1) > 1e-6:
        raise NotConvertible(f"its images are scaled by {processor.rescale_factor}")
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if processor.do_normalize:
        mean, std = tuple(processor.image_mean), tuple(processor.image_std)
    return {"mean": mean, "std": std}


def square_pixels(processor: Any, side: int) -> Preprocessing:
    """How an image processor makes square pixels for a model that sees ``side``.

    Raises NotConvertible.
    """
    made = {"size": side, "resample": filter_name(processor), **normalising(processor)}
    size = dict(processor.size)
    if getattr(processor, "do_center_crop", False):
        crop = dict(processor.crop_size)
        shorter = size.get("shortest_edge")
        if (crop.get("height"), crop.get("width")) == (side, side) and shorter is not None:
            return Preprocessing(resize="crop", shorter=int(shorter), **made)
    elif (size.get("height"), size.get("width")) == (side, side):
        return Preprocessing(**made)
    raise NotConvertible(f"its images become {size}, and its model sees {side} x {side}")


def facts_of(
    tokenizer: PreTrainedTokenizerBase, fixed: bool = False, lowercase: bool = False
) -> TokenizerFacts:
    """What a tokenizer's file leaves open. Raises NotConvertible."""
    left = tokenizer.padding_side == "left"
    if tokenizer.pad_token_id is None or (left and not fixed):
        raise NotConvertible("its tokenizer has no padding, or has it on the left")
    return TokenizerFacts(int(tokenizer.pad_token_id), fixed, left, lowercase)


class Unit(nn.Module):
    """Rows of length 1 of what a function makes of its inputs."""

    def __init__(self, model: nn.Module, encode: Callable[..., Tensor]) -> None:
        super().__init__()
        self.model = model  # so that its weights are found
        self.encode = encode

    def forward(self, first: Tensor, second: Tensor | None = None) -> Tensor:
        """Embeddings [N, E] of pixels, or of ids and perhaps a mask."""
        found = self.encode(first) if second is None else self.encode(first, second)
        unit: Tensor = found / found.norm(p=2, dim=-1, keepdim=True)
        return unit


def sample_words(vocabulary: int, longest: int) -> dict[str, Tensor]:
    """Random ids, and a mask with padding."""
    length = min(SAMPLE_LENGTH, longest)
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(vocabulary, (SAMPLES, length), generator=generator)
    return {"ids": ids, "mask": torch.arange(length) < torch.tensor([[length], [2], [length - 1]])}


def dual_graphs(config: DualConfig, image: nn.Module, text: nn.Module) -> list[Graph]:
    """The graphs of a model of two encoders, with noise and random words for samples."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(SAMPLES, *config.pixels, generator=generator)
    words = sample_words(config.vocabulary, config.max_tokens)
    if not config.masked:
        del words["mask"]
    return [
        Graph("image", image, {"pixels": pixels}, {"pixels": {0: "batch"}}, ["embeddings"]),
        Graph(
            "text", text, words, {name: {0: "batch", 1: "length"} for name in words}, ["embeddings"]
        ),
    ]


def dual(config: DualConfig, image: nn.Module, text: nn.Module, **known: Any) -> Foreign:
    """A model of two encoders; ``known`` are the other fields of `Foreign`."""
    graphs = dual_graphs(config, image, text)
    return Foreign(architecture=DUAL, config=config, graphs=graphs, **known)


def similarities(images: Tensor, texts: Tensor) -> FloatArray:
    """Similarities float32 [N, M] of embeddings of any length."""
    seen, read = (rows / rows.norm(p=2, dim=-1, keepdim=True) for rows in (images, texts))
    result: FloatArray = (seen @ read.T).numpy().astype(np.float32)
    return result
