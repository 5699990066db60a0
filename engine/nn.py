"""The image-text fusion model in torch.

    pixels [N,3,S,S] -> image encoder -> image tokens [N,K,W] -> features [N,F] -> embedding [N,E]
                                                              -> compressed tokens [N,K,C]
    ids    [M,L]     -> text encoder  -> text tokens  [M,L,D] -> sentence [M,T] -> embedding [M,E]
    compressed tokens + text tokens   -> fusion Transformer (+ similarity) -> logit [P]

Sources: patches and words joined in one Transformer that predicts match / no match, ViLT
(arXiv 2102.03334, section 3), here over the patches of a residual network as Pixel-BERT has it
(arXiv 2004.00849, section 3.2); contrastive head before fusion, ALBEF (arXiv 2107.07651,
section 3.2); pre-norm blocks (arXiv 2002.04745). Imported only by `engine.training` and
`engine.backends.torch`: the program runs without torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.config import ModelConfig


def _split_heads(x: Tensor, heads: int) -> Tensor:
    """[B, T, D] -> [B, heads, T, D / heads]."""
    batch, length, width = x.shape
    return x.view(batch, length, heads, width // heads).transpose(1, 2)


def _join_heads(x: Tensor) -> Tensor:
    """[B, heads, T, d] -> [B, T, heads * d]."""
    batch, heads, length, size = x.shape
    return x.transpose(1, 2).reshape(batch, length, heads * size)


class Block(nn.Module):
    """A pre-norm Transformer block whose queries may look at more than their own positions."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, width),
        )
        self.dropout = nn.Dropout(dropout)

    def keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of positions ``x`` [B,T,D]: each [B,heads,T,D/heads]."""
        key, value = self.key_value(self.norm1(x)).chunk(2, dim=-1)
        return _split_heads(key, self.heads), _split_heads(value, self.heads)

    def forward(self, x: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """New states of ``x`` [B,T,D] that attend to ``key``/``value`` [B,heads,S,D/heads].

        ``mask`` is bool [B,1,1,S], True where a position may be looked at; None means all.
        """
        query = _split_heads(self.query(self.norm1(x)), self.heads)
        # Written out: on a processor and for some dozen tokens three times as fast as torch's own.
        scores = query * (query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        seen = scores.softmax(dim=-1) @ value
        x = x + self.dropout(self.out(_join_heads(seen)))
        new: Tensor = x + self.dropout(self.mlp(self.norm2(x)))
        return new


class _Blocks(nn.ModuleList):
    """``count`` blocks; iterates with their own type."""

    def __init__(self, width: int, heads: int, count: int, dropout: float) -> None:
        super().__init__(Block(width, heads, dropout) for _ in range(count))

    def __iter__(self) -> Iterator[Block]:
        return cast("Iterator[Block]", super().__iter__())


class _Convolution(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )


class _Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut (arXiv 1512.03385, section 3.3)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _Convolution(channels, channels, 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        # Starting as the identity keeps early training steady.
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


class ImageEncoder(nn.Module):
    """Pixels [N,3,S,S] -> image tokens [N,K,W], K = (S/32)^2, row by row from the top left.

    A residual network (arXiv 1512.03385) of plain 3x3 convolutions, which learn from few photos
    and run near a processor's peak, then Transformer blocks in which the cells see each other.
    It knows no positions, so it can be trained on small pixels first and on larger ones later
    (arXiv 2104.00298, section 4).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for inputs, outputs, residuals in zip(
            (3, *config.channels), config.channels, config.residuals, strict=False
        ):
            stages.append(_Convolution(inputs, outputs, 2))
            stages.extend(_Residual(outputs) for _ in range(residuals))
        self.stages = nn.Sequential(*stages)
        self._ends = tuple(accumulate(1 + count for count in config.residuals))
        self.blocks = _Blocks(
            config.channels[-1], config.heads, config.image_layers, config.dropout
        )
        self.norm = nn.LayerNorm(config.channels[-1])

    def stage_maps(self, pixels: Tensor) -> list[Tensor]:
        """What each stage of the network ends in: [N,channels,S/2,S/2], .., [N,W,S/32,S/32]."""
        maps, begin, x = [], 0, pixels
        for end in self._ends:
            x = self.stages[begin:end](x)
            maps.append(x)
            begin = end
        return maps

    def forward(self, pixels: Tensor) -> Tensor:
        """Image tokens of pixels, as the class says."""
        return self.tokens(self.stage_maps(pixels)[-1])

    def tokens(self, last: Tensor) -> Tensor:
        """Image tokens [N,K,W] of the last stage's map [N,W,S/32,S/32]."""
        x = last.flatten(2).transpose(1, 2)
        for block in self.blocks:
            x = block(x, *block.keys_values(x))
        normed: Tensor = self.norm(x)
        return normed


class TextEncoder(nn.Module):
    """Ids int64 [M,L] and mask bool [M,L] -> text tokens [M,L,D].

    No dropout: its teacher describes far more texts than it can learn by heart.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.word = nn.Embedding(config.vocabulary, config.width)
        self.position = nn.Parameter(torch.randn(config.max_tokens, config.width) * 0.02)
        nn.init.normal_(self.word.weight, std=0.02)
        self.blocks = _Blocks(config.width, config.heads, config.text_layers, dropout=0.0)
        self.norm = nn.LayerNorm(config.width)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Text tokens of ids, as the class says."""
        x = self.word(ids) + self.position[: ids.shape[1]]
        for block in self.blocks:
            x = block(x, *block.keys_values(x), mask[:, None, None, :])
        normed: Tensor = self.norm(x)
        return normed


class FusionTransformer(nn.Module):
    """One Transformer over image and text tokens laid end to end.

    Image positions attend to image positions only, text positions to all. The image side then
    does not depend on the caption: `memory` computes its keys and values once per photo, and
    `forward` runs only the text positions for each caption. The last linear layer reads the first
    text position, the tokenizer's [CLS], and the pair's similarity: what alignment knows already
    need not be learnt again from few pairs.

    A photo whose tokens are all 0 is absent: learned tokens stand for it, and the logit then says
    what the caption alone gives away. A caption is absent when it is [CLS] alone.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.expand = nn.Linear(config.token_width, config.width)
        self.absent = nn.Parameter(torch.randn(config.image_tokens, config.width) * 0.02)
        self.kind = nn.Parameter(torch.randn(2, config.width) * 0.02)
        self.image_position = nn.Parameter(torch.randn(config.image_tokens, config.width) * 0.02)
        self.blocks = _Blocks(config.width, config.heads, config.fusion_layers, config.dropout)
        self.norm = nn.LayerNorm(config.width)
        self.match = nn.Linear(config.width + 1, 1)
        with torch.no_grad():  # a similarity spans about a tenth of what a [CLS] feature does
            self.match.weight[0, -1] = 10.0

    def memory(self, tokens: Tensor) -> Tensor:
        """Compressed tokens [N,K,C] -> keys and values [N,layers,2,heads,K,D/heads]."""
        present = (tokens != 0).any(dim=2, keepdim=True).any(dim=1, keepdim=True)
        x = torch.where(present, self.expand(tokens), self.absent)
        x = x + self.image_position + self.kind[0]
        layers = []
        for index, block in enumerate(self.blocks):
            key, value = block.keys_values(x)
            layers.append(torch.stack((key, value), dim=1))
            if index + 1 < len(self.blocks):  # nobody reads the last layer's image states
                x = block(x, key, value)
        return torch.stack(layers, dim=1)

    def states(self, memory: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """Text positions [P,L,D] after looking at the photo, normalised.

        Takes memory [P,layers,2,heads,K,d], text tokens [P,L,D] and mask bool [P,L].
        """
        x = text + self.kind[1]
        seen_images = mask.new_ones(mask.shape[0], memory.shape[4])
        seen = torch.cat((seen_images, mask), dim=1)[:, None, None, :]
        for index, block in enumerate(self.blocks):
            key, value = block.keys_values(x)
            key = torch.cat((memory[:, index, 0], key), dim=2)
            value = torch.cat((memory[:, index, 1], value), dim=2)
            x = block(x, key, value, seen)
        normed: Tensor = self.norm(x)
        return normed

    def forward(self, memory: Tensor, text: Tensor, mask: Tensor, similarity: Tensor) -> Tensor:
        """Logits [P] of P pairs; arguments as for `states`, and the pairs' similarity [P]."""
        states = self.states(memory, text, mask)
        features = torch.cat((states[:, 0], similarity[:, None]), dim=1)
        logits: Tensor = self.match(features).squeeze(-1)
        return logits


class FusionModel(nn.Module):
    """Both encoders, the contrastive head and the fusion."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.image_encoder = ImageEncoder(config)
        self.describe = nn.Linear(config.channels[-1], config.feature)
        self.image_head = nn.Linear(config.feature, config.embedding)
        self.text_encoder = TextEncoder(config)
        self.summarise = nn.Linear(config.width, config.sentence)
        self.text_head = nn.Linear(config.sentence, config.embedding)
        self.compress = nn.Linear(config.channels[-1], config.token_width)
        self.fusion = FusionTransformer(config)
        # CLIP (arXiv 2103.00020, section 2.5) starts its temperature at 0.07.
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def encode_images(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels [N,3,S,S] -> embeddings [N,E] of length 1 and compressed tokens [N,K,C]."""
        tokens: Tensor = self.image_encoder(pixels)
        features = self.feature_map(tokens).mean(dim=1)
        return self.embed_features(features), self.compress_tokens(tokens)

    def feature_map(self, tokens: Tensor) -> Tensor:
        """Image tokens [N,K,W] -> features of each cell [N,K,F], none below 0."""
        return F.relu(self.describe(tokens))

    def embed_features(self, features: Tensor) -> Tensor:
        """Features [N,F], the mean over a photo's cells -> embeddings [N,E] of length 1."""
        return F.normalize(self.image_head(features), dim=-1)

    def compress_tokens(self, tokens: Tensor) -> Tensor:
        """Image tokens [N,K,W] -> compressed tokens [N,K,C].

        Normalised, so that 8 bits a number in the index lose little.
        """
        compressed = self.compress(tokens)
        return F.layer_norm(compressed, compressed.shape[-1:])

    def encode_texts(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Ids int64 [M,L], mask bool [M,L] -> embeddings [M,E] of length 1 and tokens [M,L,D]."""
        tokens = self.text_encoder(ids, mask)
        return self.embed_sentences(self.sentences(tokens, mask)), tokens

    def sentences(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Text tokens [M,L,D] -> what the captions mean, [M,T] of length 1."""
        weight = mask.unsqueeze(-1).to(tokens.dtype)
        mean = (tokens * weight).sum(dim=1) / weight.sum(dim=1)
        return F.normalize(self.summarise(mean), dim=-1)

    def embed_sentences(self, sentences: Tensor) -> Tensor:
        """Sentences [M,T] -> embeddings [M,E] of length 1."""
        return F.normalize(self.text_head(sentences), dim=-1)
