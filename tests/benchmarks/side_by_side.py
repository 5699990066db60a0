"""What all benches share: contenders take turns in one run, and a ratio comes with its spread."""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

RESULTS = Path(__file__).resolve().parents[2] / "build" / "bench"
CAMERA = (4032, 3024)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a contender: how much it did, and the seconds that took."""

    items: int
    wall: float
    processor: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, their quartiles, and how many there were."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of one value or more."""
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        return cls(float(middle), float(low), float(high), len(values))

    def __str__(self) -> str:
        middle, low, high = (
            f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
            for value in (self.median, self.low, self.high)
        )
        return f"{middle} ({low} to {high}, {self.count} rounds)"


def take_turns(
    contenders: Mapping[str, Callable[[int], int]], rounds: int
) -> dict[str, list[Turn]]:
    """Every contender once a round, in changing order, so that a busy moment falls on all of them.

    A contender gets the round's number and says how many items it did. One round more goes first
    and is not counted: caches fill, and what is compiled late is compiled then.
    """
    order = random.Random(0)
    turns: dict[str, list[Turn]] = {name: [] for name in contenders}
    for number in range(-1, rounds):
        names = list(contenders)
        order.shuffle(names)
        for name in names:
            wall, processor = time.perf_counter(), time.process_time()
            items = contenders[name](number)
            turn = Turn(items, time.perf_counter() - wall, time.process_time() - processor)
            if number >= 0:
                turns[name].append(turn)
    return turns


def rates(turns: Sequence[Turn]) -> Spread:
    """Items a second, by the clock."""
    return Spread.of([turn.items / turn.wall for turn in turns])


def processor_rates(turns: Sequence[Turn]) -> Spread:
    """Items a second of processor time."""
    return Spread.of([turn.items / turn.processor for turn in turns])


def times_as_fast(ours: Sequence[Turn], other: Sequence[Turn]) -> Spread:
    """How many times the other's rate ours is, round by round."""
    return Spread.of(
        [
            one.items / one.wall / (two.items / two.wall)
            for one, two in zip(ours, other, strict=True)
        ]
    )


def times_as_fast_by_processor(ours: Sequence[Turn], other: Sequence[Turn]) -> Spread:
    """The same in processor time, which other programs at work change little."""
    return Spread.of(
        [
            one.items / one.processor / (two.items / two.processor)
            for one, two in zip(ours, other, strict=True)
        ]
    )


def no_straw_man(found: Spread, known: float, unit: str) -> str:
    """Whether a rival does what it did elsewhere, in words.

    Args:
        known: items a processor second it reached on the machine where it was first measured.
    """
    share = found.median / known
    if share >= 0.8:
        return f"no straw man: {found} {unit} a processor second, {known} were known of"
    return (
        f"this machine, or the rival on it, is slower: {found} {unit} a processor second,"
        f" {share:.0%} of the {known} known of"
    )


def report(name: str, lines: Sequence[str], result: Mapping[str, object]) -> None:
    """Print a bench's lines and write its figures to build/bench/NAME.json."""
    print(f"{name}\n" + "\n".join(f"  {line}" for line in lines), flush=True)
    keep(
        name,
        {key: asdict(one) if isinstance(one, Spread) else one for key, one in result.items()},
    )


def keep(name: str, result: Mapping[str, object]) -> None:
    """Write figures, and what machine they are of, to build/bench/NAME.json."""
    about = {
        "machine": platform.platform(),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(about | dict(result), indent=2, ensure_ascii=False) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")


def camera_photo(path: Path, rng: np.random.Generator, size: tuple[int, int] = CAMERA) -> None:
    """A JPEG of as many bytes a pixel as a camera's: coarse shapes and fine grain."""
    coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    shapes = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    grain = rng.normal(0.0, 6.0, (size[1], size[0], 1)).astype(np.float32)
    image = Image.fromarray(np.clip(shapes + grain, 0, 255).astype(np.uint8))
    image.save(path, quality=88, subsampling="4:2:0")


def megabytes(photos: Sequence[Path]) -> float:
    """Their mean size."""
    return statistics.mean(photo.stat().st_size for photo in photos) / 1e6
