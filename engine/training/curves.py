"""Plots of the training curves, for people."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure


def plot_curves(work: Path) -> list[Path]:
    """Draw each curve `NAME.jsonl` in ``work`` as `NAME.png`: loss, and validation values."""
    made = []
    for curve in sorted(work.glob("*.jsonl")):
        rows = [json.loads(line) for line in curve.read_text(encoding="utf-8").splitlines()]
        figure = Figure(figsize=(10, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in rows]
        left.plot(epochs, [row["loss"] for row in rows])
        left.set(title=f"{curve.stem}: loss", xlabel="epoch")
        for name in sorted(rows[0].keys() - {"epoch", "loss", "seconds", "score"}):
            right.plot(epochs, [row.get(name) for row in rows], label=name)
        right.set(title=f"{curve.stem}: validation", xlabel="epoch")
        right.legend(fontsize="small")
        path = curve.with_suffix(".png")
        figure.savefig(path, dpi=110)
        made.append(path)
    return made
