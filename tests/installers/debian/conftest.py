"""These tests are a folder apart: they take minutes, root and the finished package."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
