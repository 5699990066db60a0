"""Stage "fusion": the fusion learns to tell right captions from wrong ones that are close.

The encoders are frozen, so that image tokens of several views are computed once. Each photo meets
two of its captions, captions of other photos (random ones and close ones, ALBEF, arXiv 2107.07651,
section 3.3), and edited captions in which one colour, number, thing, relation or negation is wrong.
Masked words (arXiv 2107.07651, section 3.2; ViLT, arXiv 2102.03334, section 3.2) teach attention
which word belongs to which patch.

The similarity that the last layer reads comes from heads that were trained on other photos
(cross-fitting): what heads say of photos they have seen is far surer than what the program will
get, and the fusion would learn to rely on it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine import metrics
from engine.calibration import Calibration, fit_calibration
from engine.nn import FusionModel
from engine.tokenizer import SPECIAL_TOKENS
from engine.training.align import Heads
from engine.training.compute import Compute
from engine.training.edits import KINDS
from engine.training.losses import hard_negatives
from engine.training.recipe import Fusing, Stage
from engine.training.views import EncodedView

log = logging.getLogger(__name__)

# How much [CLS] may count beside the similarity, and what that may cost of the pair AUC.
SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
AUC_COST = 0.001
_UNKNOWN = SPECIAL_TOKENS.index("[UNK]")
_FIRST_WORD = len(SPECIAL_TOKENS)


@dataclass(frozen=True, slots=True)
class Edits:
    """Right and wrong texts that differ in one spot: ids int64 [X,L] each, and their photos [X]."""

    right: Tensor
    wrong: Tensor
    photo: Tensor
    kind: Tensor


@dataclass(frozen=True, slots=True)
class Sayings:
    """Captions of N photos in all languages: ids int64 [M,L], padded with 0; their photos [M]."""

    ids: Tensor
    photo: Tensor


@dataclass(frozen=True, slots=True)
class FusionCheck:
    """The validation split: one encoded view, captions, one wrong caption a photo, and edits.

    Attributes:
        right, wrong: rows of ``captions`` [V], one right and one wrong caption of each photo.
    """

    view: EncodedView
    captions: Sayings
    right: Tensor
    wrong: Tensor
    edits: Edits


class Fuser(nn.Module):
    """The parts of the model that this stage trains."""

    def __init__(self, model: FusionModel) -> None:
        super().__init__()
        self.compress, self.fusion = model.compress, model.fusion
        self._compress_tokens = model.compress_tokens

    def memory(self, tokens: Tensor, absent: Tensor | None = None) -> Tensor:
        """Image tokens [B,K,W] -> the fusion's memory; ``absent`` bool [B] photos are blanked."""
        compressed = self._compress_tokens(tokens)
        if absent is not None:
            compressed = compressed * (~absent)[:, None, None]
        return self.fusion.memory(compressed)


class FusionTraining:
    """Objective of the stage. See `engine.training.loop.Objective`.

    Args:
        heads: one pair of heads for each fold, trained on the photos of the others.
        fold: int64 [N], the fold of each photo.
    """

    def __init__(
        self,
        model: FusionModel,
        fuser: Fuser,
        views: Sequence[EncodedView],
        captions: Sayings,
        edits: Edits,
        heads: Sequence[Heads],
        fold: Tensor,
        check: FusionCheck,
        stage: Stage,
        how: Fusing,
        seed: int,
        compute: Compute,
    ) -> None:
        self._model, self._fuser, self._views = model, fuser, views
        self._captions, self._edits, self._fold = captions, edits, fold
        self._heads = [pair.to(compute.device).eval() for pair in heads]
        self._check, self._stage, self._how = check, stage, how
        self._seed, self._compute = seed, compute
        photos = len(fold)
        self._own = _rows_of(captions.photo, photos)
        self._calibrated = self._start_from_similarity()
        self._edited = _by_kind(edits, photos)
        # One word list of what is to be guessed: the embeddings of the text encoder.
        self._words = model.text_encoder.word.weight

    @torch.no_grad()
    def _start_from_similarity(self) -> Calibration:
        """Let the last layer begin as the calibrated similarity, which [CLS] then corrects.

        From random weights the fusion first unlearns the order that the heads know; and what it
        says of whole captions is held near to that, since few photos teach it nothing better.
        """
        photos = len(self._fold)
        rows = torch.tensor([own[0] for own in self._own])
        near = []
        for part in torch.arange(photos).split(256):
            words = _trim(self._captions.ids[rows[part]]).to(self._compute.device)
            with self._compute.autocast():
                _, _, sentences = self._read(words)
            features = self._views[0].features[part].to(words.device).float()
            for fold, heads in enumerate(self._heads):
                of_fold = (self._fold[part] == fold).to(words.device)
                if of_fold.any():
                    seen = heads.images(features[of_fold])
                    read = heads.texts(sentences.float()[of_fold])
                    near += [(seen * read).sum(dim=1), (seen * read.roll(1, dims=0)).sum(dim=1)]
        actual = np.concatenate([np.full(len(x), side % 2 == 0) for side, x in enumerate(near)])
        fitted = fit_calibration(torch.cat(near).cpu().numpy(), actual)
        match = self._fuser.fusion.match
        match.weight.zero_()
        match.weight[0, -1], match.bias[0] = fitted.scale, fitted.bias
        return fitted

    @property
    def steps(self) -> int:
        """Steps of an epoch over the captioned photos, fold by fold."""
        counts = torch.bincount(self._fold)
        return int((counts // self._stage.batch).sum())

    def losses(self, epoch: int) -> Iterator[Tensor]:
        """See `Objective.losses`."""
        numpy = np.random.default_rng((self._seed, 4, epoch))
        drawn = torch.Generator().manual_seed(int(numpy.integers(2**31)))
        torch.manual_seed(int(numpy.integers(2**31)))  # dropout
        batches: list[tuple[int, np.ndarray]] = []
        for fold in range(len(self._heads)):
            members = numpy.permutation((self._fold == fold).nonzero().squeeze(1).numpy())
            starts = range(0, len(members) - self._stage.batch + 1, self._stage.batch)
            batches += [(fold, members[start : start + self._stage.batch]) for start in starts]
        for number in numpy.permutation(len(batches)):
            fold, photos = batches[number]
            yield self._loss(photos, self._heads[fold], numpy, drawn)

    def _loss(
        self, photos: np.ndarray, heads: Heads, numpy: np.random.Generator, drawn: torch.Generator
    ) -> Tensor:
        count, device = len(photos), self._compute.device
        view = self._views[int(numpy.integers(len(self._views)))]
        rows = torch.from_numpy(photos)
        own = [_draw(self._own[n], 2, numpy) for n in photos]
        captions = np.concatenate([[pair[side] for pair in own] for side in range(2)])
        drawn_edits = [_draw_edits(self._edited[n], self._how.edits, numpy) for n in photos]
        edits = np.concatenate(drawn_edits)
        edited = np.repeat(np.arange(count), [len(rows) for rows in drawn_edits])
        texts = [self._captions.ids[captions], self._edits.right[edits], self._edits.wrong[edits]]
        ids = _stack(texts)
        absent = torch.rand(count, generator=drawn) < self._how.absent
        silent = torch.rand(len(ids), generator=drawn) < self._how.absent
        ids[silent, 1:] = 0
        ids = ids.to(device)
        tokens, features = view.tokens[rows].to(device), view.features[rows].to(device)

        with torch.no_grad(), self._compute.autocast():
            text, mask, sentences = self._read(ids)
            seen = heads.images(features.float())
            near = (seen @ heads.texts(sentences.float()).T).float()
            scale = heads.log_scale.exp()
            close = hard_negatives((near[:, :count] * scale).cpu(), self._how.close, drawn)
        me = np.arange(count)
        other = (me + numpy.integers(1, count, size=count)) % count
        # Who meets what: both own captions, a random and a close one of others, and the edits.
        images = np.concatenate((me, me, me, me, edited, edited))
        chosen = np.concatenate(
            (
                me,
                me + count,
                other + count * numpy.integers(0, 2, size=count),
                close.numpy(),
                2 * count + np.arange(len(edits)),
                2 * count + len(edits) + np.arange(len(edits)),
            )
        )
        target = torch.zeros(4 * count, device=device)
        target[: 2 * count] = 1
        near = near * (~absent)[:, None].to(device)
        with self._compute.autocast():
            memory = self._fuser.memory(tokens.float(), absent.to(device))
            logits = self._fuser.fusion(
                memory[images], text[chosen], mask[chosen], near[images, chosen]
            ).float()
        plain, right, wrong = logits.split([4 * count, len(edits), len(edits)])
        loss = F.binary_cross_entropy_with_logits(plain, target)
        alone = self._calibrated.scale * near[images, chosen][: 4 * count] + self._calibrated.bias
        loss = loss + self._how.hold * F.mse_loss(plain, alone)
        loss = loss + self._how.word_weight * self._masked_words(ids[:count], memory, drawn)
        if not len(edits):
            return loss
        # Told apart from each other, and each from 0.
        apart = F.softplus(wrong - right).mean()
        apart = apart + (F.softplus(-right).mean() + F.softplus(wrong).mean()) / 2
        return loss + self._how.edit_weight * apart

    def _read(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Text tokens [P,L,D], mask [P,L] and sentences [P,T] of ids [P,L]."""
        mask = ids > 0
        tokens = self._model.text_encoder(ids, mask)
        return tokens, mask, self._model.sentences(tokens, mask)

    def _masked_words(self, ids: Tensor, memory: Tensor, drawn: torch.Generator) -> Tensor:
        """Cross-entropy of guessing hidden words of ids [B,L] of the photos in ``memory``."""
        hidden = torch.rand(ids.shape, generator=drawn) < self._how.masked
        hidden = hidden.to(ids.device) & (ids >= _FIRST_WORD)
        if not hidden.any():
            return memory.new_zeros(())
        shown = torch.where(hidden, _UNKNOWN, ids)
        with self._compute.autocast():
            with torch.no_grad():
                text, mask, _ = self._read(shown)
            states = self._fuser.fusion.states(memory, text, mask)[hidden]
            scores = states @ self._words.T.to(states.dtype)
        return F.cross_entropy(scores.float(), ids[hidden])

    @torch.inference_mode()
    def temper(self) -> float:
        """Weaken what [CLS] adds to the similarity until the order of pairs hardly suffers.

        What it learns of edits it also says, as noise, of pairs that the similarity orders well.
        Returns the share that is kept: the largest of `SHARES` with which the pair AUC on the
        validation split is at most `AUC_COST` below that of the similarity alone.
        """
        weight = self._fuser.fusion.match.weight
        learnt, tried = weight[:, :-1].clone(), {}
        for share in SHARES:
            weight[:, :-1] = share * learnt
            tried[share] = self.validate()
            log.info("[CLS] counts %.2f: %s", share, tried[share])
        least = tried[0.0]["auc"] - AUC_COST
        kept = max(share for share, found in tried.items() if found["auc"] >= least)
        weight[:, :-1] = kept * learnt
        log.info("[CLS] counts %.2f from here on", kept)
        return kept

    def validate(self) -> dict[str, float]:
        """See `Objective.validate`: pair AUC, and the share of edits told apart, of the fusion."""
        check = self._check
        pairs = torch.cat((check.right, check.wrong))
        photos = torch.arange(len(check.right)).repeat(2)
        actual = (torch.arange(len(pairs)) < len(check.right)).numpy()
        logits, near = self._scores(check.captions.ids[pairs], photos)
        found = {
            "auc": metrics.auc(logits.numpy(), actual),
            "similarity_auc": metrics.auc(near.numpy(), actual),
        }
        told = self._told_apart(check.edits) if len(check.edits.photo) else {}
        edits = [told[kind] for kind in KINDS if kind in told]
        score = found["auc"] + (float(np.mean(edits)) if edits else 0.0)
        return {"score": score, **found, **told}

    def _told_apart(self, edits: Edits) -> dict[str, float]:
        """Share of edits of each kind told apart by the fusion, and by the similarity alone."""
        right, near_right = self._scores(edits.right, edits.photo)
        wrong, near_wrong = self._scores(edits.wrong, edits.photo)
        told = {}
        for number, kind in enumerate(KINDS):
            if (of_kind := edits.kind == number).any():
                told[kind] = float((right > wrong)[of_kind].float().mean())
                alone = (near_right > near_wrong)[of_kind].float().mean()
                told[f"{kind}_similarity"] = float(alone)
        return told

    def _scores(self, ids: Tensor, photos: Tensor) -> tuple[Tensor, Tensor]:
        """Fusion logits and similarities [P] of texts ids [P,L] with validation photos [P]."""
        logits, near = [], []
        view, device = self._check.view, self._compute.device
        for part in torch.arange(len(ids)).split(256):
            words = _trim(ids[part]).to(device)
            with self._compute.autocast():
                text, mask, sentences = self._read(words)
                features = view.features[photos[part]].to(device).float()
                seen = self._model.embed_features(features)
                similarity = (seen * self._model.embed_sentences(sentences.float())).sum(dim=1)
                memory = self._fuser.memory(view.tokens[photos[part]].to(device).float())
                scores = self._fuser.fusion(memory, text, mask, similarity.float())
            logits.append(scores.float().cpu())
            near.append(similarity.float().cpu())
        return torch.cat(logits), torch.cat(near)


def _rows_of(owner: Tensor, photos: int) -> list[np.ndarray]:
    """For each photo the rows that are its own."""
    order = owner.argsort(stable=True).numpy()
    ends = torch.bincount(owner, minlength=photos).cumsum(0).numpy()
    return np.split(order, ends[:-1])


def _draw(rows: np.ndarray, count: int, numpy: np.random.Generator) -> np.ndarray:
    drawn: np.ndarray = numpy.choice(rows, min(count, len(rows)), replace=False)
    return drawn


def _by_kind(edits: Edits, photos: int) -> list[list[np.ndarray]]:
    """For each photo its rows of each kind of edit that it has."""
    kinds = edits.kind.numpy()
    return [
        [rows[kinds[rows] == kind] for kind in np.unique(kinds[rows])]
        for rows in _rows_of(edits.photo, photos)
    ]


def _draw_edits(kinds: list[np.ndarray], count: int, numpy: np.random.Generator) -> np.ndarray:
    """One row of each of up to ``count`` kinds: kinds with many edits must not crowd out others."""
    chosen = numpy.permutation(len(kinds))[:count]
    return np.array([numpy.choice(kinds[kind]) for kind in chosen], dtype=np.int64)


def _trim(ids: Tensor) -> Tensor:
    """The ids without columns that are padding in every row."""
    return ids[:, : int((ids > 0).sum(dim=1).max())]


def _stack(parts: Sequence[Tensor]) -> Tensor:
    """Ids of different widths in one tensor, without needless padding."""
    width = max(part.shape[1] for part in parts)
    return _trim(torch.cat([F.pad(part, (0, width - part.shape[1])) for part in parts]))
