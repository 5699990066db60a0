"""The training recipe as frozen dataclasses, read from one TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from engine.config import ModelConfig

DEFAULT = Path(__file__).with_name("recipe.toml")


@dataclass(frozen=True, slots=True)
class Augment:
    """How photos and captions are varied; see recipe.toml for units."""

    side: int
    smallest_area: float
    colour: float
    word_dropout: float


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of optimisation with AdamW and a cosine schedule."""

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    warmup: float
    patience: int


@dataclass(frozen=True, slots=True)
class Negatives:
    """What the fusion stage is shown; see recipe.toml."""

    views: int
    hard_share: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """All settings of a training run."""

    seed: int
    languages: tuple[str, ...]
    model: ModelConfig
    augment: Augment
    contrastive: Stage
    fusion: Stage
    negatives: Negatives
    reduce_range: bool


def read_recipe(path: Path = DEFAULT) -> Recipe:
    """Read a recipe. Raises OSError, TypeError or ValueError when it can't be used."""
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    return Recipe(
        seed=values["seed"],
        languages=tuple(values["languages"]),
        model=ModelConfig.from_dict(values["model"]),
        augment=Augment(**values["augment"]),
        contrastive=Stage(**values["contrastive"]),
        fusion=Stage(**values["fusion"]),
        negatives=Negatives(**values["negatives"]),
        reduce_range=values["export"]["reduce_range"],
    )
