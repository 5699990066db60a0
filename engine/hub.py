"""Fetches a model's files from the Hugging Face hub: the engine's one way to another computer.

Only `pairlens models import OWNER/NAME --download` and a button of the Models view that names the
hub come here, and only the model's name is sent: no account, no cookie, nothing of what is on this
computer. What the hub says of a model is a stranger's word: it is measured, cleaned and checked.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from engine import __version__, manifest_json
from engine.errors import (
    HubModelClosed,
    HubModelUnusable,
    HubUnreachable,
    LibraryBusy,
    PackNotStored,
    PacksBusy,
    PairLensError,
    SpaceMissing,
)
from engine.paths import cache_dir
from engine.sqlite_file import WriterLock
from engine.types import Progress, no_progress

HUB = "https://huggingface.co"
# Names another server with the hub's protocol, as it does for Hugging Face's own programs.
HOST_VARIABLE = "HF_ENDPOINT"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")

CONFIG, WEIGHTS = "config.json", "model.safetensors"
_TEXTS = frozenset(
    {
        CONFIG, "preprocessor_config.json", "processor_config.json", "tokenizer.json",
        "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
        "vocab.txt", "merges.txt", "spiece.model", "README.md", "LICENSE", "LICENSE.md",
        "LICENSE.txt", "NOTICE",
    }
)  # fmt: skip
# Weights in parts, and the list of which part holds what.
_PARTS = re.compile(r"model-\d{5}-of-\d{5}\.safetensors|model\.safetensors\.index\.json")
_MOST_FILES = 64
_MOST_TEXT = 64_000_000  # bytes of one file; the largest tokenizers have about 35 MB
_MOST = 8_000_000_000  # of all
_CHUNK = 1 << 20
_PATIENCE = 30.0  # seconds without a byte
_PARTIAL = ".part"
_LONGEST_LICENCE = 100
_INSECURE = "it sends on to an address that is not secure"


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a model.

    Attributes:
        size: in bytes.
        algorithm: "sha256" of the content; or "git", of a small file: SHA-1 as git takes it.
        digest: in hexadecimal.
    """

    name: str
    size: int
    algorithm: str
    digest: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What the hub has under a name.

    Attributes:
        name: "OWNER/NAME".
        base: the hub's address.
        revision: the commit that is fetched, whatever is uploaded meanwhile.
        licence: as the model's page names it; empty where it names none.
        files: those that converting needs, the small ones first.
    """

    name: str
    base: str
    revision: str
    licence: str
    files: tuple[HubFile, ...]

    @property
    def host(self) -> str:
        """The hub's name on the network."""
        return _host(self.base)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def hub_host() -> str:
    """The name of the computer that models are fetched from."""
    return _host(_base())


def look_up(name: str) -> Offer:
    """Ask the hub what it has under ``name``, which `NAME` matches; fetches no file.

    Raises HubUnreachable, HubModelClosed or HubModelUnusable.
    """
    base = _base()
    with _asking(name, base), _opened(f"{base}/api/models/{name}?blobs=true") as answer:
        content = answer.read(manifest_json.LARGEST + 1)
    try:
        values = manifest_json.parse(content)
        if values.get("gated"):  # fetching it would be refused, file by file
            raise HubModelClosed(name=name, host=_host(base))
        return _offer(name, base, values)
    except ValueError as error:
        raise HubModelUnusable(name=name, host=_host(base), reason=error) from error


@contextmanager
def fetched(offer: Offer, progress: Progress = no_progress) -> Iterator[Path]:
    """A folder with the model's files, each as long as the hub said and with its checksum.

    The folder is deleted at the end of the block. If fetching fails, or anything is stopped, what
    was fetched stays until another model is fetched, and the next try goes on from there.
    ``progress`` counts megabytes; what it raises stops the fetching.

    Raises HubUnreachable, HubModelClosed, HubModelUnusable, SpaceMissing (before anything is
    fetched), PackNotStored, or PacksBusy where another process fetches.
    """
    place = _place()
    folder = place / offer.revision / offer.name.rpartition("/")[2]
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(_alone(place))
            for other in place.iterdir():
                if other.is_dir() and other.name != offer.revision:
                    shutil.rmtree(other, ignore_errors=True)
            _fetch(offer, folder, progress)
        except OSError as error:  # writing: what the network raises was translated further in
            raise PackNotStored(path=folder, reason=error.strerror or error) from error
        try:
            yield folder
        except PairLensError:  # no pack can be made of it
            shutil.rmtree(folder.parent, ignore_errors=True)
            raise
        shutil.rmtree(folder.parent, ignore_errors=True)


def unfinished_size() -> int:
    """Bytes that `fetched` has left for the next try."""
    found = (path for folder in _unfinished() for path in folder.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in found)


def drop_unfinished() -> None:
    """Delete what `fetched` has left. Raises PacksBusy where a model is being fetched."""
    if _unfinished():
        with _alone(_place()):
            for folder in _unfinished():
                shutil.rmtree(folder, ignore_errors=True)


def _unfinished() -> list[Path]:
    place = _place()
    return [path for path in place.iterdir() if path.is_dir()] if place.is_dir() else []


def _place() -> Path:
    return cache_dir() / "hub"


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    try:
        lock = WriterLock(place / "hub", place)
    except LibraryBusy as error:
        raise PacksBusy(path=place) from error
    with lock:
        yield


def _fetch(offer: Offer, folder: Path, progress: Progress) -> None:
    done = _there(offer, folder)
    needed, free = offer.size - done, shutil.disk_usage(folder).free
    if needed > free:
        raise SpaceMissing(path=folder, needed=-(-needed // 10**6), free=free // 10**6)
    done = 0
    for file in offer.files:
        if not (folder / file.name).exists():
            for size in _fetch_file(offer, file, folder / f"{file.name}{_PARTIAL}"):
                progress((done + size) // 10**6, offer.size // 10**6)
            (folder / f"{file.name}{_PARTIAL}").rename(folder / file.name)
        done += file.size
        progress(done // 10**6, offer.size // 10**6)


def _there(offer: Offer, folder: Path) -> int:
    """Bytes that an earlier try has fetched."""
    wanted = {file.name for file in offer.files}
    return sum(
        path.stat().st_size
        for path in folder.iterdir()
        if path.name.removesuffix(_PARTIAL) in wanted
    )


def _fetch_file(offer: Offer, file: HubFile, partial: Path) -> Iterator[int]:
    """Fetch what is missing of a file; yields how much of it is there."""
    digest = hashlib.sha256() if file.algorithm == "sha256" else hashlib.sha1(usedforsecurity=False)
    if file.algorithm == "git":
        digest.update(f"blob {file.size}\0".encode())
    with partial.open("a+b") as out:
        size = out.tell()
        out.seek(0)
        while chunk := out.read(_CHUNK):
            digest.update(chunk)
        for chunk in _rest(offer, file, size) if size < file.size else ():
            size += len(chunk)
            if size > file.size:
                break
            digest.update(chunk)
            out.write(chunk)
            yield size
        out.flush()
        os.fsync(out.fileno())
    if size < file.size:
        reason = "the connection was cut off"
        raise HubUnreachable(name=offer.name, host=offer.host, reason=reason)
    if size > file.size or digest.hexdigest() != file.digest:
        partial.unlink()
        fault = "is longer than" if size > file.size else "has another checksum than"
        reason = f"{file.name} {fault} the hub says"
        raise HubModelUnusable(name=offer.name, host=offer.host, reason=reason)


def _rest(offer: Offer, file: HubFile, start: int) -> Iterator[bytes]:
    """A file's bytes from ``start`` on, in pieces."""
    url = f"{offer.base}/{offer.name}/resolve/{offer.revision}/{file.name}"
    with _asking(offer.name, offer.base, file.name), _opened(url, start) as answer:
        known = 0 if answer.status == 206 else start  # a server may send all of it again
        # As much as has come: on a slow line a whole chunk would be waited for.
        while chunk := answer.read1(_CHUNK):
            if known < len(chunk):
                yield chunk[known:]
            known = max(0, known - len(chunk))


class _Redirects(HTTPRedirectHandler):
    """Large files are on other servers; never by way of a connection that others can read."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        wanted = urlsplit(newurl).scheme
        if wanted != "https" and wanted != urlsplit(req.full_url).scheme:
            raise ValueError(_INSECURE)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opened(url: str, start: int = 0) -> HTTPResponse:
    headers = {"User-Agent": f"PairLens/{__version__}"}
    if start:
        headers["Range"] = f"bytes={start}-"
    # Proxies that the system or the environment names are used, as by other programs.
    answer: HTTPResponse = build_opener(_Redirects()).open(
        Request(url, headers=headers), timeout=_PATIENCE
    )
    return answer


@contextmanager
def _asking(name: str, base: str, file: str = "") -> Iterator[None]:
    """What goes wrong on the network becomes ours."""
    host = _host(base)
    try:
        yield
    except HTTPError as error:
        error.close()
        if error.code == 404 and file:
            reason = f"{file} is listed, but not there"
            raise HubModelUnusable(name=name, host=host, reason=reason) from error
        if error.code < 400:  # a way that not even urllib goes
            raise HubModelUnusable(name=name, host=host, reason=_INSECURE) from error
        if error.code in (401, 403, 404):
            raise HubModelClosed(name=name, host=host) from error
        raise HubUnreachable(name=name, host=host, reason=f"it answers {error.code}") from error
    except URLError as error:
        raise HubUnreachable(name=name, host=host, reason=_words(error.reason)) from error
    except OSError as error:
        raise HubUnreachable(name=name, host=host, reason=_words(error)) from error
    except HTTPException as error:
        reason = "the connection was cut off"
        raise HubUnreachable(name=name, host=host, reason=reason) from error
    except ValueError as error:
        raise HubModelUnusable(name=name, host=host, reason=error) from error


def _words(error: object) -> object:
    return (error.strerror or error) if isinstance(error, OSError) else error


def _base() -> str:
    return os.environ.get(HOST_VARIABLE, "").rstrip("/") or HUB


def _host(base: str) -> str:
    return urlsplit(base).hostname or base


def _offer(name: str, base: str, values: dict[str, Any]) -> Offer:
    """Raises ValueError where the answer is not one that can be used."""
    revision, listed = values.get("sha"), values.get("siblings")
    if not isinstance(revision, str) or not re.fullmatch("[0-9a-f]{40}", revision):
        raise ValueError("the hub does not say which version it is")
    if not isinstance(listed, list):
        raise ValueError("the hub does not say which files it has")
    there = {each.get("rfilename"): each for each in listed if isinstance(each, dict)}
    wanted = _wanted([name for name in there if isinstance(name, str)])
    if CONFIG not in wanted:
        raise ValueError(f"it has no {CONFIG}")
    if not any(each.endswith(".safetensors") for each in wanted):
        raise ValueError("it has no weights as safetensors, and others may hold programs")
    if len(wanted) > _MOST_FILES:
        raise ValueError(f"it has more than {_MOST_FILES} files")
    files = sorted((_file(there[each]) for each in wanted), key=lambda file: file.size)
    offer = Offer(name, base, revision, _licence(values.get("cardData")), tuple(files))
    if offer.size > _MOST:
        raise ValueError(f"it has {offer.size / 1e9:,.1f} GB, and {_MOST / 1e9:,.0f} are the most")
    return offer


def _wanted(there: Collection[str]) -> list[str]:
    """Of a model's files, those that converting needs: weights in one form, never a program."""
    weights = [WEIGHTS] if WEIGHTS in there else [each for each in there if _PARTS.fullmatch(each)]
    return weights + [each for each in there if each in _TEXTS]


def _file(entry: dict[str, Any]) -> HubFile:
    name, size, large = entry["rfilename"], entry.get("size"), entry.get("lfs")
    if isinstance(large, dict):
        algorithm, digest, form = "sha256", large.get("sha256"), "[0-9a-f]{64}"
    else:
        algorithm, digest, form = "git", entry.get("blobId"), "[0-9a-f]{40}"
    if not isinstance(digest, str) or not re.fullmatch(form, digest):
        raise ValueError(f"the hub gives no checksum for {name}")
    if type(size) is not int or size < 0:
        raise ValueError(f"the hub does not say how large {name} is")
    if size > _MOST_TEXT and not name.endswith(".safetensors"):
        raise ValueError(f"{name} has {size / 1e6:,.0f} MB")
    return HubFile(name, size, algorithm, digest)


def _licence(card: object) -> str:
    """What a model's page says of its licence, as one line that a terminal can't take amiss."""
    if not isinstance(card, dict):
        return ""
    said = card.get("license")
    if said == "other":
        said = card.get("license_name") or said
    names = said if isinstance(said, list) else [said]
    text = ", ".join(name for name in names if isinstance(name, str))
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST_LICENCE]
