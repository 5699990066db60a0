"""A report as tables for people: Markdown that also reads well on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.evaluation.breadth import NEAREST

NAMES = {"en": "English", "zh": "Chinese"}
_WAYS = (("photo -> text", "photo_to_text"), ("text -> photo", "text_to_photo"))


def summary(report: dict[str, Any]) -> str:
    """Every table of a report of `report.evaluate`, under a title each."""
    parts = [f"{report['pack']}, {report['photos']} photos of the {report['split']} split"]
    sections = [
        ("Retrieval by similarity", retrieval(report)),
        ("R@1 before and after the fusion reorders the nearest", rerank(report)),
        ("Pairs: a right and a random wrong caption for each photo", pairs(report)),
        ("Searches shown as a match", queries(report)),
        ("Captions with one edit: the right one of two chosen", edited(report)),
        ("Pair AUC with worse photos and captions", robustness(report)),
        ("Labels with one of their photos among the nearest", breadth(report)),
        ("Footprint", footprint(report)),
    ]
    for title, table in sections:
        if table:
            parts += [title, table]
    return "\n\n".join(parts)


def retrieval(report: dict[str, Any]) -> str:
    """R@1, 5 and 10 by similarity, both ways."""
    rows = [
        [name, direction, *(_percent(found["retrieval"][way], top) for top in ("r1", "r5", "r10"))]
        for name, found in _languages(report)
        for direction, way in _WAYS
    ]
    return _table(["language", "direction", "R@1", "R@5", "R@10"], rows)


def rerank(report: dict[str, Any]) -> str:
    """R@1 by similarity and by fusion, both ways."""
    rows = []
    for name, found in _languages(report):
        for direction, way in _WAYS:
            values = found["rerank"][way]
            shares = (_percent(values, key) for key in ("r1_similarity", "r1_fusion", "gain"))
            rows.append([name, direction, *shares])
    return _table(["language", "direction", "by similarity", "by fusion", "gain"], rows)


def pairs(report: dict[str, Any]) -> str:
    """Order and decisions on random pairs, and the order of hard ones."""
    rows = []
    for name, found in _languages(report):
        values = found["pairs"]
        rows += [
            [name, "pair AUC", _number(values, "auc")],
            [name, "pair AUC, similarity alone", _number(values, "similarity_auc")],
            [name, "pair AUC, hardest wrong caption", _number(found["hard_pairs"], "auc")],
            *([name, key, _percent(values, key)] for key in ("accuracy", "precision", "recall")),
            [name, "F1", _number(values, "f1")],
            [name, "calibration error", _number(values, "calibration_error")],
        ]
    return _table(["language", "measure", "value"], rows)


def queries(report: dict[str, Any]) -> str:
    """Shares of searches that are shown as a match; empty where none were measured."""
    rows = []
    for name, found in _languages(report):
        if "queries" in found:
            values = found["queries"]
            fitting, unfitting = values["fitting"], values["unfitting"]
            rows.append(
                [
                    name,
                    f"{_percent(fitting, 'shown')} of {fitting['queries']}",
                    f"{_percent(unfitting, 'shown')} of {unfitting['queries']}",
                    f"{values['auc']:.3f}",
                ]
            )
    return _table(["language", "queries that fit", "queries that fit nothing", "AUC"], rows)


def edited(report: dict[str, Any]) -> str:
    """Right choices for each kind of edit; empty where none were measured."""
    if "edited" not in report:
        return ""
    found = report["edited"]
    rows = [
        [kind, str(values["pairs"])]
        + [_percent(values, key) for key in ("fusion", "similarity", "gain", "blank")]
        for kind, values in [*found["kinds"].items(), ("mean", found["mean"])]
    ]
    return _table(["kind", "pairs", "by fusion", "by similarity", "gain", "without photo"], rows)


def robustness(report: dict[str, Any]) -> str:
    """Pair AUC under each corruption; empty where none was measured."""
    rows = [
        [name, _number(values, "auc"), _number(values, "drop")]
        for name, values in report.get("robustness", {}).items()
    ]
    return _table(["English", "pair AUC", "drop"], rows)


def breadth(report: dict[str, Any]) -> str:
    """R@10 of labels; empty where it was not measured."""
    if "breadth" not in report:
        return ""
    found = report["breadth"]
    rows = [
        [NAMES.get(code, code), str(found["labels"]), str(found["photos"]), _percent(values, "r10")]
        for code, values in found["languages"].items()
    ]
    return _table(["language", "labels", "photos", f"R@{NEAREST}"], rows)


def footprint(report: dict[str, Any]) -> str:
    """Sizes and speed."""
    found = report["footprint"]
    return _table(
        ["what", "how much"],
        [
            ["pack", f"{found['pack_bytes'] / 1e6:.1f} MB"],
            [
                "pack without weights for torch",
                f"{found['pack_bytes_without_weights'] / 1e6:.1f} MB",
            ],
            ["kept for each photo", f"{found['bytes_per_photo']} bytes"],
            ["photos a second, one thread", f"{found['photos_per_cpu_second']:.1f}"],
        ],
    )


def _languages(report: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(NAMES.get(code, code), found) for code, found in report["languages"].items()]


def _percent(values: dict[str, Any], key: str) -> str:
    low, high = values[f"{key}_interval"]
    return f"{values[key]:.1%} ({100 * low:.1f} to {100 * high:.1f})"


def _number(values: dict[str, Any], key: str) -> str:
    low, high = values[f"{key}_interval"]
    return f"{values[key]:.3f} ({low:.3f} to {high:.3f})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with padded columns; nothing where there are no rows."""
    if not rows:
        return ""
    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in lines
    )
