"""The command `calibrate`: fit an imported model pack's probability to pairs that you judged."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.cli_console import (
    EXIT_DONE,
    EXIT_NOTHING_DONE,
    EXIT_SOME_FAILED,
    Command,
    progress_bar,
    tell,
    until_interrupted,
)
from engine.cli_models import NAME_HELP


def add_calibrate_command(command: Command) -> None:
    """Add the command to the program's parser."""
    calibrate = command(
        "calibrate", _calibrate, "fit an imported model pack's probability to pairs you judged"
    )
    calibrate.add_argument(
        "pairs",
        type=Path,
        metavar="PAIRS.csv",
        help="a CSV file with the columns photo, caption and match (yes or no)",
    )
    calibrate.add_argument("--pack", default="current", metavar="NAME", help=NAME_HELP)


def _calibrate(args: argparse.Namespace) -> int:
    from engine.calibrating import fit_to
    from engine.captions import read_judged
    from engine.matcher import load_matcher
    from engine.pack_install import calibratable, recalibrate

    judged = read_judged(args.pairs)
    folder = calibratable(args.pack).folder
    matcher = load_matcher(folder, args.device)
    with until_interrupted() as cancelled, progress_bar("photo") as progress:
        fit = fit_to(matcher, judged, args.pairs.parent, progress, cancelled)
    if fit is None:
        tell("Stopped. Nothing was changed.")
        return EXIT_NOTHING_DONE
    for failed in fit.failures:
        tell(failed.message)
    pack = recalibrate(folder.name, fit.calibration)
    tell(
        f"{pack.title} is calibrated on {fit.pairs} pairs. It judges {fit.right_now} of them as "
        f"you do; before, it did {fit.right_before}. Of other pairs it will be somewhat fewer."
    )
    tell("A window that is open uses it from its next start.")
    return EXIT_SOME_FAILED if fit.failures else EXIT_DONE
