"""The commands about libraries as such: which there are, renaming one and deleting one."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from engine.cli_console import EXIT_DONE, EXIT_NOTHING_DONE, Command, add_json, print_json, tell

if TYPE_CHECKING:
    from engine.standing import Standing


def add_library_commands(command: Command) -> None:
    """Add the commands to the program's parser."""
    libraries = command("libraries", _libraries, "the libraries there are, and how they stand")
    add_json(libraries)

    rename = command("rename", _rename, "call a library something else; its index stays as it is")
    rename.add_argument("name", metavar="NAME", help="what pairlens libraries calls it")
    rename.add_argument("to", metavar="NEW", help="what it is to be called")

    forget = command("forget", _forget, "delete a library's index; photos are never touched")
    forget.add_argument("name", metavar="NAME", help="what pairlens libraries calls it")
    forget.add_argument("--yes", action="store_true", help="don't ask")


def _libraries(args: argparse.Namespace) -> int:
    from engine.standing import standings

    found = standings()
    if args.json:
        print_json([_plain(library) for library in found])
        return EXIT_DONE
    if not found:
        tell("There is no library yet. Make one with: pairlens index FOLDER")
    for library in found:
        if library.error is not None:
            print(f"{library.name}: {library.error}")
            continue
        busy = ", being indexed now" if library.indexing else ""
        looked = f", looked through {library.looked:%Y-%m-%d %H:%M}" if library.looked else ""
        size = library.size / 1e6
        print(f"{library.name}: {library.photos:,} photos, {size:,.1f} MB{looked}{busy}")
        for folder in library.folders:
            print(f"  {folder}{'  (offline)' if folder in library.away else ''}")
        for model in library.models:
            print(f"  model {model.model_id}: {model.photos:,} photos")
    return EXIT_DONE


def _plain(library: Standing) -> dict[str, Any]:
    if library.error is not None:
        return {"name": library.name, "error": str(library.error)}
    return {
        "name": library.name,
        "folders": [
            {"path": str(folder), "online": folder not in library.away}
            for folder in library.folders
        ],
        "offline": [str(folder) for folder in library.away],
        "photos": library.photos,
        "bytes": library.size,
        "looked": library.looked and library.looked.isoformat(),
        "indexing": library.indexing,
        "models": [{"id": model.model_id, "photos": model.photos} for model in library.models],
    }


def _rename(args: argparse.Namespace) -> int:
    from engine.cards import rename

    card = rename(args.name, args.to)
    tell(f"The library {args.name} is called {card.name} now.")
    return EXIT_DONE


def _forget(args: argparse.Namespace) -> int:
    from engine.cards import card_named, remove
    from engine.errors import LibraryUnknown

    card = card_named(args.name)
    if card is None:
        raise LibraryUnknown(name=args.name)
    if not args.yes:
        folders = ", ".join(map(str, card.folders))
        tell(f"This deletes the index of {folders}; no photo is touched.")
        print(f"Delete the library {card.name}? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            tell("Nothing was deleted.")
            return EXIT_NOTHING_DONE
    remove(card.name)
    tell(f"The library {card.name} is deleted.")
    return EXIT_DONE
