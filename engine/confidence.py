"""Whether anything that a search found really fits its words: a decision of its own.

A match probability is about one pair, on pairs of which half match. A search looks at the best of
many photos, and the best of many is high by chance alone, so its answer to "does anything fit?"
is a rule of its own, fitted on searches for what is not there. Photos that compete are those that
could have been found: a search among some photos only is judged by their number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.types import BoolArray, FloatArray

_CHINESE = re.compile(r"[\u3400-\u9fff]")


def language_of(text: str) -> str:
    """The language that a query is judged in: "zh" if it has a Chinese character, else "en"."""
    return "zh" if _CHINESE.search(text) else "en"


@dataclass(frozen=True, slots=True)
class SearchConfidence:
    """Something fits when the best similarity reaches base + growth * log(photos that compete).

    The best of N unrelated photos grows with N, and for the sizes of libraries that were tried
    it does so in a straight line over log N.

    Attributes:
        base: similarity, -1 to 1, that a single photo must reach, by the language of the query;
            a query in another language must reach the highest of them.
        growth: similarity that is asked for on top whenever a library is e times as large.
    """

    base: Mapping[str, float]
    growth: float

    def __post_init__(self) -> None:
        if not self.base or not np.all(np.isfinite((*self.base.values(), self.growth))):
            raise ValueError("search confidence: base and growth must be finite, base not empty")

    def least(self, language: str, competing: int) -> float:
        """The similarity from which something fits, in a library of ``competing`` photos."""
        base = self.base.get(language, max(self.base.values()))
        return float(base + self.growth * np.log(competing))

    def confident(self, best: FloatArray, language: str, competing: int) -> BoolArray:
        """Whether something fits, bool [Q], of the best similarity float32 [Q] of each query."""
        result: BoolArray = best >= self.least(language, competing)
        return result

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SearchConfidence:
        """Read what `to_dict` wrote. Raises TypeError or ValueError when the values don't fit."""
        return cls(base=dict(values["base"]), growth=values["growth"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def fit_search_confidence(
    unfit: Mapping[str, Mapping[int, FloatArray]], most_false_alarms: float
) -> SearchConfidence:
    """The rule that keeps to a share of false alarms in libraries of every size.

    Args:
        unfit: by language and number of photos that compete, the best similarity float32 [Q] of
            queries that none of them fits; the same sizes in each language.
        most_false_alarms: share, 0 to 1, of such queries that may be called a match.

    For each language and size the similarity that no more than this share exceeds is found; one
    slope and a level for each language are fitted to these by least squares. Raises ValueError
    when there are fewer than two sizes.
    """
    sizes = sorted({size for by_size in unfit.values() for size in by_size})
    if len(sizes) < 2:
        raise ValueError("search confidence needs searches in libraries of at least two sizes")
    level = np.array(
        [
            [np.quantile(by_size[size], 1 - most_false_alarms) for size in sizes]
            for by_size in unfit.values()
        ]
    )
    places = np.log(sizes)
    centred = places - places.mean()
    growth = float((level @ centred).mean() / (centred @ centred))
    base = level.mean(axis=1) - growth * places.mean()
    return SearchConfidence(dict(zip(unfit, base.tolist(), strict=True)), growth)
