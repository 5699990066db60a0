"""How much faster a photo of twelve megapixels is decoded small (Image.draft) than in full.

    make bench

And at what cost: the mean difference of the pixels that the model is given. Of a HEIC photo, small
is the preview inside. The library that writes it here shrinks without smoothing, so its preview
differs more than a smooth one would.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from pillow_heif import from_pillow
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
# The longer side of the preview.
PREVIEW = 512


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

        heic = Path(folder) / "a.heic"
        with Image.open(photos[0]) as image:
            # Fast to write; how it was written changes little of how it is read.
            from_pillow(image).save(
                heic, quality=60, thumbnails=[PREVIEW], enc_params={"preset": "ultrafast"}
            )

        def all_decoded(least_side: int | None) -> int:
            return len([decode(photo, least_side) for photo in photos])

        def heic_decoded(least_side: int | None) -> int:
            decode(heic, least_side)
            return 1

        turns = take_turns(
            {
                "small": lambda _: all_decoded(how.decode_side),
                "in full": lambda _: all_decoded(None),
                "HEIC's preview": lambda _: heic_decoded(how.decode_side),
                "HEIC in full": lambda _: heic_decoded(None),
            },
            ROUNDS,
        )
        size = megabytes(photos)
        heic_difference = pixel_difference(heic, how.size, how.decode_side)
        difference = max(pixel_difference(photo, how.size, how.decode_side) for photo in photos)
    ratio = times_as_fast(turns["small"], turns["in full"])
    heic_ratio = times_as_fast(turns["HEIC's preview"], turns["HEIC in full"])
    small, full = (processor_rates(turns[name]) for name in ("small", "in full"))
    report(
        "decode",
        [
            f"{PHOTOS} JPEGs of 4032 x 3024, {size:.1f} MB each",
            f"small {small} photos a processor second, in full {full}",
            f"small is {ratio} x as fast",
            f"pixels differ by {difference:.2f} of 255 on average at {how.size} x {how.size}",
            f"HEIC with a preview of {PREVIEW}: {heic_ratio} x as fast as in full;"
            f" pixels differ by {heic_difference:.2f} of 255",
        ],
        {
            "small_photos_per_processor_second": small,
            "full_photos_per_processor_second": full,
            "times_in_full": ratio,
            "mean_pixel_difference_of_255": round(difference, 3),
            "heic_times_in_full": heic_ratio,
            "heic_mean_pixel_difference_of_255": round(heic_difference, 3),
        },
    )


if __name__ == "__main__":
    main()
