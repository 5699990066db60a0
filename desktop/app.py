"""Puts the program together, and takes it apart again when the window closes."""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from desktop import logs
from desktop.crash import CrashLog
from desktop.guard import AsgiApp
from desktop.handover import OneWindow
from desktop.i18n import Translator, load_translators, pick_language, system_language
from desktop.jobs import JobRunner
from desktop.keeper import Keeper
from desktop.lean import without_stub_files
from desktop.moves import Moves
from desktop.offline import stay_offline
from desktop.scratch import Scratch
from desktop.server import Server, bind, build_site
from desktop.settings import Settings
from desktop.thumbnails import Thumbnails
from desktop.workbench import LazyMatcher, Workbench
from engine import paths
from engine.errors import DeviceMissing
from engine.types import DeviceChoice

if TYPE_CHECKING:
    from engine.matcher import Matcher

log = logging.getLogger(__name__)

# Seconds.
READY_TIMEOUT = 90.0
CLOSE_TIMEOUT = 20.0
SETTINGS = "settings.json"


def load_kept(choice: DeviceChoice, pack: Path | None) -> Matcher:
    """The matcher of a pack, or of the one in use, on the device that is kept in the settings.

    A card that is gone since is passed over, as nobody has asked for it now.
    """
    from engine.matcher import load_matcher

    try:
        return load_matcher(pack, choice)
    except DeviceMissing as error:
        log.warning("%s", error)
        return load_matcher(pack)


def load_asked(choice: DeviceChoice, pack: Path | None) -> Matcher:
    """As `load_kept`, on the device that was asked for. Raises DeviceMissing."""
    from engine.matcher import load_matcher

    return load_matcher(pack, choice)


def translator() -> Translator:
    """Speaks the language in use, before there is an application or without one."""
    translators = load_translators(paths.resources_dir() / "locales")
    chosen = Settings(paths.data_dir() / SETTINGS).choices.language
    return translators[pick_language(chosen or system_language(), list(translators))]


class Application:
    """The program around one server, with or without a window.

    Args:
        port: where to serve; 0 means any free port.
        device: what is to run the model; AUTO leaves that to the settings.

    Raises:
        PortTakenError: the port can't be had.
    """

    def __init__(self, port: int = 0, device: DeviceChoice = DeviceChoice.AUTO) -> None:
        stay_offline()
        sock = bind(port)
        self.log_file = logs.configure(paths.log_dir())
        self._crash_log = CrashLog(paths.log_dir())
        self._scratch = Scratch(paths.cache_dir())
        uploads = self._scratch.make("uploads")
        os.environ["GRADIO_TEMP_DIR"] = str(uploads)
        settings = Settings(paths.data_dir() / SETTINGS)
        asked = device is not DeviceChoice.AUTO
        device = device if asked else settings.choices.device
        matcher = LazyMatcher(partial(load_asked if asked else load_kept, device))
        jobs, moves = JobRunner(), Moves()
        self.bench = Workbench(
            matcher=matcher,
            jobs=jobs,
            keeper=Keeper(jobs, matcher.get),
            thumbnails=Thumbnails(paths.cache_dir() / "thumbnails", moves.where),
            moves=moves,
            settings=settings,
            device=device,
            translators=load_translators(paths.resources_dir() / "locales"),
            system_language=system_language(),
            uploads=uploads,
            exports=self._scratch.make("exports"),
            log_file=self.log_file,
            crash=self._crash_log.readable(self.log_file),
        )
        self._tell: Callable[[str], None] = lambda _: None
        self._server = Server(sock, self._build, lambda: self.bench.translator()("guard.refused"))

    @property
    def url(self) -> str:
        """The single-use link that opens the page."""
        return self._server.url

    @property
    def address(self) -> str:
        """Where the page lives once the link was used."""
        return f"http://127.0.0.1:{self._server.port}/"

    def start(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Load the model in the background, and return when the page answers.

        Args:
            tell: is told what is waited for.

        Raises:
            NotReadyError: the server did not answer in time.
        """
        self._tell = tell
        self.bench.matcher.start()
        # Next to nothing of what is made meanwhile is ever thrown away: to search it again and
        # again for what is would take a tenth of the start.
        gc.disable()
        try:
            self._server.start(READY_TIMEOUT)
        finally:
            gc.freeze()
            gc.enable()
        log.info("serving %s", self.address)

    def close(self) -> None:
        """End jobs, server and temporary files; may be called at any moment after making."""
        self.bench.keeper.close()
        self.bench.jobs.close()
        self.bench.writers.close()
        self.bench.explainers.close()
        self.bench.packers.close()
        self._server.stop()
        self._scratch.remove()
        self._crash_log.close()

    def _build(self) -> AsgiApp:
        t = self.bench.translator()
        self._tell(t("splash.interface"))
        with without_stub_files():
            import gradio  # noqa: F401  (imported here first, so that it is imported fast)
        from desktop.ui import build_page
        from desktop.ui.theme import load_look

        self._tell(t("splash.model"))
        self.bench.matcher.wait()
        self._tell(t("splash.page"))
        icon = paths.resources_dir() / "icons" / "pairlens-64.png"
        return build_site(
            partial(build_page, self.bench),
            self.bench.language,
            load_look(self.bench.translators, lambda: self.bench.settings.choices.theme),
            self.bench.thumbnails,
            self.bench.exports,
            icon,
        )


def serve(app: Application, say: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C or a request to end.

    Raises:
        NotReadyError: the page did not answer in time.
        PackError: the model pack can't be used.
    """
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    before = [(number, signal.signal(number, end)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        app.start()
        app.bench.matcher.get()
        say(f"PairLens is ready at {app.url}")
        # In short waits, because Windows delivers no Ctrl-C to a thread that waits for ever.
        while not ended.wait(0.5):
            pass
    finally:
        for number, handler in before:
            signal.signal(number, handler)
        app.close()


def open_window(app: Application, given: Sequence[str], starts: OneWindow) -> bool:
    """Show the window until it is closed.

    Args:
        given: paths for the page.
        starts: brings what later starts are given.

    Returns:
        Whether the person wants the program to start once more.

    Raises:
        NoWindowError: no window can be made; ``app`` is untouched and can still be served.
    """
    from desktop.display import prepare

    prepare()
    from desktop.splash import splash
    from desktop.window import AppWindow

    bench = app.bench
    t = bench.translator()
    logo = (paths.resources_dir() / "icons" / "pairlens.svg").read_text(encoding="utf-8")
    icon = paths.resources_dir() / "icons" / "pairlens-256.png"
    page = partial(splash, t, logo, bench.settings.choices.theme)
    shown = AppWindow(
        page(), icon, bench.translator, bench.settings, bench.uploads, lambda: bench.busy
    )
    shown.deliver(given)

    def also_given(more: Sequence[str]) -> None:
        shown.to_front()
        shown.deliver(more)

    def give_up() -> None:
        log.error("the page was not there after %.0f seconds", READY_TIMEOUT)
        shown.show(page(t("splash.slow", log=app.log_file)))

    settled = threading.Event()
    patience = threading.Timer(READY_TIMEOUT, give_up)
    patience.daemon = True

    def behind() -> None:
        starts.listen(also_given)
        patience.start()
        try:
            app.start(shown.say)
        except Exception:
            log.exception("the page did not start")
            shown.show(page(t("splash.failed", log=app.log_file)))
        else:
            # Also where nobody believed in it any more.
            shown.open(app.url, app.address)
        finally:
            patience.cancel()
            settled.set()

    # Being told to end is no crash, and no time for questions.
    signal.signal(signal.SIGTERM, lambda *_: shown.close())
    shown.run(behind)
    starts.close()
    # A window closed on its splash: what is half started can't be stopped.
    settled.wait(CLOSE_TIMEOUT)
    app.close()
    return shown.start_again
