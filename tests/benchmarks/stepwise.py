"""Steps that are measured, each in a process of its own, whose peak memory the system counts."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

Steps = Mapping[str, Callable[[Path], dict[str, object]]]
SIDE = 4


def step(steps: Steps) -> bool:
    """Do the step that the command line names and print what it took; False if it names none."""
    if sys.argv[1:2] != ["--step"]:
        return False
    start = time.perf_counter()
    found = steps[sys.argv[2]](Path(sys.argv[3]))
    found["seconds"] = round(time.perf_counter() - start, 1)
    found["cpu_seconds"] = round(time.process_time(), 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found["peak_mb"] = round(peak / (1024**2 if sys.platform == "darwin" else 1024))
    print(json.dumps(found))
    return True


def measured(steps: Steps, place: Path, what: str) -> dict[str, object]:
    """Every step in its order with ``place`` as its folder, and where the program keeps things."""
    report: dict[str, object] = {}
    for name in steps:
        done = subprocess.run(
            [sys.executable, sys.argv[0], "--step", name, str(place)],
            env={**os.environ, "PAIRLENS_HOME": str(place / "home")},
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        report[name] = json.loads(done.stdout)
        print(f"{what}, {name}: {done.stdout.strip()}", flush=True)
    return report


def make_photos(folder: Path, count: int) -> list[Path]:
    """Tiny BMPs, no two alike, in folders of a thousand."""
    header = bytes.fromhex(
        "424d660000000000000036000000280000000400000004000000010018000000000030000000"
        "130b0000130b00000000000000000000"
    )
    rng = np.random.default_rng(1)
    made = []
    for number in range(count):
        if number % 1000 == 0:
            part = folder / f"{number // 1000:03}"
            part.mkdir(parents=True)
        pixels = rng.integers(0, 256, SIDE * SIDE * 3, dtype=np.uint8).tobytes()
        made.append(part / f"IMG_{number:06}.bmp")
        made[-1].write_bytes(header + pixels)
    return made
