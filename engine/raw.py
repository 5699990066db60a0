"""RAW photos, by the preview that cameras put inside; needs rawpy, an optional extra."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import Image

from engine.errors import PhotoDamaged, PhotoNotAnImage, PhotoWithoutPreview, RawUnsupported

RAW_SUFFIXES = frozenset(
    {
        ".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".srw",
    }
)  # fmt: skip
# LibRaw's words for how a photo is to be turned, and those of EXIF.
_ORIENTATIONS = {3: 3, 5: 8, 6: 6}


@dataclass(frozen=True, slots=True)
class Preview:
    """What is inside a RAW photo.

    Attributes:
        picture: an image file, as large as the camera made it. Where the camera did not, LibRaw
            writes into its EXIF how it is to be turned.
        width, height: pixels of the upright RAW photo.
        taken: when, in local time, where the RAW photo says so.
    """

    picture: bytes
    width: int
    height: int
    taken: str | None


class _Content:
    """A file in memory. LibRaw goes on reading from it after rawpy has dropped what it was given.

    A file object would give rawpy bytes that nobody else holds, and another picture now and then.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self) -> bytes:
        return self._content


def read_preview(file: IO[bytes], path: Path) -> Preview:
    """The preview inside an open RAW photo.

    Raises:
        RawUnsupported: rawpy is not installed.
        PhotoWithoutPreview, PhotoDamaged, PhotoNotAnImage: what is wrong with the photo.
    """
    try:
        import rawpy
    except ImportError:
        raise RawUnsupported(path=path) from None
    content = _Content(file.read())
    try:
        with rawpy.imread(content) as raw:  # type: ignore[arg-type]  # it only reads
            sizes = raw.sizes
            size = (sizes.width, sizes.height) if sizes.flip < 4 else (sizes.height, sizes.width)
            orientation = _ORIENTATIONS.get(sizes.flip, 1)
            when = raw.other.timestamp
            taken = when.isoformat() if when.year > 1970 else None
            found = raw.extract_thumb()
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        raise PhotoWithoutPreview(path=path) from None
    except rawpy.LibRawFileUnsupportedError:
        raise PhotoNotAnImage(path=path) from None
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else error
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise PhotoDamaged(path=path, reason=said) from error
    if isinstance(found.data, bytes):
        return Preview(found.data, *size, taken)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = io.BytesIO()
    Image.fromarray(found.data).save(picture, "JPEG", quality=95, exif=exif)
    return Preview(picture.getvalue(), *size, taken)
