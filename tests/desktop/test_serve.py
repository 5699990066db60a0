"""Starting and ending the program without a window."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from desktop.cli import main
from tests.fixtures.browser import open_page
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.program import FAKE, HERE, PAIRLENS, READY, SERVE_FAKE, environment, served

ROOT = HERE.parents[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_being_told_to_end_it_ends_well_and_leaves_no_uploads(
    tmp_path: Path, number: signal.Signals
) -> None:
    with served(tmp_path) as program:
        cookie = program.enter()
        assert program.ask("/", {"Cookie": cookie})[0] == 200
        program.process.send_signal(number)
        assert program.process.wait(30) == 0
        with pytest.raises(ConnectionRefusedError):
            program.ask("/")
    assert list((tmp_path / "cache" / "sessions").iterdir()) == []


def test_a_chosen_port_is_used(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served(tmp_path, (*SERVE_FAKE, "--port", str(port))) as program:
        assert program.port == port


def run(tmp_path: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *PAIRLENS, *arguments],
        cwd=ROOT,
        env=environment(tmp_path, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_in_use_is_named_and_nothing_is_done(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run(tmp_path, "serve", "--port", port)
    assert done.returncode == 2
    assert f"Port {port} can't be used" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_cannot_be_is_refused(tmp_path: Path, port: str) -> None:
    done = run(tmp_path, "serve", f"--port={port}")
    assert done.returncode == 2
    assert "--port" in done.stderr


def test_without_a_model_pack_it_says_so_and_nothing_is_done(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", PAIRLENS_PACK=str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert "there is no model pack here" in done.stderr
    assert done.stdout == ""


def test_without_a_display_the_page_is_given_what_the_window_would_be(
    browser: Browser, tmp_path: Path
) -> None:
    photo = coloured_photo(tmp_path / "a.png", "red")
    folder = coloured_photo(tmp_path / "trip" / "b.png", "blue").parent
    with served(tmp_path / "home", (*FAKE, str(photo), str(folder))) as program:
        page = open_page(browser, program)
        expect(page.locator("#match-strip .pl-photo")).to_have_attribute("title", str(photo))
        expect(page.locator("#pl-arrival")).to_contain_text("with the folder trip?")
        page.reload()
        page.wait_for_selector("html[data-resumed]")
        expect(page.locator("#match-strip .pl-photo")).to_have_count(0)
        page.context.close()


def test_what_is_neither_a_command_nor_there_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "beach.jpeg", "--caption", "x")
    assert done.returncode == 2
    assert done.stderr.startswith("beach.jpeg: there is no photo and no folder here")
    assert "pairlens --help" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_command_is_a_command_even_where_a_file_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["models", "nonsense"])
    assert "usage: pairlens models" in capsys.readouterr().err


def test_without_a_display_it_serves_the_page_and_says_so(tmp_path: Path) -> None:
    with served(tmp_path, FAKE) as program:
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(30) == 0
        assert program.process.stderr is not None
        assert "There is no display to open a window on" in program.process.stderr.read()


def test_with_a_display_that_does_not_answer_it_serves_the_page_and_says_so(
    tmp_path: Path,
) -> None:
    with served(tmp_path, FAKE, DISPLAY=":987") as program:
        assert READY.match(f"PairLens is ready at {program.url}")
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(30) == 0
        assert program.process.stderr is not None
        assert "no connection to the display :987" in program.process.stderr.read()


def test_with_a_system_library_missing_it_serves_the_page_and_names_it(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "qtpy"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('libEGL.so.1: not found')")
    more = {"DISPLAY": ":987", "PYTHONPATH": str(broken.parent)}
    with served(tmp_path / "home", FAKE, **more) as program:
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(30) == 0
        assert program.process.stderr is not None
        assert "The window can't open (libEGL.so.1: not found)" in program.process.stderr.read()
