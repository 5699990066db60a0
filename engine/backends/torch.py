"""The model through torch, from a pack's `weights.safetensors`: for training and for CUDA."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from engine.config import ModelConfig
from engine.fusing import fused_logits
from engine.nn import FusionModel
from engine.pack import WEIGHTS_FILE
from engine.token_format import pack_tokens, unpack_tokens
from engine.types import BoolArray, ByteArray, FloatArray, ImageFeatures, IntArray, TextFeatures

log = logging.getLogger(__name__)


def load_model(folder: Path, config: ModelConfig) -> FusionModel:
    """The model in float32 with the pack's weights, in evaluation mode.

    Raises OSError or RuntimeError when the weights are absent or don't fit ``config``.
    """
    model = FusionModel(config)
    weights = load_file(folder / WEIGHTS_FILE)
    model.load_state_dict({key: value.float() for key, value in weights.items()})
    return model.eval()


def cuda_fault() -> str | None:
    """What keeps this torch from using CUDA, in words; None if nothing does."""
    if torch.version.cuda is None:
        return f"torch {torch.__version__} was built without CUDA"
    if not torch.cuda.is_available():
        return f"torch {torch.__version__} finds no CUDA card that it can use"
    return None


class TorchBackend:
    """Runs the model in torch.

    Args:
        folder: the pack's folder, already verified.
        config: the model's shape from the manifest.
        device: a torch device such as "cpu" or "cuda".
        half: whether products are computed in half precision; if left out, on CUDA only.
            What a backend takes and gives is float32 all the same.
    """

    def __init__(
        self, folder: Path, config: ModelConfig, device: str = "cpu", half: bool | None = None
    ) -> None:
        self._model = load_model(folder, config).to(device)
        self._device = torch.device(device)
        self._half = self._device.type == "cuda" if half is None else half

    @property
    def device(self) -> str:
        """Where it runs, in words."""
        precision = "half precision" if self._half else "fp32"
        return f"{self._device.type.upper()} (torch {torch.__version__}, {precision})"

    def with_threads(self, threads: int) -> TorchBackend:
        """See `Backend.with_threads`: on a card the processor's threads do nothing."""
        return self

    def _autocast(self) -> torch.autocast:
        # Norms and sums stay in float32, where half precision would overflow or blur.
        return torch.autocast(self._device.type, torch.float16, enabled=self._half)

    def encode_images(self, pixels: FloatArray) -> ImageFeatures:
        """See `Backend.encode_images`."""
        embeddings, tokens = self._run(self._model.encode_images, pixels)
        return ImageFeatures(embeddings, pack_tokens(tokens))

    def encode_texts(self, ids: IntArray, mask: BoolArray) -> TextFeatures:
        """See `Backend.encode_texts`."""
        embeddings, tokens = self._run(self._model.encode_texts, ids, mask)
        return TextFeatures(embeddings, tokens, mask)

    def fusion_memory(self, tokens: ByteArray) -> FloatArray:
        """See `engine.fusing.Fusion`."""
        (memory,) = self._run(self._model.fusion.memory, unpack_tokens(tokens))
        return memory

    def fuse(
        self, memory: FloatArray, tokens: FloatArray, mask: BoolArray, similarity: FloatArray
    ) -> FloatArray:
        """See `engine.fusing.Fusion`."""
        (logits,) = self._run(self._model.fusion, memory, tokens, mask, similarity)
        return logits

    @torch.inference_mode()
    def _run(self, part: Callable[..., Any], *arrays: np.ndarray) -> list[FloatArray]:
        """What a part of the model makes of a batch, in halves where the card has no room for it.

        Raises torch.OutOfMemoryError where there is none for a single item.
        """
        try:
            inputs = (torch.from_numpy(array).to(self._device) for array in arrays)
            with self._autocast():
                found = part(*inputs)
            return [_array(values) for values in (found if isinstance(found, tuple) else (found,))]
        except torch.OutOfMemoryError:
            if len(arrays[0]) == 1:
                raise
        # Here, where the exception and what it holds on the card are gone.
        torch.cuda.empty_cache()
        middle = len(arrays[0]) // 2
        log.warning("the card has no room for %d items at once: halving them", len(arrays[0]))
        halves = (
            self._run(part, *(array[:middle] for array in arrays)),
            self._run(part, *(array[middle:] for array in arrays)),
        )
        return [np.concatenate(pieces) for pieces in zip(*halves, strict=True)]

    def logits(
        self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
    ) -> FloatArray:
        """See `Backend.logits`."""
        return fused_logits(self, images, texts, photos, captions)


def _array(values: torch.Tensor) -> FloatArray:
    found: FloatArray = values.float().cpu().numpy()
    return found
