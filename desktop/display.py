"""Whether a window can be opened here, found out before anything is begun that would end badly."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path


class NoWindowError(Exception):
    """A window can't be opened; the message says why in a few words."""


def has_display(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is something to open a window on."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def prepare() -> None:
    """Choose Qt on Linux and make sure that it can start.

    Raises:
        NoWindowError: a system library or the display can't be had. Qt itself would end the
            process over that, so it has to be found out before.
    """
    if not sys.platform.startswith("linux"):
        return
    os.environ["QT_API"] = "pyside6"
    # Left alone, pywebview would look for GTK first.
    os.environ["PYWEBVIEW_GUI"] = "qt"
    # All that the window shows comes from this computer: a proxy could only be in the way.
    flags = os.environ.get("QTWEBENGINE_CHROMIUM_FLAGS", "")
    os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = f"{flags} --no-proxy-server".strip()
    if os.geteuid() == 0:
        # Chromium's sandbox refuses to run as root; for everybody else it stays on.
        os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
    try:
        from qtpy import QtWebEngineWidgets  # noqa: F401  (its libraries are what is checked)
        from qtpy.QtCore import QLibraryInfo
    except ImportError as error:
        raise NoWindowError(str(error)) from error
    if os.environ.get("DISPLAY") and not os.environ.get("QT_QPA_PLATFORM"):
        plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
        _check_x11(plugins / "platforms" / "libqxcb.so")


def _check_x11(plugin: Path) -> None:
    try:
        ctypes.CDLL(str(plugin))
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        raise NoWindowError(str(error)) from error
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if failed:
        raise NoWindowError(f"no connection to the display {os.environ['DISPLAY']}")
