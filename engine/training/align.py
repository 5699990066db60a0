"""Stage "contrastive": both heads learn to bring photos and texts to one place.

The encoders stay as their teachers left them; what they say is computed once, so that a step costs
little and every caption of a photo can be in it. Captioned photos alone would narrow the model
to what they show, so three more sources take part: *prototypes* (the mean feature, pushed along a
row of the image teacher's classifier, with the name of that class), the teacher's *label
probabilities* of all photos, and photos of *labelled* folders.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine import metrics
from engine.nn import FusionModel
from engine.training.losses import contrastive_loss
from engine.training.recipe import Alignment, Stage


class Heads(nn.Module):
    """The parts of the model that this stage trains."""

    def __init__(self, model: FusionModel, dropout: float) -> None:
        super().__init__()
        self.image_head, self.text_head = model.image_head, model.text_head
        self.log_scale = model.log_scale
        self._embed_features, self._embed_sentences = model.embed_features, model.embed_sentences
        self.dropout = nn.Dropout(dropout)

    def images(self, features: Tensor) -> Tensor:
        """Features [B,F] -> embeddings [B,E] of length 1."""
        return self._embed_features(self.dropout(features))

    def texts(self, sentences: Tensor) -> Tensor:
        """Sentences [B,T] -> embeddings [B,E] of length 1."""
        return self._embed_sentences(sentences)


@dataclass(frozen=True, slots=True)
class Captioned:
    """N photos and what their captions say, in one language.

    Attributes:
        sentences: float32 [M,T].
        owner: int64 [M], the photo of each; sorted.
    """

    sentences: Tensor
    owner: Tensor


@dataclass(frozen=True, slots=True)
class Named:
    """Names of L kinds of things, each said in W ways (languages and templates): [L,W,T]."""

    sentences: Tensor

    def draw(self, drawn: torch.Generator) -> Tensor:
        """One way of saying each name: [L,T]."""
        kinds, ways, _ = self.sentences.shape
        return self.sentences[torch.arange(kinds), torch.randint(ways, (kinds,), generator=drawn)]


@dataclass(frozen=True, slots=True)
class AlignmentData:
    """What the stage learns from. Photos of all sets are numbered together, captioned ones first.

    Attributes:
        views: features [A,F] of all photos, one tensor for each view.
        captions: the captions of the first photos, by language.
        teacher_labels: float32 [A,1000], what the image teacher says of each photo.
        classifier: float32 [1000,F], the teacher's rows.
        labels: names of the teacher's 1,000 classes.
        kinds: names of the labelled folders' kinds.
        kind: int64 [A], the row in ``kinds`` of each photo, -1 where it has none.
    """

    views: Sequence[Tensor]
    captions: dict[str, Captioned]
    teacher_labels: Tensor
    classifier: Tensor
    labels: Named
    kinds: Named
    kind: Tensor


@dataclass(frozen=True, slots=True)
class AlignmentCheck:
    """Features [V,F] of the validation photos and their captions by language."""

    features: Tensor
    captions: dict[str, Captioned]


def retrieval(images: Tensor, captions: Captioned, texts: Tensor) -> tuple[float, float]:
    """Recall at 10, photo to text and text to photo, of embeddings [V,E] and [M,E]."""
    similarity = (images @ texts.T).float().cpu().numpy()
    relevant = (torch.arange(len(images))[:, None] == captions.owner[None, :]).numpy()
    return (
        metrics.recall_at(metrics.best_ranks(similarity, relevant), 10),
        metrics.recall_at(metrics.best_ranks(similarity.T, relevant.T), 10),
    )


class ContrastiveAlignment:
    """Objective of the stage. See `engine.training.loop.Objective`.

    Args:
        kept: bool [N], the captioned photos whose captions are learnt from.
    """

    def __init__(
        self,
        heads: Heads,
        data: AlignmentData,
        check: AlignmentCheck,
        kept: Tensor,
        stage: Stage,
        how: Alignment,
        seed: int,
    ) -> None:
        self._heads, self._data, self._check = heads, data, check
        self._stage, self._how, self._seed = stage, how, seed
        self._photos = kept.nonzero().squeeze(1)
        self._rows = {
            language: torch.bincount(captions.owner).cumsum(0)
            for language, captions in data.captions.items()
        }
        self._mean = data.views[0].float().mean(dim=0)
        self._spread = data.views[0].float().std(dim=0)
        self._labelled = (data.kind >= 0).nonzero().squeeze(1)

    @property
    def steps(self) -> int:
        """Steps of an epoch over the captioned photos."""
        return len(self._photos) // self._stage.batch

    def losses(self, epoch: int) -> Iterator[Tensor]:
        """See `Objective.losses`."""
        numpy = np.random.default_rng((self._seed, 3, epoch))
        drawn = torch.Generator().manual_seed(int(numpy.integers(2**31)))
        torch.manual_seed(int(numpy.integers(2**31)))  # dropout
        order = self._photos[torch.from_numpy(numpy.permutation(len(self._photos)))]
        for step in range(self.steps):
            photos = order[step * self._stage.batch : (step + 1) * self._stage.batch]
            loss = self._captions(photos, drawn)
            loss = loss + self._how.prototypes * self._prototypes(drawn)
            loss = loss + self._how.labels * self._labels(drawn)
            if len(self._labelled):
                loss = loss + self._how.kinds * self._kinds(drawn)
            yield loss

    def _features(self, photos: Tensor, drawn: torch.Generator) -> Tensor:
        """One view of each photo with noise in proportion to each feature's spread."""
        choice = torch.randint(len(self._data.views), (len(photos),), generator=drawn)
        stacked = torch.stack([view[photos] for view in self._data.views]).float()
        features = stacked[choice, torch.arange(len(photos))]
        noise = torch.randn(features.shape, generator=drawn)
        return F.relu(features + self._how.noise * self._spread * noise)

    def _captions(self, photos: Tensor, drawn: torch.Generator) -> Tensor:
        images = self._heads.images(self._features(photos, drawn))
        losses = []
        for language, captions in self._data.captions.items():
            ends = self._rows[language]
            counts = torch.diff(ends, prepend=ends.new_zeros(1))[photos]
            for number in range(self._how.captions):
                rows = ends[photos] - 1 - number % counts
                texts = self._heads.texts(captions.sentences[rows])
                losses.append(contrastive_loss(images, texts, self._heads.log_scale))
        return torch.stack(losses).mean()

    def _prototypes(self, drawn: torch.Generator) -> Tensor:
        rows = torch.randperm(len(self._data.classifier), generator=drawn)[: self._stage.batch]
        direction = F.normalize(self._data.classifier[rows], dim=1)
        length = self._spread.norm() * (0.5 + 1.5 * torch.rand(len(rows), 1, generator=drawn))
        noise = torch.randn(direction.shape, generator=drawn)
        features = self._mean + length * direction + self._how.noise * self._spread * noise
        images = self._heads.images(F.relu(features))
        texts = self._heads.texts(self._data.labels.draw(drawn)[rows])
        return contrastive_loss(images, texts, self._heads.log_scale)

    def _labels(self, drawn: torch.Generator) -> Tensor:
        count = len(self._data.teacher_labels)
        photos = torch.randint(count, (self._stage.batch,), generator=drawn)
        images = self._heads.images(self._features(photos, drawn))
        texts = self._heads.texts(self._data.labels.draw(drawn))
        scale = self._heads.log_scale.exp().clamp(max=100)
        said = F.log_softmax(scale * images @ texts.T, dim=1)
        return F.cross_entropy(said, self._data.teacher_labels[photos])

    def _kinds(self, drawn: torch.Generator) -> Tensor:
        chosen = torch.randint(len(self._labelled), (self._stage.batch,), generator=drawn)
        photos = self._labelled[chosen]
        images = self._heads.images(self._features(photos, drawn))
        texts = self._heads.texts(self._data.kinds.draw(drawn))
        scale = self._heads.log_scale.exp().clamp(max=100)
        return F.cross_entropy(scale * images @ texts.T, self._data.kind[photos])

    def validate(self) -> dict[str, float]:
        """See `Objective.validate`: recall at 10 both ways, for each language."""
        images = self._heads.images(self._check.features.float())
        found = {}
        for language, captions in self._check.captions.items():
            there, back = retrieval(images, captions, self._heads.texts(captions.sentences))
            found[f"{language}_photo_to_text"], found[f"{language}_text_to_photo"] = there, back
        return {"score": sum(found.values()) / len(found), **found}
