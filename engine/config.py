"""The shape of the fusion model, as written in a model pack's manifest. Frozen; no torch here."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Sizes of `engine.nn.FusionModel`.

    Attributes:
        image_size: side of the square pixels, in pixels; a multiple of 32.
        stem: channels of the convolutional stem's stages at strides 4, 8 and 16.
        width: size D of every token inside the encoders and the fusion.
        heads: attention heads; divides ``width``.
        image_layers, text_layers, fusion_layers: Transformer blocks of each part.
        token_width: size C of a compressed image token as kept in the index.
        embedding: size E of the embeddings.
        vocabulary: number of token ids.
        max_tokens: longest caption in tokens; longer ones are cut.
        dropout: used in training only, 0 to 1.
    """

    image_size: int = 128
    stem: tuple[int, int, int] = (48, 96, 160)
    width: int = 192
    heads: int = 6
    image_layers: int = 4
    text_layers: int = 3
    fusion_layers: int = 3
    token_width: int = 128
    embedding: int = 256
    vocabulary: int = 8000
    max_tokens: int = 48
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.image_size % 32:
            raise ValueError(f"image_size must be a multiple of 32, not {self.image_size}")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} can't be divided among {self.heads} heads")

    @property
    def image_tokens(self) -> int:
        """Number K of image tokens: one for each 32 x 32 patch of the pixels."""
        return (self.image_size // 32) ** 2

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"stem": list(self.stem)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """Inverse of `to_dict`. Raises TypeError or ValueError when the values don't fit."""
        return cls(**(values | {"stem": tuple(values["stem"])}))
