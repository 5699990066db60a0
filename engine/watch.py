"""Watch a folder for changes while the program is open."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from engine.decode import PHOTO_SUFFIXES

log = logging.getLogger(__name__)

# Changes this close together, in milliseconds, are told together: copying photos takes a while.
TOGETHER_MS = 1600
# How often, in milliseconds, to see whether the folder has appeared, or is gone with its drive.
LOOK_EVERY_MS = 5000
# How often, in milliseconds, a network share is looked through: it tells of no changes by itself.
POLL_EVERY_MS = 30_000
_NETWORK = {"9p", "afs", "cifs", "fuse.sshfs", "nfs", "nfs4", "smb3", "smbfs"}


class Watcher:
    """Tells of folders in which photos changed, from a thread of its own, until it is stopped.

    The folder itself is told when the watch begins, and again whenever it appears after having
    been away: anything may have changed before. Where watchfiles is not installed, that is all.

    Args:
        folder: what to watch, with all below; it need not be there.
        changed: called with existing folders, none of them within another. May be called rather
            too often.
        polling: look through the folder again and again, rather than being told by the system.
    """

    def __init__(
        self,
        folder: Path,
        changed: Callable[[list[Path]], None],
        polling: bool | None = None,
        together_ms: int = TOGETHER_MS,
        look_every_ms: int = LOOK_EVERY_MS,
        poll_every_ms: int = POLL_EVERY_MS,
    ) -> None:
        self._folder = folder
        self._changed = changed
        self._polling = polling
        self._together_ms = together_ms
        self._look_every_ms = look_every_ms
        self._poll_every_ms = poll_every_ms
        self._said = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pairlens-watch", daemon=True)

    def start(self) -> None:
        """Begin; to be called once."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait until nothing is told any more. May be called before ``start``."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            import watchfiles  # noqa: F401  (asked once, rather than at every look)
        except ImportError:
            log.warning("%s: it is not watched, as watchfiles is not installed", self._folder)
            if self._folder.is_dir():
                self._changed([self._folder])
            return
        while not self._stop.is_set():
            try:
                identity = _identity(self._folder)
                if identity is not None:
                    self._watch(identity)
                    continue
            except Exception:  # a drive that is pulled out ends the watch in many ways
                log.warning("%s: watching was interrupted", self._folder, exc_info=True)
            self._stop.wait(self._look_every_ms / 1000)

    def _watch(self, identity: tuple[int, int]) -> None:
        """Until stopped, or until the folder is no longer the same one."""
        from watchfiles import watch

        polling = is_on_network(self._folder) if self._polling is None else self._polling
        if polling and not self._said:
            self._said = True
            log.info(
                "%s: looked through every %g s, as it tells of no changes",
                self._folder,
                self._poll_every_ms / 1000,
            )
        begun = False
        for changes in watch(
            self._folder,
            watch_filter=lambda _, path: _may_matter(Path(path)),
            debounce=self._together_ms,
            step=min(50, self._together_ms),
            stop_event=self._stop,
            rust_timeout=self._look_every_ms,
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=polling,
            poll_delay_ms=self._poll_every_ms,
            ignore_permission_denied=True,
        ):
            if _identity(self._folder) != identity:
                return
            if not begun:
                self._changed([self._folder])
            elif changes:
                self._changed(_folders_of((Path(path) for _, path in changes), self._folder))
            begun = True


def is_on_network(folder: Path) -> bool:
    """Whether a folder is on a share that does not tell of changes by itself."""
    resolved = folder.resolve()
    if sys.platform == "win32":
        import ctypes

        if str(resolved).startswith("\\\\"):
            return True
        remote = 4
        return bool(ctypes.windll.kernel32.GetDriveTypeW(resolved.anchor) == remote)
    try:
        lines = Path("/proc/self/mounts").read_text(errors="surrogateescape").splitlines()
    except OSError:  # macOS: its events include those of shares
        return False
    return _mounted_as(resolved, lines) in _NETWORK


def _mounted_as(folder: Path, mounts: Iterable[str]) -> str:
    """The type of the file system that holds a folder."""
    best, kind = -1, ""
    for line in mounts:
        _, place, said, *_ = line.split(" ")
        # Spaces and the like are written in octal.
        point = Path(place.encode("latin-1", "replace").decode("unicode_escape"))
        if (point == folder or point in folder.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), said
    return kind


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _may_matter(path: Path) -> bool:
    """Photos and folders do; of what is gone only the name can be asked."""
    if path.name.startswith("."):
        return False
    return path.suffix.lower() in PHOTO_SUFFIXES or path.is_dir() or not path.exists()


def _folders_of(paths: Iterable[Path], root: Path) -> list[Path]:
    """The folders to be looked through for changes of these paths."""
    found: set[Path] = set()
    for path in paths:
        place = path if path.is_dir() else path.parent
        while not place.is_dir() and place != root:
            place = place.parent
        found.add(place)
    return sorted(place for place in found if found.isdisjoint(place.parents))
