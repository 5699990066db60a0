"""What the graphs and weights of a pack must look like, by what its manifest says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.config import DualConfig, ModelConfig
from engine.deciding import BlipConfig, Config, PairConfig, ViltConfig
from engine.onnx_file import Signature, Value
from engine.safetensors_file import Shapes

FUSION, DUAL = "pairlens-fusion", "dual-encoder"
BLIP, VILT, PAIR = "blip", "vilt", "pair"
# What the sizes of a model of each architecture are; what is unknown can be listed, not used.
CONFIGS: dict[str, type[Config]] = {
    FUSION: ModelConfig, DUAL: DualConfig, BLIP: BlipConfig, VILT: ViltConfig, PAIR: PairConfig,
}  # fmt: skip
# The kind of pack as which this version runs each.
RUN_AS = {FUSION: "both", DUAL: "embedding", BLIP: "both", VILT: "fusion", PAIR: "both"}
# Those that decide by looking at the photo again: see `engine.deciding`.
LOOKING_AGAIN = (BLIP, VILT, PAIR)
# Before the names of the decider's files in a pack of two models.
DECIDER = "decider-"


@dataclass(frozen=True, slots=True)
class Expected:
    """What the files of a pack must hold.

    Attributes:
        pixels: the shape of one photo's pixels.
        graphs: what each graph takes and gives, by the first part of its file's name: "image".
        weights: the shape of every tensor of its safetensors file.
    """

    pixels: tuple[int, ...]
    graphs: dict[str, Signature]
    weights: Shapes


def expected(architecture: str, config: Config) -> Expected | None:
    """What a pack of this architecture and size holds; None if the architecture is unknown."""
    if architecture == FUSION and isinstance(config, ModelConfig):
        side = config.image_size
        return Expected((3, side, side), _fusion_graphs(config), dict(_weights(config)))
    if architecture == DUAL and isinstance(config, DualConfig):
        return Expected(config.pixels, _dual_graphs(config), {})
    if architecture == BLIP and isinstance(config, BlipConfig):
        return Expected(config.pixels, _blip_graphs(config), {})
    if architecture == VILT and isinstance(config, ViltConfig):
        return Expected(config.pixels, _vilt_graphs(config), {})
    if architecture == PAIR and isinstance(config, PairConfig):
        decider = config.decider
        if isinstance(decider, BlipConfig):
            graphs = _blip_graphs(decider)
            del graphs["text"]  # which would only find
        else:
            graphs = _vilt_graphs(decider)
        theirs = {f"{DECIDER}{name}": graph for name, graph in graphs.items()}
        return Expected(config.pixels, _dual_graphs(config.finder) | theirs, {})
    return None


_IDS, _MASK = Value("ids", "int64", (None, None)), Value("mask", "bool", (None, None))


def _blip_graphs(config: BlipConfig) -> dict[str, Signature]:
    pixels = Value("pixels", "float32", (None, *config.pixels))
    embeddings = Value("embeddings", "float32", (None, config.embedding))
    tokens = Value("tokens", "float32", (None, config.tokens, config.width))
    logits = Value("logits", "float32", (None,))
    return {
        "image": Signature((pixels,), (embeddings, tokens)),
        "text": Signature((_IDS, _MASK), (embeddings,)),
        "fusion": Signature((tokens, _IDS, _MASK), (logits,)),
    }


def _vilt_graphs(config: ViltConfig) -> dict[str, Signature]:
    patches = Value("patches", "float32", (None, None, config.pixels[1]))
    logits = Value("logits", "float32", (None,))
    return {"fusion": Signature((patches, _IDS, _MASK), (logits,))}


def _dual_graphs(config: DualConfig) -> dict[str, Signature]:
    pixels = Value("pixels", "float32", (None, *config.pixels))
    embeddings = Value("embeddings", "float32", (None, config.embedding))
    return {
        "image": Signature((pixels,), (embeddings,)),
        "text": Signature((_IDS, _MASK) if config.masked else (_IDS,), (embeddings,)),
    }


def _fusion_graphs(config: ModelConfig) -> dict[str, Signature]:
    side, width = config.image_size, config.width
    pixels = Value("pixels", "float32", (None, 3, side, side))
    embeddings = Value("embeddings", "float32", (None, config.embedding))
    seen = Value("tokens", "float32", (None, config.image_tokens, config.token_width))
    ids = Value("ids", "int64", (None, None))
    mask = Value("mask", "bool", (None, None))
    head = width // config.heads
    memory = Value(
        "memory",
        "float32",
        (None, config.fusion_layers, 2, config.heads, config.image_tokens, head),
    )
    similarity = Value("similarity", "float32", (None,))
    text = Value("tokens", "float32", (None, None, width))
    return {
        "image": Signature((pixels,), (embeddings, seen)),
        "text": Signature((ids, mask), (embeddings, text)),
        "memory": Signature((seen,), (memory,)),
        "fusion": Signature(
            (memory, replace(text, name="text"), mask, similarity),
            (Value("logits", "float32", (None,)),),
        ),
    }


_Shape = tuple[str, tuple[int, ...]]


def _weights(config: ModelConfig) -> Iterator[_Shape]:
    """As `engine.nn.FusionModel` names its parameters; a test holds the two together."""
    width, last = config.width, config.channels[-1]
    yield "log_scale", ()
    yield from _linear("describe", last, config.feature)
    yield from _linear("image_head", config.feature, config.embedding)
    yield from _linear("summarise", width, config.sentence)
    yield from _linear("text_head", config.sentence, config.embedding)
    yield from _linear("compress", last, config.token_width)
    yield from _stages(config)
    yield from _blocks("image_encoder", last, config.image_layers)
    yield "text_encoder.word.weight", (config.vocabulary, width)
    yield "text_encoder.position", (config.max_tokens, width)
    yield from _blocks("text_encoder", width, config.text_layers)
    yield from _linear("fusion.expand", config.token_width, width)
    yield "fusion.absent", (config.image_tokens, width)
    yield "fusion.kind", (2, width)
    yield "fusion.image_position", (config.image_tokens, width)
    yield from _blocks("fusion", width, config.fusion_layers)
    yield from _linear("fusion.match", width + 1, 1)


def _stages(config: ModelConfig) -> Iterator[_Shape]:
    number, inputs = 0, 3
    for outputs, residuals in zip(config.channels, config.residuals, strict=True):
        name = f"image_encoder.stages.{number}"
        yield f"{name}.0.weight", (outputs, inputs, 3, 3)
        yield from _normalised(f"{name}.1", outputs)
        for residual in range(number + 1, number + 1 + residuals):
            name = f"image_encoder.stages.{residual}"
            yield f"{name}.first.0.weight", (outputs, outputs, 3, 3)
            yield from _normalised(f"{name}.first.1", outputs)
            yield f"{name}.second.weight", (outputs, outputs, 3, 3)
            yield from _normalised(f"{name}.norm", outputs)
        number += 1 + residuals
        inputs = outputs


def _normalised(name: str, channels: int) -> Iterator[_Shape]:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (channels,)
    yield f"{name}.num_batches_tracked", ()


def _blocks(name: str, width: int, count: int) -> Iterator[_Shape]:
    for block in (f"{name}.blocks.{number}" for number in range(count)):
        yield from _scaled(f"{block}.norm1", width)
        yield from _linear(f"{block}.query", width, width)
        yield from _linear(f"{block}.key_value", width, 2 * width)
        yield from _linear(f"{block}.out", width, width)
        yield from _scaled(f"{block}.norm2", width)
        yield from _linear(f"{block}.mlp.0", width, 4 * width)
        yield from _linear(f"{block}.mlp.2", 4 * width, width)
    yield from _scaled(f"{name}.norm", width)


def _scaled(name: str, width: int) -> Iterator[_Shape]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


def _linear(name: str, inputs: int, outputs: int) -> Iterator[_Shape]:
    yield f"{name}.weight", (outputs, inputs)
    yield f"{name}.bias", (outputs,)
