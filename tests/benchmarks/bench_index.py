"""Indexing 200 photos of twelve megapixels: ours, rclip's parts, and decoding alone.

    make bench

Ours is `pairlens index`'s own call: find, decode, encode, store. The floor is what no program that
decodes with Pillow can beat: `Image.draft` and a resize of the same photos in as many threads.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from rivals import RCLIP_KNOWN, Rclip
from side_by_side import (
    camera_photo,
    megabytes,
    no_straw_man,
    processor_rates,
    rates,
    report,
    take_turns,
    times_as_fast,
    times_as_fast_by_processor,
)

from engine.index import index_folder
from engine.matcher import load_matcher

DISTINCT, EACH, ROUNDS = 10, 40, 5


def draft(photo: Path, side: int) -> None:
    with Image.open(photo) as image:
        image.draft("RGB", (side, side))
        image.resize((side * 2 // 3,) * 2, Image.Resampling.BILINEAR, reducing_gap=2.0)


def copies(photos: Sequence[Path], folder: Path) -> Path:
    """Photos that differ in their last bytes only, so that each has to be indexed."""
    folder.mkdir()
    for number in range(EACH):
        content = photos[number % len(photos)].read_bytes()
        (folder / f"IMG_{number:04}.jpg").write_bytes(content + f"{folder.name}{number}".encode())
    return folder


def main() -> None:
    threads = os.cpu_count() or 1
    rival, pool = Rclip(threads), ThreadPoolExecutor(threads)
    with tempfile.TemporaryDirectory() as place:
        os.environ["PAIRLENS_HOME"] = f"{place}/home"
        matcher = load_matcher().tuned()
        side = matcher.pack.manifest.preprocessing.decode_side
        rng, root = np.random.default_rng(0), Path(place)
        photos = [root / f"{number}.jpg" for number in range(DISTINCT)]
        for photo in photos:
            camera_photo(photo, rng)
        folders = {number: copies(photos, root / f"round{number}") for number in range(-1, ROUNDS)}

        def ours(number: int) -> int:
            return index_folder(folders[number], matcher).indexed

        def theirs(number: int) -> int:
            return len(rival.index(sorted(folders[number].iterdir())))

        def floor(number: int) -> int:
            return len(list(pool.map(lambda photo: draft(photo, side), folders[number].iterdir())))

        turns = take_turns({"ours": ours, "rclip": theirs, "floor": floor}, ROUNDS)
        size = megabytes(photos)
    against, floors = (times_as_fast(turns[one], turns[two]) for one, two in RATIOS)
    spent, spent_floors = (
        times_as_fast_by_processor(turns[one], turns[two]) for one, two in RATIOS
    )
    report(
        "index",
        [
            f"{ROUNDS * EACH} JPEGs of 4032 x 3024, {size:.1f} MB each, {threads} threads",
            f"ours {rates(turns['ours'])} photos/s, rclip's parts {rates(turns['rclip'])},"
            f" decoding alone {rates(turns['floor'])}",
            f"ours is {against} x rclip's rate; target 6",
            f"ours takes {floors} x the time of decoding alone; target at most 1.5",
            f"the same by processor time, as on a machine that is not busy: {spent} x,"
            f" {spent_floors} x",
            no_straw_man(processor_rates(turns["rclip"]), RCLIP_KNOWN, "photos"),
        ],
        {
            "ours_photos_per_second": rates(turns["ours"]),
            "rclip_photos_per_second": rates(turns["rclip"]),
            "floor_photos_per_second": rates(turns["floor"]),
            "times_rclip": against,
            "times_the_floor_s_time": floors,
            "times_rclip_in_processor_time": spent,
            "times_the_floor_s_processor_time": spent_floors,
            "rclip_photos_per_processor_second": processor_rates(turns["rclip"]),
        },
    )


RATIOS = (("ours", "rclip"), ("floor", "ours"))

if __name__ == "__main__":
    main()
