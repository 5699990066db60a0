"""One caption for each photo and one photo for each caption, together as good as can be."""

from __future__ import annotations

import lap
import numpy as np

from engine.types import FloatArray, IntArray


def assign(log_odds: FloatArray) -> IntArray:
    """The column of each of N rows, int64 [N]; -1 for rows that get none.

    Of all ways to give min(N, M) rows a column of their own, the one with the largest sum of
    ``log_odds`` float32 [N, M], all finite. That is the likeliest one if each pair's odds are what
    they say.
    """
    chosen = np.full(len(log_odds), -1, dtype=np.int64)
    rows, columns = lap.lapjvr(-log_odds, extend_cost=True, return_cost=False)
    chosen[rows] = columns
    return chosen


def rivals(log_odds: FloatArray, chosen: IntArray) -> tuple[IntArray, IntArray]:
    """For each assigned row the best other column, and the best other row of its column.

    Both int64 [N]; -1 where there is none, or where the row has no column.
    """
    other_column = np.full(len(log_odds), -1, dtype=np.int64)
    other_row = np.full(len(log_odds), -1, dtype=np.int64)
    for row in np.flatnonzero(chosen >= 0):
        other_column[row] = _best_but(log_odds[row], int(chosen[row]))
        other_row[row] = _best_but(log_odds[:, chosen[row]], int(row))
    return other_column, other_row


def _best_but(scores: FloatArray, left_out: int) -> int:
    if len(scores) < 2:
        return -1
    others = scores.copy()
    others[left_out] = -np.inf
    return int(others.argmax())
