"""The model through torch, from a pack's `weights.safetensors`: for training and for CUDA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from engine.config import ModelConfig
from engine.nn import FusionModel
from engine.token_format import pack_tokens, unpack_tokens
from engine.types import BoolArray, ByteArray, FloatArray, ImageFeatures, IntArray, TextFeatures

WEIGHTS_FILE = "weights.safetensors"


def load_model(folder: Path, config: ModelConfig) -> FusionModel:
    """The model in float32 with the pack's weights, in evaluation mode.

    Raises OSError or RuntimeError when the weights are absent or don't fit ``config``.
    """
    model = FusionModel(config)
    weights = load_file(folder / WEIGHTS_FILE)
    model.load_state_dict({key: value.float() for key, value in weights.items()})
    return model.eval()


class TorchBackend:
    """Runs the model in torch.

    Args:
        folder: the pack's folder, already verified.
        config: the model's shape from the manifest.
        device: a torch device such as "cpu" or "cuda".
    """

    def __init__(self, folder: Path, config: ModelConfig, device: str = "cpu") -> None:
        self._model = load_model(folder, config).to(device)
        self._device = torch.device(device)

    @property
    def device(self) -> str:
        """Where it runs, in words."""
        return f"{self._device.type.upper()} (torch {torch.__version__})"

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)

    @torch.inference_mode()
    def encode_images(self, pixels: FloatArray) -> ImageFeatures:
        """See `Backend.encode_images`."""
        embeddings, tokens = self._model.encode_images(self._tensor(pixels))
        return ImageFeatures(embeddings.cpu().numpy(), pack_tokens(tokens.cpu().numpy()))

    @torch.inference_mode()
    def encode_texts(self, ids: IntArray, mask: BoolArray) -> TextFeatures:
        """See `Backend.encode_texts`."""
        embeddings, tokens = self._model.encode_texts(self._tensor(ids), self._tensor(mask))
        return TextFeatures(embeddings.cpu().numpy(), tokens.cpu().numpy(), mask)

    @torch.inference_mode()
    def fusion_memory(self, tokens: ByteArray) -> FloatArray:
        """See `Backend.fusion_memory`."""
        values = self._tensor(unpack_tokens(tokens))
        memory: FloatArray = self._model.fusion.memory(values).cpu().numpy()
        return memory

    @torch.inference_mode()
    def fuse(
        self, memory: FloatArray, tokens: FloatArray, mask: BoolArray, similarity: FloatArray
    ) -> FloatArray:
        """See `Backend.fuse`."""
        inputs = (self._tensor(array) for array in (memory, tokens, mask, similarity))
        logits: FloatArray = self._model.fusion(*inputs).cpu().numpy()
        return logits
