"""Photos with several captions each, as data sets such as Flickr8k lay them out.

DIR/images/NAME.jpg
DIR/captions.LANGUAGE.tsv     NAME.jpg <tab> caption, any number of lines for a photo
DIR/{train,val,test}.txt      one NAME.jpg a line
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import EvaluationDataMissing
from engine.types import BoolArray


@dataclass(frozen=True, slots=True)
class CaptionSet:
    """N photos and the captions of each, in one language."""

    photos: list[Path]
    captions: list[list[str]]

    def flat(self) -> tuple[list[str], BoolArray]:
        """All captions [M] and bool [N, M], True where the caption is that photo's."""
        counts = [len(captions) for captions in self.captions]
        owner = np.repeat(np.arange(len(self.photos)), counts)
        relevant = owner[None, :] == np.arange(len(self.photos))[:, None]
        return [caption for captions in self.captions for caption in captions], relevant


def languages(data: Path) -> list[str]:
    """Languages that have a caption file in ``data``: those named by two letters, sorted."""
    names = (path.name.split(".")[1] for path in data.glob("captions.*.tsv"))
    return sorted(name for name in names if len(name) == 2)


def read_caption_set(data: Path, split: str, language: str) -> CaptionSet:
    """The photos of a split that have captions in ``language``, in the split file's order.

    Raises EvaluationDataMissing when a file is absent or no photo of the split has a caption.
    """
    try:
        names = (data / f"{split}.txt").read_text(encoding="utf-8").split()
        lines = (data / f"captions.{language}.tsv").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationDataMissing(path=data, reason=str(error)) from error
    captions: dict[str, list[str]] = {name: [] for name in names}
    for line in lines:
        name, _, caption = line.partition("\t")
        if name in captions and caption.strip():
            captions[name].append(caption.strip())
    kept = [name for name in names if captions[name]]
    if not kept:
        raise EvaluationDataMissing(path=data, reason=f"no {language} captions for {split}.txt")
    return CaptionSet([data / "images" / name for name in kept], [captions[n] for n in kept])
