"""Who may talk to the server: only the page it gave to the person who started it.

Any web page in any browser can send requests to a loopback port, and a name that an attacker
controls can be made to point there (DNS rebinding). So every request must name the exact host,
come from no other origin, and carry a cookie that only a single-use link hands out.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

ENTRANCE = "/__enter"

# Gradio's page needs inline scripts, inline styles and new Function(); all of it comes from here.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
PROTECTION: Headers = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]


class Guard:
    """ASGI middleware that lets in who came through ``entrance_url`` and nobody else.

    Args:
        app: what is guarded.
        port: the port the server is bound to on 127.0.0.1.
        refusal: the sentence shown to whom is turned away, in the person's language.
    """

    def __init__(self, app: AsgiApp, port: int, refusal: Callable[[], str]) -> None:
        self._app = app
        self._refusal = refusal
        self._host = f"127.0.0.1:{port}"
        self._origin = f"http://{self._host}"
        # Cookies of one host are shared by all its ports: the name keeps two PairLens apart.
        self._cookie_name = f"pairlens_{port}"
        self._cookie = secrets.token_urlsafe(32)
        self._lock = Lock()
        self._token: str | None = secrets.token_urlsafe(32)
        self._entrance = f"{self._origin}{ENTRANCE}?t={self._token}"

    @property
    def entrance_url(self) -> str:
        """The link that works once, in one browser."""
        return self._entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI asks for."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers: Headers = scope["headers"]
        if not self._is_from_here(headers):
            await self._refuse(scope, send)
            return
        known = self._has_cookie(headers)
        if scope["type"] == "http" and scope["path"] == ENTRANCE and scope["method"] == "GET":
            # Coming back with the cookie is a reload of the link, not a second use of it.
            if known or self._take_token(scope.get("query_string", b"")):
                await self._enter(send)
            else:
                await self._refuse(scope, send)
            return
        if not known:
            await self._refuse(scope, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in PROTECTION}
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in own]
                message = {**message, "headers": [*kept, *PROTECTION]}
            await send(message)

        await self._app(scope, receive, send_protected)

    def _is_from_here(self, headers: Headers) -> bool:
        if _values(headers, b"host") != [self._host]:
            return False
        if any(origin != self._origin for origin in _values(headers, b"origin")):
            return False
        # "same-site" would let in pages served from other ports of this computer.
        return all(site in ("same-origin", "none") for site in _values(headers, b"sec-fetch-site"))

    def _has_cookie(self, headers: Headers) -> bool:
        for value in _values(headers, b"cookie"):
            try:
                morsel = SimpleCookie(value).get(self._cookie_name)
            except CookieError:
                continue
            if morsel and hmac.compare_digest(morsel.value.encode(), self._cookie.encode()):
                return True
        return False

    def _take_token(self, query: bytes) -> bool:
        given = parse_qs(query.decode("latin-1")).get("t", [""])[0]
        with self._lock:
            if self._token is None or not hmac.compare_digest(given.encode(), self._token.encode()):
                return False
            self._token = None
            return True

    async def _enter(self, send: Send) -> None:
        cookie = f"{self._cookie_name}={self._cookie}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode()), *_no_store()]
        await _respond(send, 303, headers, b"")

    async def _refuse(self, scope: Scope, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8"), *_no_store()]
        await _respond(send, 403, headers, self._refusal().encode())


def _values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key.lower() == name]


def _no_store() -> Iterable[tuple[bytes, bytes]]:
    return ((b"cache-control", b"no-store"), *PROTECTION)


async def _respond(send: Send, status: int, headers: Headers, body: bytes) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
