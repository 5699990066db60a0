"""What the macOS build is given besides the program: its icon and its Info.plist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from photo_types import MEDIA_TYPES
from PIL import Image

# No domain is made up: see docs/packaging.md.
IDENTIFIER = "pairlens"
# The oldest that the wheels it is made of are built for: see docs/packaging.md.
OLDEST_SYSTEM = "14.0"


def write_icon(pictures: Path, target: Path) -> str:
    """One .icns of the largest PNG, from which the smaller sizes are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.open(pictures / "pairlens-512.png").convert("RGBA").save(target, format="ICNS")
    return str(target)


def information(version: str) -> dict[str, Any]:
    """What Info.plist says beyond what PyInstaller writes: what PairLens can be opened with."""
    return {
        "CFBundleDisplayName": "PairLens",
        "CFBundleShortVersionString": version,
        "CFBundleLocalizations": ["en", "zh_CN"],
        "LSApplicationCategoryType": "public.app-category.photography",
        "LSMinimumSystemVersion": OLDEST_SYSTEM,
        "NSHighResolutionCapable": True,
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": "Photo",
                # It looks at photos and never changes them, and is nobody's default.
                "CFBundleTypeRole": "Viewer",
                "LSHandlerRank": "Alternate",
                "CFBundleTypeExtensions": sorted(suffix[1:] for suffix in MEDIA_TYPES),
                "LSItemContentTypes": ["public.image"],
            },
            {
                "CFBundleTypeName": "Folder of photos",
                "CFBundleTypeRole": "Viewer",
                "LSHandlerRank": "Alternate",
                "LSItemContentTypes": ["public.folder"],
            },
        ],
    }
