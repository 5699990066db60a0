"""What is told of a model pack: to people by the command line, to programs as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from engine.architecture import LOOKING_AGAIN
from engine.installed import Installed, InUse

# Where the evaluation keeps what says most of a pack, by the name it has here.
_HEADLINE = {
    "accuracy": ("pairs", "accuracy"),
    "auc": ("pairs", "auc"),
    "photo_to_text_r10": ("retrieval", "photo_to_text", "r10"),
    "text_to_photo_r10": ("retrieval", "text_to_photo", "r10"),
}


def describe(pack: Installed, now: InUse | None) -> dict[str, Any]:
    """Plain values for JSON, as docs/models.md explains them; ``now`` is None if none can be used.

    Of a pack whose manifest can't be read only where it is, its size and the error are known.
    """
    in_use = now is not None and pack.folder.resolve() == now.folder.resolve()
    place = {"where": str(pack.folder), "bytes": pack.size, "in_use": in_use}
    manifest = pack.manifest
    if manifest is None:
        return {"name": pack.folder.name, "error": str(pack.error), **place}
    return {
        "name": manifest.name,
        "version": manifest.version,
        "model_id": manifest.model_id,
        "kind": manifest.kind,
        "languages": list(manifest.languages),
        "licence": manifest.licence,
        "notice": manifest.notice,
        **place,
        "why": now.why.value if in_use and now is not None else None,
        "calibrated": manifest.calibration.fitted,
        "looks_again": manifest.architecture in LOOKING_AGAIN,
        "metrics": headline(manifest.metrics),
    }


def headline(metrics: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The few numbers that say most, 0 to 1, by language; those that a pack was not measured by
    are left out."""
    found = {}
    languages = _at(metrics, ("test", "languages"))
    for language, measured in languages.items() if isinstance(languages, Mapping) else ():
        numbers = {name: _at(measured, path) for name, path in _HEADLINE.items()}
        kept = {name: float(number) for name, number in numbers.items() if _is_share(number)}
        if kept:
            found[language] = kept
    return found


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _is_share(number: Any) -> bool:
    return type(number) in (int, float) and math.isfinite(number) and 0 <= number <= 1
