"""The command `models`: which model packs there are, which is in use, and how they come and go."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli_console import (
    EXIT_DONE,
    EXIT_NOTHING_DONE,
    EXIT_SOME_FAILED,
    Command,
    add_json,
    print_json,
    tell,
)

if TYPE_CHECKING:
    from engine.installed import InUse
    from engine.pack_install import Imported

NAME_HELP = "a name or model id that pairlens models list shows; default; or current"


def add_models_command(command: Command) -> None:
    """Add the command, with commands of its own, to the program's parser."""
    models = command("models", _list, "model packs: list, import, export, choose, check, remove")
    commands = models.add_subparsers(required=True, metavar="COMMAND")

    def part(
        name: str, func: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(func=func)
        return added

    listing = part("list", _list, "the model packs there are, and which one is in use")
    add_json(listing)

    bringing = part("import", _import, "add a model pack, so that it can be chosen")
    bringing.add_argument(
        "source",
        metavar="FILE.pairlens",
        help="what models export wrote; the folder of a model pack, or of another model as the "
        "Hugging Face hub has them; or, with --download, OWNER/NAME there",
    )
    bringing.add_argument(
        "--precision",
        choices=["int8", "fp32"],
        default="int8",
        help="of a pack made of another model: int8 (small and fast) or fp32 (exact); int8 if "
        "left out",
    )
    bringing.add_argument(
        "--download",
        action="store_true",
        help="fetch the model OWNER/NAME from the Hugging Face hub; asks first",
    )
    bringing.add_argument("--yes", action="store_true", help="don't ask")
    export = part("export", _export, "write a model pack into one file, to be passed on")
    export.add_argument("name", metavar="NAME", help=NAME_HELP)
    export.add_argument("out", type=Path, metavar="OUT.pairlens")

    pairing = part("pair", _pair, "make a model pack of two: one finds photos, the other decides")
    pairing.add_argument("finder", metavar="FINDER", help="a pack made of CLIP or SigLIP, say")
    pairing.add_argument("decider", metavar="DECIDER", help="a pack made of BLIP or ViLT")
    pairing.add_argument("--name", help="what the pack is to be called; after both if left out")

    use = part("use", _use, "choose the model pack to use from now on")
    use.add_argument("name", metavar="NAME", help=NAME_HELP)

    verify = part("verify", _verify, "check every file of a model pack, or of all")
    verify.add_argument("name", nargs="?", metavar="NAME", help=NAME_HELP)

    remove = part("remove", _remove, "delete an imported model pack")
    remove.add_argument("name", metavar="NAME", help=NAME_HELP)


def _list(args: argparse.Namespace) -> int:
    from engine.installed import packs
    from engine.pack_listing import describe

    now = _in_use()
    found = [describe(pack, now) for pack in packs()]
    if args.json:
        print_json(found)
        return EXIT_DONE
    for pack in found:
        size = pack["bytes"] / 1e6
        if "error" in pack:
            print(f"  {pack['name']}: {size:,.1f} MB\n      {pack['error']}")
            continue
        mark, why = ("*", f"; in use: {pack['why']}") if pack["in_use"] else (" ", "")
        languages = ", ".join(pack["languages"])
        print(f"{mark} {pack['name']} {pack['version']}: {languages}; {size:,.1f} MB{why}")
        print(f"      {pack['model_id']} in {pack['where']}")
        print(f"      {pack['licence']}: {pack['notice']}")
        if pack["looks_again"]:
            print("      looks at photos again for each pair; models verify NAME says how long")
    return EXIT_DONE


def _in_use() -> InUse | None:
    """The pack in use by its manifest; None, and a word on it, where it can't be read."""
    from engine.errors import PackError
    from engine.installed import used
    from engine.pack import read_manifest

    try:
        return used(read_manifest)[1]
    except PackError as error:
        tell(str(error))
        return None


def _import(args: argparse.Namespace) -> int:
    from engine import hub
    from engine.cli_hub import import_from_hub
    from engine.errors import HubNotAsked
    from engine.pack import MANIFEST
    from engine.pack_install import import_file, import_folder

    source = Path(args.source)
    if source.is_file():
        return _tell_imported(import_file(source))
    if (source / MANIFEST).is_file():
        return _tell_imported(import_folder(source))
    if not source.exists() and hub.NAME.fullmatch(args.source):
        if not args.download:
            raise HubNotAsked(name=args.source, host=hub.hub_host())

        def convert(folder: str) -> int:
            return _convert(folder, args.precision, args.source)

        return import_from_hub(args.source, convert, agreed=args.yes)
    return _convert(args.source, args.precision)


def _convert(source: str, precision: str, name: str | None = None) -> int:
    """Make a pack of a folder of another kind, called by ``name``, and import it."""
    from engine.converting import import_model

    folder = Path(source)

    def say(line: str) -> None:
        tell(f"Making a model pack of {name or folder.name}: {line}.")

    made = import_model(folder, say, name, precision)
    return EXIT_NOTHING_DONE if made is None else _tell_imported(made)


def _tell_imported(imported: Imported) -> int:
    pack = imported.pack
    if pack.manifest is None:  # deleted since, by another process
        return EXIT_NOTHING_DONE
    if imported.fresh:
        tell(f"{pack.title} is imported ({pack.manifest.model_id}). {pack.manifest.notice}")
    else:
        tell(f"{pack.title} is here already ({pack.manifest.model_id}): nothing was changed.")
    if not pack.manifest.calibration.fitted:
        tell("It is uncalibrated: its percentages only say which pair fits better than another.")
    tell(f"Use it with: pairlens models use {pack.manifest.model_id}")
    return EXIT_DONE


def _export(args: argparse.Namespace) -> int:
    from engine.installed import find
    from engine.pack import open_pack
    from engine.pack_file import ENDING, write_pack_file

    if args.out.suffix != ENDING:
        tell(f"{args.out}: give a name that ends in {ENDING}.")
        return EXIT_NOTHING_DONE
    pack = find(args.name)
    write_pack_file(open_pack(pack.folder), args.out)
    tell(f"{pack.title} is in {args.out}, {args.out.stat().st_size / 1e6:,.1f} MB.")
    return EXIT_DONE


def _pair(args: argparse.Namespace) -> int:
    from engine.installed import find
    from engine.pairing import pair

    return _tell_imported(pair(find(args.finder), find(args.decider), args.name))


def _use(args: argparse.Namespace) -> int:
    from engine.errors import PackNeedsFinder
    from engine.installed import choose, find
    from engine.matcher import load_matcher
    from engine.paths import PACK_VARIABLE, packs_dir, shipped_pack_dir

    pack = find(args.name)
    imported = pack.folder.parent == packs_dir()
    if not imported and pack.folder != shipped_pack_dir():
        tell(f"{pack.title} is in use already, as {PACK_VARIABLE} names it: nothing was changed.")
        return EXIT_DONE
    # What can't be run, or can't search, is not chosen.
    if not (matcher := load_matcher(pack.folder)).finds:
        raise PackNeedsFinder(path=pack.folder, name=pack.title)
    if matcher.looks_again:
        tell("It looks at photos again for each pair, which takes long: see docs/models.md.")
    choose(pack.folder if imported else None)
    variable = os.environ.get(PACK_VARIABLE)
    if variable and Path(variable).resolve() != pack.folder.resolve():
        tell(f"{pack.title} is chosen, but as long as {PACK_VARIABLE} is set, {variable} is used.")
        return EXIT_DONE
    tell(f"{pack.title} is in use from now on; a window that is open uses it from its next start.")
    tell("Libraries that it has not encoded are encoded by: pairlens index NAME")
    return EXIT_DONE


def _verify(args: argparse.Namespace) -> int:
    from engine.cost import Cost, seconds_on_samples
    from engine.errors import PackError
    from engine.installed import find, packs
    from engine.pack import open_pack

    chosen = packs() if args.name is None else [find(args.name)]
    bad = 0
    for pack in chosen:
        try:
            each = seconds_on_samples(open_pack(pack.folder))
        except PackError as error:
            bad += 1
            print(f"BAD  {pack.title}: {error}")
        except OSError as error:
            bad += 1
            print(f"BAD  {pack.title}: {pack.folder} can't be read ({error.strerror or error})")
        else:
            print(f"ok   {pack.title}")
            if each is not None:
                tell(
                    f"     It looks at photos again: {each:.2g} seconds for each pair on this "
                    f"computer, {Cost(1_000, each).minutes:,} minutes for a thousand."
                )
    if not bad:
        return EXIT_DONE
    return EXIT_NOTHING_DONE if bad == len(chosen) else EXIT_SOME_FAILED


def _remove(args: argparse.Namespace) -> int:
    from engine.pack_install import remove

    removed = remove(args.name)
    tell(f"{removed.pack.title} is removed, which frees {removed.size / 1e6:,.1f} MB.")
    if removed.was_in_use:
        tell("It was in use: from now on the default model pack is.")
    if removed.pack.manifest is not None:
        _tell_encoded(removed.pack.manifest.model_id)
    return EXIT_DONE


def _tell_encoded(model_id: str) -> None:
    from engine.standing import standings

    for library in standings():
        size = sum(model.size for model in library.models if model.model_id == model_id)
        if size:
            tell(
                f"The library {library.name} keeps {size / 1e6:,.1f} MB that it encoded; "
                f'they are freed by: pairlens index "{library.name}"'
            )
