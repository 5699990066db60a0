"""How long a person waits for the window of the finished program: `make freeze` comes first.

    make bench

The program of dist/ is started on a display of its own and looked at from outside, by the port that
Qt's web engine opens for developers. What is timed is read in the page: when the splash was first
painted, as the web view itself noted it, and when all of the page is there; until then the
processor time of program and web engine is counted. Warm: the disk has been read before. Cold:
Linux was asked to forget what it had read, which only root may ask.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, BrowserType, sync_playwright
from side_by_side import Spread, report

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.fixtures.x11 import virtual_display  # noqa: E402  (the line above finds it)

PROGRAM = ROOT / "dist" / "pairlens" / "pairlens"
STARTS = 5
FORGET = Path("/proc/sys/vm/drop_caches")
SPLASH_TARGET, WARM_TARGET, COLD_TARGET = 1.5, 6, 10
PAINTED = """new Promise(say => { const look = () => {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  if (paint) say([location.protocol, performance.timeOrigin + paint.startTime]);
  else setTimeout(look, 5);
}; look(); })"""


def start(chromium: BrowserType, display: str, home: str) -> tuple[float, float, float]:
    """Seconds until the splash was painted, until the page was there, and of the processor."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ, "DISPLAY": display, "PAIRLENS_HOME": home,
        "QTWEBENGINE_REMOTE_DEBUGGING": str(port),
    }  # fmt: skip
    before = time.time()
    program = subprocess.Popen(
        [PROGRAM], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        page = browser(chromium, port).contexts[0].pages[0]
        protocol, painted = page.evaluate(PAINTED)
        assert protocol != "http:", "the splash was gone before it could be asked"
        page.wait_for_function("'resumed' in document.documentElement.dataset", polling=10)
        return painted / 1000 - before, time.time() - before, processor_seconds(program.pid)
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()


def browser(chromium: BrowserType, port: int) -> Browser:
    """The program's web engine, as soon as it shows a page."""
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/json/list") as answer:
                if any(one["type"] == "page" for one in json.load(answer)):
                    # Qt's web engine knows nothing of what playwright sets in browsers of its own.
                    return chromium.connect_over_cdp(address, no_defaults=True)
        except OSError:
            time.sleep(0.01)
    raise AssertionError("the window's page can't be reached")


def processor_seconds(session: int) -> float:
    """What all processes of a session took so far."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[3]) == session:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def forget() -> None:
    """Let Linux drop what it keeps of files."""
    os.sync()
    FORGET.write_text("3", encoding="ascii")


def main() -> None:
    if not PROGRAM.exists():
        print("installed\n  not measured: there is no dist/pairlens; make freeze comes first")
        return
    lines: list[str] = []
    result: dict[str, Spread] = {}
    kinds = {"warm": WARM_TARGET} | ({"cold": COLD_TARGET} if os.access(FORGET, os.W_OK) else {})
    with (
        tempfile.TemporaryDirectory() as home,
        virtual_display() as display,
        sync_playwright() as playwright,
    ):
        start(playwright.chromium, display, home)
        for kind, target in kinds.items():
            taken = []
            for _ in range(STARTS):
                if kind == "cold":
                    forget()
                taken.append(start(playwright.chromium, display, home))
            splash, page, spent = (Spread.of(seconds) for seconds in zip(*taken, strict=True))
            lines += [
                f"{kind}: splash painted after {splash} s; target at most {SPLASH_TARGET}",
                f"{kind}: page usable after {page} s; target at most {target}",
                f"{kind}: {spent} s of the processor until then",
            ]
            result |= {
                f"{kind}_splash_seconds": splash,
                f"{kind}_page_seconds": page,
                f"{kind}_processor_seconds": spent,
            }
    if "cold" not in kinds:
        lines.append("cold: not measured, since only root may ask Linux to forget what it read")
    if os.geteuid() == 0:
        lines.append("as root, for whom the web engine's sandbox is off")
    report("installed", lines, result)


if __name__ == "__main__":
    main()
