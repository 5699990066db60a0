from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest

from desktop.handover import OneWindow
from tests.fixtures.program import HERE

HOLDER = """
import sys, time
from pathlib import Path
from desktop.handover import OneWindow
one = OneWindow(Path(sys.argv[1]))
one.listen(lambda paths: None)
print(one.first, flush=True)
time.sleep(600)
"""


@pytest.fixture
def came() -> Queue[list[str]]:
    return Queue()


@pytest.fixture
def first(tmp_path: Path, came: Queue[list[str]]) -> Iterator[OneWindow]:
    one = OneWindow(tmp_path)
    one.listen(came.put)
    yield one
    one.close()


def test_a_second_start_hands_what_it_was_given_to_the_first(
    first: OneWindow, came: Queue[list[str]], tmp_path: Path
) -> None:
    second = OneWindow(tmp_path)
    assert (first.first, second.first) == (True, False)
    assert second.hand_over(["/a/日落.jpg", "/b"])
    assert came.get(timeout=10) == ["/a/日落.jpg", "/b"]
    assert second.hand_over([])
    assert came.get(timeout=10) == []


def test_when_the_first_has_ended_the_next_is_the_first(first: OneWindow, tmp_path: Path) -> None:
    first.close()
    assert not (tmp_path / "window.json").exists()
    with_next = OneWindow(tmp_path)
    assert with_next.first
    with_next.close()


def test_one_that_was_killed_leaves_no_lock_behind(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=HERE.parents[1], stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    assert not OneWindow(tmp_path).first
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert (tmp_path / "window.json").exists()
    after = OneWindow(tmp_path)
    assert after.first
    after.close()


def test_it_listens_on_the_loopback_interface_and_keeps_its_token_to_itself(
    first: OneWindow, tmp_path: Path
) -> None:
    file = tmp_path / "window.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    port = json.loads(file.read_text())["port"]
    table = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()
    listening = [line.split()[1] for line in table[1:] if line.split()[3] == "0A"]
    assert [at for at in listening if at.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


@pytest.mark.parametrize(
    "said",
    [b'{"token": "guess", "paths": ["/x"]}\n', b"GET / HTTP/1.1\r\n\r\n", b"[]\n", b"\xff\n", b""],
)
def test_whoever_does_not_know_the_token_is_not_heard(
    first: OneWindow, came: Queue[list[str]], tmp_path: Path, said: bytes
) -> None:
    port = json.loads((tmp_path / "window.json").read_text())["port"]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stranger:
        stranger.sendall(said)
        stranger.shutdown(socket.SHUT_WR)
        assert stranger.recv(100) == b""
    assert OneWindow(tmp_path).hand_over(["/known"])
    assert came.get(timeout=10) == ["/known"]
    assert came.empty()


def test_where_nothing_can_be_written_each_start_has_its_window(tmp_path: Path) -> None:
    one = OneWindow(tmp_path / "missing")
    one.listen(lambda paths: None)
    assert one.first
    one.close()
