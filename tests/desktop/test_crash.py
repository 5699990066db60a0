from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.program import HERE

PROGRAM = """
import faulthandler, os, signal, sys, threading
from pathlib import Path
from desktop.crash import CrashLog
log = CrashLog(Path(sys.argv[1]))
{then}
log.close()
"""
ENDS = {
    "a thread": "t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()",
    "the main thread": "raise ZeroDivisionError('division by zero')",
    "the interpreter": "faulthandler._sigsegv()",
    "a kill": "os.kill(os.getpid(), signal.SIGKILL)",
}
NOTED = {
    "a thread": "ZeroDivisionError",
    "the main thread": "ZeroDivisionError",
    "the interpreter": "Segmentation fault",
}


def run(folder: Path, then: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(then=then), str(folder)],
        cwd=HERE.parents[1], capture_output=True, check=False, text=True, timeout=60,
    )  # fmt: skip


def told(folder: Path) -> str:
    """Where the next start is told to look, or "None"."""
    then = "print(log.readable(Path(sys.argv[1]) / 'pairlens.log'))"
    return run(folder, then).stdout.strip()


@pytest.mark.parametrize("cause", ENDS)
def test_a_crash_is_told_once_with_what_was_noted(tmp_path: Path, cause: str) -> None:
    run(tmp_path, ENDS[cause])
    found = Path(told(tmp_path))
    if cause in NOTED:
        assert NOTED[cause] in found.read_text(encoding="utf-8")
    else:
        assert found == tmp_path / "pairlens.log"
    assert told(tmp_path) == "None"


@pytest.mark.parametrize("then", ["pass", "raise SystemExit(0)", "raise KeyboardInterrupt"])
def test_an_end_as_it_should_be_leaves_nothing(tmp_path: Path, then: str) -> None:
    run(tmp_path, f"try:\n    {then}\nexcept BaseException: pass")
    assert list(tmp_path.glob("*.txt")) == []


def test_programs_that_still_run_have_not_crashed(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(then="print(flush=True); input()"), str(tmp_path)],
        cwd=HERE.parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert running.stdout is not None
    running.stdout.readline()
    try:
        assert told(tmp_path) == "None"
    finally:
        running.communicate(b"\n")
