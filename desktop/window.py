"""The native window: splash, page, drops and dialogs. The only module that imports pywebview."""

from __future__ import annotations

import itertools
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock, Thread
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

import platformdirs

from desktop.display import NoWindowError
from desktop.i18n import Translator
from desktop.intake import is_there
from desktop.logs import quiet_pywebview
from desktop.place import Place, Screen, is_on
from desktop.settings import Settings, Theme
from desktop.splash import saying
from engine.decode import PHOTO_SUFFIXES

log = logging.getLogger(__name__)

SIZE = (1160, 800)
SMALLEST = (720, 520)
# Before there is a page.
BACKGROUND = MappingProxyType(
    {Theme.SYSTEM: "#FAF9F7", Theme.LIGHT: "#FAF9F7", Theme.DARK: "#161513"}
)


class Bridge:
    """What the page's script may ask of the window. Public methods are the whole interface.

    Args:
        came: takes what people hand to the window, as paths.
        collect: gives back what the page has not had yet.
        pasted: keeps a picture from the clipboard, a PNG, as a file.
        close: closes the window, without a question; and whether to start the program again.
        settings: know where the dialogs were last.
    """

    def __init__(
        self,
        window: Callable[[], Any],
        translator: Callable[[], Translator],
        came: Callable[[Sequence[str]], None],
        collect: Callable[[], list[str]],
        pasted: Callable[[bytes], Path],
        close: Callable[[bool], None],
        settings: Settings,
    ) -> None:
        self._window = window
        self._translator = translator
        self._came = came
        self._collect = collect
        self._pasted = pasted
        self._close = close
        self._settings = settings

    def close(self) -> None:
        """The person is sure, although there is work under way."""
        self._close(False)

    def start_again(self) -> None:
        """End this program and start it once more."""
        self._close(True)

    def collect(self) -> list[str]:
        """What came in since the page last asked."""
        return self._collect()

    def paste(self) -> None:
        """Take files or a picture from the clipboard; only where `can_paste`."""
        from desktop.native import read_clipboard

        files, picture = read_clipboard()
        if picture is not None:
            files = [str(self._pasted(picture))]
        self._came(files)

    def can_paste(self) -> bool:
        """Whether the window can tell the paths of files on the clipboard."""
        return sys.platform.startswith("linux")

    def pick_folder(self) -> str | None:
        """The folder the person chose."""
        import webview

        chosen = self._window().create_file_dialog(
            webview.FileDialog.FOLDER, directory=str(self._last("folder", _pictures()))
        )
        if not chosen:
            return None
        self._settings.use_folder("folder", str(Path(chosen[0]).parent))
        return str(chosen[0])

    def pick_photos(self) -> None:
        """Hand the photos the person chose to the page."""
        import webview

        patterns = ";".join(f"*{suffix}" for suffix in sorted(PHOTO_SUFFIXES))
        chosen = self._window().create_file_dialog(
            webview.FileDialog.OPEN,
            directory=str(self._last("photos", _pictures())),
            allow_multiple=True,
            file_types=(f"{self._translator()('match.photos')} ({patterns})",),
        )
        if chosen:
            self._settings.use_folder("photos", str(Path(chosen[0]).parent))
            self._came(chosen)

    def choose_output(self, name: str) -> str | None:
        """Where the person wants a file called ``name`` to be saved."""
        import webview

        chosen = self._window().create_file_dialog(
            webview.FileDialog.SAVE,
            directory=str(self._last("output", Path.home())),
            save_filename=name,
        )
        if not chosen:
            return None
        # Some platforms answer with one path, others with a tuple of one.
        path = chosen if isinstance(chosen, str) else str(chosen[0])
        self._settings.use_folder("output", str(Path(path).parent))
        return path

    def _last(self, purpose: str, default: Path) -> Path:
        """The folder in which the dialog for something begins."""
        last = Path(self._settings.choices.folders.get(purpose, default))
        return last if is_there(last) else default


def _pictures() -> Path:
    pictures = Path(platformdirs.user_pictures_dir())
    return pictures if pictures.is_dir() else Path.home()


class AppWindow:
    """One window. ``run`` holds the main thread until it is closed.

    Args:
        first: the splash.
        icon: the window's icon, a PNG.
        translator: speaks the language in use, which may change while the window is open.
        settings: know where the window and its dialogs were last; the window tells them.
        pasted: a private folder for pictures from the clipboard.
        busy: whether there is work that closing would end.

    Attributes:
        start_again: whether the person wants the program to start once more.

    Raises:
        NoWindowError: there is nothing to make a window with.
    """

    def __init__(
        self,
        first: str,
        icon: Path,
        translator: Callable[[], Translator],
        settings: Settings,
        pasted: Path,
        busy: Callable[[], bool],
    ) -> None:
        import webview

        quiet_pywebview()
        self.start_again = False
        self._icon = icon
        self._address: str | None = None
        self._translator = translator
        self._settings = settings
        self._pasted = pasted
        self._busy = busy
        self._numbers = itertools.count(1)
        self._lock = Lock()
        self._waiting: list[str] = []
        self._sure = self._asking = self._maximised = False
        try:
            place, first_screen = _remembered(settings.choices.window)
        except webview.WebViewException as error:
            raise NoWindowError(str(error)) from error
        # Any: its annotations say None where only its own hooks could bring None about.
        self._window: Any
        bridge = Bridge(
            lambda: self._window, translator, self.deliver, self._collect, self._keep_picture,
            self.close, settings,
        )  # fmt: skip
        self._window = webview.create_window(
            "PairLens", html=first, min_size=SMALLEST, text_select=True,
            background_color=BACKGROUND[settings.choices.theme], js_api=bridge,
            width=place.width if place else SIZE[0], height=place.height if place else SIZE[1],
            # It counts from the first screen's corner.
            x=place.x - first_screen.x if place else None,
            y=place.y - first_screen.y if place else None,
            maximized=place is not None and place.maximised,
        )  # fmt: skip
        events = self._window.events
        events.initialized += self._on_initialized
        events.loaded += self._on_loaded
        events.closing += self._on_closing
        events.maximized += lambda: self._now_maximised(True)
        events.restored += lambda: self._now_maximised(False)

    def run(self, behind: Callable[[], None]) -> None:
        """Show the window and run ``behind`` in a thread once it is on screen.

        Raises:
            NoWindowError: pywebview found nothing to make a window with that can show the page.
        """
        import webview

        def after_shown() -> None:
            self._window.events.shown.wait(10)
            behind()

        try:
            webview.start(after_shown, icon=str(self._icon))
        except webview.WebViewException as error:
            raise NoWindowError(str(error)) from error
        if not self._window.events.shown.is_set():
            raise NoWindowError("WebView2")

    def say(self, sentence: str) -> None:
        """Let the splash say something; does not wait until it does."""
        self._run_js(saying(sentence))

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
        # What the page could not read, such as a file that is gone, has stayed in there; it would
        # be taken for a later drop of the same name as well.
        left: list[tuple[str, str]] = list(_dnd_state["paths"])  # type: ignore[call-overload]
        _dnd_state["paths"] = []
        self.deliver([*paths, *(unquote(path) for _, path in left)])

    def deliver(self, given: Sequence[str]) -> None:
        """Hand paths to the page, at once or when it is there; may be called from any thread."""
        with self._lock:
            self._waiting.extend(given)
        # Whatever page is loading now asks by itself.
        if given and self._address is not None:
            self._run_js("window.pairlens?.collect?.()")

    def to_front(self) -> None:
        """Show the window before all others."""
        if sys.platform.startswith("linux"):
            from desktop.native import to_front

            to_front(self._window.native)
        else:
            self._window.show()
            # Windows lets a window come to the front only as one that stays there.
            self._window.on_top = True
            self._window.on_top = False

    def close(self, start_again: bool = False) -> None:
        """Close the window without a question; nothing once closed."""
        self._sure, self.start_again = True, start_again
        if not self._window.events.closed.is_set():
            self._window.destroy()

    def _run_js(self, script: str) -> None:
        # pywebview waits for the answer of the page, which may be busy, or gone.
        def run() -> None:
            if not self._window.events.closed.is_set():
                self._window.run_js(script)

        Thread(target=run, name="pairlens-script", daemon=True).start()

    def _on_initialized(self, renderer: str) -> bool:
        # Internet Explorer, which Windows has where WebView2 is missing, can't show the page.
        return renderer != "mshtml"

    def _on_closing(self) -> bool:
        """Whether to close now: not with work under way, before the person has said so."""
        # A page that did not take the question will not take another.
        if self._sure or self._asking or self._address is None or not self._busy():
            self._settings.choose(window=self._place())
            return True
        self._asking = True

        def ask() -> None:
            if self._window.evaluate_js("window.pairlens.ask_to_close()"):
                self._asking = False

        Thread(target=ask, name="pairlens-question", daemon=True).start()
        return False

    def _place(self) -> Place:
        if sys.platform.startswith("linux"):
            from desktop.native import place_of

            place = place_of(self._window.native)
        else:
            window = self._window
            place = Place(window.x, window.y, window.width, window.height, self._maximised)
        return place

    def _now_maximised(self, so: bool) -> None:
        self._maximised = so

    def _collect(self) -> list[str]:
        with self._lock:
            came, self._waiting = self._waiting, []
        return came

    def _keep_picture(self, png: bytes) -> Path:
        name = self._translator()("paste.name", n=next(self._numbers))
        path = self._pasted / f"{name}.png"
        path.write_bytes(png)
        return path


def _remembered(place: Place | None) -> tuple[Place | None, Screen]:
    """The place, if it is still on a screen, and the first screen."""
    import webview

    screens = [Screen(one.x, one.y, one.width, one.height) for one in webview.screens]
    return (place if place and is_on(place, screens) else None), screens[0]
