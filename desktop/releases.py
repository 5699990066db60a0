"""Whether there is a newer PairLens: asked of the place that this build names, on a click only.

The place is the address `Releases` under `[project.urls]` in pyproject.toml; a build without one
asks nobody. What it answers is JSON as GitHub's "latest release" has it: `tag_name`, a version, and
`html_url`, the page to read about it. Nothing is sent but the question.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from importlib import metadata
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from packaging.version import InvalidVersion, Version

from engine import __version__

NAME = "Releases"
# Seconds without a byte, and for all of it.
PATIENCE, LONGEST = 10.0, 20.0
MOST = 1_000_000  # bytes
_PIECE = 16_384
_HERE = ("127.0.0.1", "::1", "localhost")


class NotAnsweredError(Exception):
    """Nobody said, or nothing that can be used."""


@dataclass(frozen=True, slots=True)
class Release:
    """The newest version there is, and the page about it."""

    version: str
    page: str

    @property
    def is_newer(self) -> bool:
        """Than the program that is running."""
        return Version(self.version) > Version(__version__)


def address() -> str | None:
    """The place to ask, as this build's metadata names it."""
    try:
        named = metadata.metadata("pairlens").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return None
    for line in named:
        name, _, where = str(line).partition(",")
        if name.strip() == NAME:
            return where.strip() or None
    return None


def host_of(where: str) -> str:
    """The computer that is asked."""
    return urlsplit(where).hostname or where


def newest(where: str) -> Release:
    """Ask for the newest release. Raises NotAnsweredError."""
    try:
        values = json.loads(_fetched(where))
        version, page = str(Version(values["tag_name"])), str(values["html_url"])
        _check(page)
    except HTTPError as error:
        error.close()
        raise NotAnsweredError(f"it answers {error.code}") from error
    except (InvalidVersion, LookupError, TypeError) as error:
        raise NotAnsweredError("it does not say which version is the newest") from error
    except OSError as error:  # URLError is one, with what was wrong in it
        reason = getattr(error, "reason", error)
        raise NotAnsweredError(getattr(reason, "strerror", None) or reason) from error
    except HTTPException as error:
        raise NotAnsweredError("the connection was cut off") from error
    except ValueError as error:
        raise NotAnsweredError(error) from error
    return Release(version, page)


class _Redirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        _check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(url: str) -> None:
    """Raises ValueError for an address where others could read along, or answer instead."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
        raise ValueError("an address is not secure")


def _fetched(where: str) -> bytes:
    _check(where)
    until, content = time.monotonic() + LONGEST, b""
    asked = Request(where, headers={"User-Agent": "PairLens", "Accept": "application/json"})
    with build_opener(_Redirects()).open(asked, timeout=PATIENCE) as answer:
        # Whatever has come, so that one who sends a byte now and then is not waited for.
        while piece := answer.read1(_PIECE):
            content += piece
            if len(content) > MOST:
                raise ValueError("it answers at too great a length")
            if time.monotonic() > until:
                raise ValueError("it takes too long")
    return content
