"""The commands about libraries as such: which there are, and deleting one."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any

EXIT_DONE = 0
EXIT_NOTHING_DONE = 2

Command = Callable[
    [str, Callable[[argparse.Namespace], int], str],
    argparse.ArgumentParser,
]


def add_library_commands(command: Command) -> None:
    """Add the commands to the program's parser."""
    libraries = command("libraries", _libraries, "the libraries there are, and how they stand")
    libraries.add_argument("--json", action="store_true", help="print JSON and nothing else")

    forget = command("forget", _forget, "delete a library's index; photos are never touched")
    forget.add_argument("name", metavar="NAME", help="what pairlens libraries calls it")
    forget.add_argument("--yes", action="store_true", help="don't ask")


def _libraries(args: argparse.Namespace) -> int:
    from engine.cards import cards

    found = [_standing(card.name) for card in cards()]
    if args.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return EXIT_DONE
    if not found:
        print("There is no library yet. Make one with: pairlens index FOLDER", file=sys.stderr)
    for library in found:
        if "error" in library:
            print(f"{library['name']}: {library['error']}")
            continue
        busy = ", being indexed now" if library["indexing"] else ""
        size = library["bytes"] / 1e6
        print(f"{library['name']}: {library['photos']:,} photos, {size:,.1f} MB{busy}")
        for folder in library["folders"]:
            print(f"  {folder['path']}{'' if folder['online'] else '  (offline)'}")
        for model in library["models"]:
            print(f"  model {model['id']}: {model['photos']:,} photos")
    return EXIT_DONE


def _standing(name: str) -> dict[str, Any]:
    from engine.errors import LibraryError
    from engine.index import Library

    try:
        found = Library.named(name)
    except LibraryError as error:  # one that can't be opened does not hide the others
        return {"name": name, "error": str(error)}
    if found is None:  # deleted since it was listed
        return {"name": name, "error": "it was deleted just now"}
    with closing(found) as library:
        away = library.away()
        return {
            "name": library.name,
            "folders": [
                {"path": str(folder), "online": folder not in away} for folder in library.folders
            ],
            "offline": [str(folder) for folder in away],
            "photos": library.count(),
            "bytes": library.size(),
            "indexing": library.is_being_indexed(),
            "models": [
                {"id": generation.model_id, "photos": generation.photos}
                for generation in library.generations()
            ],
        }


def _forget(args: argparse.Namespace) -> int:
    from engine.cards import card_named, remove
    from engine.errors import LibraryUnknown

    card = card_named(args.name)
    if card is None:
        raise LibraryUnknown(name=args.name)
    if not args.yes:
        folders = ", ".join(map(str, card.folders))
        print(f"This deletes the index of {folders}; no photo is touched.", file=sys.stderr)
        print(f"Delete the library {card.name}? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            print("Nothing was deleted.", file=sys.stderr)
            return EXIT_NOTHING_DONE
    remove(card.name)
    print(f"The library {card.name} is deleted.", file=sys.stderr)
    return EXIT_DONE
