"""What attention adds to its scores so that padding is not looked at."""

from __future__ import annotations

from torch import Tensor

# Enough that its share of a softmax is 0 in float32, and far from where sums overflow.
_HIDDEN = -1e4


def hidden(mask: Tensor) -> Tensor:
    """Mask bool [B,L] -> float32 [B,1,1,L], to be added to scores: 0 where it is True."""
    return (~mask)[:, None, None, :].float() * _HIDDEN
