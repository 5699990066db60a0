"""How much faster a photo of twelve megapixels is decoded small (Image.draft) than in full.

    make bench

And at what cost: the mean difference of the pixels that the model is given.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from side_by_side import (
    camera_photo,
    megabytes,
    processor_rates,
    report,
    take_turns,
    times_as_fast,
)

from engine.decode import decode
from engine.installed import used
from engine.pack import open_pack

PHOTOS, ROUNDS = 3, 7


def pixel_difference(path: Path, side: int, decode_side: int) -> float:
    """Mean absolute difference, of 255, at the size the model sees."""
    small, full = (
        np.asarray(
            decode(path, least).resize(
                (side, side), Image.Resampling.BILINEAR, reducing_gap=2.0
            ),
            np.float32,
        )
        for least in (decode_side, None)
    )  # fmt: skip
    return float(np.abs(small - full).mean())


def main() -> None:
    how = used(open_pack)[0].manifest.preprocessing
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        photos = [Path(folder) / f"{number}.jpg" for number in range(PHOTOS)]
        for photo in photos:
            camera_photo(photo, rng)

        def all_decoded(least_side: int | None) -> int:
            return len([decode(photo, least_side) for photo in photos])

        turns = take_turns(
            {
                "small": lambda _: all_decoded(how.decode_side),
                "in full": lambda _: all_decoded(None),
            },
            ROUNDS,
        )
        size = megabytes(photos)
        difference = max(pixel_difference(photo, how.size, how.decode_side) for photo in photos)
    ratio = times_as_fast(turns["small"], turns["in full"])
    small, full = (processor_rates(turns[name]) for name in ("small", "in full"))
    report(
        "decode",
        [
            f"{PHOTOS} JPEGs of 4032 x 3024, {size:.1f} MB each",
            f"small {small} photos a processor second, in full {full}",
            f"small is {ratio} x as fast",
            f"pixels differ by {difference:.2f} of 255 on average at {how.size} x {how.size}",
        ],
        {
            "small_photos_per_processor_second": small,
            "full_photos_per_processor_second": full,
            "times_in_full": ratio,
            "mean_pixel_difference_of_255": round(difference, 3),
        },
    )


if __name__ == "__main__":
    main()
