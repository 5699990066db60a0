"""What of a search grows with the library, against only reading its embeddings from memory.

    python tests/benchmarks/bench_scan.py [PHOTOS ...]

Contenders take turns: the exact similarity of one query to all photos; that and the order of the
nearest; and a sum of all that the embeddings are, as integers, on all cores: nothing that was tried
reads memory faster (lab log). The target for 1,000,000 photos is 1.5 times the time of that.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import numpy as np
from side_by_side import Spread, Turn, keep, take_turns
from synthetic import embeddings, make_library

from engine.index import Library
from engine.pack import open_pack
from engine.paths import shipped_pack_dir
from engine.resident import Resident
from engine.search import AVOIDED_AMONG, nearest_first
from engine.types import FloatArray

SIZES = (1_000, 10_000, 100_000, 1_000_000)
ROUNDS = 15


def measure(folder: Path, count: int) -> dict[str, object]:
    make_library(folder, count, token_count=1)
    pack = open_pack(shipped_pack_dir())
    resident = Resident()
    library = Library.find(folder, resident)
    assert library is not None
    (query, *_) = embeddings(1, pack.manifest.model.embedding)
    with closing(library), closing(library.snapshot(None, pack.model_id)) as snapshot:
        kept = resident.embeddings(snapshot, resident.rows(snapshot, pack.model_id))
        with ThreadPoolExecutor(os.cpu_count()) as readers:

            def read(number: int) -> int:
                list(readers.map(_sum, kept.pieces))
                return count

            def compare(number: int) -> int:
                return snapshot.similarity(query).shape[1]

            def order(number: int) -> int:
                nearest_first(snapshot.similarity(query)[0], None, AVOIDED_AMONG)
                return count

            turns = take_turns({"read": read, "similarity": compare, "nearest": order}, ROUNDS)
    size = sum(piece.nbytes for piece in kept.pieces) / 1e6
    bandwidth = Spread.of([size / 1000 / one.wall for one in turns["read"]])
    found: dict[str, object] = {"megabytes": size, "gigabytes_a_second": asdict(bandwidth)}
    for name, each in turns.items():
        found[name] = {
            "ms": asdict(Spread.of([1000 * one.wall for one in each])),
            "cpu_ms": asdict(Spread.of([1000 * one.processor for one in each])),
        }
    for name in ("similarity", "nearest"):
        times = _times(turns[name], turns["read"])
        found[f"{name}_times_reading"] = asdict(times)
        print(f"{count:,} photos: {name} {times} x the time of reading {size:,.0f} MB", flush=True)
    return found


def _sum(piece: FloatArray) -> int:
    return int(np.add.reduce(piece.reshape(-1).view(np.int64)))


def _times(ours: list[Turn], other: list[Turn]) -> Spread:
    return Spread.of([one.wall / two.wall for one, two in zip(ours, other, strict=True)])


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or SIZES
    found: dict[str, object] = {"target": {"photos": 1_000_000, "nearest_times_reading": 1.5}}
    for count in counts:
        with tempfile.TemporaryDirectory() as place:
            os.environ["PAIRLENS_HOME"] = f"{place}/home"
            found[f"{count}"] = measure(Path(place) / "photos", count)
    keep("scan", found)


if __name__ == "__main__":
    main()
