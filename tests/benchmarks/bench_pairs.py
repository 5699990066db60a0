"""500 photos x 40 captions, the photos indexed: every pair, a shortlist, and ViLT-B/32.

    make bench

ViLT-B/32 for image-text retrieval is what fusion of every pair costs elsewhere. It matches a few
pairs a round: at its rate all 20,000 would take hours.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from rivals import VILT_KNOWN, Vilt
from side_by_side import (
    Spread,
    camera_photo,
    no_straw_man,
    processor_rates,
    rates,
    report,
    take_turns,
    times_as_fast,
)
from synthetic import CAPTIONS, captions

from engine.batch import BatchOptions, batch
from engine.index import index_folder
from engine.matcher import load_matcher
from engine.photos import find_photos
from engine.recall import recalled
from engine.types import BatchRow

PHOTOS, PAIRS, ROUNDS = 500, 4, 5


def small_photos(folder: Path) -> None:
    """Photos with shapes of many sizes and colours; how large they are does not count here."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(PHOTOS):
        camera_photo(folder / f"{number:04}.jpg", rng, (480, 360))


def main() -> None:
    matcher, vilt, wanted = load_matcher(), Vilt(os.cpu_count() or 1), captions()
    best: dict[str, list[str | None]] = {}
    with tempfile.TemporaryDirectory() as place:
        os.environ["PAIRLENS_HOME"] = f"{place}/home"
        folder = Path(place) / "photos"
        small_photos(folder)
        photos = find_photos(folder)

        def matched(exact: bool, indexed: bool) -> list[BatchRow]:
            options = BatchOptions(exact=exact)
            if not indexed:
                return list(batch(matcher, photos, wanted, options))
            with recalled(folder, matcher.model_id) as known:
                return list(batch(matcher, photos, wanted, options, known=known))

        def ours(name: str, exact: bool, indexed: bool = True) -> int:
            best[name] = [row.caption for row in matched(exact, indexed)]
            return len(photos) * len(wanted)

        index_folder(folder, matcher)
        turns = take_turns(
            {
                "exact": lambda _: ours("exact", exact=True),
                "encoding counted in": lambda _: ours("not indexed", exact=True, indexed=False),
                "shortlist": lambda _: ours("shortlist", exact=False),
                "vilt": lambda _: len(vilt.match(PAIRS)),
            },
            ROUNDS,
        )
    same = float(np.mean([a == b for a, b in zip(best["exact"], best["shortlist"], strict=True)]))
    ratios: dict[str, Spread] = {
        name: times_as_fast(turns[name], turns["vilt"]) for name in turns if name != "vilt"
    }
    report(
        "pairs",
        [
            f"{PHOTOS} photos x {CAPTIONS} captions",
            *(
                f"{name}: {rates(turns[name])} pairs/s, {ratios[name]} x ViLT-B/32's; {target}"
                for name, target in (
                    ("exact", "target 200"),
                    ("encoding counted in", "for comparison"),
                    ("shortlist", "target 2,000"),
                )
            ),
            f"the shortlist's best caption is the exact run's for {same:.1%}; target 98 %",
            no_straw_man(processor_rates(turns["vilt"]), VILT_KNOWN, "pairs"),
        ],
        {
            **{f"{name} pairs_per_second": rates(turns[name]) for name in turns},
            **{f"{name} times_vilt": ratio for name, ratio in ratios.items()},
            "shortlist_same_best_caption": same,
            "vilt_pairs_per_processor_second": processor_rates(turns["vilt"]),
        },
    )


if __name__ == "__main__":
    main()
