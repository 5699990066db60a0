"""The commands ``batch`` and ``verify``: a folder of photos with captions, and given pairs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli_console import (
    EXIT_NOTHING_DONE,
    Command,
    exit_code,
    positive,
    probability,
    progress_bar,
    tell,
    tell_meaning,
    until_interrupted,
)
from engine.errors import NoPhotos
from engine.paths import languages
from engine.types import Mode, Pair

if TYPE_CHECKING:
    from engine.matcher import Matcher
    from engine.recall import Recall
    from engine.results import About, Row


def add_batch_commands(command: Command) -> None:
    """Add the commands to the program's parser."""
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


def _add_results(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="a .csv, .json or .html file"
    )
    threshold = parser.add_mutually_exclusive_group()
    threshold.add_argument(
        "--threshold",
        type=probability,
        metavar="P",
        help="match probability from which a pair matches, 0 to 1; the model's own if left out",
    )
    threshold.add_argument(
        "--false-alarms",
        type=positive,
        metavar="N",
        help="let at most one in N unrelated photos match, as estimated on these photos",
    )
    parser.add_argument(
        "--language", choices=languages(), default="en", help="of an HTML page; en if left out"
    )


def _batch(args: argparse.Namespace) -> int:
    from engine.batch import BatchOptions, batch
    from engine.captions import as_captions, read_captions, read_sidecars
    from engine.cost import cost_of
    from engine.export import check_results
    from engine.matcher import load_matcher
    from engine.photos import find_photos
    from engine.results import about_of

    mode = Mode(args.mode) if args.mode else Mode.VERIFY if args.sidecars else Mode.BEST
    if mode is Mode.VERIFY and not args.sidecars:
        tell("--mode verify needs each photo's own caption: give --sidecars, or use the command")
        tell("verify with a CSV file of pairs.")
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
    tell_meaning(matcher)
    about = about_of(matcher, options, args.folder, len(photos), captions, language=args.language)
    if (cost := cost_of(matcher, photos, captions, options)) is not None:
        tell(
            f"{cost.pairs:,} pairs are compared in full, and this model takes {cost.each:.2g} "
            f"seconds for each on this computer: about {cost.minutes:,} minutes in all."
        )
        about = replace(about, expected_seconds=cost.seconds)
    _warn_of_size(args.out, len(photos), len(photos) * (len(captions) if mode is Mode.ALL else 1))
    with (
        until_interrupted() as cancelled,
        progress_bar("photo") as progress,
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
    tell_meaning(matcher)
    captions = as_captions(pair.caption for pair in pairs if pair.caption is not None)
    options = BatchOptions(Mode.VERIFY, False, args.threshold, args.false_alarms)
    about = about_of(
        matcher, options, source, len(pairs), captions, language=args.language, beside=beside
    )
    _warn_of_size(args.out, len({pair.photo for pair in pairs}), len(pairs))
    with (
        until_interrupted() as cancelled,
        progress_bar("pair") as progress,
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
        tell(
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
        tell(f"Stopped: {summary.done} of {summary.expected} {things} are in {out}.")
    else:
        tell(
            f"{summary.usable} of {summary.expected} {things} compared, {summary.matched} match; "
            f"the results are in {out}."
        )
    return exit_code(list(summary.failures.values()), summary.usable, not summary.complete)


@contextmanager
def _recalled(folder: Path, matcher: Matcher) -> Iterator[Recall | None]:
    """What need not be read of a folder; says so if it may become more meanwhile."""
    from engine.recall import recalled

    with recalled(folder, matcher.model_id) as known:
        if known is not None and known.growing:
            tell("This folder is being indexed now: photos that are not done yet are read here.")
        yield known
