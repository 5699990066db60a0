"""Searching 100,000 photos by words: from the query to ranked and reranked results.

    python tests/benchmarks/bench_search.py [PHOTOS]

The library is made as in bench_library.py; the shipped pack reads the queries and reranks. The
first query after the start of a process is counted apart: it opens the library.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from bench_library import Encoder
from bench_pairs import captions
from side_by_side import report
from stepwise import make_photos

from engine.index import Library, index_folder
from engine.matcher import load_matcher
from engine.query import Query
from engine.search import search

TOP, ROUNDS = 50, 5


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as place:
        os.environ["PAIRLENS_HOME"] = f"{place}/home"
        folder = Path(place) / "photos"
        make_photos(folder, count)
        index_folder(folder, Encoder())
        matcher = load_matcher()
        queries = [Query(caption.text, folder=folder) for caption in captions()]
        matcher.encode_captions([queries[0].words or ""])  # the model is warm, the library is not
        begun = time.perf_counter()
        library = Library.find(folder)
        assert library is not None
        seconds = []
        with closing(library):
            search(matcher, library, queries[0], TOP)
            first = time.perf_counter() - begun
            for query in queries * ROUNDS:
                begun = time.perf_counter()
                search(matcher, library, query, TOP)
                seconds.append(time.perf_counter() - begun)
    middle, late = (1000 * float(np.quantile(seconds, share)) for share in (0.5, 0.99))
    report(
        "search",
        [
            f"{count:,} photos, {len(seconds)} queries, the best {TOP} reranked",
            f"median {middle:.0f} ms, p99 {late:.0f} ms; targets 150 and 300",
            f"the first after opening the library {first:.2f} s; target 1",
        ],
        {
            "photos": count,
            "median_ms": round(middle, 1),
            "p99_ms": round(late, 1),
            "first_seconds": round(first, 3),
        },
    )


if __name__ == "__main__":
    main()
