"""What the commands share: how they speak, what they ask argparse for, and how they stop."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine.types import Cancelled, PhotoFailure, Progress

if TYPE_CHECKING:
    from engine.matcher import Matcher

EXIT_DONE = 0
EXIT_SOME_FAILED = 1
EXIT_NOTHING_DONE = 2

Subparsers = argparse._SubParsersAction  # argparse has no public name for it
# Adds a command by its name, what it does, and a line of help.
Command = Callable[
    [str, Callable[[argparse.Namespace], int], str],
    argparse.ArgumentParser,
]


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option of every command that has results for programs."""
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def probability(text: str) -> float:
    """The type of an argument in [0, 1]."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return value


def positive(text: str) -> int:
    """The type of an argument of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def tell(line: str) -> None:
    """Say a line to the person; stdout is for results."""
    print(line, file=sys.stderr, flush=True)


def tell_meaning(matcher: Matcher) -> None:
    """Say of percentages that they are none that can be relied on, where they are not."""
    if not matcher.calibrated:
        tell(
            f"{matcher.pack.manifest.name} is uncalibrated: the percentages only say which pair "
            "fits better, not how likely it is right."
        )


def print_json(value: Any) -> None:
    """Print a result for programs."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@contextmanager
def progress_bar(unit: str) -> Iterator[Progress]:
    """A bar on stderr with rate and time left; nothing where stderr is no terminal."""
    from tqdm import tqdm

    with tqdm(unit=unit, disable=None, file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


@contextmanager
def until_interrupted() -> Iterator[Cancelled]:
    """Turn the first Ctrl-C into a wish to stop, so that what is done can be kept."""
    wish = threading.Event()

    def interrupt(*_: object) -> None:
        wish.set()
        # A second Ctrl-C ends it at once.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield wish.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def exit_code(failures: Sequence[PhotoFailure], usable: int, cancelled: bool) -> int:
    """Name every failed photo; what was stopped early is not all done either."""
    for failure in failures:
        tell(failure.message)
    if failures and not usable:
        return EXIT_NOTHING_DONE
    return EXIT_SOME_FAILED if failures or cancelled else EXIT_DONE


def confirmed(question: str) -> bool:
    """Ask, and hear "yes"; where there is nobody to ask, say how to go on without."""
    if not sys.stdin.isatty():
        tell(f"{question} There is nobody to ask, so nothing was done. Add --yes to do it.")
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    tell("Nothing was done.")
    return False
