"""The engine's commands. With the other `engine.cli_*`, the only place that prints or exits."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import __version__
from engine.errors import NoPhotos, PairLensError
from engine.paths import languages
from engine.types import Cancelled, Caption, DeviceChoice, Match, Mode, Pair, PhotoFailure, Progress

if TYPE_CHECKING:
    from engine.batch import BatchOptions
    from engine.matcher import Matcher
    from engine.recall import Recall
    from engine.results import About, Row

EXIT_DONE = 0
EXIT_SOME_FAILED = 1
EXIT_NOTHING_DONE = 2

Subparsers = argparse._SubParsersAction  # argparse has no public name for it


def build_parser() -> tuple[argparse.ArgumentParser, Subparsers[argparse.ArgumentParser]]:
    """The parser with the engine's commands, and the place to add more.

    Every command sets ``func``, which takes the parsed arguments and returns an exit code.
    """
    from engine.cli_actions import add_commands  # which build on this module
    from engine.cli_calibrate import add_calibrate_command
    from engine.cli_explain import add_explain_command
    from engine.cli_library import add_library_commands
    from engine.cli_models import add_models_command
    from engine.cli_search import add_search_command

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
    _add_json(match)

    add_explain_command(command)

    batch = command("batch", _batch, "match the photos of a folder with captions")
    batch.add_argument("folder", type=Path, metavar="FOLDER")
    source = batch.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--captions",
        type=Path,
        metavar="FILE",
        help="a text file with a caption on each line, or a CSV file with a column caption",
    )
    source.add_argument(
        "--sidecars",
        action="store_true",
        help="the caption of photo.jpg is in photo.txt beside it",
    )
    batch.add_argument(
        "--mode",
        choices=[mode.value for mode in Mode],
        help="best: the best caption for each photo (the default with --captions); all: every "
        "caption for every photo; assign: one caption a photo and one photo a caption, as good as "
        "can be in all; verify: does each photo match its sidecar (the default with --sidecars)",
    )
    batch.add_argument(
        "--exact",
        action="store_true",
        help="compare every photo with every caption in full, not only with the likely ones",
    )
    _add_results(batch)

    verify = command("verify", _verify, "check given pairs of photo and caption")
    verify.add_argument(
        "pairs",
        type=Path,
        metavar="PAIRS",
        help="a CSV file with the columns photo and caption, or a folder of photos with sidecars",
    )
    _add_results(verify)

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
    _add_json(evaluate)

    add_commands(commands)

    add_models_command(command)
    add_calibrate_command(command)

    doctor = command("doctor", _doctor, "what is installed, what is missing, and what mends it")
    _add_json(doctor)
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
        _tell(str(error))
        return EXIT_NOTHING_DONE
    except BrokenPipeError:
        # Whoever reads us, `head` for instance, has seen enough. Python would say so once more when
        # it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_SOME_FAILED
    except KeyboardInterrupt:
        _tell("Stopped. Nothing was written.")
        return EXIT_NOTHING_DONE


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def _add_results(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="a .csv, .json or .html file"
    )
    threshold = parser.add_mutually_exclusive_group()
    threshold.add_argument(
        "--threshold",
        type=_probability,
        metavar="P",
        help="match probability from which a pair matches, 0 to 1; the model's own if left out",
    )
    threshold.add_argument(
        "--false-alarms",
        type=_positive,
        metavar="N",
        help="let at most one in N unrelated photos match, as estimated on these photos",
    )
    parser.add_argument(
        "--language", choices=languages(), default="en", help="of an HTML page; en if left out"
    )


def _device_choice(text: str) -> DeviceChoice:
    try:
        return DeviceChoice(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is none of auto, cpu and cuda") from None


def _probability(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _tell_meaning(matcher: Matcher) -> None:
    """Say of percentages that they are none that can be relied on, where they are not."""
    if not matcher.calibrated:
        _tell(
            f"{matcher.pack.manifest.name} is uncalibrated: the percentages only say which pair "
            "fits better, not how likely it is right."
        )


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@contextmanager
def _progress(unit: str) -> Iterator[Progress]:
    """A bar on stderr with rate and time left; nothing where stderr is no terminal."""
    from tqdm import tqdm

    with tqdm(unit=unit, disable=None, file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


@contextmanager
def _until_interrupted() -> Iterator[Cancelled]:
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


@contextmanager
def _recalled(folder: Path, matcher: Matcher) -> Iterator[Recall | None]:
    """What need not be read of a folder; says so if it may become more meanwhile."""
    from engine.recall import recalled

    with recalled(folder, matcher.model_id) as known:
        if known is not None and known.growing:
            _tell("This folder is being indexed now: photos that are not done yet are read here.")
        yield known


def _exit_code(failures: Sequence[PhotoFailure], usable: int, cancelled: bool) -> int:
    """Name every failed photo; what was stopped early is not all done either."""
    for failure in failures:
        _tell(failure.message)
    if failures and not usable:
        return EXIT_NOTHING_DONE
    return EXIT_SOME_FAILED if failures or cancelled else EXIT_DONE


def _match(args: argparse.Namespace) -> int:
    from engine.matcher import load_matcher
    from engine.verdict import verdict

    matcher = load_matcher(choice=args.device)
    matches = matcher.match(args.photos, args.caption)
    if args.json:
        _print_json([_plain(match) for match in matches])
    else:
        for match in matches:
            if match.probability is not None:
                said = verdict(match.probability, matcher.threshold, matcher.calibrated)
                print(f"{match.probability:7.1%}  {said:14}  {match.photo}  {match.caption}")
    _tell_meaning(matcher)
    errors = {match.photo: match.error for match in matches if match.error is not None}
    for error in errors.values():
        _tell(error)
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


def _batch(args: argparse.Namespace) -> int:
    from engine.batch import BatchOptions, batch
    from engine.captions import as_captions, read_captions, read_sidecars
    from engine.export import check_results
    from engine.matcher import load_matcher
    from engine.photos import find_photos
    from engine.results import about_of

    mode = Mode(args.mode) if args.mode else Mode.VERIFY if args.sidecars else Mode.BEST
    if mode is Mode.VERIFY and not args.sidecars:
        _tell("--mode verify needs each photo's own caption: give --sidecars, or use the command")
        _tell("verify with a CSV file of pairs.")
        return EXIT_NOTHING_DONE
    captions = read_captions(args.captions) if args.captions else []
    photos = find_photos(args.folder)
    if not photos:
        raise NoPhotos(path=args.folder)
    check_results(args.out)
    if args.sidecars:
        pairs = read_sidecars(args.folder, photos)
        if mode is Mode.VERIFY:
            return _verify_pairs(args, pairs, args.folder, beside=None)
        captions = as_captions(pair.caption for pair in pairs if pair.caption is not None)
    matcher = load_matcher(choice=args.device).tuned()
    options = BatchOptions(mode, args.exact, args.threshold, args.false_alarms)
    _tell_meaning(matcher)
    about = about_of(matcher, options, args.folder, len(photos), captions, language=args.language)
    if matcher.looks_again:
        about = replace(about, expected_seconds=_expected(matcher, photos, captions, options))
    _warn_of_size(args.out, len(photos), len(photos) * (len(captions) if mode is Mode.ALL else 1))
    with (
        _until_interrupted() as cancelled,
        _progress("photo") as progress,
        _recalled(args.folder, matcher) as known,
    ):
        rows = batch(
            matcher,
            photos,
            captions,
            options,
            known=known,
            progress=progress,
            cancelled=cancelled,
        )
        return _write(rows, about, args.out, "photos")


def _expected(
    matcher: Matcher, photos: Sequence[Path], captions: Sequence[Caption], options: BatchOptions
) -> float | None:
    """Say beforehand what it will take to look at photos again for each pair; in seconds."""
    from engine.cost import seconds_per_pair

    each = seconds_per_pair(matcher, photos, captions[0].text)
    if each is None:
        return None
    pairs = len(photos) * options.width(len(captions))
    _tell(
        f"{pairs:,} pairs are compared in full, and this model takes {each:.2g} seconds for each "
        f"on this computer: about {max(1, round(pairs * each / 60)):,} minutes in all."
    )
    return pairs * each


def _verify(args: argparse.Namespace) -> int:
    from engine.captions import read_pairs, read_sidecars
    from engine.export import check_results
    from engine.photos import find_photos

    if args.pairs.is_dir():
        photos = find_photos(args.pairs)
        if not photos:
            raise NoPhotos(path=args.pairs)
        pairs, beside = read_sidecars(args.pairs, photos), None
    else:
        pairs, beside = read_pairs(args.pairs), args.pairs.parent
    check_results(args.out)
    return _verify_pairs(args, pairs, args.pairs, beside)


def _verify_pairs(
    args: argparse.Namespace, pairs: Sequence[Pair], source: Path, beside: Path | None
) -> int:
    from engine.batch import BatchOptions
    from engine.captions import as_captions
    from engine.matcher import load_matcher
    from engine.results import about_of
    from engine.verify import verify

    matcher = load_matcher(choice=args.device).tuned()
    _tell_meaning(matcher)
    captions = as_captions(pair.caption for pair in pairs if pair.caption is not None)
    options = BatchOptions(Mode.VERIFY, False, args.threshold, args.false_alarms)
    about = about_of(
        matcher, options, source, len(pairs), captions, language=args.language, beside=beside
    )
    _warn_of_size(args.out, len({pair.photo for pair in pairs}), len(pairs))
    with (
        _until_interrupted() as cancelled,
        _progress("pair") as progress,
        _recalled(source if beside is None else beside, matcher) as known,
    ):
        rows = verify(
            matcher,
            pairs,
            beside=beside,
            threshold=args.threshold,
            false_alarms=args.false_alarms,
            known=known,
            progress=progress,
            cancelled=cancelled,
        )
        return _write(rows, about, args.out, "pairs")


def _warn_of_size(out: Path, photos: int, rows: int) -> None:
    """Say beforehand what a page with very many photos would be like."""
    from engine.export import HTML
    from engine.report_html import LARGE, expected_size

    size = expected_size(photos, rows)
    if out.suffix.lower() in HTML and size > LARGE:
        _tell(
            f"A page of {photos:,} photos will be about {size / 1e6:,.0f} MB: browsers open that "
            "slowly or not at all. A .csv file has the same rows."
        )


def _write(rows: Iterator[Row], about: About, out: Path, things: str) -> int:
    """Write rows as they come, and say what became of them."""
    from engine.export import write_results
    from engine.results import Summary

    summary = Summary(about.photos)
    write_results(summary.watch(rows), about, out)
    if not summary.complete:
        _tell(f"Stopped: {summary.done} of {summary.expected} {things} are in {out}.")
    else:
        _tell(
            f"{summary.usable} of {summary.expected} {things} compared, {summary.matched} match; "
            f"the results are in {out}."
        )
    return _exit_code(list(summary.failures.values()), summary.usable, not summary.complete)


def _index(args: argparse.Namespace) -> int:
    from engine.cards import card_named, card_of
    from engine.index import index_folder
    from engine.matcher import load_matcher

    # From before the library is there: whoever sees it may stop us.
    with _until_interrupted() as cancelled:
        folder, name = args.folder, args.library
        unknown = card_of(folder.resolve()) is None and not folder.is_dir()
        if name is None and unknown and card_named(str(folder)) is not None:
            folder, name = None, str(folder)
        matcher = load_matcher(choice=args.device).tuned()
        with _progress("photo") as progress:
            report = index_folder(folder, matcher, progress, cancelled, name)
    usable = report.indexed + report.unchanged + report.reused
    if report.damage is not None:
        _tell(f"{report.damage} That is what was done now.")
    _tell(
        f"{report.indexed} photos indexed, {report.unchanged} unchanged, {report.reused} known by "
        f"content, {report.removed} gone, {len(report.failures)} failed."
    )
    if report.offline:
        _tell(f"{report.offline} photos are offline, as their drive is not connected: they stay.")
    if report.cancelled:
        _tell("Stopped early. What is indexed is kept: the same command goes on from there.")
    return _exit_code(report.failures, usable, report.cancelled)


def _evaluate(args: argparse.Namespace) -> int:
    from engine.evaluation import Labelled, evaluate, summary
    from engine.export import check_writable, write_json
    from engine.matcher import load_matcher

    if (args.labels is None) != (args.labelled is None):
        _tell("--labels and --labelled go together: the table, and the folder of its photos.")
        return EXIT_NOTHING_DONE
    labelled = Labelled(args.labels, args.labelled) if args.labels else None
    if args.out:
        check_writable(args.out)
    matcher = load_matcher(choice=args.device)
    with _progress("photo") as progress:
        report = evaluate(matcher, args.data, args.split, progress, labelled)
    if args.out:
        write_json(report, args.out)
    if args.json:
        _print_json(report)
    else:
        print(summary(report))
    return EXIT_DONE


def _doctor(args: argparse.Namespace) -> int:
    from engine.doctor import examine

    findings = examine(args.device)
    if args.json:
        _print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            print(f"{'ok ' if finding.ok else 'BAD'}  {finding.name}: {finding.value}")
            if finding.remedy:
                print(f"     -> {finding.remedy}")
    return EXIT_DONE if all(finding.ok for finding in findings) else EXIT_SOME_FAILED
