"""The shapes of models, as written in a model pack's manifest. Frozen; no torch here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Sizes of `engine.nn.FusionModel`.

    Attributes:
        image_size: side of the square pixels, in pixels; a multiple of 32.
        channels: of the image encoder's five stages, at strides 2 to 32; the last is the size W
            of an image token.
        residuals: residual blocks that end each of the five stages.
        feature: size F of what the image encoder says of a cell of the photo.
        width: size D of every token inside the text encoder and the fusion.
        heads: attention heads; divides ``width``.
        image_layers, text_layers, fusion_layers: Transformer blocks of each part.
        sentence: size T of what the text encoder says of a caption.
        token_width: size C of a compressed image token as kept in the index.
        embedding: size E of the embeddings.
        vocabulary: number of token ids.
        max_tokens: longest caption in tokens; longer ones are cut.
        dropout: in the image encoder's blocks and the fusion, in training only, 0 to 1.
    """

    image_size: int = 160
    channels: tuple[int, ...] = (24, 48, 96, 192, 384)
    residuals: tuple[int, ...] = (0, 0, 1, 2, 0)
    feature: int = 1280
    width: int = 256
    heads: int = 8
    image_layers: int = 1
    text_layers: int = 4
    fusion_layers: int = 3
    sentence: int = 384
    token_width: int = 80
    embedding: int = 256
    vocabulary: int = 12000
    max_tokens: int = 48
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.image_size % 32:
            raise ValueError(f"image_size must be a multiple of 32, not {self.image_size}")
        if len(self.channels) != 5 or len(self.residuals) != 5:
            raise ValueError("channels and residuals name five stages each")
        for width in (self.channels[-1], self.width):
            if width % self.heads:
                raise ValueError(f"width {width} can't be divided among {self.heads} heads")

    @property
    def image_tokens(self) -> int:
        """Number K of image tokens: one for each 32 x 32 patch of the pixels."""
        return (self.image_size // 32) ** 2

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {
            "channels": list(self.channels),
            "residuals": list(self.residuals),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """Inverse of `to_dict`. Raises KeyError, TypeError or ValueError for what does not fit."""
        stages = {name: tuple(values[name]) for name in ("channels", "residuals")}
        sizes = [values[name] for name in values.keys() - {*stages, "dropout"}]
        sizes += stages["channels"]
        if not all(type(size) is int and 0 < size < 1 << 20 for size in sizes):
            raise ValueError("model: sizes must be whole numbers above 0, and not absurd")
        blocks = [value for name, value in values.items() if name.endswith("_layers")]
        if not all(type(n) is int and 0 <= n < 1000 for n in (*stages["residuals"], *blocks)):
            raise ValueError("model: residuals and layers must be counts")
        return cls(**(values | stages))


def check_sizes(sizes: Iterable[object]) -> None:
    """Raise ValueError unless they are sizes that a model may have."""
    if not all(type(size) is int and 0 < size < 1 << 20 for size in sizes):
        raise ValueError("model: sizes must be whole numbers above 0, and not absurd")


@dataclass(frozen=True, slots=True)
class DualConfig:
    """Sizes of a model of two encoders that only their embeddings join, such as CLIP.

    Attributes:
        family: what kind of model it was made of, in words: "CLIP".
        pixels: the shape of one photo's pixels, see `engine.preprocess.Preprocessing.shape`.
        embedding: size E of the embeddings.
        vocabulary: number of token ids.
        max_tokens: longest caption in tokens; longer ones are cut.
        masked: whether the text encoder is told which tokens are padding.
    """

    family: str
    pixels: tuple[int, ...]
    embedding: int
    vocabulary: int
    max_tokens: int
    masked: bool

    def __post_init__(self) -> None:
        check_sizes((*self.pixels, self.embedding, self.vocabulary, self.max_tokens))
        if len(self.pixels) not in (2, 3) or not isinstance(self.masked, bool):
            raise ValueError("model: pixels have two or three sizes, and masked is true or false")
        if not (isinstance(self.family, str) and self.family.isprintable()):
            raise ValueError("model: family is a name")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"pixels": list(self.pixels)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DualConfig:
        """Inverse of `to_dict`. Raises KeyError, TypeError or ValueError for what does not fit."""
        return cls(**(values | {"pixels": tuple(values["pixels"])}))


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """What another model's `tokenizer.json` leaves open.

    Attributes:
        pad: the id of padding.
        fixed: whether every caption is padded to the longest that the model reads.
        left: whether padding comes first.
        lowercase: whether captions are made lower case first.
    """

    pad: int
    fixed: bool = False
    left: bool = False
    lowercase: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TokenizerFacts:
        """Inverse of `to_dict`. Raises KeyError, TypeError or ValueError for what does not fit."""
        pad, *rest = (values[key] for key in ("pad", "fixed", "left", "lowercase"))
        if type(pad) is not int or not 0 <= pad < 1 << 20:
            raise ValueError("tokenizer: pad is the id of a token")
        if not all(isinstance(fact, bool) for fact in rest):
            raise TypeError("tokenizer: fixed, left and lowercase are true or false")
        return cls(pad, *rest)
