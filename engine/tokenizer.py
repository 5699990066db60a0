"""Captions to token ids, with a trained `tokenizer.json` (Hugging Face tokenizers)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer as _Tokenizer

from engine.types import BoolArray, IntArray

PAD, UNK, CLS = "[PAD]", "[UNK]", "[CLS]"
SPECIAL_TOKENS = (PAD, UNK, CLS)  # in the order of their ids


class Tokenizer:
    """Turns captions of any language it was trained on into padded ids.

    Args:
        path: a `tokenizer.json`.
        max_tokens: longest caption in tokens, [CLS] included; longer ones are cut at the end.

    Raises:
        ValueError: the file is no tokenizer or lacks the special tokens.
    """

    def __init__(self, path: Path, max_tokens: int) -> None:
        try:
            self._tokenizer = _Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ValueError(f"{path.name} is not a tokenizer ({error})") from error
        for number, token in enumerate(SPECIAL_TOKENS):
            if self._tokenizer.token_to_id(token) != number:
                raise ValueError(f"{path.name} does not have {token} as token {number}")
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.no_padding()

    @property
    def size(self) -> int:
        """Number of token ids."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, captions: Sequence[str]) -> tuple[IntArray, BoolArray]:
        """Ids int64 [M, L] and mask bool [M, L], L being the longest caption's length.

        Every row starts with [CLS]; padding has id 0 and mask False.
        """
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(list(captions))]
        ids = np.zeros((len(rows), max(map(len, rows), default=0)), dtype=np.int64)
        mask = np.zeros(ids.shape, dtype=np.bool_)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = True
        return ids, mask

    def tokens(self, caption: str) -> list[str]:
        """The caption's tokens as text, [CLS] included; for explanations and tests."""
        return list(self._tokenizer.encode(caption).tokens)
