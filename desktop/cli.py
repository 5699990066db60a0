"""The console script: the engine's commands, the window, and ``serve``."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from collections.abc import Sequence

from engine import cli as engine_cli
from engine.errors import PairLensError
from engine.types import DeviceChoice

EXIT_DONE = 0
EXIT_NOTHING_DONE = 2
# Seconds that a thread has to end by itself once the window is closed.
GRACE = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``pairlens``; returns the exit code. No command opens the window."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given:
        return _window()
    parser, commands = engine_cli.build_parser()
    serving = commands.add_parser("serve", help="show the page in a browser, without a window")
    serving.add_argument(
        "--port", type=_port, default=0, metavar="N", help="the port; any free one if left out"
    )
    serving.set_defaults(func=_serve)
    return engine_cli.run(parser.parse_args(given))


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is not between 0 and 65535")
    return port


def _serve(args: argparse.Namespace) -> int:
    return _run(args.port, window=False, choice=args.device)


def _window() -> int:
    return _run(0, window=True, choice=DeviceChoice.AUTO)


def _run(port: int, window: bool, choice: DeviceChoice) -> int:
    # Here, because the engine's commands need none of it.
    from desktop.app import Application, open_window, serve, translator
    from desktop.server import NotReadyError, PortTakenError
    from desktop.window import NoWindowError, has_display

    try:
        app = Application(port, choice)
    except PortTakenError as error:
        _say_aside(translator()("serve.port_taken", port=port, reason=error))
        return EXIT_NOTHING_DONE
    t = app.bench.translator()
    if window:
        if has_display():
            try:
                open_window(app)
            except NoWindowError as error:
                _say_aside(t("serve.no_window", reason=error))
            else:
                _end_stuck_threads()
                return EXIT_DONE
        else:
            _say_aside(t("serve.no_display"))
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
