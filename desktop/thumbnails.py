"""Small copies of photos for the page, so that it never reads the user's folders itself."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from engine.decode import thumbnail
from engine.errors import PhotoError

SIZES = {"small": 360, "large": 1600}


class Thumbnails:
    """Hands out a key for a photo that may be shown, and makes the copy when the key is asked for.

    Only photos that were put on the page have a key; a key can't be made up. Safe for threads.

    Args:
        folder: where the copies are kept.
        where: says where a photo is now, see `desktop.moves`.
    """

    def __init__(self, folder: Path, where: Callable[[Path], Path]) -> None:
        self._folder = folder
        self._where = where
        self._secret = secrets.token_bytes(16)
        self._lock = Lock()
        self._photos: dict[str, Path] = {}

    def key(self, photo: Path) -> str:
        """The key of ``photo`` as it is now; a changed file gets another one."""
        try:
            found = photo.stat()
            version = f"{found.st_size} {found.st_mtime_ns}"
        except OSError:
            version = "gone"
        seed = f"{photo}\0{version}".encode("utf-8", "surrogateescape")
        key = hashlib.blake2b(seed, key=self._secret, digest_size=16).hexdigest()
        with self._lock:
            self._photos[key] = photo
        return key

    def photo(self, key: str) -> Path | None:
        """The photo that this key was handed out for, as it was named then."""
        with self._lock:
            return self._photos.get(key)

    def file(self, key: str, size: str) -> Path | None:
        """A JPEG of the photo, its longer side ``SIZES[size]`` at most; None if it can't be had."""
        photo = self.photo(key)
        side = SIZES.get(size)
        if photo is None or side is None:
            return None
        path = self._folder / f"{key}-{size}.jpg"
        if not path.exists():
            try:
                _shrink(self._where(photo), side, path)
            except (PhotoError, OSError):
                return None
        return path

    def size(self) -> int:
        """Bytes that all copies take up on the disk."""
        return sum(path.stat().st_size for path in self._folder.glob("*.jpg"))

    def clear(self) -> None:
        """Delete all copies; those of photos on the page are made again when they are asked for."""
        for path in self._folder.glob("*.jpg"):
            with suppress(OSError):  # on Windows, while it is being sent
                path.unlink()


def _shrink(photo: Path, side: int, path: Path) -> None:
    image = thumbnail(photo, side)
    # Two requests may make the same copy at once; each renames a whole file into place.
    part = path.with_name(f"{path.stem}-{secrets.token_hex(4)}.part")
    image.save(part, format="JPEG", quality=84)
    part.replace(path)
