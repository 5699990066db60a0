"""The page's server: on the loopback interface, behind the guard, started and stopped cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import html
import http.client
import logging
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.assets import asset_route
from desktop.guard import AsgiApp, Guard, Message, Receive, Scope, Send
from desktop.lean import draw_no_plots, without_spare_servers

if TYPE_CHECKING:
    from fastapi import FastAPI
    from gradio import Blocks

    from desktop.thumbnails import Thumbnails
    from desktop.ui.theme import Look

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"

# What Gradio's page says to other sites that link to it, and a manifest that is asked for without
# the cookie.
ELSEWHERE = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>|<link rel="manifest"[^>]*>')


class NotReadyError(Exception):
    """The server did not answer in time, or ended before it did."""


class PortTakenError(Exception):
    """Another program listens on the wanted port, or this user may not."""


def bind(port: int = 0) -> socket.socket:
    """A socket on 127.0.0.1; port 0 means any free one.

    Raises:
        PortTakenError: the port can't be had.
    """
    # Told that it is TCP, asyncio sends at once what else would wait 40 ms for more to go with it.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.bind((LOOPBACK, port))
    except OSError as error:
        sock.close()
        raise PortTakenError(str(error)) from error
    return sock


def build_site(
    build_page: Callable[[str], Blocks],
    current: Callable[[], str],
    look: Look,
    thumbnails: Thumbnails,
    exports: Path,
    icon: Path,
) -> AsgiApp:
    """One ASGI application out of a page for each language, which all live at "/".

    Args:
        build_page: makes the Gradio page in a language: at once in that which is to be shown, in
            another when it is.
        current: which language is to be shown; asked at every request.
        look: theme, style sheet and script of all pages.
        thumbnails: what "/photo/<size>/<key>" shows.
        exports: the folder of what "/result/<name>" lets a browser download.
        icon: the favicon.
    """
    import gradio as gr
    from fastapi import FastAPI, Request
    from fastapi.responses import FileResponse, Response

    draw_no_plots()
    silent: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None}
    sites: dict[str, FastAPI] = {}
    running = contextlib.AsyncExitStack()
    one_at_a_time = asyncio.Lock()

    def build(language: str) -> FastAPI:
        site = FastAPI(**silent)
        with without_spare_servers():
            page = build_page(language)
        # Uploads lie in GRADIO_TEMP_DIR; no other file of this computer is served.
        gr.mount_gradio_app(
            site, page, path="/", server_name=LOOPBACK, footer_links=[],
            ssr_mode=False, allowed_paths=[], show_error=False, theme=look.theme, css=look.css,
            mcp_server=False, app_kwargs=dict(silent),  # it adds to what it is given
        )  # fmt: skip
        return site

    begun = current()
    first = build(begun)

    async def run(language: str, site: FastAPI) -> None:
        await running.enter_async_context(site.router.lifespan_context(site))
        sites[language] = site

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running:
            await run(begun, first)
            yield

    app = FastAPI(**silent, lifespan=lifespan)

    def photo(request: Request) -> Response:
        path = thumbnails.file(request.path_params["key"], request.path_params["size"])
        if path is None:
            return Response(status_code=404)
        return FileResponse(
            path, media_type="image/jpeg", headers={"cache-control": "private, max-age=86400"}
        )

    def result(request: Request) -> Response:
        path = exports / request.path_params["name"]
        if not path.is_file():
            return Response(status_code=404)
        return FileResponse(path, filename=f"pairlens{path.suffix}")

    def favicon(_: Request) -> Response:
        return FileResponse(icon, media_type="image/png")

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        language = current()
        async with one_at_a_time:
            if language not in sites:
                await run(language, await asyncio.to_thread(build, language))
        inner: AsgiApp = sites[language]
        if scope["type"] == "http" and scope["path"] == "/":
            inner = _with_head(inner, language, look.head(language))
        await inner(scope, receive, send)

    app.add_route("/assets/{name}", asset_route())
    app.add_route("/photo/{size}/{key}", photo)
    app.add_route("/result/{name}", result)
    app.add_route("/favicon.ico", favicon)
    app.mount("/", choose)
    return app


def _with_head(app: AsgiApp, language: str, head: str) -> AsgiApp:
    """The page with ``head`` put first and Gradio's links to other hosts taken out.

    Gradio adds a ``head`` of ours only after its own script has run, which is too late to choose
    the language of its texts.
    """

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            page = _rewrite(body.decode(), language, head).encode()
            kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
            length = (b"content-length", str(len(page)).encode())
            await send({**start, "headers": [*kept, length]})
            await send({"type": "http.response.body", "body": page})

        await app(scope, receive, collect)

    return wrapped


def _rewrite(page: str, language: str, head: str) -> str:
    page = ELSEWHERE.sub("", page)
    page = page.replace('lang="en"', f'lang="{html.escape(language)}"', 1)
    return page.replace("<head>", f"<head>\n{head}", 1)


class Server:
    """Runs a site in a thread of its own.

    Args:
        sock: a bound socket, which the server takes over.
        build: makes the site, in the calling thread of ``start``.
        refusal: the sentence for whom the guard turns away.
    """

    def __init__(
        self, sock: socket.socket, build: Callable[[], AsgiApp], refusal: Callable[[], str]
    ) -> None:
        self._sock = sock
        self._build = build
        self.port: int = sock.getsockname()[1]
        self._guard = Guard(self._inner, self.port, refusal)
        self._site: AsgiApp | None = None
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] = sock.close

    @property
    def url(self) -> str:
        """The single-use link that opens the page."""
        return self._guard.entrance_url

    def start(self, timeout: float) -> None:
        """Build the site, serve it and wait until it answers.

        Raises:
            NotReadyError: it did not within ``timeout`` seconds.
        """
        import uvicorn

        self._site = self._build()
        config = uvicorn.Config(
            self._guard, log_config=None, access_log=False, server_header=False,
            lifespan="on", timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)

        def stop() -> None:
            server.should_exit = True

        self._stop = stop
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [self._sock]}, name="pairlens-server", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + timeout
        while not self._answers():
            if not self._thread.is_alive():
                raise NotReadyError("the server ended at once")
            if time.monotonic() > deadline:
                raise NotReadyError(f"no answer within {timeout:.0f} seconds")
            time.sleep(0.01)

    def stop(self) -> None:
        """End the server, open connections included, and wait for its thread."""
        self._stop()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self._sock.close()

    async def _inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._site is None:
            raise RuntimeError("the site is built before the server starts")
        await self._site(scope, receive, send)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=2)
        try:
            connection.request("GET", "/")
            # Without the cookie, being turned away is the right answer.
            return connection.getresponse().status == http.client.FORBIDDEN
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
