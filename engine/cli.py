"""The engine's commands. The only engine module that prints or exits."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from engine import __version__
from engine.errors import FolderMissing, LibraryMissing, NoPhotos, PairLensError
from engine.types import Cancelled, Match, PhotoFailure, Progress

EXIT_DONE = 0
EXIT_SOME_FAILED = 1
EXIT_NOTHING_DONE = 2

Subparsers = argparse._SubParsersAction  # argparse has no public name for it


def build_parser() -> tuple[argparse.ArgumentParser, Subparsers[argparse.ArgumentParser]]:
    """The parser with the engine's commands, and the place to add more.

    Every command sets ``func``, which takes the parsed arguments and returns an exit code.
    """
    from engine.cli_library import add_library_commands

    parser = argparse.ArgumentParser(
        prog="pairlens",
        description="Match photos with text on your own computer. No command opens the window.",
    )
    parser.add_argument("--version", action="version", version=f"pairlens {__version__}")
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

    batch = command("batch", _batch, "find the best caption for every photo of a folder")
    batch.add_argument("folder", type=Path, metavar="FOLDER")
    batch.add_argument("--captions", type=Path, required=True, metavar="FILE")
    batch.add_argument("--out", type=Path, required=True, metavar="OUT.csv")
    batch.add_argument(
        "--exact",
        action="store_true",
        help="compare every photo with every caption in full, not only with the likely ones",
    )
    batch.add_argument(
        "--all", action="store_true", help="write a row for every caption, not only the best"
    )

    verify = command("verify", _verify, "check given pairs: a CSV file with photo and caption")
    verify.add_argument("pairs", type=Path, metavar="PAIRS.csv")
    verify.add_argument("--out", type=Path, required=True, metavar="OUT.csv")

    index = command("index", _index, "make a folder searchable, or bring its index up to date")
    index.add_argument(
        "folder", type=Path, metavar="FOLDER", help="or the name of a library: all its folders"
    )
    index.add_argument(
        "--library", metavar="NAME", help="add the folder to this library, made if needed"
    )
    add_library_commands(command)

    search = command("search", _search, "find photos of an indexed folder or library by words")
    search.add_argument("folder", type=Path, metavar="FOLDER", help="or the name of a library")
    search.add_argument("query", metavar="QUERY")
    search.add_argument("--top", type=_positive, default=20, metavar="N", help="photos to list")
    _add_json(search)

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
        return func(args)
    except PairLensError as error:
        _tell(str(error))
        return EXIT_NOTHING_DONE
    except KeyboardInterrupt:
        _tell("Stopped. Nothing was written.")
        return EXIT_NOTHING_DONE


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@contextmanager
def _progress(unit: str) -> Iterator[Progress]:
    """A bar on stderr with rate and time left; nothing where stderr is no terminal."""
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


def _exit_code(failures: Sequence[PhotoFailure], usable: int, cancelled: bool) -> int:
    """Name every failed photo; what was stopped early is not all done either."""
    for failure in failures:
        _tell(failure.message)
    if failures and not usable:
        return EXIT_NOTHING_DONE
    return EXIT_SOME_FAILED if failures or cancelled else EXIT_DONE


def _match(args: argparse.Namespace) -> int:
    from engine.matcher import load_matcher

    matches = load_matcher().match(args.photos, args.caption)
    if args.json:
        _print_json([_plain(match) for match in matches])
    else:
        for match in matches:
            if match.probability is not None:
                verdict = "match" if match.match else "no match"
                print(f"{match.probability:7.1%}  {verdict:8}  {match.photo}  {match.caption}")
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
    from engine.batch import batch, read_captions
    from engine.export import check_writable, write_batch_csv
    from engine.matcher import load_matcher
    from engine.photos import find_photos

    captions = read_captions(args.captions)
    photos = find_photos(args.folder)
    if not photos:
        raise NoPhotos(path=args.folder)
    check_writable(args.out)
    matcher = load_matcher()
    with _until_interrupted() as cancelled, _progress("photo") as progress:
        report = batch(
            matcher,
            photos,
            captions,
            exact=args.exact,
            every_caption=args.all,
            progress=progress,
            cancelled=cancelled,
        )
    write_batch_csv(report.rows, args.out)
    done = len({row.photo for row in report.rows})
    usable = done - len(report.failures)
    if report.cancelled:
        _tell(f"Stopped: {done} of {len(photos)} photos are in {args.out}.")
    else:
        _tell(f"{usable} of {len(photos)} photos matched; the table is {args.out}.")
    return _exit_code(report.failures, usable, report.cancelled)


def _verify(args: argparse.Namespace) -> int:
    from engine.batch import read_pairs, verify
    from engine.export import check_writable, write_verify_csv
    from engine.matcher import load_matcher

    pairs = read_pairs(args.pairs)
    check_writable(args.out)
    matcher = load_matcher()
    with _until_interrupted() as cancelled, _progress("pair") as progress:
        report = verify(
            matcher, pairs, beside=args.pairs.parent, progress=progress, cancelled=cancelled
        )
    write_verify_csv(report.matches, args.out)
    usable = sum(match.error is None for match in report.matches)
    if report.cancelled:
        _tell(f"Stopped: {len(report.matches)} of {len(pairs)} pairs are in {args.out}.")
    else:
        _tell(f"{usable} of {len(pairs)} pairs verified; the table is {args.out}.")
    return _exit_code(report.failures, usable, report.cancelled)


def _index(args: argparse.Namespace) -> int:
    from engine.cards import card_named, card_of
    from engine.index import index_folder
    from engine.matcher import load_matcher
    from engine.photos import walk

    # From before the library is there: whoever sees it may stop us.
    with _until_interrupted() as cancelled:
        folder, name = args.folder, args.library
        if card_of(folder.resolve()) is None:
            if name is None and not folder.is_dir() and card_named(str(folder)):
                folder, name = None, str(folder)
            elif not walk(folder).total:
                raise NoPhotos(path=folder)  # no library is made for an empty folder
        with _progress("photo") as progress:
            report = index_folder(folder, load_matcher(), progress, cancelled, name)
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


def _search(args: argparse.Namespace) -> int:
    from contextlib import closing

    from engine.index import Library
    from engine.matcher import load_matcher
    from engine.search import quoted, search

    folder: Path | None = args.folder
    # The photos of a folder that is not connected can still be searched.
    found = Library.find(args.folder)
    if found is None and not args.folder.is_dir():
        found, folder = Library.named(str(args.folder)), None
        if found is None:
            raise FolderMissing(path=args.folder)
    if found is None:
        raise LibraryMissing(path=args.folder, quoted=quoted(args.folder))
    with closing(found) as library:
        if library.is_being_indexed():
            _tell("This library is being indexed now: what is done so far is searched.")
        result = search(load_matcher(), library, folder, args.query, args.top)
    if result.waiting:
        _tell(
            f"{result.waiting} more photos wait to be indexed with this model pack. "
            f"Run: pairlens index {quoted(args.folder)}"
        )
    if args.json:
        _print_json(asdict(result))
        return EXIT_DONE
    if not result.confident:
        _tell("Nothing here matches well; the nearest are:")
    for hit in result.results:
        print(f"{hit.probability:7.1%}  {hit.photo}{'  (offline)' if hit.offline else ''}")
    return EXIT_DONE


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
    with _progress("photo") as progress:
        report = evaluate(load_matcher(), args.data, args.split, progress, labelled)
    if args.out:
        write_json(report, args.out)
    if args.json:
        _print_json(report)
    else:
        print(summary(report))
    return EXIT_DONE


def _doctor(args: argparse.Namespace) -> int:
    from engine.doctor import examine

    findings = examine()
    if args.json:
        _print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            print(f"{'ok ' if finding.ok else 'BAD'}  {finding.name}: {finding.value}")
            if finding.remedy:
                print(f"     -> {finding.remedy}")
    return EXIT_DONE if all(finding.ok for finding in findings) else EXIT_SOME_FAILED
