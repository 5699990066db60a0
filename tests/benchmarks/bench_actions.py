"""Time and memory of copying and moving 100,000 photos into 20 folders, and of undoing it.

    python tests/benchmarks/bench_actions.py [PHOTOS ...]

The photos are tiny BMPs, so that what is measured is the care taken with each, not the drive.
``PAIRLENS_BENCH`` names the folder, and so the drive, on which it is done.
"""

from __future__ import annotations

import csv
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from side_by_side import keep
from stepwise import make_photos, measured, step

from engine.action_journal import Journal
from engine.action_plan import Kind, Plan, plan_by_caption, read_result
from engine.actions import run, undo

CAPTIONS = 20


def write_result(photos: Sequence[Path], path: Path) -> None:
    """A batch's table, in which the captions take turns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["photo", "caption", "match", "rank"])
        for number, photo in enumerate(photos):
            writer.writerow([photo, f"a photo of kind {number % CAPTIONS}", "true", 1])


def plan(place: Path, kind: Kind) -> Plan:
    return plan_by_caption(read_result(place / "result.csv"), place / "sorted", kind)


def plan_alone(place: Path) -> dict[str, object]:
    return {"steps": len(plan(place, "copy").steps)}


def act(place: Path, kind: Kind) -> dict[str, object]:
    with Journal() as journal:
        report = run(plan(place, kind), journal)
    return {"done": len(report.done), "failed": len(report.failures)}


def copy(place: Path) -> dict[str, object]:
    return act(place, "copy")


def move(place: Path) -> dict[str, object]:
    return act(place, "move")


def take_back(place: Path) -> dict[str, object]:
    with Journal() as journal:
        report = undo(journal)
    return {"done": len(report.done), "failed": len(report.failures)}


STEPS = {
    "plan": plan_alone, "copy": copy, "undo_copy": take_back, "move": move, "undo_move": take_back,
}  # fmt: skip


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or [10_000, 100_000]
    report: dict[str, object] = {}
    for count in counts:
        where = os.environ.get("PAIRLENS_BENCH")
        place = Path(tempfile.mkdtemp(prefix="pairlens-bench-", dir=where))
        try:
            write_result(make_photos(place / "photos", count), place / "result.csv")
            (place / "sorted").mkdir()
            report[f"{count}"] = measured(STEPS, place, f"{count:,} photos")
        finally:
            shutil.rmtree(place)
    keep("actions", report)


if __name__ == "__main__":
    if not step(STEPS):
        main()
