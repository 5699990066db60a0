"""Trains the tokenizer on captions of several languages."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from engine.tokenizer import CLS, SPECIAL_TOKENS, UNK


def train_tokenizer(captions: Iterable[str], vocabulary: int, path: Path) -> None:
    """Train byte-pair encoding (arXiv 1508.07909) on ``captions`` and write `tokenizer.json`.

    NFKC folds full-width letters and lower case folds names, so that what people type in either
    language meets what was trained. Each Chinese character is a token of its own, as in BERT
    (arXiv 1810.04805, multilingual models): merged runs would be too rare to learn from a small
    set. A caption's first token is [CLS].
    """
    tokenizer = Tokenizer(models.BPE(unk_token=UNK))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            # Captions differ in their closing full stop by data set, not by meaning.
            normalizers.Replace(Regex(r"[\s.。]+$"), ""),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Whitespace(),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Split(Regex(r"\p{Han}"), "isolated"),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=list(SPECIAL_TOKENS),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{CLS} $A", special_tokens=[(CLS, tokenizer.token_to_id(CLS))]
    )
    tokenizer.save(str(path))
