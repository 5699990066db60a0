"""What pywebview has no word for and Qt, which shows the window on Linux, can do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

from desktop.place import Place

T = TypeVar("T")

# Seconds that the window may be busy with something else.
PATIENCE = 10.0


def in_window_thread(act: Callable[[], T]) -> T:
    """Do something in the thread of the window, where Qt wants all of it done, and wait for it.

    Raises:
        TimeoutError: the window did not come to it.
    """
    if threading.current_thread() is threading.main_thread():
        return act()
    from PySide6.QtCore import QObject, Qt, Signal
    from PySide6.QtWidgets import QApplication

    class Messenger(QObject):
        come = Signal()

        def take(self) -> None:
            try:
                done.set_result(act())
            except BaseException as error:
                done.set_exception(error)

    done: Future[T] = Future()
    messenger = Messenger()
    messenger.moveToThread(cast(QApplication, QApplication.instance()).thread())
    messenger.come.connect(messenger.take, Qt.ConnectionType.QueuedConnection)
    messenger.come.emit()
    try:
        return done.result(PATIENCE)
    finally:
        messenger.deleteLater()


def to_front(window: Any) -> None:
    """Show a window (Qt's own) before all others, as large as it was."""
    from PySide6.QtCore import Qt

    def act() -> None:
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()

    in_window_thread(act)


def place_of(window: Any) -> Place:
    """Where a window (Qt's own) is; of one that fills its screen, where it goes back to."""

    def act() -> Place:
        size, corner = window.size(), window.pos()
        if window.isMaximized():
            size, corner = window.normalGeometry().size(), window.normalGeometry().topLeft()
        maximised = window.isMaximized()
        return Place(corner.x(), corner.y(), size.width(), size.height(), maximised)

    return in_window_thread(act)


def read_clipboard() -> tuple[list[str], bytes | None]:
    """Paths of the files that were copied, or else the picture, as PNG."""
    from PySide6.QtCore import QBuffer, QIODevice
    from PySide6.QtWidgets import QApplication

    def act() -> tuple[list[str], bytes | None]:
        clipboard = QApplication.clipboard()
        held = clipboard.mimeData()
        files = [url.toLocalFile() for url in held.urls() if url.isLocalFile()]
        if files or not held.hasImage():
            return files, None
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        # Its annotation says bytes, of which it takes none.
        clipboard.image().save(buffer, "PNG")  # type: ignore[call-overload]
        return [], bytes(buffer.data().data())

    return in_window_thread(act)
