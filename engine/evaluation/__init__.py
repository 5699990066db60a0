"""How good a model pack is on a captioned data set, from the pack alone.

`evaluate` measures everything; `tables` shows it to people. Reports are plain values for JSON.
Shares are 0 to 1, and ``NAME_interval`` beside a ``NAME`` is its 95 % bootstrap interval.
"""

from engine.evaluation.features import encode_photos
from engine.evaluation.pairs import pair_scores, random_pairs
from engine.evaluation.report import Labelled, evaluate
from engine.evaluation.tables import summary

__all__ = ["Labelled", "encode_photos", "evaluate", "pair_scores", "random_pairs", "summary"]
