"""One window for each person: a second start hands what it was given to the first and ends.

The first holds a lock that goes with its process, however that ends, and listens on the loopback
interface. Where, and the token without which it listens to nobody, stand in a file that only its
owner may read.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from engine.errors import LibraryBusy, OutputUnwritable
from engine.sqlite_file import WriterLock

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
# Seconds: the first may only just have started, and whoever connects may never say anything.
PATIENCE = 5.0
LONGEST = 4_000_000

Receive = Callable[[list[str]], None]


class OneWindow:
    """This program's part in that there is one window.

    Args:
        folder: private to the person, such as the data folder.

    Attributes:
        first: whether this program may open the window. Also so where ``folder`` can't be written
            to: a second window is better than none.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "window.json"
        self._lock: WriterLock | None = None
        self._listening: socket.socket | None = None
        self.first = True
        try:
            self._lock = WriterLock(folder / "window", "window", patience=0)
        except LibraryBusy:
            self.first = False
        except OutputUnwritable as error:
            log.warning("other starts can't find this window: %s", error)

    def listen(self, receive: Receive) -> None:
        """Call ``receive`` with what each later start is given, in a thread of its own."""
        if self._lock is None:
            return
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        token = secrets.token_urlsafe(32)
        try:
            listening.bind((LOOPBACK, 0))
            listening.listen()
            _write_private(self._file, {"port": listening.getsockname()[1], "token": token})
        except OSError as error:
            listening.close()
            log.warning("other starts can't find this window: %s", error)
            return
        self._listening = listening
        threading.Thread(
            target=self._answer, args=(listening, token, receive), name="pairlens-starts",
            daemon=True,
        ).start()  # fmt: skip

    def hand_over(self, given: Sequence[str]) -> bool:
        """Whether the first window took what this start was given, and came to the front."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                at = json.loads(self._file.read_text(encoding="ascii"))
                return _say(at["port"], {"token": at["token"], "paths": list(given)})
            except (OSError, ValueError, LookupError, TypeError):
                time.sleep(0.1)  # it has not come as far as that yet
        log.warning("the window that is open does not answer")
        return False

    def close(self) -> None:
        """Let the next start be the first."""
        if self._listening is not None:
            with suppress(OSError):
                # Or else Linux goes on waiting for somebody to connect.
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
            self._file.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.__exit__(None, None, None)
            self._lock = None

    def _answer(self, listening: socket.socket, token: str, receive: Receive) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:  # closed
                return
            with connection:
                try:
                    connection.settimeout(PATIENCE)
                    given = json.loads(_line(connection))
                    known = hmac.compare_digest(str(given["token"]).encode(), token.encode())
                    if known:
                        connection.sendall(b"ok\n")
                        receive([str(path) for path in given["paths"]])
                except Exception as error:  # whatever came, the next start is listened to
                    log.warning("another start could not be understood: %s", error)


def _write_private(file: Path, content: dict[str, object]) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        json.dump(content, opened)


def _say(port: int, what: dict[str, object]) -> bool:
    if sys.platform == "win32":
        # Windows lets a program come to the front only if the one in front allows it.
        import ctypes

        ctypes.windll.user32.AllowSetForegroundWindow(-1)
    with socket.create_connection((LOOPBACK, port), timeout=PATIENCE) as connection:
        connection.sendall(json.dumps(what).encode() + b"\n")
        return _line(connection) == b"ok"


def _line(connection: socket.socket) -> bytes:
    read = bytearray()
    while not read.endswith(b"\n"):
        more = connection.recv(65536)
        if not more or len(read) > LONGEST:
            raise ValueError("the line has no end")
        read += more
    return bytes(read[:-1])
