"""The console script: the engine's commands, the window, and ``serve``."""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from desktop.handover import OneWindow
from engine import cli as engine_cli
from engine.errors import PairLensError
from engine.paths import data_dir
from engine.types import DeviceChoice

if TYPE_CHECKING:
    from desktop.app import Application

EXIT_DONE = 0
EXIT_NOTHING_DONE = 2
# Seconds that a thread has to end by itself once the window is closed.
GRACE = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``pairlens``; returns the exit code. Photos, folders or nothing open the window."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given:
        return _window([])
    parser, commands = engine_cli.build_parser()
    serving = commands.add_parser("serve", help="show the page in a browser, without a window")
    serving.add_argument(
        "--port", type=_port, default=0, metavar="N", help="the port; any free one if left out"
    )
    serving.set_defaults(func=_serve)
    if not (given[0].startswith("-") or given[0] in commands.choices):
        return _open(given)
    return engine_cli.run(parser.parse_args(given))


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is not between 0 and 65535")
    return port


def _open(given: Sequence[str]) -> int:
    """Show photos and folders in the window; the page says of each what can't be used."""
    from desktop.app import translator
    from desktop.intake import as_path, is_there

    paths = [as_path(one) for one in given]
    if not is_there(paths[0]):
        _say_aside(translator()("open.neither", given=given[0]))
        return EXIT_NOTHING_DONE
    return _window([str(path) for path in paths])


def _serve(args: argparse.Namespace) -> int:
    return _run(args.port, args.device)


def _window(given: Sequence[str]) -> int:
    from desktop.app import translator
    from desktop.display import has_display

    if not has_display():
        return _run(0, DeviceChoice.AUTO, translator()("serve.no_display"), given)
    starts = OneWindow(data_dir())
    try:
        if not starts.first and starts.hand_over(given):
            return EXIT_DONE
        code, again = _run_window(given, starts)
    finally:
        starts.close()
    if again:
        # On its own, as whoever waits for the end of this one's output is not to wait for its.
        silent = subprocess.DEVNULL
        subprocess.Popen(
            [sys.executable, *sys.orig_argv[1:]], start_new_session=True,
            stdin=silent, stdout=silent, stderr=silent,
        )  # fmt: skip
    _end_stuck_threads()
    return code


def _run_window(given: Sequence[str], starts: OneWindow) -> tuple[int, bool]:
    """The exit code, and whether to start the program again."""
    from desktop.app import Application, open_window
    from desktop.display import NoWindowError

    app = Application()
    try:
        return EXIT_DONE, open_window(app, given, starts)
    except NoWindowError as error:
        starts.close()  # a later start may have more luck
        app.bench.given = list(given)
        return _run_app(app, app.bench.translator()("serve.no_window", reason=error)), False


def _run(port: int, choice: DeviceChoice, remark: str = "", given: Sequence[str] = ()) -> int:
    # Here, because the engine's commands need none of it.
    from desktop.app import Application, translator
    from desktop.server import PortTakenError

    try:
        app = Application(port, choice)
    except PortTakenError as error:
        _say_aside(translator()("serve.port_taken", port=port, reason=error))
        return EXIT_NOTHING_DONE
    app.bench.given = list(given)
    return _run_app(app, remark)


def _run_app(app: Application, remark: str) -> int:
    """Serve until told to end, after a remark on why."""
    from desktop.app import serve
    from desktop.server import NotReadyError

    t = app.bench.translator()
    if remark:
        _say_aside(remark)
    try:
        serve(app, _say)
    except NotReadyError as error:
        _say_aside(t("serve.not_ready", reason=error, log=app.log_file))
        return EXIT_NOTHING_DONE
    except PairLensError as error:
        _say_aside(t.error(error))
        return EXIT_NOTHING_DONE
    return EXIT_DONE


def _end_stuck_threads() -> None:
    # pywebview waits for ever for the answer of a page whose window was closed meanwhile, in a
    # thread that would keep the process alive. Everything of ours has ended by now.
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join(GRACE)
            if thread.is_alive():
                logging.getLogger(__name__).info("ending in spite of the thread %s", thread.name)
                logging.shutdown()
                os._exit(EXIT_DONE)


def _say(line: str) -> None:
    print(line, flush=True)


def _say_aside(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
