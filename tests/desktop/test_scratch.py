from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

from desktop.scratch import Scratch


def test_it_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    uploads = scratch.make("uploads")
    (uploads / "photo.jpg").write_bytes(b"x")
    for folder in (scratch.folder, uploads):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    scratch.remove()
    assert not scratch.folder.exists()


def test_what_a_dead_program_left_is_removed_and_a_living_ones_kept(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = tmp_path / "sessions" / str(ended.pid)
    alive = tmp_path / "sessions" / str(os.getppid())
    for folder in (dead, alive):
        folder.mkdir(parents=True)
        (folder / "upload").write_bytes(b"x")
    Scratch(tmp_path)
    assert not dead.exists()
    assert (alive / "upload").exists()
