"""The model through torch, from a pack's `weights.safetensors`: for training and for CUDA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from engine.config import ModelConfig
from engine.nn import FusionModel
from engine.pack import WEIGHTS_FILE
from engine.token_format import pack_tokens, unpack_tokens
from engine.types import BoolArray, ByteArray, FloatArray, ImageFeatures, IntArray, TextFeatures


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

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)

    def _autocast(self) -> torch.autocast:
        # Norms and sums stay in float32, where half precision would overflow or blur.
        return torch.autocast(self._device.type, torch.float16, enabled=self._half)

    @torch.inference_mode()
    def encode_images(self, pixels: FloatArray) -> ImageFeatures:
        """See `Backend.encode_images`."""
        with self._autocast():
            embeddings, tokens = self._model.encode_images(self._tensor(pixels))
        return ImageFeatures(_array(embeddings), pack_tokens(_array(tokens)))

    @torch.inference_mode()
    def encode_texts(self, ids: IntArray, mask: BoolArray) -> TextFeatures:
        """See `Backend.encode_texts`."""
        with self._autocast():
            embeddings, tokens = self._model.encode_texts(self._tensor(ids), self._tensor(mask))
        return TextFeatures(_array(embeddings), _array(tokens), mask)

    @torch.inference_mode()
    def fusion_memory(self, tokens: ByteArray) -> FloatArray:
        """See `Backend.fusion_memory`."""
        with self._autocast():
            return _array(self._model.fusion.memory(self._tensor(unpack_tokens(tokens))))

    @torch.inference_mode()
    def fuse(
        self, memory: FloatArray, tokens: FloatArray, mask: BoolArray, similarity: FloatArray
    ) -> FloatArray:
        """See `Backend.fuse`."""
        inputs = (self._tensor(array) for array in (memory, tokens, mask, similarity))
        with self._autocast():
            return _array(self._model.fusion(*inputs))


def _array(values: torch.Tensor) -> FloatArray:
    found: FloatArray = values.float().cpu().numpy()
    return found
