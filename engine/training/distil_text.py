"""Stage "text": the text encoder learns to place texts where the sentence teacher places them.

English texts go where the teacher puts them, Chinese ones where it puts the English texts that say
the same (arXiv 2004.09813).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine.nn import FusionModel
from engine.tokenizer import SPECIAL_TOKENS, Tokenizer
from engine.training.compute import Compute
from engine.training.corpus import Corpus, misspell
from engine.training.recipe import Augment, Stage
from engine.training.text_teacher import TextTeacher

# Batches that are sorted by length together, so that little of a batch is padding.
_SORTED_TOGETHER = 16
_UNKNOWN, _CLS = SPECIAL_TOKENS.index("[UNK]"), SPECIAL_TOKENS.index("[CLS]")


@dataclass(frozen=True, slots=True)
class Texts:
    """Encoded texts and the places the teacher gives them.

    Attributes:
        ids: int64 [M,L], padded with 0.
        slips: int64 [M,L], the same with a slip of the fingers each.
        meanings: float16 [M,T], each row of length 1.
    """

    ids: Tensor
    slips: Tensor
    meanings: Tensor


def encode_texts(tokenizer: Tokenizer, texts: Sequence[str]) -> Tensor:
    """Ids int64 [M,L] of texts; id 0 is padding and nothing else."""
    return torch.from_numpy(tokenizer.encode(texts)[0])


def teach(
    corpus: Corpus, tokenizer: Tokenizer, teacher: TextTeacher, seed: int, kept: Path
) -> Texts:
    """Ask the teacher for the places of a corpus's texts, or read what was kept."""
    if not kept.exists():
        partial = kept.with_suffix(".partial.npy")
        np.save(partial, teacher.meanings(corpus.partners, "text teacher"))
        partial.rename(kept)
    partners = torch.from_numpy(np.load(kept)).float()
    meanings = torch.stack([partners[list(rows)].mean(dim=0) for rows in corpus.rows])
    generator = random.Random(seed)
    slips = [misspell(text, generator) for text in corpus.texts]
    return Texts(
        encode_texts(tokenizer, corpus.texts),
        encode_texts(tokenizer, slips),
        nn.functional.normalize(meanings, dim=1).half(),
    )


def hide_words(ids: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Replace some tokens of ids [B,L] by [UNK], so that no single word decides."""
    hidden = torch.rand(ids.shape, generator=generator) < chance
    return torch.where(hidden & (ids > _CLS), _UNKNOWN, ids)


class TextStudent(nn.Module):
    """The parts of the model that this stage trains."""

    def __init__(self, model: FusionModel) -> None:
        super().__init__()
        self.text_encoder, self.summarise = model.text_encoder, model.summarise
        self._sentences = model.sentences

    def forward(self, ids: Tensor) -> Tensor:
        """Ids [B,L] -> sentences [B,T] of length 1."""
        mask = ids > 0
        found: Tensor = self._sentences(self.text_encoder(ids, mask), mask)
        return found


class TextDistillation:
    """Objective of the stage. See `engine.training.loop.Objective`.

    Args:
        held_out: texts of the validation split with their places, by language.
    """

    def __init__(
        self,
        student: TextStudent,
        texts: Texts,
        held_out: dict[str, Texts],
        stage: Stage,
        augment: Augment,
        seed: int,
        compute: Compute,
    ) -> None:
        self._student, self._texts, self._held_out = student.to(compute.device), texts, held_out
        self._stage, self._augment, self._seed = stage, augment, seed
        self._compute = compute
        self._lengths = (texts.ids > 0).sum(dim=1).numpy()

    @property
    def steps(self) -> int:
        """Steps of an epoch over all texts."""
        return len(self._lengths) // self._stage.batch

    def losses(self, epoch: int) -> Iterator[Tensor]:
        """See `Objective.losses`."""
        numpy = np.random.default_rng((self._seed, 2, epoch))
        drawn = torch.Generator().manual_seed(int(numpy.integers(2**31)))
        for rows in self._batches(numpy):
            slipped = torch.rand(len(rows), generator=drawn) < self._augment.typos
            width = max(self._texts.ids.shape[1], self._texts.slips.shape[1])
            clean, slips = (
                nn.functional.pad(ids[rows], (0, width - ids.shape[1]))
                for ids in (self._texts.ids, self._texts.slips)
            )
            ids = torch.where(slipped[:, None], slips, clean)
            ids = ids[:, : int((ids > 0).sum(dim=1).max())]
            ids = hide_words(ids, self._augment.word_dropout, drawn)
            yield self._distance(ids, self._texts.meanings[rows])

    def _batches(self, numpy: np.random.Generator) -> list[np.ndarray]:
        """Rows of each batch, alike in length, in random order."""
        order = numpy.permutation(len(self._lengths))
        batches: list[np.ndarray] = []
        together = _SORTED_TOGETHER * self._stage.batch
        for start in range(0, len(order), together):
            part = order[start : start + together]
            part = part[np.argsort(self._lengths[part], kind="stable")]
            batches += np.split(part, np.arange(self._stage.batch, len(part), self._stage.batch))
        return [batches[n] for n in numpy.permutation(len(batches))][: self.steps]

    def _distance(self, ids: Tensor, meanings: Tensor) -> Tensor:
        with self._compute.autocast():
            found = self._student(ids.to(self._compute.device))
        wanted = meanings.to(found.device).float()
        distance: Tensor = (1 - (found.float() * wanted).sum(dim=1)).mean()
        return distance

    def validate(self) -> dict[str, float]:
        """See `Objective.validate`: mean cosine to the teacher, for each language."""
        found = {
            f"{language}_cosine": 1
            - float(
                torch.stack(
                    [
                        self._distance(ids, meanings)
                        for ids, meanings in zip(
                            texts.ids.split(512), texts.meanings.split(512), strict=True
                        )
                    ]
                ).mean()
            )
            for language, texts in self._held_out.items()
        }
        return {"score": sum(found.values()) / len(found), **found}
