"""`python -m engine.training`, which is `make train`."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from engine.paths import cache_dir, resources_dir
from engine.training import recipe
from engine.training.pipeline import run


def main() -> None:
    """Train a model pack from a folder laid out like Flickr8k."""
    parser = argparse.ArgumentParser(prog="make train", description=main.__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder with images/, captions.LANGUAGE.tsv, train.txt, val.txt and test.txt",
    )
    parser.add_argument("--work", type=Path, help="folder for checkpoints (default: the cache)")
    parser.add_argument("--out", type=Path, default=resources_dir() / "models" / "default")
    parser.add_argument("--recipe", type=Path, default=recipe.DEFAULT)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    run(args.data, args.work or cache_dir() / "training", args.out, recipe.read_recipe(args.recipe))


if __name__ == "__main__":
    main()
