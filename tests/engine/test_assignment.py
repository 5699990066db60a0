from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from engine.assignment import assign, rivals


def best_total(scores: np.ndarray) -> float:
    if scores.shape[0] > scores.shape[1]:
        scores = scores.T
    rows = np.arange(len(scores))
    return max(
        float(scores[rows, list(columns)].sum())
        for columns in permutations(range(scores.shape[1]), len(scores))
    )


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (6, 3), (3, 6), (5, 1), (1, 5)])
@pytest.mark.parametrize("seed", range(5))
def test_the_total_is_the_largest_there_is(shape: tuple[int, int], seed: int) -> None:
    scores = np.random.default_rng(seed).normal(0, 4, shape).astype(np.float32)
    chosen = assign(scores)
    given = chosen[chosen >= 0]
    assert len(given) == min(shape) == len(set(given.tolist()))
    rows = np.flatnonzero(chosen >= 0)
    assert scores[rows, given].sum() == pytest.approx(best_total(scores), abs=1e-4)


def test_equal_scores_are_assigned_the_same_way_every_time() -> None:
    scores = np.zeros((30, 20), dtype=np.float32)
    assert assign(scores).tolist() == assign(scores.copy()).tolist()


def test_rivals_are_the_best_others_of_row_and_column() -> None:
    scores = np.array([[5, 4, 0], [1, 3, 2], [0, 0, -1], [4, 0, 1]], dtype=np.float32)
    chosen = np.array([0, 1, -1, 2])
    columns, rows = rivals(scores, chosen)
    assert columns.tolist() == [1, 2, -1, 0]
    assert rows.tolist() == [3, 0, -1, 1]


def test_a_single_pair_has_no_rival() -> None:
    columns, rows = rivals(np.zeros((1, 1), dtype=np.float32), np.array([0]))
    assert (columns.tolist(), rows.tolist()) == ([-1], [-1])
