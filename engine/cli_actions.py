"""The commands that act on results: ``copy``, ``move``, ``actions`` and ``undo``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli_console import (
    EXIT_DONE,
    EXIT_NOTHING_DONE,
    EXIT_SOME_FAILED,
    Subparsers,
    confirmed,
    progress_bar,
    tell,
    until_interrupted,
)
from engine.types import Cancelled, PhotoFailure, Progress

if TYPE_CHECKING:
    from engine.actions import ActionReport


def add_commands(commands: Subparsers[argparse.ArgumentParser]) -> None:
    """Mount the commands."""
    for kind, text in {
        "copy": "copy the photos of a result into folders by their captions",
        "move": "move the photos of a result into folders by their captions",
    }.items():
        act = _command(commands, kind, _act, text)
        act.set_defaults(kind=kind)
        act.add_argument("result", type=Path, metavar="RESULT.csv", help="what batch wrote")
        act.add_argument(
            "--into", type=Path, required=True, metavar="DIR",
            help="the folder in which each caption gets a folder",
        )  # fmt: skip
        act.add_argument(
            "--unmatched", metavar="NAME",
            help="a folder in DIR for the photos that no caption fits; without it they stay",
        )  # fmt: skip
        act.add_argument("--dry-run", action="store_true", help="list every step and do nothing")
        act.add_argument("--yes", action="store_true", help="don't ask")
    _command(commands, "actions", _actions, "list what was copied and moved")
    undo = _command(commands, "undo", _undo, "take back what was copied or moved")
    undo.add_argument(
        "action",
        nargs="?",
        type=int,
        metavar="ID",
        help="see pairlens actions; by default the last",
    )


def _command(
    commands: Subparsers[argparse.ArgumentParser],
    name: str,
    func: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    added = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    added.set_defaults(func=func)
    return added


def _act(args: argparse.Namespace) -> int:
    from engine.action_journal import Journal
    from engine.action_plan import plan_by_caption, read_result
    from engine.actions import run

    plan = plan_by_caption(read_result(args.result), args.into, args.kind, args.unmatched)
    for failure in plan.failures:
        tell(failure.message)
    if plan.already_there:
        tell(f"{_photos(len(plan.already_there))} already in place.")
    if plan.staying:
        tell(f"{_photos(len(plan.staying))} left in place: no caption fits, or it was not read.")
    if not plan.steps:
        tell(f"There is nothing to {args.kind}.")
        return EXIT_DONE if plan.already_there and not plan.failures else EXIT_NOTHING_DONE
    what = f"{args.kind} {_photos(len(plan.steps))} ({plan.size / 1e6:.1f} MB) into {plan.into}"
    if args.dry_run:
        for step in plan.steps:
            print(f"{args.kind}  {step.source}  ->  {step.target}")
        tell(f"This would {what}. Nothing was done.")
        return EXIT_SOME_FAILED if plan.failures else EXIT_DONE
    if not args.yes and not confirmed(f"{what[0].upper()}{what[1:]}?"):
        return EXIT_NOTHING_DONE
    with Journal() as journal, _interruptible() as (progress, cancelled):
        report = run(plan, journal, progress, cancelled)
    past = "copied" if args.kind == "copy" else "moved"
    line = f"{len(report.done)} of {_photos(report.total)} {past}."
    if report.done:
        line += f" To take that back: pairlens undo {report.action}"
    tell(line)
    return _end(report, plan.failures)


@contextmanager
def _interruptible() -> Iterator[tuple[Progress, Cancelled]]:
    try:
        with until_interrupted() as cancelled, progress_bar("photo") as progress:
            yield progress, cancelled
    except KeyboardInterrupt:  # the second Ctrl-C
        tell("Stopped in the middle. What was done is listed by: pairlens actions")
        raise SystemExit(EXIT_SOME_FAILED) from None


def _actions(args: argparse.Namespace) -> int:
    from engine.action_journal import Journal
    from engine.actions import list_actions

    with Journal() as journal:
        found = list_actions(journal)
    if not found:
        tell("Nothing was copied or moved yet.")
    for action in found:
        line = (
            f"{action.id:4}  {action.began:%Y-%m-%d %H:%M}  {action.kind}  {action.state:13}  "
            f"{action.done} of {_photos(action.total)}  {action.into}"
        )
        if action.unknown:
            line += f"  ({_photos(action.unknown)} can't be looked for: a folder is not there)"
        print(line)
    return EXIT_DONE


def _undo(args: argparse.Namespace) -> int:
    from engine.action_journal import Journal
    from engine.actions import undo

    with Journal() as journal, _interruptible() as (progress, cancelled):
        report = undo(journal, args.action, progress, cancelled)
    tell(f"Action {report.action}: {len(report.done)} of {_photos(report.total)} taken back.")
    return _end(report, [])


def _end(report: ActionReport, before: list[PhotoFailure]) -> int:
    """Say what went wrong, and turn it into an exit code; ``before`` has been said already."""
    for failure in report.failures:
        tell(failure.message)
    if report.stopped:
        tell(str(report.stopped))
    elif report.cancelled:
        tell("Stopped early. What was done is kept.")
    if not report.done:
        return EXIT_NOTHING_DONE
    whole = not (before or report.failures or report.stopped or report.cancelled)
    return EXIT_DONE if whole else EXIT_SOME_FAILED


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count} photos"
