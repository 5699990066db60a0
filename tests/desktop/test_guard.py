"""The refusals, asked of the real server on a real socket."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fixtures.program import Served, served


@pytest.fixture(scope="module")
def cookie(program: Served) -> str:
    return program.enter()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/config"),
        ("GET", "/gradio_api/info"),
        ("GET", "/photo/small/0123456789abcdef"),
        ("GET", "/favicon.ico"),
        ("GET", "/docs"),
        ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/__enter"),
        ("GET", "/__enter"),
        ("GET", "/__enter?t="),
        ("GET", "/__enter?t=guessed"),
    ],
)
def test_a_request_without_the_cookie_is_refused(
    program: Served, cookie: str, method: str, path: str
) -> None:
    status, headers, body = program.ask(path, method=method)
    assert status == 403
    assert "set-cookie" not in headers
    assert b"did not let this request in" in body


def test_a_guessed_cookie_is_refused(program: Served, cookie: str) -> None:
    name = cookie.split("=")[0]
    assert program.ask("/", {"Cookie": f"{name}=guessed"})[0] == 403


def test_with_the_cookie_the_page_is_shown_and_can_be_reloaded(
    program: Served, cookie: str
) -> None:
    for _ in range(2):
        status, headers, body = program.ask("/", {"Cookie": cookie})
        assert status == 200
        assert b"PairLens" in body
        assert "default-src 'self'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=lambda headers: "-".join(*headers.items()),
)
def test_even_with_the_cookie_another_host_or_origin_is_refused(
    program: Served, cookie: str, headers: dict[str, str]
) -> None:
    for path, method in (("/", "GET"), ("/gradio_api/upload", "POST")):
        assert program.ask(path, {"Cookie": cookie, **headers}, method)[0] == 403


def test_the_pages_own_requests_are_let_in(program: Served, cookie: str) -> None:
    own = {
        "Cookie": cookie,
        "Origin": f"http://{program.host}",
        "Sec-Fetch-Site": "same-origin",
    }
    assert program.ask("/config", own)[0] == 200


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/hostname"])
def test_no_file_of_the_computer_is_served(program: Served, cookie: str, path: str) -> None:
    assert program.ask(f"/gradio_api/file={path}", {"Cookie": cookie})[0] in (403, 404)
    assert program.ask(f"/photo/large/{path}", {"Cookie": cookie})[0] == 404


def test_no_description_of_the_interface_is_served(program: Served, cookie: str) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert program.ask(path, {"Cookie": cookie})[0] == 404


def test_the_page_loads_nothing_from_another_host(program: Served, cookie: str) -> None:
    page = program.ask("/", {"Cookie": cookie})[2].decode()
    named = re.findall(
        r"""(?:src|href|content|url\()\s*=?\s*["']?((?:https?:)?//[^"'\s)]+)""", page
    )
    assert [place for place in named if not place.startswith(f"http://{program.host}")] == []


def test_a_websocket_without_the_cookie_is_refused(program: Served) -> None:
    with socket.create_connection(("127.0.0.1", program.port), timeout=10) as connection:
        connection.sendall(
            f"GET /gradio_api/queue/join HTTP/1.1\r\nHost: {program.host}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert connection.recv(64).startswith(b"HTTP/1.1 403")


def test_the_server_listens_on_the_loopback_interface_only(program: Served) -> None:
    port = f"{program.port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    listening = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    assert [place for place in listening if place.endswith(f":{port}")] == [f"0100007F:{port}"]


def test_the_link_works_once_and_gives_a_strict_cookie(tmp_path: Path) -> None:
    with served(tmp_path) as program:
        link = urlsplit(program.url)
        path = f"{link.path}?{link.query}"
        assert program.ask("/__enter?t=wrong")[0] == 403
        assert program.ask(path, {"Origin": "http://evil.example"})[0] == 403
        assert program.ask(path, method="HEAD")[0] == 403

        status, headers, _ = program.ask(path)
        assert status == 303
        assert headers["location"] == "/"
        assert "HttpOnly" in headers["set-cookie"]
        assert "SameSite=Strict" in headers["set-cookie"]

        assert program.ask(path)[0] == 403
        cookie = headers["set-cookie"].split(";")[0]
        assert program.ask(path, {"Cookie": cookie})[0] == 303
        assert link.query.encode() not in (tmp_path / "logs" / "pairlens.log").read_bytes()
