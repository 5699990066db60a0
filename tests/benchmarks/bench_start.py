"""How long a person waits for the command line: from the start of a process to its end.

    make bench

Each round is a fresh process, of `pairlens match PHOTO --caption TEXT`, of a search in a small
library, of `--help`, and of Python alone, which nothing can be faster than.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from side_by_side import Spread, camera_photo, report

PHOTOS, ROUNDS = 20, 15
PROGRAM = "import sys; from desktop.cli import main; sys.exit(main())"
TARGET = 1.5


def seconds(words: Sequence[str | Path]) -> tuple[float, float]:
    """By the clock, and of the processor."""
    wall, before = time.perf_counter(), _spent()
    subprocess.run(
        [sys.executable, *map(str, words)], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return time.perf_counter() - wall, _spent() - before


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        os.environ["PAIRLENS_HOME"] = f"{place}/home"
        folder, rng = Path(place) / "photos", np.random.default_rng(0)
        folder.mkdir()
        for number in range(PHOTOS):
            camera_photo(folder / f"{number}.jpg", rng, (1024, 768))
        photo = Path(place) / "camera.jpg"
        camera_photo(photo, rng)
        program = ("-c", PROGRAM)
        seconds([*program, "index", folder])
        commands: dict[str, tuple[str | Path, ...]] = {
            "match": (*program, "match", photo, "--caption", "a dog on the beach"),
            "search": (*program, "search", folder, "a dog on the beach"),
            "help": (*program, "--help"),
            "python": ("-c", "pass"),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        # The first round fills caches and is not counted.
        for number in range(-1, ROUNDS):
            for name, words in commands.items():
                found = seconds(words)
                if number >= 0:
                    taken[name].append(found)
    clock = {name: Spread.of([wall for wall, _ in times]) for name, times in taken.items()}
    processor = {name: Spread.of([spent for _, spent in times]) for name, times in taken.items()}
    report(
        "start",
        [
            f"{name}: {clock[name]} s, {processor[name]} s of the processor{also}"
            for name, also in (
                ("match", f"; target at most {TARGET}"),
                ("search", f", in {PHOTOS} photos"),
                ("help", ""),
                ("python", " that does nothing"),
            )
        ],
        {f"{name}_seconds": spread for name, spread in clock.items()}
        | {f"{name}_processor_seconds": spread for name, spread in processor.items()},
    )


if __name__ == "__main__":
    main()
