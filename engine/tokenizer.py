"""Captions to token ids, with a trained `tokenizer.json` (Hugging Face tokenizers)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer as _Tokenizer

from engine.config import TokenizerFacts
from engine.types import BoolArray, IntArray

PAD, UNK, CLS = "[PAD]", "[UNK]", "[CLS]"
SPECIAL_TOKENS = (PAD, UNK, CLS)  # in the order of their ids


class Tokenizer:
    """Turns captions of any language it was trained on into padded ids.

    Args:
        path: a `tokenizer.json`.
        max_tokens: longest caption in tokens, special ones included; longer ones are cut at the
            end.
        facts: of another model's; None for one that this project trained.

    Raises:
        ValueError: the file is no tokenizer or lacks the special tokens.
    """

    def __init__(self, path: Path, max_tokens: int, facts: TokenizerFacts | None = None) -> None:
        try:
            self._tokenizer = _Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ValueError(f"{path.name} is not a tokenizer ({error})") from error
        if facts is None:
            for number, token in enumerate(SPECIAL_TOKENS):
                if self._tokenizer.token_to_id(token) != number:
                    raise ValueError(f"{path.name} does not have {token} as token {number}")
        self._facts = facts or TokenizerFacts(pad=0)
        self._max_tokens = max_tokens
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.no_padding()

    @property
    def size(self) -> int:
        """Number of token ids."""
        return int(self._tokenizer.get_vocab_size())

    @property
    def empty(self) -> int:
        """How many tokens a caption without a word has."""
        return len(self._tokenizer.encode("").ids)

    def encode(self, captions: Sequence[str]) -> tuple[IntArray, BoolArray]:
        """Ids int64 [M, L] and mask bool [M, L], False where there is padding.

        L is the longest caption's length, or the longest that the model reads where padding is
        fixed.
        """
        texts = [text.lower() if self._facts.lowercase else text for text in captions]
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        length = self._max_tokens if self._facts.fixed else max(map(len, rows), default=0)
        ids = np.full((len(rows), length), self._facts.pad, dtype=np.int64)
        mask = np.zeros(ids.shape, dtype=np.bool_)
        for number, row in enumerate(rows):
            first = length - len(row) if self._facts.left else 0
            ids[number, first : first + len(row)] = row
            mask[number, first : first + len(row)] = True
        return ids, mask

    def tokens(self, caption: str) -> list[str]:
        """The caption's tokens as text, special ones included; for explanations and tests."""
        return list(self._tokenizer.encode(caption).tokens)
