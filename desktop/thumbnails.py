"""Small copies of photos for the page, so that it never reads the user's folders itself.

They are kept in the cache folder from one start to the next, and what was looked at longest ago
goes when they take up too much.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from engine.decode import thumbnail
from engine.errors import PhotoError

SIZES = {"small": 360, "large": 1600}
# Bytes on the disk: some 8,000 small copies, or 700 large ones.
LIMIT = 200_000_000
# Of these, as much goes at once as makes room for a while: looking through the folder takes time.
KEPT = 0.9


class Thumbnails:
    """Hands out a key for a photo that may be shown, and makes the copy when the key is asked for.

    Only photos that were put on the page have a key; a key can't be made up. Copies are found again
    by the photo's path, size and time of change. Safe for threads, and for several programs.

    Args:
        folder: where the copies are kept; made when needed, and readable by nobody else.
        where: says where a photo is now, see `desktop.moves`.
        limit: bytes that the copies may take up.
    """

    def __init__(self, folder: Path, where: Callable[[Path], Path], limit: int = LIMIT) -> None:
        self._folder = folder
        self._where = where
        self._limit = limit
        self._secret = secrets.token_bytes(16)
        self._lock = Lock()
        # By key: the photo, and what its copies are called.
        self._photos: dict[str, tuple[Path, str]] = {}
        # Bytes, as far as this program knows; None until it has looked.
        self._size: int | None = None

    def key(self, photo: Path) -> str:
        """The key of ``photo`` as it is now; a changed file gets another one."""
        try:
            found = photo.stat()
            version = f"{found.st_size} {found.st_mtime_ns}"
        except OSError:
            # What comes to this path later may be another photo: not to be found again.
            version = f"gone {self._secret.hex()}"
        seed = f"{photo.absolute()}\0{version}".encode("utf-8", "surrogateescape")
        key = hashlib.blake2b(seed, key=self._secret, digest_size=16).hexdigest()
        name = hashlib.blake2b(seed, digest_size=16).hexdigest()
        with self._lock:
            self._photos[key] = photo, name
        return key

    def photo(self, key: str) -> Path | None:
        """The photo that this key was handed out for, as it was named then."""
        with self._lock:
            return self._photos.get(key, (None,))[0]

    def file(self, key: str, size: str) -> Path | None:
        """A JPEG of the photo, its longer side ``SIZES[size]`` at most; None if it can't be had."""
        with self._lock:
            photo, name = self._photos.get(key, (None, ""))
        side = SIZES.get(size)
        if photo is None or side is None:
            return None
        path = self._folder / f"{name}-{size}.jpg"
        try:
            os.utime(path)  # it was looked at now
        except OSError:
            try:
                _shrink(self._where(photo), side, path)
                self._grew(path)
            except (PhotoError, OSError):
                return None
        return path

    def size(self) -> int:
        """Bytes that all copies take up on the disk."""
        return sum(size for _, size, _ in self._files())

    def clear(self) -> None:
        """Delete all copies; those of photos on the page are made again when they are asked for."""
        for path, _, _ in self._files():
            with suppress(OSError):  # on Windows, while it is being sent
                path.unlink()
        with self._lock:
            self._size = None

    def _grew(self, path: Path) -> None:
        """Count a new copy, and make room where it was one too many."""
        with self._lock:
            self._size = self.size() if self._size is None else self._size + path.stat().st_size
            if self._size <= self._limit:
                return
            # Counted anew: another program may have made or deleted some.
            self._size = 0
            for old, size, _ in sorted(self._files(), key=lambda file: file[2], reverse=True):
                if self._size + size > KEPT * self._limit and old != path:
                    with suppress(OSError):  # on Windows, while it is being sent
                        old.unlink()
                else:
                    self._size += size

    def _files(self) -> list[tuple[Path, int, int]]:
        """Each copy with its bytes and when it was last looked at, in nanoseconds."""
        found = []
        # Caches may be swept away by others while the program is open.
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            with suppress(OSError):  # deleted meanwhile
                at = path.stat()
                found.append((path, at.st_size, at.st_mtime_ns))
        return found


def _shrink(photo: Path, side: int, path: Path) -> None:
    image = thumbnail(photo, side)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Two requests may make the same copy at once; each renames a whole file into place.
    part = path.with_name(f"{path.stem}-{secrets.token_hex(4)}.part")
    image.save(part, format="JPEG", quality=84)
    part.replace(path)
