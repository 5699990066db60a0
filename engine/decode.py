"""A photo (file) becomes an image (RGB, upright, sRGB), or one of the named photo errors."""

from __future__ import annotations

import errno
import io
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageCms, ImageFile

from engine.errors import (
    PhotoDamaged,
    PhotoEmpty,
    PhotoError,
    PhotoMissing,
    PhotoNotAnImage,
    PhotoTooLarge,
    PhotoUnreadable,
)
from engine.paths import on_disk
from engine.raw import RAW_SUFFIXES, read_preview
from engine.types import PhotoDetails

PHOTO_SUFFIXES = RAW_SUFFIXES | frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".avif",
        ".heic",
        ".heif",
        ".tif",
        ".tiff",
        ".bmp",
        ".gif",
    }
)

MAX_MEGAPIXELS = 200
"""The largest phone cameras make 200 megapixels; what claims more is refused before decoding."""

_ORIENTATION_TAG = 0x0112
_EXIF_IFD = 0x8769
_TAKEN_TAG = 0x9003
_ON_ITS_SIDE = {5, 6, 7, 8}
# Their decoders know the size of the upright picture from the start.
_TURNED_WHEN_OPENED = {"TIFF", "HEIF"}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(path: Path, least_side: int | None = None) -> Image.Image:
    """Open a photo as an upright sRGB image.

    The first frame of an animation is taken, transparency is laid on white, and an embedded colour
    profile is applied. Safe to call from several threads.

    Args:
        path: the file. Its content decides what it is, not its name, except that RAW photos are
            named so; of them the preview inside is taken.
        least_side: when given, the image may come smaller than the photo, but with both sides at
            least this long (or as large as the photo where that is smaller). This is several times
            faster for large photos.

    Returns:
        Mode RGB, without metadata.

    Raises:
        PhotoError: one of PhotoMissing, PhotoUnreadable, PhotoEmpty, PhotoNotAnImage, PhotoDamaged,
            PhotoTooLarge, PhotoWithoutPreview, RawUnsupported; nothing else, whatever the file
            holds.
    """
    with _named_errors(path), on_disk(path).open("rb") as file:
        if not _is_raw(file, path):
            return _decode_file(file, path, least_side)
        return _decode_file(io.BytesIO(read_preview(file, path).picture), path, least_side)


def read_details(path: Path) -> PhotoDetails:
    """When a photo was taken and how large it is, from its header: it is not decoded.

    Raises:
        PhotoError: as `decode` does, where the header already shows what is wrong.
    """
    with _named_errors(path), on_disk(path).open("rb") as file:
        changed = os.fstat(file.fileno()).st_mtime
        if _is_raw(file, path):
            preview = read_preview(file, path)
            with _open(io.BytesIO(preview.picture), path) as opened:
                _, taken = _from_exif(opened)
            when = taken or preview.taken or _local_time(changed)
            return PhotoDetails(when, preview.width, preview.height)
        with _open(file, path) as opened:
            width, height = opened.size
            orientation, taken = _from_exif(opened)
            if opened.format not in _TURNED_WHEN_OPENED and orientation in _ON_ITS_SIDE:
                width, height = height, width
        return PhotoDetails(taken or _local_time(changed), width, height)


def _from_exif(opened: ImageFile.ImageFile) -> tuple[int, str | None]:
    """Orientation, and the local time at which the photo was taken; damaged EXIF says nothing."""
    orientation, taken = 1, None
    try:
        exif = opened.getexif()
        orientation = int(exif.get(_ORIENTATION_TAG, 1))
        said = str(exif.get_ifd(_EXIF_IFD).get(_TAKEN_TAG, "")).strip("\0 ")
        taken = datetime.strptime(said, "%Y:%m:%d %H:%M:%S").isoformat()
    except Exception:  # a camera without a clock, or metadata of any kind of damage
        pass
    return orientation, taken


def _local_time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(int(seconds)).isoformat()
    except (ValueError, OverflowError, OSError):  # a file system with nonsense in it
        return datetime.fromtimestamp(0).isoformat()


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Whatever goes wrong with the file becomes a PhotoError."""
    try:
        _check_file(path)
        yield
    except PhotoError:
        raise
    except FileNotFoundError:
        raise PhotoMissing(path=path) from None
    except MemoryError:
        raise PhotoUnreadable(path=path, reason="not enough memory") from None
    except OSError as error:
        # Pillow reports bad content as OSError without a number; a damaged file may also send it
        # to an impossible offset (EINVAL). Every other number comes from the disk.
        if error.errno in (None, errno.EINVAL):
            raise PhotoDamaged(path=path, reason=_reason(error)) from error
        raise PhotoUnreadable(path=path, reason=error.strerror or _reason(error)) from error
    except Exception as error:
        # Decoders meet damaged data with nearly every exception there is (struct.error,
        # SyntaxError, OverflowError, zlib.error ...): whatever it is, this photo is damaged.
        raise PhotoDamaged(path=path, reason=_reason(error)) from error


def thumbnail(path: Path, side: int) -> Image.Image:
    """A photo as `decode` gives it, its longer side ``side`` pixels at most. Raises PhotoError."""
    # decode speaks of the shorter side.
    image = decode(path, least_side=side)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split()).rstrip(".")
    return words or type(error).__name__


def _check_file(path: Path) -> None:
    """Refuse what must not even be opened: reading a pipe, for one, could wait for ever."""
    try:
        status = on_disk(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        raise PhotoMissing(path=path) from None
    except ValueError:  # a NUL character in the name
        raise PhotoMissing(path=path) from None
    except OSError as error:
        raise PhotoUnreadable(path=path, reason=error.strerror or _reason(error)) from error
    if stat.S_ISDIR(status.st_mode):
        raise PhotoUnreadable(path=path, reason="it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise PhotoUnreadable(path=path, reason="it is not an ordinary file")
    if status.st_size == 0:
        raise PhotoEmpty(path=path)


@cache
def _formats() -> tuple[str, ...]:
    """Register the decoders once and name them; no others are ever tried.

    Pillow knows formats that run other programs (EPS) or are of no use here: those stay out.
    """
    import pillow_heif
    from PIL import (  # noqa: F401  (each registers its format when imported)
        AvifImagePlugin,
        BmpImagePlugin,
        GifImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    pillow_heif.register_heif_opener()
    return ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "GIF", "BMP")


def _open(file: IO[bytes], path: Path) -> ImageFile.ImageFile:
    """Read the header.

    ``Image.open`` is not used because it refuses photos above 179 megapixels, a limit that can only
    be moved for the whole process.
    """
    prefix = file.read(16)
    for name in _formats():
        factory, accepts = Image.OPEN[name]
        # A decoder that knows the signature but can't be used here answers with a sentence.
        if accepts is not None and accepts(prefix) is True:
            file.seek(0)
            return factory(file, "")
    raise PhotoNotAnImage(path=path)


def _is_raw(file: IO[bytes], path: Path) -> bool:
    """Whether it is named as a RAW photo and no ordinary picture, which TIFF alone can't tell."""
    if path.suffix.lower() not in RAW_SUFFIXES:
        return False
    prefix = file.read(16)
    file.seek(0)
    ordinary = (Image.OPEN[name][1] for name in _formats() if name != "TIFF")
    return not any(accepts is not None and accepts(prefix) is True for accepts in ordinary)


def _decode_file(file: IO[bytes], path: Path, least_side: int | None) -> Image.Image:
    with _open(file, path) as opened:
        pixels = opened.width * opened.height
        if pixels > MAX_MEGAPIXELS * 1_000_000:
            raise PhotoTooLarge(
                path=path, megapixels=math.ceil(pixels / 1_000_000), limit=MAX_MEGAPIXELS
            )
        if pixels == 0:
            raise PhotoDamaged(path=path, reason="it has no pixels")
        if least_side is not None:
            # JPEG: decode at 1/2, 1/4 or 1/8. HEIC: use the preview inside if it is big enough.
            opened.draft(None, (least_side, least_side))
        opened.load()
        turn = _turn(opened)
        profile = opened.info.get("icc_profile")
        image = _eight_bit(opened)
    if least_side is not None:
        # Before the colours, which cost far more on a large image than on a small one.
        factor = min(image.width, image.height) // least_side
        if factor > 1:
            image = image.reduce(factor)
    image = _to_srgb(_on_white(image), profile)
    if turn is not None:
        image = image.transpose(turn)
    image.info = {}
    return image


def _turn(opened: ImageFile.ImageFile) -> Image.Transpose | None:
    """What EXIF says must be done to see the photo upright; damaged EXIF says nothing.

    Asked after loading: the TIFF and HEIC decoders turn the image themselves and drop the tag.
    """
    return _TURNS.get(_from_exif(opened)[0])


def _eight_bit(image: Image.Image) -> Image.Image:
    """Any mode to L, RGB, RGBA or CMYK, as a new image that does not hold the file."""
    if image.mode.startswith("I;16"):
        # convert("L") would clip at 255 and leave nearly everything white.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        return _stretched(image)
    if image.mode == "LAB":
        return _converted(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB", "CMYK"):
        return image.copy()
    return image.convert("L" if image.mode == "1" else "RGB")


def _stretched(image: Image.Image) -> Image.Image:
    """32-bit greyscale has no agreed white: its own darkest and lightest value become 0 and 255."""
    values = np.asarray(image).astype(np.float64)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low = float(values.min())
    span = float(values.max()) - low
    scaled = (values - low) * (255.0 / span) if span > 0 else np.zeros_like(values)
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image)
    return page


def _to_srgb(image: Image.Image, profile: object) -> Image.Image:
    """L, RGB or CMYK to RGB through the embedded profile; a profile that is no use is ignored."""
    if isinstance(profile, bytes) and profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" not in (source.profile.profile_description or ""):
                space = source.profile.xcolor_space.strip()
                if space == "RGB" and image.mode == "L":
                    image = image.convert("RGB")
                if space == {"L": "GRAY"}.get(image.mode, image.mode):
                    return _converted(image, source)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            # The picture without its profile is a little off in colour, and still the picture.
            pass
    return image.convert("RGB")


def _converted(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    # The target profile is made anew each time: sharing one between threads is not promised safe.
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    if converted is None:
        raise ImageCms.PyCMSError("no image came back")
    return converted
