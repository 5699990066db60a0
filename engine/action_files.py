"""One photo from here to there: nothing is overwritten, and nothing is ever half there."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import PhotoChanging, PhotoIsLink, PhotoMissing, PhotoUnreadable
from engine.fingerprint import fingerprint, new_digest

_CHUNK = 1 << 20
# What systems and drives answer that have no such thing.
_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file was like when last looked at.

    Attributes:
        size: bytes.
        fingerprint: None where the content was not read.
    """

    size: int
    mtime_ns: int
    fingerprint: bytes | None = None


def examine(photo: Path, *, moving: bool) -> Kept:
    """Size and time of a photo that is to be copied, or moved.

    Raises PhotoMissing, PhotoUnreadable, or PhotoIsLink (to move only).
    """
    try:
        if moving and photo.is_symlink():
            raise PhotoIsLink(path=photo)
        status = photo.stat()
    except FileNotFoundError:
        raise PhotoMissing(path=photo) from None
    except OSError as error:
        raise PhotoUnreadable(path=photo, reason=error.strerror or str(error)) from error
    if not stat.S_ISREG(status.st_mode):
        raise PhotoUnreadable(path=photo, reason="it is not an ordinary file")
    return Kept(status.st_size, status.st_mtime_ns)


def look(path: Path) -> Kept | None:
    """Size and time of an ordinary file; None if there is none here. Raises OSError."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Kept(status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def unchanged(path: Path, kept: Kept) -> bool:
    """Whether this is still the file it was; its content is read if its fingerprint is known."""
    if look(path) != Kept(kept.size, kept.mtime_ns):
        return False
    return kept.fingerprint is None or fingerprint(path) == kept.fingerprint


def holds(path: Path, kept: Kept) -> bool:
    """Whether there is a file, or a link to one, with this content, whatever its time."""
    try:
        return path.stat().st_size == kept.size and fingerprint(path) == kept.fingerprint
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


def copy_to_partial(source: Path, partial: Path) -> Kept:
    """Copy to a new file, with times and permissions, and see it onto the disk.

    Raises:
        PhotoMissing, PhotoUnreadable: the photo can't be read.
        PhotoChanging: it was written to meanwhile.
        OSError: the copy can't be written. Whatever was raised, it may be there in part.
    """
    try:
        file = source.open("rb", buffering=0)
    except FileNotFoundError:
        raise PhotoMissing(path=source) from None
    except OSError as error:
        raise PhotoUnreadable(path=source, reason=error.strerror or str(error)) from error
    digest = new_digest()
    size = 0
    with file:
        before = os.fstat(file.fileno())
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(partial, flags, 0o600), "wb", buffering=0) as copy:
            while chunk := _read(source, file.read):
                digest.update(chunk)
                size += len(chunk)
                view = memoryview(chunk)
                while view:
                    view = view[copy.write(view) :]
            os.fsync(copy.fileno())
        after = os.fstat(file.fileno())
    if (size, after.st_size, after.st_mtime_ns) != (before.st_size, size, before.st_mtime_ns):
        raise PhotoChanging(path=source)
    _copy_times(source, partial)
    written = partial.stat()
    if written.st_size != size:
        raise OSError(errno.EIO, "the copy has another size")
    return Kept(size, written.st_mtime_ns, digest.digest())


def _read(source: Path, read: Callable[[int], bytes | None]) -> bytes | None:
    try:
        return read(_CHUNK)
    except OSError as error:
        raise PhotoUnreadable(path=source, reason=error.strerror or str(error)) from error


def _copy_times(source: Path, partial: Path) -> None:
    status = source.stat()
    try:
        shutil.copystat(source, partial)
    except OSError:  # a drive that knows of no permissions; times are what counts
        os.utime(partial, ns=(status.st_atime_ns, status.st_mtime_ns))
    if sys.platform == "darwin":
        os.chflags(partial, 0)  # a photo locked in Finder would be a partial nobody can rename


def rename_new(source: Path, target: Path) -> None:
    """Rename within a drive, never onto something.

    Raises:
        FileExistsError: there is something at ``target``.
        OSError: with errno EXDEV if it is on another drive.
    """
    if sys.platform == "win32":
        source.rename(target)  # on Windows this refuses to overwrite
    elif not _rename_exclusively(source, target):
        # Links are refused where something is, too. A kill between the two leaves both names on
        # one file, which `one_file` tells.
        target.hardlink_to(source)
        source.unlink()


def remove(path: Path) -> None:
    """Delete a file, write-protected or not. Raises OSError."""
    if sys.platform == "win32":
        path.chmod(stat.S_IWRITE)  # elsewhere it is the folder's permissions that count
    path.unlink()


def one_file(a: Path, b: Path) -> bool:
    """Whether both names stand for one file, as a half-done `rename_new` leaves them."""
    try:
        first, second = a.lstat(), b.lstat()
    except OSError:
        return False
    return first.st_nlink > 1 and os.path.samestat(first, second)


def same_place(a: Path, b: Path) -> bool:
    """Whether what is found at both is one file with one name: without either, both are gone."""
    first, second = a.stat(), b.stat()
    return first.st_nlink == 1 and os.path.samestat(first, second)


def sync_folder(folder: Path) -> None:
    """See the names in a folder onto the disk, where the system can."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:  # some network drives have no such thing
            raise
    finally:
        os.close(handle)


_AT_FDCWD = -100
_RENAME_NOREPLACE = 1  # Linux
_RENAME_EXCL = 4  # macOS


def _rename_exclusively(source: Path, target: Path) -> bool:
    """Rename in one stroke; False if this system or drive can't refuse to overwrite."""
    call = _exclusive_rename()
    if call is None:
        return False
    if call(os.fsencode(source), os.fsencode(target)) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(source), None, str(target))


def _exclusive_rename() -> Callable[[bytes, bytes], int] | None:
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        return lambda a, b: int(libc.renamex_np(a, b, _RENAME_EXCL))
    if sys.platform == "linux" and hasattr(libc, "renameat2"):
        return lambda a, b: int(libc.renameat2(_AT_FDCWD, a, _AT_FDCWD, b, _RENAME_NOREPLACE))
    return None
