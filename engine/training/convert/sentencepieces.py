"""SigLIP's tokenizer, which transformers only has in Python, as a `tokenizer.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers import Regex, normalizers, processors
from transformers import PreTrainedTokenizerFast, SiglipTokenizer
from transformers.convert_slow_tokenizer import SpmConverter

from engine.training.convert.foreign import NotConvertible, load_part

_PIECES, _WRITTEN = "spiece.model", "tokenizer.json"
# What `string.punctuation` holds.
_PUNCTUATION = r"[!-/:-@\[-`{-~]"


class _Converter(SpmConverter):
    """Makes captions plain as SigLIP's own tokenizer does before it looks pieces up."""

    def normalizer(self, proto: Any) -> Any:
        """Lower case, no punctuation, single spaces; then what the pieces were made with."""
        steps = [normalizers.Replace("▁", " ")]
        if self.original_tokenizer.do_lower_case:
            steps.append(normalizers.Lowercase())
        steps += [
            normalizers.Replace(Regex(_PUNCTUATION), ""),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
        if charsmap := proto.normalizer_spec.precompiled_charsmap:
            steps.append(normalizers.Precompiled(charsmap))
        return normalizers.Sequence(steps)

    def post_processor(self) -> Any:
        """Every caption ends in one token."""
        end = self.original_tokenizer.eos_token
        number = self.original_tokenizer.convert_tokens_to_ids(end)
        return processors.TemplateProcessing(single=["$A", end], special_tokens=[(end, number)])


def siglip_tokenizer(folder: Path) -> tuple[Any, str]:
    """A tokenizer of transformers, and the `tokenizer.json` that does the same.

    The pieces go before a file that somebody made of them. Raises NotConvertible.
    """
    if (folder / _PIECES).is_file():
        slow = load_part(SiglipTokenizer, folder)
        try:
            return slow, _Converter(slow).converted().to_str()  # type: ignore[no-untyped-call]
        except Exception as error:  # protobuf and tokenizers raise many kinds
            raise NotConvertible(f"{_PIECES} can't be read: {error}") from error
    if (folder / _WRITTEN).is_file():
        fast = load_part(PreTrainedTokenizerFast, folder)
        return fast, fast.backend_tokenizer.to_str()
    raise NotConvertible(f"it has neither {_PIECES} nor {_WRITTEN}")
