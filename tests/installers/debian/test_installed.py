"""The finished .deb in a bare Debian without Python: install, use, upgrade, remove.

    make package test-package

The tests are one story and run in order. As root, since it mounts; the program itself runs as an
ordinary person, with the web engine's sandbox on and, from the window test on, with no network.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from machine import NUMBER, PERSON, Machine, build, cut_off, files_of, make_older
from playwright.sync_api import Page, sync_playwright

from engine import __version__
from engine.schema import MIGRATIONS
from tests.fixtures import x11
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.program import HERE

WORK = Path(__file__).resolve().parents[3] / "build" / "test-package"
PHOTOS = f"/home/{PERSON}/photos 照片"
CHANGING = ("proc", "sys", "dev", "run", "tmp", "var", "home", "root", "before")


@pytest.fixture(scope="module")
def deb(repository: Path) -> Path:
    path = repository / "dist" / f"pairlens_{__version__}_amd64.deb"
    assert path.exists(), "make package comes first"
    return path


@pytest.fixture(scope="module")
def machine() -> Machine:
    WORK.mkdir(parents=True, exist_ok=True)
    made = build(WORK / "bookworm", WORK / "machine")
    folder = made.root / PHOTOS[1:]
    for name, colour in (("red.png", "red"), ("green.jpg", "green"), ("blue 蓝.png", "blue")):
        coloured_photo(folder / name, colour)
    for path in (folder, *folder.iterdir()):
        os.chown(path, NUMBER, NUMBER)
    return made


@pytest.fixture(scope="module")
def before(machine: Machine) -> set[str]:
    return files_of(machine.root, CHANGING)


def program(machine: Machine, *words: str) -> str:
    """What `pairlens` says to the person on standard output."""
    return machine.run("pairlens", *words, person=True).stdout


def kept(machine: Machine) -> dict[str, bytes]:
    """What the person has of the program: libraries and settings."""
    folder = machine.home / ".local" / "share" / "PairLens"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in (".json", ".sqlite", ".db")
    }


def test_it_installs_where_there_is_no_python(
    machine: Machine, before: set[str], deb: Path
) -> None:
    assert machine.run("sh", "-c", "command -v python3", check=False).returncode != 0
    machine.install(make_older(deb, WORK, "0.0.1"))
    assert machine.run("sh", "-c", "command -v python3", check=False).returncode != 0
    assert "usr/bin/pairlens" not in before
    doctor = machine.run("pairlens", "doctor", "--json", person=True, check=False)
    wrong = [one for one in json.loads(doctor.stdout) if not one["ok"]]
    assert wrong == []


def test_an_upgrade_keeps_libraries_and_settings_and_leaves_nothing_old(
    machine: Machine, deb: Path
) -> None:
    program(machine, "index", PHOTOS, "--library", "Trip")
    told, files = program(machine, "libraries"), kept(machine)
    assert "Trip" in told
    assert files
    old = machine.root / "usr/lib/pairlens/_internal/gone.txt"
    assert old.exists()

    machine.install(deb)

    assert not old.exists()
    assert program(machine, "--version").split()[-1] == __version__
    assert program(machine, "libraries") == told
    assert kept(machine) == files
    assert "red.png" in program(machine, "search", "Trip", "something red", "--json")


def test_a_library_as_the_first_version_kept_it_goes_on(machine: Machine) -> None:
    folder = machine.home / ".local" / "share" / "PairLens" / "libraries"
    (library,) = folder.glob("*.sqlite")
    library.unlink()
    with contextlib.closing(sqlite3.connect(library)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("INSERT INTO roots (path) VALUES (?)", (os.fsencode(PHOTOS),))
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    os.chown(library, NUMBER, NUMBER)

    assert PHOTOS in program(machine, "libraries")
    program(machine, "index", "Trip")
    assert "red.png" in program(machine, "search", "Trip", "something red", "--json")
    with contextlib.closing(sqlite3.connect(library)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


@pytest.fixture(scope="module")
def trace() -> Path:
    return WORK / "connections.txt"


@pytest.fixture(scope="module")
def page(machine: Machine, trace: Path) -> Iterator[tuple[Page, str]]:
    """The page in the window of the installed program, and the display it is on."""
    cut_off()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with x11.virtual_display() as display:
        also = {"DISPLAY": display, "QTWEBENGINE_REMOTE_DEBUGGING": str(port)}
        process = subprocess.Popen(
            ["strace", "--follow-forks", "--seccomp-bpf", "--decode-fds=all", "--quiet=all",
             "--trace=connect,sendto,sendmmsg", f"--output={trace}",
             *machine.command("pairlens", person=True, also=also)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            x11.find_window(display, "PairLens", timeout=120)
            with sync_playwright() as playwright:
                wait_until(lambda: _answers(port), "the window's page can't be reached")
                browser = playwright.chromium.connect_over_cdp(
                    # Qt's web engine knows nothing of what playwright sets in a browser of its own.
                    f"http://127.0.0.1:{port}", no_defaults=True
                )  # fmt: skip
                shown = browser.contexts[0].pages[0]
                shown.wait_for_selector("#batch-folder", state="attached", timeout=120_000)
                shown.wait_for_selector(".pl-about span:nth-child(3)", state="attached")
                yield shown, display
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End everything inside: with the first process of a namespace go all others of it."""
    entered = subprocess.run(
        ["pgrep", "--parent", str(process.pid)], capture_output=True, text=True, check=False
    )
    for pid in entered.stdout.split():
        subprocess.run(["pkill", "-KILL", "--parent", pid], check=False)
    process.wait(60)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(holds: Callable[[], bool], complaint: str, timeout: float = 120) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.3)


def mouse(display: str, *words: str) -> None:
    subprocess.run(["xdotool", *words], env={**os.environ, "DISPLAY": display}, check=True)


def drop(display: str, path: str) -> None:
    """Drag a path of the machine from another program's window onto the middle of this one."""
    source = subprocess.Popen(
        [sys.executable, str(HERE / "drag_source.py"), path],
        env={**os.environ, "DISPLAY": display},
    )
    try:
        x11.find_window(display, "drag source")
        time.sleep(0.5)
        mouse(display, "mousemove", "25", "100", "mousedown", "1")
        for x, y in ((60, 140), (200, 250), (500, 400), (520, 420), (530, 430)):
            mouse(display, "mousemove", str(x), str(y))
            time.sleep(0.2)
        mouse(display, "mouseup", "1")
        time.sleep(0.5)
    finally:
        source.kill()
        source.wait()


def test_a_dropped_folder_is_matched_and_saved_with_no_network(
    page: tuple[Page, str], machine: Machine
) -> None:
    shown, display = page
    drop(display, PHOTOS)
    shown.click(".pl-choice [data-do=batch]")
    box = "#batch-folder input, #batch-folder textarea"
    shown.wait_for_function(
        "([box, path]) => document.querySelector(box).value === path", arg=[box, PHOTOS]
    )
    captions = ("something red", "something green", "something blue")
    shown.fill("#batch-captions textarea", "\n".join(captions))
    shown.click("#batch-go")
    shown.wait_for_function(
        "document.querySelectorAll('#batch-table tbody tr').length === 3", timeout=120_000
    )
    x11.screenshot(display, WORK / "window.png")

    target = machine.home / "kept.csv"
    shown.click("#batch-save-csv")
    time.sleep(3)
    mouse(display, "key", "ctrl+a")
    mouse(display, "type", "--delay", "25", f"/home/{PERSON}/kept.csv")
    mouse(display, "key", "Return")
    wait_until(target.exists, "nothing was saved")
    shown.wait_for_function("document.querySelector('#batch-saved').innerText.includes('kept.csv')")
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert target.stat().st_uid == NUMBER


def test_the_web_engine_runs_in_its_sandbox(page: tuple[Page, str]) -> None:
    found = subprocess.run(
        ["pgrep", f"--uid={NUMBER}", "QtWebEngineProc"], capture_output=True, text=True, check=False
    )
    engine = [Path("/proc") / pid for pid in found.stdout.split()]
    assert engine
    assert not any(b"--no-sandbox" in (one / "cmdline").read_bytes() for one in engine)
    # In a namespace of users of their own, and what they may ask of the kernel is filtered.
    ours = Path("/proc/self/ns/user").readlink()
    confined = [
        one
        for one in engine
        if (one / "ns" / "user").readlink() != ours
        and re.search(r"^Seccomp:\s+2$", (one / "status").read_text(), re.MULTILINE)
    ]
    assert confined


def test_nothing_was_asked_of_any_other_computer(page: tuple[Page, str], trace: Path) -> None:
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    outside = [
        line
        for line in lines
        if re.search(r"sa_family=AF_INET6?,", line)
        and "127.0.0.1" not in line
        and '"::1"' not in line
        and '"::ffff:127.0.0.1"' not in line
    ]
    # Chromium asks the kernel, by a socket that sends nothing, whether there is a way by IPv6.
    probes = [line for line in outside if re.search(r"connect\(\d+<UDPv6:.*2001:4860:", line)]
    assert [line for line in outside if line not in probes] == []
    assert any("127.0.0.1" in line for line in lines), "nothing was seen at all"


def test_using_it_changed_nothing_of_what_was_installed(machine: Machine) -> None:
    assert machine.run("dpkg", "--verify", "pairlens").stdout == ""
    writable = machine.run(
        "find", "/usr/lib/pairlens", "-writable", "-not", "-type", "l", person=True
    )
    assert writable.stdout == ""


def test_removing_it_leaves_the_persons_data_and_nothing_else(
    machine: Machine, before: set[str]
) -> None:
    files = kept(machine)
    machine.run("apt-get", "purge", "-qq", "--yes", "pairlens")
    machine.run("apt-get", "autoremove", "-qq", "--yes", "--purge")
    left = files_of(machine.root, CHANGING) - before
    assert not [path for path in left if "pairlens" in path.lower()]
    assert "usr/lib/pairlens" not in left
    assert kept(machine) == files
    assert (machine.home / "kept.csv").exists()
