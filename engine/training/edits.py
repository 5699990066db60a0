"""Minimally edited captions: what is right for a photo, and what is nearly that and wrong.

The fusion learns from them to look for each word in the photo. What a photo shows is known from its
captions alone, so that a text counts as wrong where none of them tells of it, nor of anything it
may be taken for; `engine/training/edit_words.py` holds the words.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from engine.caption_set import CaptionSet
from engine.training import edit_relations, edit_sites
from engine.training import edit_sites_zh as chinese
from engine.training.edit_negations import NEGATION_TEMPLATES, negation_sites
from engine.training.edit_pairs import Edit, Site, pair_edits
from engine.training.edit_reading import Photo, read_photo

__all__ = ["KINDS", "TEMPLATES", "Edit", "caption_edits"]

KINDS = ("colour", "count", "object", "relation", "negation")

# Every fixed English text that an edit may be made of.
TEMPLATES: tuple[str, ...] = (
    *edit_sites.COLOUR_TEMPLATES,
    *edit_sites.COLOURS_TEMPLATES,
    *edit_sites.COLOUR_MASS_TEMPLATES,
    *edit_sites.COUNT_TEMPLATES,
    *edit_sites.THING_TEMPLATES,
    *edit_sites.THINGS_TEMPLATES,
    *edit_sites.MASS_TEMPLATES,
    *edit_sites.WORN_TEMPLATES,
    *edit_sites.WORN_PLURAL_TEMPLATES,
    *edit_sites.ACTION_TEMPLATES,
    *edit_relations.PLACE_TEMPLATES,
    *edit_relations.MOTION_TEMPLATES,
    *edit_relations.COLOURED_TEMPLATES,
    *edit_relations.DOING_TEMPLATES,
    *NEGATION_TEMPLATES,
)

_ENGLISH: tuple[Callable[[Photo, random.Random], Iterator[Site]], ...] = (
    edit_sites.colour_sites,
    edit_sites.count_sites,
    edit_sites.object_sites,
    edit_sites.action_sites,
    edit_relations.place_sites,
    edit_relations.preposition_sites,
    edit_relations.role_sites,
    edit_relations.binding_sites,
    edit_relations.bound_sites,
)


def caption_edits(captions: CaptionSet, language: str, seed: int) -> list[Edit]:
    """Edits of all kinds, kind by kind.

    Args:
        captions: several captions of each photo, in ``language``.
        language: "en" or "zh".
        seed: the same seed gives the same edits.

    Raises:
        ValueError: the language is another.
    """
    generator = random.Random(seed)
    if language == "en":
        photos = [read_photo(at, texts) for at, texts in enumerate(captions.captions)]
        mentioned = [photo.mentioned for photo in photos]
        sites = [site for photo in photos for find in _ENGLISH for site in find(photo, generator)]
        sites.extend(negation_sites(photos, generator))
    elif language == "zh":
        read = [chinese.read_photo(at, texts) for at, texts in enumerate(captions.captions)]
        mentioned = [photo.mentioned for photo in read]
        sites = [
            site for photo in read for find in chinese.FINDERS for site in find(photo, generator)
        ]
        sites.extend(chinese.negation_sites(read, generator))
    else:
        raise ValueError(f"no edits in {language}")
    edits = []
    for kind in KINDS:
        edits += pair_edits([site for site in sites if site.kind == kind], mentioned, generator)
    return edits
