"""One training run: where its data lie, and what all stages read of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.caption_set import CaptionSet, read_caption_set
from engine.evaluation.columns import read_columns
from engine.tokenizer import Tokenizer
from engine.training.compute import Compute
from engine.training.corpus import Label, read_labels
from engine.training.image_teacher import ImageTeacher
from engine.training.photos import cache_photos, exact_pixels, more_photos, preprocessing
from engine.training.recipe import Recipe

CAPTIONED = "flickr8k"
# Folders of further photos; none has to be there.
FURTHER = ("flowers/train", "photos")
TEACHER = "teacher"
FOLDER_LABELS = Path(__file__).with_name("folder_labels.tsv")
# Everyday queries that no validation photo fits.
UNFIT_QUERIES = Path(__file__).with_name("unfit_queries.tsv")


@dataclass(frozen=True)
class Run:
    """What a run is made of.

    Args:
        data: holds `flickr8k/` (see `engine.caption_set`, with `captions.zh-machine.tsv` as well),
            `teacher/`, and perhaps further photos in the folders of `FURTHER`.
        work: checkpoints, caches and curves.
    """

    data: Path
    work: Path
    recipe: Recipe
    compute: Compute

    @property
    def captioned(self) -> Path:
        """The folder of captioned photos."""
        return self.data / CAPTIONED

    def captions(self, split: str, language: str) -> CaptionSet:
        """Captions of a split. Raises EvaluationDataMissing."""
        return read_caption_set(self.captioned, split, language)

    def by_language(self, split: str) -> dict[str, CaptionSet]:
        """Captions of a split in each language, of the same photos.

        Raises EvaluationDataMissing, or ValueError where the languages caption different photos.
        """
        sets = {name: self.captions(split, name) for name in self.recipe.languages}
        photos = [found.photos for found in sets.values()]
        if any(listed != photos[0] for listed in photos):
            raise ValueError(f"the languages caption different photos of {split}.txt")
        return sets

    @cached_property
    def captioned_count(self) -> int:
        """How many of `photos` have captions: the first ones."""
        return len(self.by_language("train")[self.recipe.languages[0]].photos)

    @cached_property
    def photos(self) -> list[Path]:
        """Every photo that is trained on, captioned ones first."""
        captioned = self.by_language("train")[self.recipe.languages[0]].photos
        return captioned + [
            photo for folder in FURTHER for photo in more_photos(self.data / folder)
        ]

    @cached_property
    def pixels(self) -> np.ndarray:
        """`photos` as uint8 [A,side,side,3] on disk."""
        side = self.recipe.augment.side
        return cache_photos(self.photos, side, self.work / f"photos-{side}.npy")

    @cached_property
    def check_photos(self) -> list[Path]:
        """The photos of the validation split."""
        return self.by_language("val")[self.recipe.languages[0]].photos

    @cached_property
    def check_array(self) -> np.ndarray:
        """`check_photos` as uint8 [V,side,side,3] on disk."""
        side = self.recipe.augment.side
        return cache_photos(self.check_photos, side, self.work / f"val-{side}.npy")

    @cached_property
    def check_pixels(self) -> Tensor:
        """`check_photos` as the program sees them: float32 [V,3,S,S]."""
        return exact_pixels(self.check_photos, preprocessing(self.recipe.model.image_size))

    @cached_property
    def image_teacher(self) -> ImageTeacher:
        """Asked by as many threads as torch uses."""
        return ImageTeacher(self.data / TEACHER, torch.get_num_threads())

    @cached_property
    def kinds(self) -> list[Label]:
        """What the labelled folders show, each kind once."""
        return list(dict.fromkeys(read_labels(FOLDER_LABELS)))

    @cached_property
    def kind(self) -> Tensor:
        """int64 [A]: the row in `kinds` of each photo of a labelled folder, -1 for the others."""
        folders = read_columns(FOLDER_LABELS, ("folder",))["folder"]
        labels = dict(zip(folders, read_labels(FOLDER_LABELS), strict=True))
        number = {label: row for row, label in enumerate(self.kinds)}
        found = torch.full((len(self.photos),), -1)
        for row, photo in enumerate(self.photos):
            folder = photo.parent
            name = f"{folder.parent.name}/{folder.name}".replace("train/", "flowers/", 1)
            if name in labels:
                found[row] = number[labels[name]]
        return found

    @property
    def tokenizer_file(self) -> Path:
        """Where the tokenizer step leaves its result."""
        return self.work / "tokenizer.json"

    def tokenizer(self) -> Tokenizer:
        """The trained tokenizer."""
        return Tokenizer(self.tokenizer_file, self.recipe.model.max_tokens)

    def sentences_of(self, captions: CaptionSet) -> tuple[list[str], Tensor]:
        """All captions [M] of a set, and the photo int64 [M] of each."""
        owner = [row for row, texts in enumerate(captions.captions) for _ in texts]
        return [text for texts in captions.captions for text in texts], torch.tensor(owner)
