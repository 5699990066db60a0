"""The stages of a run: each gathers what it learns from and trains its part of the model."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.evaluation import random_pairs
from engine.nn import FusionModel
from engine.training.align import (
    AlignmentCheck,
    AlignmentData,
    Captioned,
    ContrastiveAlignment,
    Heads,
    Named,
)
from engine.training.corpus import TEMPLATES, Corpus, Label, build_corpus, read_labels
from engine.training.distil_image import ImageDistillation, ImageStudent, Taught
from engine.training.distil_text import TextDistillation, Texts, TextStudent, encode_texts, teach
from engine.training.edits import KINDS, caption_edits
from engine.training.fuse import Edits, Fuser, FusionCheck, FusionTraining, Sayings
from engine.training.image_teacher import whole_features
from engine.training.loop import run_stage
from engine.training.run import Run
from engine.training.text_teacher import TextTeacher
from engine.training.tokenizer import train_tokenizer
from engine.training.views import EncodedView, encode_pixels, encode_views

log = logging.getLogger(__name__)

MACHINE_TRANSLATED = "zh-machine"
# Tokens of a text that the fusion is trained on: the few longer ones would pad all others.
FUSED_TOKENS = 20
# Edits of each kind and language that the fusion stage looks at after every epoch.
CHECKED_EDITS = 300


def corpus(run: Run) -> Corpus:
    """What the text encoder learns from."""
    sets = run.by_language("train")
    return build_corpus(
        sets["en"],
        sets["zh"],
        run.captions("train", MACHINE_TRANSLATED),
        list(dict.fromkeys([*read_labels(), *run.kinds])),
        run.recipe.words,
        run.recipe.seed,
    )


def tokenizer_stage(run: Run) -> None:
    """Train the tokenizer on the corpus, once."""
    if not run.tokenizer_file.exists():
        train_tokenizer(corpus(run).texts, run.recipe.model.vocabulary, run.tokenizer_file)


def image_stage(run: Run, model: FusionModel) -> None:
    """Distil the image teacher into the image encoder."""
    recipe = run.recipe
    checked = whole_features(run.image_teacher, run.check_array, run.work / "teacher-val.npy")
    weights = np.ones(len(run.photos))
    weights[: run.captioned_count] = recipe.distillation.captioned_weight
    student = ImageStudent(model)
    objective = ImageDistillation(
        student,
        Taught(run.pixels, run.image_teacher, weights / weights.sum()),
        (run.check_pixels, checked),
        recipe.image,
        recipe.distillation,
        recipe.augment,
        recipe.seed,
        run.compute,
    )
    run_stage("image", recipe.image, student, objective, run.work)


def text_stage(run: Run, model: FusionModel) -> None:
    """Distil the sentence teacher into the text encoder."""
    recipe, tokenizer, teacher = run.recipe, run.tokenizer(), TextTeacher(run.compute)
    texts = teach(corpus(run), tokenizer, teacher, recipe.seed, run.work / "meanings.npy")
    english, _ = run.sentences_of(run.captions("val", "en"))
    chinese, _ = run.sentences_of(run.captions("val", MACHINE_TRANSLATED))
    held_out: dict[str, Texts] = {}
    for language, said in (("en", english), ("zh", chinese)):
        pairs = Corpus()
        for text, partner in zip(said, english, strict=True):
            pairs.add(text, [partner])
        kept = run.work / "meanings-val-en.npy"
        held_out[language] = teach(pairs, tokenizer, teacher, recipe.seed, kept)
    student = TextStudent(model)
    objective = TextDistillation(
        student, texts, held_out, recipe.text, recipe.augment, recipe.seed, run.compute
    )
    run_stage("text", recipe.text, student, objective, run.work)


@torch.inference_mode()
def sentences(run: Run, model: FusionModel, texts: Sequence[str]) -> Tensor:
    """What the text encoder says of texts: float32 [M,T]."""
    ids, model = encode_texts(run.tokenizer(), texts), model.eval()
    found = []
    for part in ids.split(512):
        words = part[:, : int((part > 0).sum(dim=1).max())].to(run.compute.device)
        with run.compute.autocast():
            mask = words > 0
            found.append(model.sentences(model.text_encoder(words, mask), mask).float().cpu())
    return torch.cat(found)


def _named(run: Run, model: FusionModel, labels: Sequence[Label]) -> Named:
    ways = [
        template.format(name)
        for label in labels
        for language, name in (("en", label.english), ("zh", label.chinese))
        for template in TEMPLATES[language]
    ]
    return Named(sentences(run, model, ways).unflatten(0, (len(labels), -1)))


def _captioned(run: Run, model: FusionModel, split: str) -> dict[str, Captioned]:
    found = {}
    for language, captions in run.by_language(split).items():
        texts, owner = run.sentences_of(captions)
        found[language] = Captioned(sentences(run, model, texts), owner)
    return found


def encoded(run: Run, model: FusionModel) -> tuple[Sequence[EncodedView], EncodedView]:
    """Views of all training photos, and the validation photos as the program sees them."""
    recipe = run.recipe
    model.to(run.compute.device)
    views = encode_views(
        model,
        run.pixels,
        run.captioned_count,
        recipe.fusing.views,
        recipe.augment,
        recipe.seed,
        run.compute,
        run.work / "encoded",
    )
    parts = [encode_pixels(model, part, run.compute) for part in run.check_pixels.split(128)]
    features, tokens = (torch.cat(column) for column in zip(*parts, strict=True))
    return views, EncodedView(features, tokens)


def contrastive_stage(
    run: Run, model: FusionModel, views: Sequence[EncodedView], check: EncodedView
) -> tuple[list[Heads], Tensor]:
    """Train the heads on all captioned photos, and once more for each fold without its photos.

    Returns the heads of the folds and the fold int64 [N] of each captioned photo.
    """
    recipe, teacher = run.recipe, run.image_teacher
    weight, bias = torch.from_numpy(teacher.weight), torch.from_numpy(teacher.bias)
    pooled = whole_features(teacher, run.pixels, run.work / "teacher.npy")
    captions = _captioned(run, model, "train")
    data = AlignmentData(
        [view.features for view in views],
        captions,
        F.softmax(F.linear(pooled, weight, bias), dim=1),
        weight,
        _named(run, model, read_labels()),
        _named(run, model, run.kinds),
        run.kind,
    )
    checked = AlignmentCheck(check.features, _captioned(run, model, "val"))
    model.cpu()  # where the features are: two linear layers need no card
    generator = torch.Generator().manual_seed(recipe.seed)
    fold = torch.randint(recipe.fusing.folds, (run.captioned_count,), generator=generator)
    folds = []
    for number in range(recipe.fusing.folds):
        torch.manual_seed(recipe.seed + 10 + number)
        heads = Heads(FusionModel(recipe.model), recipe.alignment.dropout)
        _align(run, f"contrastive-fold-{number}", heads, data, checked, fold != number)
        folds.append(heads)
    heads = Heads(model, recipe.alignment.dropout)
    _align(run, "contrastive", heads, data, checked, torch.ones_like(fold, dtype=torch.bool))
    return folds, fold


def _align(
    run: Run, name: str, heads: Heads, data: AlignmentData, check: AlignmentCheck, kept: Tensor
) -> None:
    recipe = run.recipe
    objective = ContrastiveAlignment(
        heads, data, check, kept, recipe.contrastive, recipe.alignment, recipe.seed
    )
    run_stage(name, recipe.contrastive, heads, objective, run.work)


def _edits(run: Run, split: str, most: int | None = None) -> Edits:
    """Edits of a split in all languages, at ``most`` so many of a kind and language."""
    tokenizer, chosen = run.tokenizer(), []
    for language, captions in run.by_language(split).items():
        found = caption_edits(captions, language, run.recipe.seed)
        random.Random(run.recipe.seed).shuffle(found)
        for kind in KINDS:
            chosen += [edit for edit in found if edit.kind == kind][:most]
    return Edits(
        encode_texts(tokenizer, [edit.right for edit in chosen])[:, :FUSED_TOKENS],
        encode_texts(tokenizer, [edit.wrong for edit in chosen])[:, :FUSED_TOKENS],
        torch.tensor([edit.photo for edit in chosen], dtype=torch.int64),
        torch.tensor([KINDS.index(edit.kind) for edit in chosen], dtype=torch.int64),
    )


def _sayings(run: Run, split: str) -> Sayings:
    texts: list[str] = []
    owners: list[Tensor] = []
    for captions in run.by_language(split).values():
        said, owner = run.sentences_of(captions)
        texts += said
        owners.append(owner)
    ids = encode_texts(run.tokenizer(), texts)[:, :FUSED_TOKENS]
    return Sayings(ids, torch.cat(owners))


def fusion_stage(
    run: Run,
    model: FusionModel,
    views: Sequence[EncodedView],
    check: EncodedView,
    heads: Sequence[Heads],
    fold: Tensor,
) -> None:
    """Train the fusion on frozen encoders."""
    recipe = run.recipe
    # Rows of the first language's captions come first, as `random_pairs` numbers them.
    _, rows, actual = random_pairs(run.by_language("val")[recipe.languages[0]])
    checked = FusionCheck(
        check,
        _sayings(run, "val"),
        torch.from_numpy(rows[actual]),
        torch.from_numpy(rows[~actual]),
        _edits(run, "val", CHECKED_EDITS),
    )
    model.to(run.compute.device).eval()
    fuser = Fuser(model)
    objective = FusionTraining(
        model,
        fuser,
        views,
        _sayings(run, "train"),
        _edits(run, "train"),
        heads,
        fold,
        checked,
        recipe.fusion,
        recipe.fusing,
        recipe.seed,
        run.compute,
    )
    run_stage("fusion", recipe.fusion, fuser, objective, run.work)
    objective.temper()
