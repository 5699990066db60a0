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
    smallest_encoded_area: float
    colour: float
    degraded: float
    word_dropout: float
    typos: float


@dataclass(frozen=True, slots=True)
class Distillation:
    """What the image teacher is asked, and in which sizes the student looks."""

    mixed: float
    sizes: tuple[int, ...]
    until: tuple[float, ...]
    captioned_weight: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """What the contrastive stage is shown; see recipe.toml."""

    dropout: float
    noise: float
    captions: int
    prototypes: float
    labels: float
    kinds: float


@dataclass(frozen=True, slots=True)
class Fusing:
    """What the fusion stage is shown; see recipe.toml."""

    views: int
    folds: int
    close: float
    hold: float
    edits: int
    edit_weight: float
    word_weight: float
    masked: float
    absent: float


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
class Recipe:
    """All settings of a training run."""

    seed: int
    languages: tuple[str, ...]
    words: dict[str, int]
    model: ModelConfig
    augment: Augment
    distillation: Distillation
    image: Stage
    text: Stage
    alignment: Alignment
    contrastive: Stage
    fusing: Fusing
    fusion: Stage
    reduce_range: bool


def read_recipe(path: Path = DEFAULT) -> Recipe:
    """Read a recipe. Raises OSError, KeyError, TypeError or ValueError when it can't be used."""
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    distillation = values["distillation"]
    return Recipe(
        seed=values["seed"],
        languages=tuple(values["languages"]),
        words=values["words"],
        model=ModelConfig.from_dict(values["model"]),
        augment=Augment(**values["augment"]),
        distillation=Distillation(
            **(distillation | {key: tuple(distillation[key]) for key in ("sizes", "until")})
        ),
        image=Stage(**values["image"]),
        text=Stage(**values["text"]),
        alignment=Alignment(**values["alignment"]),
        contrastive=Stage(**values["contrastive"]),
        fusing=Fusing(**values["fusing"]),
        fusion=Stage(**values["fusion"]),
        reduce_range=values["export"]["reduce_range"],
    )
