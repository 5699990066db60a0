"""The command ``explain``: why a pair has its match probability."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli_console import EXIT_DONE, Command, add_json, print_json, tell, tell_meaning

if TYPE_CHECKING:
    from engine.explain import Explanation


def add_explain_command(command: Command) -> None:
    """Mount the command."""
    explain = command(
        "explain", _explain, "which parts of a photo and which words a match is due to"
    )
    explain.add_argument("photo", type=Path, metavar="PHOTO")
    explain.add_argument("--caption", required=True, metavar="TEXT")
    explain.add_argument(
        "--out", type=_png, required=True, metavar="PNG", help="where to draw the maps"
    )
    add_json(explain)


def _png(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"{text} does not end in .png")
    return path


def _explain(args: argparse.Namespace) -> int:
    from engine.decode import decode
    from engine.explain import explain
    from engine.export import check_writable, write_picture
    from engine.heat_picture import PHOTO_SIDE, font_for, picture
    from engine.matcher import load_matcher
    from engine.verdict import verdict

    check_writable(args.out)
    matcher = load_matcher()
    found = explain(matcher, args.photo, args.caption)
    tell_meaning(matcher)
    said = verdict(found.probability, matcher.threshold, matcher.calibrated)
    write_picture(picture(decode(args.photo, PHOTO_SIDE), found, said), args.out)
    if args.json:
        print_json(_plain(found))
        return EXIT_DONE
    print(f"{found.probability:7.1%}  {said:14}  {found.photo}  {found.caption}")
    for number, word in enumerate(found.words, start=1):
        print(f"{number:4}  {word.weight:+6.2f}  {word.text}")
    if font_for(found.caption, PHOTO_SIDE) is None:
        tell("No font with these letters was found, so the picture has numbers for the words.")
    return EXIT_DONE


def _plain(found: Explanation) -> dict[str, Any]:
    return {
        "photo": str(found.photo),
        "caption": found.caption,
        "probability": found.probability,
        "logit": found.logit,
        "match": found.match,
        "heat": found.heat.tolist(),
        "words": [
            {"word": word.text, "weight": word.weight, "heat": word.heat.tolist()}
            for word in found.words
        ],
    }
