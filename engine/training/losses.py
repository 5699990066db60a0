"""What the contrastive and the fusion stage share: a loss, and the choice of wrong captions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


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
