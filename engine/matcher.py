"""Scores photos against captions with one model pack."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.architecture import LOOKING_AGAIN, RUN_AS
from engine.backends import Backend
from engine.calibration import Vector
from engine.confidence import SearchConfidence
from engine.deciding import PairConfig
from engine.decode import decode
from engine.device import choose_device, open_backend
from engine.encoding import EncodePhotos, encode_in_order
from engine.errors import CaptionEmpty, DeviceMissing, PackNeedsFinder, PackUnsupported
from engine.installed import used
from engine.pace import DEFAULT, Facts, Pace, best_pace, usable_cores
from engine.pack import TOKENIZER, Manifest, Pack, open_pack
from engine.preprocess import to_pixels
from engine.tokenizer import Tokenizer
from engine.types import (
    DeviceChoice,
    FloatArray,
    ImageFeatures,
    IntArray,
    Match,
    TextFeatures,
)

log = logging.getLogger(__name__)

CAPTIONS_AT_ONCE = 128


class Matcher:
    """Encodes photos and captions and scores pairs of them.

    Args:
        pack: a verified model pack.
        backend: runs its graphs.
        tokenizer: the pack's.
        pace: how photos are encoded.
    """

    def __init__(
        self, pack: Pack, backend: Backend, tokenizer: Tokenizer, pace: Pace = DEFAULT
    ) -> None:
        self.pack = pack
        self.batch_size = pace.batch_size
        self.decode_threads = pace.decode_threads
        self._pace = pace
        self._backend = backend
        self._tokenizer = tokenizer
        self._calibration = pack.manifest.calibration

    @property
    def model_id(self) -> str:
        """Names the architecture and weights that made a feature."""
        return self.pack.model_id

    @property
    def pack_folder(self) -> Path:
        """Where the model pack is."""
        return self.pack.folder

    @property
    def threshold(self) -> float:
        """Match probability from which a pair matches."""
        return self._calibration.threshold

    @property
    def calibrated(self) -> bool:
        """Whether match probabilities are calibrated, see `Calibration.fitted`."""
        return self._calibration.fitted

    @property
    def finds(self) -> bool:
        """Whether it has embeddings; without, it only decides."""
        return self.pack.manifest.kind != "fusion"

    @property
    def looks_again(self) -> bool:
        """Whether it decides by looking at the photo again: its tokens are not kept in an index."""
        return self.pack.manifest.architecture in LOOKING_AGAIN

    @property
    def search_confidence(self) -> SearchConfidence | None:
        """Decides whether a search found anything that fits; None if the pack has no such rule."""
        return self.pack.manifest.search

    @property
    def indexer(self) -> Matcher:
        """Makes of photos what an index keeps of them, and no more."""
        return self

    @property
    def device(self) -> str:
        """Where the model runs, in words."""
        return self._backend.device

    def tuned(self) -> Matcher:
        """This matcher at the pace that did best on this machine: for long jobs.

        The first time, a trial of a second finds out. Whatever goes wrong, there is a matcher.
        """
        facts = Facts(usable_cores(), self.model_id, self.device)
        return self._at(best_pace(facts, self._at))

    def _at(self, pace: Pace) -> Matcher:
        if pace == self._pace:
            return self
        backend = self._backend
        if pace.model_threads != self._pace.model_threads:
            backend = backend.with_threads(pace.model_threads)
        return self._made_of(backend, pace)

    def _made_of(self, backend: Backend, pace: Pace) -> Matcher:
        return Matcher(self.pack, backend, self._tokenizer, pace)

    def prepare(self, photo: Path) -> FloatArray:
        """Pixels float32 of a photo file, shaped as the pack's `Preprocessing.shape`.

        Raises PhotoError. Safe in several threads.
        """
        how = self.pack.manifest.preprocessing
        return to_pixels(decode(photo, how.decode_side), how)

    def encode(self, pixels: FloatArray) -> ImageFeatures:
        """Features of pixels float32 [B, ...] of B photos."""
        return self._backend.encode_images(pixels)

    def encode_captions(self, captions: Sequence[str], blank: bool = False) -> TextFeatures:
        """Features of captions.

        Raises CaptionEmpty when one of them has no word, unless ``blank``: it stands for no caption
        then, which the model knows too.
        """
        ids, mask = self._tokenizer.encode(captions)
        # Nothing but special tokens: the caption was blank, or nothing but punctuation.
        if not len(ids) or (int(mask.sum(axis=1).min()) <= self._tokenizer.empty and not blank):
            raise CaptionEmpty()
        parts = [
            self._backend.encode_texts(ids[rows], mask[rows])
            for rows in np.array_split(np.arange(len(ids)), -(-len(ids) // CAPTIONS_AT_ONCE))
        ]
        return TextFeatures(
            np.concatenate([part.embeddings for part in parts]),
            np.concatenate([part.tokens for part in parts]),
            mask,
        )

    def similarity(self, images: ImageFeatures, texts: TextFeatures) -> FloatArray:
        """Dot products float32 [N, M] of the embeddings, -1 to 1."""
        result: FloatArray = images.embeddings @ texts.embeddings.T
        return result

    def logits(
        self, images: ImageFeatures, texts: TextFeatures, photos: IntArray, captions: IntArray
    ) -> FloatArray:
        """What the model says of the pairs (photos[p], captions[p]), by row number: float32 [P].

        The fusion's logits; of a pack without a fusion the similarities.
        """
        return self._backend.logits(images, texts, photos, captions)

    def log_odds(self, logits: FloatArray) -> Vector:
        """Log-odds float64 of the match probabilities of logits float32, of any shape."""
        return self._calibration.log_odds(logits)

    def probability(self, logits: FloatArray) -> FloatArray:
        """Calibrated match probabilities float32 [P] of logits float32 [P]."""
        return self._calibration.probability(logits)

    def match(
        self,
        photos: Sequence[Path],
        captions: Sequence[str],
        encode: EncodePhotos = encode_in_order,
    ) -> list[Match]:
        """Every photo with every caption, photo by photo in the order given.

        A photo that can't be used has ``failure`` in each of its matches; the others go on.
        ``encode`` is for whoever keeps features from one call to the next.
        Raises CaptionEmpty.
        """
        texts = self.encode_captions(captions)
        columns = np.arange(len(captions))
        matches: list[Match] = []
        for paths, images, failed in encode(self, photos):
            pairs = (np.repeat(np.arange(len(images)), len(columns)), np.tile(columns, len(images)))
            logits = self.logits(images, texts, *pairs)
            scored = iter(zip(logits, self.probability(logits), strict=True))
            for path in paths:
                for caption in captions:
                    if path in failed:
                        matches.append(Match(path, caption, None, None, None, failed[path]))
                    else:
                        logit, probability = map(float, next(scored))
                        said = probability >= self.threshold
                        matches.append(Match(path, caption, probability, logit, said))
        return matches


def load_matcher(pack_dir: Path | None = None, choice: DeviceChoice = DeviceChoice.AUTO) -> Matcher:
    """Open a model pack, the one in use if none is named, and make it ready.

    Where the pack that was chosen can't be used, the default one answers; see `installed.used`.
    One that only decides is opened where it is named, for what judges pairs and finds nothing.

    Raises PackMissing, PackDamaged, PackUnsupported, DeviceMissing or PackNeedsFinder.
    """

    def load(folder: Path) -> Matcher:
        matcher = _load(folder, choice)
        if not matcher.finds:
            about = matcher.pack.manifest
            raise PackNeedsFinder(path=folder, name=f"{about.name} {about.version}")
        return matcher

    return used(load)[0] if pack_dir is None else _load(pack_dir, choice)


def open_tokenizer(folder: Path, about: Manifest, prefix: str = "") -> Tokenizer:
    """The tokenizer of a model whose files' names begin with ``prefix``.

    Raises ValueError where it has tokens that the model does not know.
    """
    tokenizer = Tokenizer(folder / f"{prefix}{TOKENIZER}", about.model.max_tokens, about.tokenizer)
    if tokenizer.size > about.model.vocabulary:
        raise ValueError(f"{prefix}{TOKENIZER} has more tokens than the model")
    return tokenizer


def _load(folder: Path, choice: DeviceChoice) -> Matcher:
    device = choose_device(choice, folder)
    pack = open_pack(folder)
    about = pack.manifest
    if about.kind != (runs := RUN_AS[about.architecture]):
        raise PackUnsupported(
            path=pack.folder, reason=f"its kind is {about.kind}, and its architecture's {runs}"
        )
    try:
        if isinstance(about.model, PairConfig):
            from engine.pair_matcher import open_pair  # which builds on this module

            matcher: Matcher = open_pair(pack, about.model)
        else:
            tokenizer = open_tokenizer(folder, about)
            matcher = Matcher(pack, open_backend(pack, choice, device), tokenizer)
    except DeviceMissing:
        raise
    except Exception as error:  # ONNX Runtime raises many kinds for a graph it can't run
        raise PackUnsupported(path=pack.folder, reason=str(error)) from error
    log.info("%s %s on %s: %s", about.name, about.version, matcher.device, device.why)
    return matcher
