"""What is said of a pair in words: it matches, it does not, or the answer is unsure."""

from __future__ import annotations

from enum import StrEnum

# Of the answers called unsure, so large a share or more would be wrong.
UNSURE = 1 / 3


class Verdict(StrEnum):
    """The answers there are, in the command line's words."""

    MATCH = "matches"
    UNSURE = "unsure"
    NO_MATCH = "does not match"


def verdict(probability: float, threshold: float, calibrated: bool = True) -> Verdict:
    """The answer for a match probability, both 0 to 1.

    The threshold decides between match and no match. Of pairs with this probability that share is
    right, so the decision is wrong for the rest of them, or for that share: where this is `UNSURE`
    or more, it is no more than a guess, and said to be one. With a threshold of one half that is so
    from one third to two thirds.

    Args:
        calibrated: whether ``probability`` is one; where it is not, nobody knows how often an
            answer is wrong, and none is called unsure.
    """
    match = probability >= threshold
    wrong = 1 - probability if match else probability
    if calibrated and wrong >= UNSURE:
        return Verdict.UNSURE
    return Verdict.MATCH if match else Verdict.NO_MATCH
