"""Sizes of models that decide by looking at the photo again, with each caption. No torch here.

What they need of a photo, its pixels or hundreds of image tokens, is too much to be kept in an
index. So an index keeps embeddings alone, which find; the photos found are read once more.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from engine.config import DualConfig, ModelConfig, TokenizerFacts, check_sizes
from engine.preprocess import Preprocessing


@dataclass(frozen=True, slots=True)
class BlipConfig:
    """Sizes of BLIP for retrieval: embeddings, and a fusion of a photo's tokens with a caption.

    Attributes:
        pixels: the shape of one photo's pixels.
        tokens: number K of image tokens.
        width: size W of each.
        embedding: size E of the embeddings.
        vocabulary: number of token ids.
        max_tokens: longest caption in tokens; longer ones are cut.
    """

    pixels: tuple[int, ...]
    tokens: int
    width: int
    embedding: int
    vocabulary: int
    max_tokens: int

    def __post_init__(self) -> None:
        sizes = self.tokens, self.width, self.embedding, self.vocabulary, self.max_tokens
        check_sizes((*self.pixels, *sizes))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"pixels": list(self.pixels)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> BlipConfig:
        """Inverse of `to_dict`. Raises KeyError, TypeError or ValueError for what does not fit."""
        return cls(**(values | {"pixels": tuple(values["pixels"])}))


@dataclass(frozen=True, slots=True)
class ViltConfig:
    """Sizes of ViLT for retrieval, which has a fusion and nothing else.

    Attributes:
        pixels: [patches at most, numbers of each], see `engine.patches`.
        vocabulary: number of token ids.
        max_tokens: longest caption in tokens; longer ones are cut.
    """

    pixels: tuple[int, ...]
    vocabulary: int
    max_tokens: int

    def __post_init__(self) -> None:
        check_sizes((*self.pixels, self.vocabulary, self.max_tokens))
        if len(self.pixels) != 2:
            raise ValueError("model: pixels are patches, and have two sizes")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"pixels": list(self.pixels)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ViltConfig:
        """Inverse of `to_dict`. Raises KeyError, TypeError or ValueError for what does not fit."""
        return cls(**(values | {"pixels": tuple(values["pixels"])}))


@dataclass(frozen=True, slots=True)
class PairConfig:
    """Two models in one pack: the embeddings of one find, the fusion of the other decides.

    Attributes:
        finder: sizes of the one that finds; its preprocessing and tokenizer are the pack's.
        decider: sizes of the other.
        preprocessing, tokenizer: the decider's.
    """

    finder: DualConfig
    decider: BlipConfig | ViltConfig
    preprocessing: Preprocessing
    tokenizer: TokenizerFacts

    def __post_init__(self) -> None:
        if self.preprocessing.shape != self.decider.pixels:
            raise ValueError("model: the decider's pixels are not those of its preprocessing")

    @property
    def pixels(self) -> tuple[int, ...]:
        """Of one photo, for the finder."""
        return self.finder.pixels

    @property
    def vocabulary(self) -> int:
        """The finder's."""
        return self.finder.vocabulary

    @property
    def max_tokens(self) -> int:
        """The finder's."""
        return self.finder.max_tokens

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        kind = "blip" if isinstance(self.decider, BlipConfig) else "vilt"
        return {
            "finder": self.finder.to_dict(),
            "decider": {kind: self.decider.to_dict()},
            "preprocessing": self.preprocessing.to_dict(),
            "tokenizer": self.tokenizer.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PairConfig:
        """Inverse of `to_dict`. Raises KeyError, TypeError or ValueError for what does not fit."""
        ((kind, sizes),) = values["decider"].items()
        kinds: dict[str, type[BlipConfig | ViltConfig]] = {"blip": BlipConfig, "vilt": ViltConfig}
        return cls(
            DualConfig.from_dict(values["finder"]),
            kinds[kind].from_dict(sizes),
            Preprocessing.from_dict(values["preprocessing"]),
            TokenizerFacts.from_dict(values["tokenizer"]),
        )


Config = ModelConfig | DualConfig | BlipConfig | ViltConfig | PairConfig
