"""`python -m engine.training`, which is `make train`."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from engine.paths import cache_dir, resources_dir
from engine.training import recipe
from engine.training.compute import choose_compute
from engine.training.pipeline import make_pack
from engine.training.run import Run


def main() -> None:
    """Train a model pack from captioned photos, further photos and an image teacher."""
    parser = argparse.ArgumentParser(prog="make train", description=main.__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder with flickr8k/, teacher/ and perhaps more photos; see CONTRIBUTING.md",
    )
    parser.add_argument("--work", type=Path, help="folder for checkpoints (default: the cache)")
    parser.add_argument("--out", type=Path, default=resources_dir() / "models" / "default")
    parser.add_argument("--recipe", type=Path, default=recipe.DEFAULT)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    work = args.work or cache_dir() / "training"
    made = Run(args.data, work, recipe.read_recipe(args.recipe), choose_compute())
    make_pack(made, args.out)


if __name__ == "__main__":
    main()
