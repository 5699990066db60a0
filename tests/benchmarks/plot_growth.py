"""Draws docs/images/growth.svg: what work costs as a library grows.

    python tests/benchmarks/plot_growth.py

Reads what bench_search.py and bench_library.py left in build/bench.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from side_by_side import RESULTS

mpl.use("svg")
from matplotlib import pyplot as plt

OUT = Path(__file__).resolve().parents[2] / "docs" / "images" / "growth.svg"


def read(name: str) -> dict[int, dict[str, Any]]:
    found = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return {int(key): value for key, value in found.items() if key.isdigit()}


def main() -> None:
    searches, libraries = read("search"), read("library")
    # The same bytes for the same figures.
    mpl.rcParams |= {"svg.hashsalt": "pairlens", "font.size": 9}
    figure, (queries, photos) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    counts = sorted(searches)
    for label, pick in (
        ("words, reranked", lambda one: one["search"]["words"]["median_ms"]),
        ("a photo", lambda one: one["search"]["photo"]["median_ms"]),
        ("first query after the start", lambda one: 1000 * one["search"]["first_seconds"]),
        ("pairlens search, a process each", lambda one: one["command"]["median_ms"]),
    ):
        queries.plot(counts, [pick(searches[count]) for count in counts], marker="o", label=label)
    queries.set(xscale="log", yscale="log", xlabel="photos in the library", ylabel="ms a query")
    queries.legend(fontsize=7)
    counts = sorted(libraries)
    for label, step in (
        ("new photos", "index"),
        ("unchanged photos", "index_again"),
        ("features read back for a batch", "read_all"),
    ):
        rates = [count / libraries[count][step]["cpu_seconds"] for count in counts]
        photos.plot(counts, rates, marker="o", label=label)
    photos.set(
        xscale="log", yscale="log", xlabel="photos in the library",
        ylabel="photos a processor second,\nwithout decoding and model",
    )  # fmt: skip
    photos.legend(fontsize=7)
    for axes in (queries, photos):
        axes.grid(alpha=0.3)
    figure.savefig(OUT, metadata={"Date": None})


if __name__ == "__main__":
    main()
