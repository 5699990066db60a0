"""`python -m engine.training.convert`: run by `pairlens models import`, in a process of its own."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# Before the libraries that would look up hosts are imported.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", DISABLE_TELEMETRY="1")

REFUSED = 3


def main() -> int:
    """Make a model pack of a local folder as the Hugging Face hub has them.

    Tells on stdout what it does, line by line; exit code 3, and why on stderr, where it can't be.
    """
    parser = argparse.ArgumentParser(prog="convert", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path, help="an empty folder")
    parser.add_argument("--name", required=True)
    parser.add_argument("--precision", choices=["int8", "fp32"], default="int8")
    args = parser.parse_args()

    from transformers.utils import logging

    from engine.training.convert.families import read_foreign
    from engine.training.convert.foreign import NotConvertible
    from engine.training.convert.packing import make_pack

    logging.set_verbosity_error()

    def tell(line: str) -> None:
        print(line, flush=True)

    try:
        tell("loading it")
        foreign = read_foreign(args.folder)
        make_pack(foreign, args.folder, args.out, args.name, args.precision, tell)
    except NotConvertible as error:
        print(error, file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
