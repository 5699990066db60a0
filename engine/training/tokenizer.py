"""Trains the tokenizer on texts of several languages."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from engine.tokenizer import CLS, SPECIAL_TOKENS, UNK

# A word together with the space before it, or one digit, Chinese character or other sign.
_PIECES = r" ?[^\s\p{Han}\p{N}\p{P}]+| ?\p{N}|\p{Han}|\p{P}"


def train_tokenizer(texts: Iterable[str], vocabulary: int, path: Path) -> None:
    """Train byte-pair encoding (arXiv 1508.07909) on ``texts`` and write `tokenizer.json`.

    NFKC folds full-width letters and lower case folds names, so that what people type in either
    language meets what was trained. Each Chinese character is a token of its own, as in BERT
    (arXiv 1810.04805, multilingual models): merged runs would be too rare to learn from a small
    set. A word's first token begins with a space; marking the last one instead makes the library
    hand out ids in an order that differs from run to run. A caption's first token is [CLS].
    """
    tokenizer = Tokenizer(models.BPE(unk_token=UNK))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            # Captions differ in their closing full stop by data set, not by meaning.
            normalizers.Replace(Regex(r"[\s.。]+$"), ""),
            normalizers.Replace(Regex(r"\s+"), " "),
            # A word begins with a space beside Chinese too; the T of a T-shirt is no word.
            normalizers.Replace(Regex(r"(?<=\p{Han})(?=[a-z]{2})"), " "),
            normalizers.Prepend(" "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_PIECES), "removed", invert=True)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=list(SPECIAL_TOKENS),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A", special_tokens=[(CLS, tokenizer.token_to_id(CLS))]
    )
    tokenizer.save(str(path))
