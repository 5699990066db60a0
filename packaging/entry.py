"""What the frozen program starts with: the same commands as the console script."""

from __future__ import annotations

from multiprocessing import freeze_support

from desktop.cli import main

if __name__ == "__main__":
    freeze_support()
    raise SystemExit(main())
