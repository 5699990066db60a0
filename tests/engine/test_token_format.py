from __future__ import annotations

import numpy as np
import pytest

from engine.token_format import TOKEN_STEP, pack_tokens, unpack_tokens
from engine.types import FloatArray


def through(values: FloatArray) -> FloatArray:
    """Packed and unpacked again."""
    return unpack_tokens(pack_tokens(values))


def test_values_within_the_range_move_by_half_a_step_at_most() -> None:
    values = np.linspace(-4, 4, 24_000, dtype=np.float32).reshape(10, 30, 80)

    error = np.abs(through(values) - values)

    assert error.max() <= TOKEN_STEP / 2 + 1e-6
    assert error.max() >= TOKEN_STEP / 2 - 1e-3  # the values do come between the steps


def test_values_beyond_the_range_are_clipped_to_its_ends() -> None:
    values = np.array([[[-1000, -4.1, -4, 4, 4.1, 1000]]], np.float32)

    assert pack_tokens(values).tolist() == [[[-127, -127, -127, 127, 127, 127]]]
    np.testing.assert_allclose(through(values), [[[-4, -4, -4, 4, 4, 4]]], rtol=1e-6)


def test_an_absent_photo_stays_exactly_zero_among_others() -> None:
    tokens = np.random.default_rng(0).normal(size=(3, 25, 80)).astype(np.float32)
    tokens[1] = 0

    found = through(tokens)

    assert not found[1].any()
    assert found[[0, 2]].any(axis=(1, 2)).all()


def test_normalised_tokens_lose_about_a_hundredth_of_their_spread() -> None:
    tokens = np.random.default_rng(0).normal(size=(50, 25, 80)).astype(np.float32)
    tokens -= tokens.mean(axis=2, keepdims=True)
    tokens /= tokens.std(axis=2, keepdims=True)

    error = through(tokens) - tokens

    assert error.std() <= 0.01
    assert abs(error.mean()) <= 1e-3


def test_packing_what_was_unpacked_changes_nothing() -> None:
    kept = np.arange(-127, 128, dtype=np.int8).reshape(1, 5, 51)

    np.testing.assert_array_equal(pack_tokens(unpack_tokens(kept)), kept)


@pytest.mark.parametrize("count", [0, 2])
def test_shapes_stay_and_types_are_as_promised(count: int) -> None:
    packed = pack_tokens(np.ones((count, 3, 4), np.float32))
    values = unpack_tokens(packed)

    assert packed.shape == values.shape == (count, 3, 4)
    assert (packed.dtype, values.dtype) == (np.int8, np.float32)
