"""How much faster a large JPEG is decoded small (Image.draft) than in full, and at what cost.

    make bench

Both ways take turns in one process, in changing order, so that whatever else the machine does falls
on both; the time is the processor's, not the clock's. The photos are made here: 12 megapixels,
with coarse shapes and fine grain, which makes files as large as a camera's.
"""

from __future__ import annotations

import json
import platform
import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

from engine.decode import decode

PHOTOS = 3
ROUNDS = 7
SIZE = (4032, 3024)
SIDE = 128
RESULT = Path(__file__).resolve().parents[2] / "build" / "bench" / "decode.json"


def make_photo(path: Path, rng: np.random.Generator) -> None:
    coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    shapes = np.asarray(coarse.resize(SIZE, Image.Resampling.BICUBIC), dtype=np.float32)
    grain = rng.normal(0.0, 6.0, (SIZE[1], SIZE[0], 1)).astype(np.float32)
    image = Image.fromarray(np.clip(shapes + grain, 0, 255).astype(np.uint8))
    image.save(path, quality=88, subsampling="4:2:0")


def seconds(path: Path, min_side: int | None) -> float:
    start = time.process_time()
    decode(path, min_side)
    return time.process_time() - start


def pixel_difference(path: Path) -> float:
    """Mean absolute difference, of 255, at the size the model sees."""
    small, full = (
        np.asarray(decode(path, side).resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32)
        for side in (SIDE, None)
    )
    return float(np.abs(small - full).mean())


def measure(photos: list[Path]) -> tuple[list[float], list[float]]:
    """Processor seconds of every (round, photo), in full and small, pair by pair."""
    order = random.Random(0)
    full: list[float] = []
    small: list[float] = []
    for _ in range(ROUNDS):
        for photo in photos:
            ways = [(None, full), (SIDE, small)]
            order.shuffle(ways)
            for min_side, times in ways:
                times.append(seconds(photo, min_side))
    return full, small


def main() -> None:
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        photos = [Path(folder) / f"{number}.jpg" for number in range(PHOTOS)]
        for photo in photos:
            make_photo(photo, rng)
        megabytes = statistics.mean(photo.stat().st_size for photo in photos) / 1e6
        difference = max(pixel_difference(photo) for photo in photos)  # warms up, too
        full, small = measure(photos)

    ratios = [one / other for one, other in zip(full, small, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    result = {
        "photos": f"{PHOTOS} generated JPEGs, {SIZE[0]} x {SIZE[1]}, {megabytes:.1f} MB each",
        "pairs_measured": len(ratios),
        "full_ms": round(1000 * statistics.median(full), 1),
        "small_ms": round(1000 * statistics.median(small), 1),
        "ratio_median": round(middle, 2),
        "ratio_quartiles": [round(low, 2), round(high, 2)],
        "ratio_range": [round(min(ratios), 2), round(max(ratios), 2)],
        "mean_pixel_difference_of_255": round(difference, 2),
        "machine": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "pillow": PIL.__version__,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(
        f"decode: {result['photos']}\n"
        f"  in full {result['full_ms']} ms, small {result['small_ms']} ms of processor time\n"
        f"  small is {middle:.2f} x as fast (quartiles {low:.2f} to {high:.2f}, all "
        f"{min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)} pairs)\n"
        f"  pixels differ by {difference:.2f} of 255 on average at {SIDE} x {SIDE}"
    )


if __name__ == "__main__":
    main()
