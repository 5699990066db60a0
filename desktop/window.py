"""The native window: splash, page, drops and dialogs. The only module that imports pywebview."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Literal

import platformdirs

from desktop.i18n import Translator
from desktop.logs import quiet_pywebview
from engine.decode import PHOTO_SUFFIXES

log = logging.getLogger(__name__)

SIZE = (1160, 800)
SMALLEST = (720, 520)


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
    os.environ.setdefault("QT_API", "pyside6")
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


def splash(t: Translator, logo: str, failure: str | None = None) -> str:
    """What the window shows until the page is ready, or instead of it when it can't be."""
    page = Template((Path(__file__).parent / "splash.html").read_text(encoding="utf-8"))
    return page.substitute(
        language=t.language,
        state="failed" if failure else "",
        logo=logo,
        sentence=escape(failure or t("splash.loading")),
    )


class Dialogs:
    """What the page's script may ask of the window. Public methods are the whole interface."""

    def __init__(
        self,
        window: Callable[[], Any],
        translator: Callable[[], Translator],
        deliver: Callable[[Sequence[str]], None],
    ) -> None:
        self._window = window
        self._translator = translator
        self._deliver = deliver

    def pick_folder(self) -> str | None:
        """The folder the person chose."""
        import webview

        chosen = self._window().create_file_dialog(
            webview.FileDialog.FOLDER, directory=str(_pictures())
        )
        return chosen[0] if chosen else None

    def pick_photos(self) -> None:
        """Hand the photos the person chose to the page."""
        import webview

        patterns = ";".join(f"*{suffix}" for suffix in sorted(PHOTO_SUFFIXES))
        chosen = self._window().create_file_dialog(
            webview.FileDialog.OPEN,
            directory=str(_pictures()),
            allow_multiple=True,
            file_types=(f"{self._translator()('match.photos')} ({patterns})",),
        )
        if chosen:
            self._deliver(chosen)

    def choose_output(self, name: str) -> str | None:
        """Where the person wants a file called ``name`` to be saved."""
        import webview

        chosen = self._window().create_file_dialog(
            webview.FileDialog.SAVE, directory=str(Path.home()), save_filename=name
        )
        if not chosen:
            return None
        # Some platforms answer with one path, others with a tuple of one.
        return chosen if isinstance(chosen, str) else str(chosen[0])


def _pictures() -> Path:
    pictures = Path(platformdirs.user_pictures_dir())
    return pictures if pictures.is_dir() else Path.home()


def sort_out(paths: Sequence[str]) -> dict[str, object] | None:
    """What a drop means to the page: a folder, else photos; None when there is neither."""
    folders = [path for path in paths if Path(path).is_dir()]
    if folders:
        return {"folder": folders[0]}
    photos = [path for path in paths if Path(path).is_file()]
    return {"photos": photos} if photos else None


class AppWindow:
    """One window. ``run`` holds the main thread until it is closed.

    Args:
        first: the splash.
        icon: the window's icon, a PNG.
        translator: speaks the language in use, which may change while the window is open.
    """

    def __init__(self, first: str, icon: Path, translator: Callable[[], Translator]) -> None:
        import webview

        quiet_pywebview()
        self._icon = icon
        self._address: str | None = None
        # Any: its annotations say None where only its own hooks could bring None about.
        self._window: Any
        self._window = webview.create_window(
            "PairLens", html=first, width=SIZE[0], height=SIZE[1], min_size=SMALLEST,
            text_select=True, background_color="#FAF9F7",
            js_api=Dialogs(lambda: self._window, translator, self._deliver),
        )  # fmt: skip
        self._window.events.loaded += self._on_loaded

    def run(self, behind: Callable[[], None]) -> None:
        """Show the window and run ``behind`` in a thread once it is on screen.

        Raises:
            NoWindowError: pywebview found nothing to make a window with.
        """
        import webview

        def after_shown() -> None:
            self._window.events.shown.wait(10)
            behind()

        # Left alone it would look for GTK first.
        gui: Literal["qt"] | None = "qt" if sys.platform.startswith("linux") else None
        try:
            webview.start(after_shown, gui=gui, icon=str(self._icon))
        except webview.WebViewException as error:
            raise NoWindowError(str(error)) from error

    def open(self, url: str, address: str) -> None:
        """Leave the splash for ``url``, whose page lives at ``address``; nothing once closed."""
        self._address = address
        if not self._window.events.closed.is_set():
            self._window.load_url(url)

    def show(self, page: str) -> None:
        """Show a page of our own, such as the splash with what went wrong; nothing once closed."""
        if not self._window.events.closed.is_set():
            self._window.load_html(page)

    def _on_loaded(self) -> None:
        from webview.dom import DOMEventHandler

        if self._address is None or not (self._window.get_current_url() or "").startswith(
            self._address
        ):
            return
        veil = self._window.dom.get_element("#pl-veil")
        if veil is None:
            log.warning("the page has no veil, so drops come in as uploads only")
            return
        veil.events.drop += DOMEventHandler(self._on_drop, True, True)

    def _on_drop(self, event: dict[str, Any]) -> None:
        from webview.dom import _dnd_state

        files = event.get("dataTransfer", {}).get("files", [])
        paths = [file["pywebviewFullPath"] for file in files if "pywebviewFullPath" in file]
        # What stays in there would be taken for a later drop of the same name.
        _dnd_state["paths"] = []
        self._deliver(paths)

    def _deliver(self, paths: Sequence[str]) -> None:
        what = sort_out(paths)
        if what is not None:
            self._window.evaluate_js(f"window.pairlens.arrive({json.dumps(what)})")
