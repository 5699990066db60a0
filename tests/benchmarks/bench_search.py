"""Searching libraries of several sizes: from the query to ranked and reranked results.

    python tests/benchmarks/bench_search.py [PHOTOS ...]

Each step runs in a process of its own, whose peak memory is the system's own count. The libraries
are made up; the shipped pack reads the queries and reranks. The first query after the start of a
program is counted apart: it opens the library and reads what the next ones find in memory. Beside
seconds by the clock stand those of the processor, which count less of what else a machine does.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from side_by_side import keep
from stepwise import measured, step
from synthetic import captions, make_library, photo_name

from engine.index import Library
from engine.matcher import load_matcher
from engine.query import Query
from engine.search import search

SIZES = (1_000, 10_000, 100_000, 1_000_000)
TOP, ROUNDS, COMMANDS = 50, 5, 5
PAIRLENS = "import sys; from desktop.cli import main; sys.exit(main())"


def make(place: Path) -> dict[str, object]:
    make_library(place / "photos", int((place / "count").read_text(encoding="ascii")))
    return {}


def find(place: Path) -> dict[str, object]:
    """As the window does: one process, many queries."""
    folder = place / "photos"
    matcher = load_matcher()
    queries = [Query(caption.text, folder=folder) for caption in captions()]
    matcher.encode_captions([queries[0].words or ""])  # the model is warm, the library is not
    before = _peak_mb(resource.RUSAGE_SELF)
    wall, processor = time.perf_counter(), time.process_time()
    library = Library.find(folder)
    assert library is not None
    with closing(library):
        search(matcher, library, queries[0], TOP)
        first = {
            "first_seconds": round(time.perf_counter() - wall, 3),
            "first_cpu_seconds": round(time.process_time() - processor, 3),
        }
        by_words = _each([lambda q=query: search(matcher, library, q, TOP) for query in queries])
        # Nothing is fused for these: it is what grows with the library.
        alone = [Query(photo=folder / photo_name(number)) for number in range(len(queries))]
        by_photo = _each([lambda q=query: search(matcher, library, q, TOP) for query in alone])
    return {
        **first, "words": by_words, "photo": by_photo,
        "library_mb": round(_peak_mb(resource.RUSAGE_SELF) - before),
    }  # fmt: skip


def command(place: Path) -> dict[str, object]:
    """As the command line does: a process a query, the model loaded each time."""
    words = [sys.executable, "-c", PAIRLENS, "search", str(place / "photos"), "a dog on the beach"]
    each = _each([lambda: subprocess.run(words, check=True, capture_output=True)] * COMMANDS, 1)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "median_ms": each["median_ms"],
        "cpu_ms": round(1000 * (spent.ru_utime + spent.ru_stime) / COMMANDS),
        "command_peak_mb": round(_peak_mb(resource.RUSAGE_CHILDREN)),
    }


def _each(calls: list[Callable[[], object]], rounds: int = ROUNDS) -> dict[str, object]:
    wall, processor = [], []
    for call in calls * rounds:
        begun = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - begun[0])
        processor.append(time.process_time() - begun[1])
    found: dict[str, object] = {"queries": len(wall)}
    for name, seconds in (("", wall), ("cpu_", processor)):
        median, late = 1000 * np.quantile(seconds, [0.5, 0.99])
        found |= {f"{name}median_ms": round(median, 1), f"{name}p99_ms": round(late, 1)}
    return found


def _peak_mb(whose: int) -> float:
    return resource.getrusage(whose).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


STEPS = {"make": make, "search": find, "command": command}


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or SIZES
    found: dict[str, object] = {
        "top": TOP,
        "targets": {"median_ms": 150, "p99_ms": 300, "first_seconds": 1, "photos": 100_000},
    }
    for count in counts:
        place = Path(tempfile.mkdtemp(prefix="pairlens-bench-"))
        try:
            (place / "count").write_text(str(count), encoding="ascii")
            (place / "home").mkdir()
            found[f"{count}"] = measured(STEPS, place, f"{count:,} photos")
        finally:
            shutil.rmtree(place)
    keep("search", found)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    if not step(STEPS):
        main()
