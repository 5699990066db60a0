"""What a user could pick instead, built from public libraries with random weights.

Weights do not change speed; shapes do, and these are those of the published models.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from PIL import Image
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    ViltConfig,
    ViltForImageAndTextRetrieval,
)

# Photos, or pairs, a processor second that the rivals reached where they were first measured.
RCLIP_KNOWN, VILT_KNOWN = 3.3, 1.55
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32).reshape(3, 1, 1)
_STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32).reshape(3, 1, 1)


class Rclip:
    """Indexes as rclip 3.3.0 does: CLIP ViT-B/32 at 256 px in ONNX Runtime, in single precision.

    Photos are decoded in full by a pool of threads, and encoded in eights.
    """

    BATCH, SIDE = 8, 256

    def __init__(self, threads: int) -> None:
        config = CLIPVisionConfig(
            hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
            image_size=self.SIDE, patch_size=32, projection_dim=512,
        )  # fmt: skip
        model = CLIPVisionModelWithProjection(config).eval()
        graph = io.BytesIO()
        made = torch.onnx.export(
            _Embeddings(model), (torch.zeros(self.BATCH, 3, self.SIDE, self.SIDE),),
            dynamo=True, opset_version=18, external_data=False, verbose=False,
        )  # fmt: skip
        if made is None:
            raise RuntimeError("the rival could not be exported")
        made.save(graph)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = ort.InferenceSession(
            graph.getvalue(), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._pool = ThreadPoolExecutor(threads)

    def index(self, photos: Sequence[Path]) -> np.ndarray:
        """Embeddings float32 [N,512] of photos; N a multiple of `BATCH`."""
        ready = [self._pool.submit(self._prepare, photo) for photo in photos]
        found = []
        for start in range(0, len(photos), self.BATCH):
            pixels = np.stack([one.result() for one in ready[start : start + self.BATCH]])
            found.append(self._session.run(None, {self._input: pixels})[0])
        return np.concatenate(found)

    def _prepare(self, photo: Path) -> np.ndarray:
        with Image.open(photo) as opened:
            image = opened.convert("RGB")
        scale = self.SIDE / min(image.size)
        width, height = (round(side * scale) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
        left, top = (width - self.SIDE) // 2, (height - self.SIDE) // 2
        image = image.crop((left, top, left + self.SIDE, top + self.SIDE))
        return (np.asarray(image, np.float32).transpose(2, 0, 1) / 255 - _MEAN) / _STD


class _Embeddings(torch.nn.Module):
    def __init__(self, model: CLIPVisionModelWithProjection) -> None:
        super().__init__()
        self._model = model

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        embeddings: torch.Tensor = self._model(pixel_values=pixels).image_embeds
        return torch.nn.functional.normalize(embeddings, dim=-1)


class Vilt:
    """Matches every pair as ViLT-B/32 for image-text retrieval does, in torch."""

    HEIGHT, WIDTH, WORDS = 384, 512, 12

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self._model = ViltForImageAndTextRetrieval(ViltConfig()).eval()

    def match(self, pairs: int) -> np.ndarray:
        """Logits float32 [pairs] of made-up photos and captions of a usual length."""
        with torch.inference_mode():
            found = self._model(
                input_ids=torch.randint(1000, 30000, (pairs, self.WORDS)),
                attention_mask=torch.ones(pairs, self.WORDS, dtype=torch.long),
                pixel_values=torch.rand(pairs, 3, self.HEIGHT, self.WIDTH),
                pixel_mask=torch.ones(pairs, self.HEIGHT, self.WIDTH, dtype=torch.long),
            )
        return np.asarray(found.logits[:, 0])
