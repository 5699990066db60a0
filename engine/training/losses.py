"""Losses of the two training stages."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.nn import FusionModel


def contrastive_loss(left: Tensor, right: Tensor, log_scale: Tensor) -> Tensor:
    """Symmetric InfoNCE of embeddings [B,E] whose rows belong together (CLIP, arXiv 2103.00020).

    ``log_scale`` is the logarithm of the inverse temperature, held at 100 as CLIP does.
    """
    logits = log_scale.exp().clamp(max=100) * left @ right.T
    target = torch.arange(len(left), device=left.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def hard_negatives(similarity: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """For each row of a scaled similarity matrix [B,B] a wrong column [B].

    A ``share`` of the draw follows the softmax of the row without its diagonal, as in ALBEF
    (arXiv 2107.07651, section 3.3); the rest is even, so that the logit stays right for wrong
    captions that are not close.
    """
    others = 1 - torch.eye(len(similarity))
    close = F.softmax(similarity.masked_fill(others == 0, -torch.inf), dim=1)
    weights = share * close + (1 - share) * others / (len(similarity) - 1)
    return torch.multinomial(weights, 1, generator=generator).squeeze(1)


def match_loss(
    model: FusionModel,
    compressed: Tensor,
    text: Tensor,
    mask: Tensor,
    similarity: Tensor,
    hard_share: float,
    generator: torch.Generator,
) -> Tensor:
    """Binary cross-entropy on each right pair, one with a wrong caption, one with a wrong photo.

    Args:
        model: its fusion is trained.
        compressed: image tokens [B,K,C].
        text: text tokens [B,L,D].
        mask: bool [B,L]; row i belongs to photo i.
        similarity: [B,B], photos by captions, without gradient.
        hard_share: share of close negatives, 0 to 1.
        generator: draws the negatives.
    """
    scaled = similarity * model.log_scale.detach().exp()
    wrong_text = hard_negatives(scaled, hard_share, generator)
    wrong_image = hard_negatives(scaled.T, hard_share, generator)
    rows = torch.arange(len(compressed))
    images = torch.cat((rows, rows, wrong_image))
    texts = torch.cat((rows, wrong_text, rows))
    memory = model.fusion.memory(compressed)
    logits = model.fusion(memory[images], text[texts], mask[texts], similarity[images, texts])
    target = torch.zeros_like(logits)
    target[: len(rows)] = 1
    # One right pair stands against two wrong ones; weigh them evenly.
    weight = torch.where(target > 0, 2.0, 1.0)
    return F.binary_cross_entropy_with_logits(logits, target, weight=weight)
