"""How compressed image tokens are kept: one signed byte a number, the same step for all.

The model normalises each token over its C numbers to mean 0 and variance 1, so that a fixed range
serves every photo and no scale has to be kept beside the bytes.
"""

from __future__ import annotations

import numpy as np

from engine.types import ByteArray, FloatArray

# 127 steps reach 4 standard deviations; what lies beyond is very rare, and is clipped.
TOKEN_STEP = 4 / 127


def pack_tokens(tokens: FloatArray) -> ByteArray:
    """Compressed tokens float32 [N,K,C], finite, -> int8 [N,K,C] in steps of `TOKEN_STEP`.

    Values from -4 to 4 move by half a step at most, values beyond become -4 or 4. Exact zeros
    stay so: a photo whose tokens are all 0 is an absent one to the fusion.
    """
    packed: ByteArray = np.clip(np.rint(tokens / TOKEN_STEP), -127, 127).astype(np.int8)
    return packed


def unpack_tokens(tokens: ByteArray) -> FloatArray:
    """Kept tokens int8 [N,K,C] -> float32 [N,K,C], about -4 to 4."""
    values: FloatArray = tokens.astype(np.float32) * np.float32(TOKEN_STEP)
    return values
