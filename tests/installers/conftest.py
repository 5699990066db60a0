"""What builds the installers is no package; its modules are found as its scripts find them."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
sys.path[:0] = [str(PACKAGING), str(PACKAGING / "linux")]

# They need Linux and its tools.
collect_ignore = (
    []
    if sys.platform == "linux"
    else ["test_icu.py", "test_linux.py", "test_thin.py", "test_windows.py"]
)
