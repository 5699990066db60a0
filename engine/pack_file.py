"""A model pack as one file to be passed on: a ZIP with the manifest and the files it names.

Whoever made such a file may mean harm, so it is judged by its list of contents before anything is
unpacked, and unpacked with nothing but plain names into a folder of its own.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from engine.errors import OutputUnwritable, PackError, PackFileUnusable, SpaceMissing
from engine.manifest_json import LARGEST as LARGEST_MANIFEST
from engine.pack import MANIFEST, Manifest, Pack, parse_manifest
from engine.pack_content import largest
from engine.types import Progress, no_progress

ENDING = ".pairlens"
# A ZIP ends in a record of this size, which begins so and says how long the list of contents is.
_END, _END_SIZE = b"PK\x05\x06", 22
_ZIP64 = b"PK\x06\x07"
_MOST_LIST = 1 << 16
_MOST_FILES = 64
# Numbers of a model hardly shrink; a file that grows this much when unpacked is a bomb.
_MOST_GROWTH = 200
_LOCAL_HEADER = 30
_CHUNK = 1 << 20
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # in part, strongly, or its list of contents
_BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError,
    RuntimeError, ValueError,
)  # fmt: skip


def write_pack_file(pack: Pack, out: Path) -> None:
    """Write a verified pack, the same bytes each time, into a new file.

    Raises OutputUnwritable, also when there is such a file already.
    """
    if out.exists():
        raise OutputUnwritable(path=out, reason="there is such a file already")
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    names = [name for name in sorted(pack.manifest.files) if (pack.folder / name).is_file()]
    try:
        with zipfile.ZipFile(partial, "x", allowZip64=False) as archive:
            for name in (MANIFEST, *names):
                # A fixed date, and no permissions of this computer.
                entry = zipfile.ZipInfo(name)
                entry.compress_type = _compression(name)
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                entry.file_size = (pack.folder / name).stat().st_size
                with (pack.folder / name).open("rb") as file, archive.open(entry, "w") as into:
                    shutil.copyfileobj(file, into, _CHUNK)
        partial.rename(out)
    except zipfile.LargeZipFile as error:
        raise OutputUnwritable(path=out, reason="the pack is larger than 4 GB") from error
    except OSError as error:
        raise OutputUnwritable(path=out, reason=error.strerror or error) from error
    finally:
        partial.unlink(missing_ok=True)


def _compression(name: str) -> int:
    stored = name.endswith((".onnx", ".safetensors"))
    return zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED


class PackFile:
    """An open `.pairlens` file whose list of contents was checked against its manifest.

    Attributes:
        manifest: what the pack says of itself.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self._entries = _entries(archive)
        self.manifest = self._manifest()
        self._check_sizes()

    def unpack(self, into: Path, progress: Progress = no_progress) -> None:
        """Write all files into an empty folder and see them onto the disk; progress is in bytes.

        Raises PackFileUnusable, SpaceMissing (before anything is written) or OSError.
        """
        needed, free = sum(each.file_size for each in self._entries.values()), _free(into)
        if needed > free:
            raise SpaceMissing(path=into, needed=-(-needed // 10**6), free=free // 10**6)
        done = 0
        with _translated(self._path):
            for name, entry in self._entries.items():
                with self._archive.open(entry) as packed, (into / name).open("xb") as file:
                    for size in _copy(packed, file, entry.file_size):
                        done += size
                        progress(done, needed)

    def _manifest(self) -> Manifest:
        entry = self._entries.get(MANIFEST)
        if entry is None:
            raise ValueError(f"it has no {MANIFEST}")
        if entry.file_size > LARGEST_MANIFEST:
            raise ValueError(f"{MANIFEST} is too large")
        with self._archive.open(entry) as packed:
            return parse_manifest(packed.read(LARGEST_MANIFEST + 1), self._path)

    def _check_sizes(self) -> None:
        listed = self.manifest.files
        for name in self._entries.keys() - listed.keys() - {MANIFEST}:
            raise ValueError(f"it holds {name!r}, which the manifest does not name")
        for name, file in listed.items():
            entry = self._entries.get(name)
            if entry is None:
                if not file.optional:
                    raise ValueError(f"{name} is missing")
            elif entry.file_size != file.size:
                raise ValueError(f"{name} has another size than the manifest says")
            if file.size > largest(name):
                raise ValueError(f"{name} claims {file.size} bytes")


@contextmanager
def opened(path: Path) -> Iterator[PackFile]:
    """A `.pairlens` file, checked but not unpacked. Raises PackFileUnusable or OSError."""
    with path.open("rb") as file:
        with _translated(path):
            _check_end(file)
            packed = PackFile(path, zipfile.ZipFile(file))
        yield packed


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except PackFileUnusable:
        raise
    except PackError as error:
        reason = error.fields.get("reason", error)
        raise PackFileUnusable(path=path, reason=reason) from error
    except _BROKEN as error:
        raise PackFileUnusable(path=path, reason=str(error) or "it is cut off") from error


def _check_end(file: IO[bytes]) -> None:
    """Look at the last bytes alone: Python reads all of the list of contents when it opens one."""
    size = file.seek(0, os.SEEK_END)
    if size < _END_SIZE:
        raise ValueError("it is no ZIP file")
    before = min(20, size - _END_SIZE)
    file.seek(-_END_SIZE - before, os.SEEK_END)
    tail = file.read()
    end = tail[before:]
    # A comment would leave it open where the end is; ours have none.
    if not end.startswith(_END) or end[20:] != b"\0\0":
        raise ValueError("it is no ZIP file, or is cut off")
    files, length = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    if tail.startswith(_ZIP64) or files > _MOST_FILES or length > _MOST_LIST:
        raise ValueError("its list of contents is too long")
    file.seek(0)


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files by name. Raises ValueError where the list of contents is not to be trusted."""
    found: dict[str, zipfile.ZipInfo] = {}
    end = 0
    for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
        name = entry.orig_filename  # as it is in the file, before Python mends it
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.flag_bits & _ENCRYPTED:
            raise ValueError(f"{name!r} is encrypted")
        if name != Path(name).name or "\\" in name or ":" in name or not name.isascii():
            raise ValueError(f"{name!r} is no plain name")
        if kind not in (0, stat.S_IFREG):
            raise ValueError(f"{name!r} is no file but a link or a device")
        if name.casefold() in (other.casefold() for other in found):
            raise ValueError(f"it holds {name!r} twice")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name!r} is packed in a way that is not allowed")
        if entry.file_size > _MOST_GROWTH * max(entry.compress_size, _LOCAL_HEADER):
            raise ValueError(f"{name!r} would grow to {entry.file_size} bytes")
        if entry.header_offset < end:
            raise ValueError("its files lie over each other")
        end = entry.header_offset + _LOCAL_HEADER + entry.compress_size
        found[name] = entry
    return found


def _copy(packed: IO[bytes], file: IO[bytes], size: int) -> Iterator[int]:
    """Copy what has to be exactly ``size`` bytes, and not one more to the disk.

    Gives the number of bytes after each part.
    """
    left = size
    while chunk := packed.read(min(_CHUNK, left + 1)):
        left -= len(chunk)
        if left < 0:
            raise ValueError("a file is longer than it claims")
        file.write(chunk)
        yield len(chunk)
    if left:
        raise ValueError("a file is shorter than it claims")
    file.flush()
    os.fsync(file.fileno())


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
