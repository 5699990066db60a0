from __future__ import annotations

from typing import Any

import pytest

from engine.config import DualConfig, TokenizerFacts

DUAL = DualConfig("CLIP", (3, 224, 224), 512, 49408, 77, False)
FACTS = TokenizerFacts(1, fixed=True, left=True)


def test_sizes_and_facts_survive_being_written_and_read() -> None:
    assert DualConfig.from_dict(DUAL.to_dict()) == DUAL
    assert TokenizerFacts.from_dict(FACTS.to_dict()) == FACTS


@pytest.mark.parametrize(
    "change",
    [
        {"embedding": 0}, {"embedding": 1 << 40}, {"vocabulary": 1.5},
        {"max_tokens": True}, {"masked": 1}, {"family": "a\nb"}, {"family": 7}, {"pixels": 7},
        {"pixels": [3, 224, "224"]}, {"further": 1}, {"pixels": [1] * 9},
    ],
)  # fmt: skip
def test_sizes_of_no_model_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        DualConfig.from_dict(DUAL.to_dict() | change)


@pytest.mark.parametrize("change", [{"pad": -1}, {"pad": True}, {"fixed": 1}, {"left": None}])
def test_facts_of_no_tokenizer_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        TokenizerFacts.from_dict(FACTS.to_dict() | change)
