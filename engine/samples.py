"""The photos that come with the program, to try it with; resources/samples/README.md says whose."""

from __future__ import annotations

from pathlib import Path

from engine import paths


def sample_photos() -> list[Path]:
    """The photos, sorted by name."""
    return sorted((paths.resources_dir() / "samples").glob("*.jpg"))
