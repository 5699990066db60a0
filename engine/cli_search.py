"""The command ``search``: photos of a library by words, by a photo, or by both."""

from __future__ import annotations

import argparse
import re
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli_console import (
    EXIT_DONE,
    Command,
    add_json,
    positive,
    print_json,
    tell,
    tell_meaning,
)
from engine.errors import FolderMissing, LibraryMissing
from engine.query import Orientation, PhotoFilter, Query

if TYPE_CHECKING:
    from engine.index import Library
    from engine.types import SearchHit, SearchResult


def add_search_command(command: Command) -> None:
    """Mount the command."""
    search = command("search", _search, "find photos of an indexed folder or library")
    search.add_argument("where", metavar="FOLDER", help="or the name of a library")
    words = search.add_argument("words", metavar="[QUERY]", help="what is in the photo")
    # Optional like this and not by nargs, with which it could not come after an option.
    words.required = False
    search.add_argument("--photo", type=Path, metavar="FILE", help="find photos like this one")
    search.add_argument(
        "--not", dest="avoid", action="append", default=[], metavar="TEXT",
        help="leave out photos that match this; may be given several times",
    )  # fmt: skip
    search.add_argument(
        "--under", type=Path, metavar="FOLDER", help="only photos in this folder and below it"
    )
    search.add_argument(
        "--after", type=_day, metavar="DATE", help="taken on this day or later, like 2024-12-31"
    )
    search.add_argument(
        "--before", type=_day, metavar="DATE", help="taken on an earlier day than this"
    )
    search.add_argument(
        "--orientation", choices=[way.value for way in Orientation], help="of the upright photo"
    )
    search.add_argument(
        "--min-size", type=_size, default=(0, 0), metavar="SIZE",
        help="pixels: 1920x1080 for width and height, 1080 for both",
    )  # fmt: skip
    search.add_argument("--top", type=positive, default=20, metavar="N", help="photos to list")
    add_json(search)
    search.set_defaults(usage_error=search.error)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day like 2024-12-31") from None


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)(?:[x×](\d+))?", text.lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} is no size like 1080 or 1920x1080")
    return int(found[1]), int(found[2] or found[1])


def _search(args: argparse.Namespace) -> int:
    from engine.matcher import load_matcher
    from engine.search import narrowed, quoted, search

    if args.words is None and args.photo is None:
        args.usage_error("give a QUERY, a --photo, or both")
    library, folder = _find(Path(args.where))
    way = None if args.orientation is None else Orientation(args.orientation)
    with closing(library):
        query = Query(
            words=args.words,
            photo=args.photo,
            avoid=tuple(args.avoid),
            folder=narrowed(folder, args.under),
            only=PhotoFilter(args.after, args.before, way, *args.min_size),
        )
        if library.is_being_indexed():
            tell("This library is being indexed now: what is done so far is searched.")
        matcher = load_matcher(choice=args.device)
        result = search(matcher, library, query, args.top)
    if args.words is not None:
        tell_meaning(matcher)
    if result.waiting:
        tell(
            f"{result.waiting} more photos can't be searched before they are indexed. "
            f"Run: pairlens index {quoted(Path(args.where))}"
        )
    if args.json:
        print_json(_plain(result))
    else:
        _show(result)
    return EXIT_DONE


def _find(where: Path) -> tuple[Library, Path | None]:
    """The library that is meant, and the folder in it unless all of it is."""
    from engine.index import Library
    from engine.search import quoted

    # The photos of a folder that is not connected can still be searched.
    found = Library.find(where)
    if found is not None:
        return found, where
    if where.is_dir():
        raise LibraryMissing(path=where, quoted=quoted(where))
    found = Library.named(str(where))
    if found is None:
        raise FolderMissing(path=where)
    return found, None


def _show(result: SearchResult) -> None:
    """Results on stdout; everything that is none on stderr, the nearest photos too."""
    for path in result.same:
        tell(f"The photo itself is here: {path}")
    if result.left_out:
        tell(f"{result.left_out} of the nearest were left out: they match what is to be avoided.")
    if not (result.results or result.nearest):
        tell("Nothing matches: no photo is left to compare.")
    elif result.nearest:
        tell("Perhaps nothing here matches; the nearest are:")
    elif result.unjudged:
        tell("The model has no rule for whether anything fits. Not judged, the nearest are:")
    for hit in result.nearest:
        tell(_line(hit))
    for hit in result.results:
        print(_line(hit))


def _line(hit: SearchHit) -> str:
    numbers = [] if hit.probability is None else [f"{hit.probability:7.1%}"]
    if hit.photo_similarity is not None:
        numbers.append(f"{hit.photo_similarity:6.3f}")
    return f"{'  '.join(numbers)}  {hit.photo}{'  (offline)' if hit.offline else ''}"


def _plain(result: SearchResult) -> dict[str, Any]:
    from dataclasses import asdict

    found = asdict(result)
    asked = found.pop("query")
    return {"query": asked["words"], "photo": asked["photo"], **found}
