"""The program's commands of the engine: how they are told apart, and how errors end them."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine import __version__
from engine.cli_actions import add_commands
from engine.cli_batch import add_batch_commands
from engine.cli_calibrate import add_calibrate_command
from engine.cli_console import (
    EXIT_DONE,
    EXIT_NOTHING_DONE,
    EXIT_SOME_FAILED,
    Subparsers,
    add_json,
    exit_code,
    print_json,
    progress_bar,
    tell,
    tell_meaning,
    until_interrupted,
)
from engine.cli_explain import add_explain_command
from engine.cli_library import add_library_commands
from engine.cli_models import add_models_command
from engine.cli_search import add_search_command
from engine.errors import PairLensError
from engine.types import DeviceChoice, Match


def build_parser() -> tuple[argparse.ArgumentParser, Subparsers[argparse.ArgumentParser]]:
    """The parser with the engine's commands, and the place to add more.

    Every command sets ``func``, which takes the parsed arguments and returns an exit code.
    """
    parser = argparse.ArgumentParser(
        prog="pairlens",
        description="Match photos with text on your own computer. No command opens the window.",
    )
    parser.add_argument("--version", action="version", version=f"pairlens {__version__}")
    parser.add_argument(
        "--device",
        type=_device_choice,
        default=DeviceChoice.AUTO,
        metavar="{auto,cpu,cuda}",
        help="what runs the model: auto takes a CUDA card where torch and the model's weights are "
        "there for it, else the processor",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, func: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(func=func)
        return added

    match = command("match", _match, "the match probability of every photo with every caption")
    match.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    match.add_argument("--caption", action="append", required=True, metavar="TEXT")
    add_json(match)

    add_explain_command(command)

    add_batch_commands(command)

    index = command("index", _index, "make a folder searchable, or bring its index up to date")
    index.add_argument(
        "folder", type=Path, metavar="FOLDER", help="or the name of a library: all its folders"
    )
    index.add_argument(
        "--library", metavar="NAME", help="add the folder to this library, made if needed"
    )
    add_library_commands(command)

    add_search_command(command)

    evaluate = command("evaluate", _evaluate, "measure the model pack on a captioned data set")
    evaluate.add_argument("--data", type=Path, required=True, metavar="DIR")
    evaluate.add_argument("--split", default="test", metavar="NAME")
    evaluate.add_argument("--out", type=Path, metavar="OUT.json", help="write the report here")
    evaluate.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="measure breadth too: a table with the columns folder, english and chinese",
    )
    evaluate.add_argument(
        "--labelled", type=Path, metavar="DIR", help="the folder whose photos FILE labels"
    )
    add_json(evaluate)

    add_commands(commands)

    add_models_command(command)
    add_calibrate_command(command)

    doctor = command("doctor", _doctor, "what is installed, what is missing, and what mends it")
    add_json(doctor)
    return parser, commands


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the engine's commands; returns the exit code."""
    parser, _ = build_parser()
    return run(parser.parse_args(argv))


def run(args: argparse.Namespace) -> int:
    """Do what parsed arguments ask for; errors become a sentence on stderr and exit code 2."""
    # Warnings of libraries are for the log, not for the people who run a command.
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())
    # Photo names may hold bytes that are no text; printing one must not end the work.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    func: Callable[[argparse.Namespace], int] = args.func
    try:
        code = func(args)
        sys.stdout.flush()
        return code
    except PairLensError as error:
        tell(str(error))
        return EXIT_NOTHING_DONE
    except BrokenPipeError:
        # Whoever reads us, `head` for instance, has seen enough. Python would say so once more when
        # it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_SOME_FAILED
    except KeyboardInterrupt:
        tell("Stopped. Nothing was written.")
        return EXIT_NOTHING_DONE


def _device_choice(text: str) -> DeviceChoice:
    try:
        return DeviceChoice(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is none of auto, cpu and cuda") from None


def _match(args: argparse.Namespace) -> int:
    from engine.matcher import load_matcher
    from engine.verdict import verdict

    matcher = load_matcher(choice=args.device)
    matches = matcher.match(args.photos, args.caption)
    if args.json:
        print_json([_plain(match) for match in matches])
    else:
        for match in matches:
            if match.probability is not None:
                said = verdict(match.probability, matcher.threshold, matcher.calibrated)
                print(f"{match.probability:7.1%}  {said:14}  {match.photo}  {match.caption}")
    tell_meaning(matcher)
    errors = {match.photo: match.error for match in matches if match.error is not None}
    for error in errors.values():
        tell(error)
    if len(errors) == len(set(args.photos)):
        return EXIT_NOTHING_DONE
    return EXIT_SOME_FAILED if errors else EXIT_DONE


def _plain(match: Match) -> dict[str, Any]:
    return {
        "photo": str(match.photo),
        "caption": match.caption,
        "probability": match.probability,
        "logit": match.logit,
        "match": match.match,
        "error": match.error,
    }


def _index(args: argparse.Namespace) -> int:
    from engine.cards import card_named, card_of
    from engine.index import index_folder
    from engine.matcher import load_matcher

    # From before the library is there: whoever sees it may stop us.
    with until_interrupted() as cancelled:
        folder, name = args.folder, args.library
        unknown = card_of(folder.resolve()) is None and not folder.is_dir()
        if name is None and unknown and card_named(str(folder)) is not None:
            folder, name = None, str(folder)
        matcher = load_matcher(choice=args.device).tuned()
        with progress_bar("photo") as progress:
            report = index_folder(folder, matcher.indexer, progress, cancelled, name)
    usable = report.indexed + report.unchanged + report.reused
    if report.damage is not None:
        tell(f"{report.damage} That is what was done now.")
    tell(
        f"{report.indexed} photos indexed, {report.unchanged} unchanged, {report.reused} known by "
        f"content, {report.removed} gone, {len(report.failures)} failed."
    )
    if report.offline:
        tell(f"{report.offline} photos are offline, as their drive is not connected: they stay.")
    if report.cancelled:
        tell("Stopped early. What is indexed is kept: the same command goes on from there.")
    return exit_code(report.failures, usable, report.cancelled)


def _evaluate(args: argparse.Namespace) -> int:
    from engine.evaluation import Labelled, evaluate, summary
    from engine.export import check_writable, write_json
    from engine.matcher import load_matcher

    if (args.labels is None) != (args.labelled is None):
        tell("--labels and --labelled go together: the table, and the folder of its photos.")
        return EXIT_NOTHING_DONE
    labelled = Labelled(args.labels, args.labelled) if args.labels else None
    if args.out:
        check_writable(args.out)
    matcher = load_matcher(choice=args.device)
    with progress_bar("photo") as progress:
        report = evaluate(matcher, args.data, args.split, progress, labelled)
    if args.out:
        write_json(report, args.out)
    if args.json:
        print_json(report)
    else:
        print(summary(report))
    return EXIT_DONE


def _doctor(args: argparse.Namespace) -> int:
    from engine.doctor import examine

    findings = examine(args.device)
    if args.json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            print(f"{'ok ' if finding.ok else 'BAD'}  {finding.name}: {finding.value}")
            if finding.remedy:
                print(f"     -> {finding.remedy}")
    return EXIT_DONE if all(finding.ok for finding in findings) else EXIT_SOME_FAILED
