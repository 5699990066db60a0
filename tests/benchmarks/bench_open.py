"""How long a person waits for the window: from the start of the process to splash and page.

    make bench

The real program with its own model pack, on a display of its own. Each start is a fresh process.
What is timed is read in the page: when the splash was first painted, as the web view itself noted
it, and when the page answered that all of it is there. The disk has been read before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side_by_side import Spread, report

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.fixtures.x11 import virtual_display  # noqa: E402  (the line above finds it)

STARTS = 5
SPLASH_TARGET, PAGE_TARGET = 1.0, 4.0
# The program, and beside it a thread that asks its window.
PROGRAM = """
import json, sys, threading, time

def ask():
    while not (webview := sys.modules.get("webview")) or not getattr(webview, "windows", None):
        time.sleep(0.005)
    window = webview.windows[0]
    painted = window.evaluate_js(
        "new Promise(say => { const look = () => {"
        " const [paint] = performance.getEntriesByName('first-contentful-paint');"
        " if (paint) say(performance.timeOrigin + paint.startTime); else setTimeout(look, 5);"
        " }; look(); })",
        lambda at: told.append(at / 1000),
    )
    while not (window.get_current_url() or "").startswith("http://127.0.0.1"):
        time.sleep(0.02)
    while not window.evaluate_js("'resumed' in document.documentElement.dataset"):
        time.sleep(0.01)
    print(json.dumps({"splash": told[0], "page": time.time()}), flush=True)

told = []
threading.Thread(target=ask, daemon=True).start()
from desktop.cli import main
sys.exit(main([]))
"""


def start(display: str, home: str) -> tuple[float, float]:
    """Seconds from the start of a process until the splash was painted, and the page was there."""
    environment = {**os.environ, "DISPLAY": display, "PAIRLENS_HOME": home, "PYTHONPATH": str(ROOT)}
    before = time.time()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        line = program.stdout.readline()
        program.terminate()
    at = json.loads(line)
    return at["splash"] - before, at["page"] - before


def main() -> None:
    with tempfile.TemporaryDirectory() as place, virtual_display() as display:
        start(display, place)
        taken = [start(display, place) for _ in range(STARTS)]
    splash, page = (Spread.of(seconds) for seconds in zip(*taken, strict=True))
    report(
        "open",
        [
            f"splash painted after {splash} s; target at most {SPLASH_TARGET}",
            f"page usable after {page} s; target at most {PAGE_TARGET}",
        ],
        {"splash_seconds": splash, "page_seconds": page},
    )


if __name__ == "__main__":
    main()
