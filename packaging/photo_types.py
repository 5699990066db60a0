"""The photos that PairLens opens, in the words of each system."""

from __future__ import annotations

# suffix -> media type, as the shared MIME database calls it. A test holds the suffixes against
# those that the decoder knows.
MEDIA_TYPES = {
    ".arw": "image/x-sony-arw",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".cr2": "image/x-canon-cr2",
    ".cr3": "image/x-canon-cr3",
    ".dng": "image/x-adobe-dng",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".jfif": "image/jpeg",
    ".jpe": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".nef": "image/x-nikon-nef",
    ".nrw": "image/x-nikon-nrw",
    ".orf": "image/x-olympus-orf",
    ".pef": "image/x-pentax-pef",
    ".png": "image/png",
    ".raf": "image/x-fuji-raf",
    ".rw2": "image/x-panasonic-rw2",
    ".srw": "image/x-samsung-srw",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
}
FOLDER = "inode/directory"


def desktop_types() -> list[str]:
    """Every media type once, folders last."""
    return [*sorted(set(MEDIA_TYPES.values())), FOLDER]
