"""What the Models view does with models of other kinds: the work of its jobs."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import TypeVar

from desktop.jobs import Work
from desktop.packs import Doing, PackChange, StoppedError, added, stopping
from engine.converting import import_model, offered
from engine.hub import Offer, fetched
from engine.pack import MANIFEST
from engine.pack_install import import_folder
from engine.types import Cancelled, Progress

T = TypeVar("T")

# What the converter is at, by the first word of what it tells.
STEPS = MappingProxyType(
    {
        "loading": "models.step_loading",
        "exporting": "models.step_exporting",
        "quantising": "models.step_quantising",
        "comparing": "models.step_comparing",
    }
)
# Seconds between two looks at whether an answer is still waited for.
_LOOK_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Question:
    """Whether to fetch what the hub has.

    Attributes:
        offer: what was asked about; nothing else is fetched by a yes.
        token: stands in the question alone, so that nobody can say yes who has not seen it.
    """

    offer: Offer
    token: str = field(default_factory=lambda: secrets.token_hex(16))


def asking(name: str) -> Work[Question | PackChange]:
    """The work that asks the hub about a model; raises what `offered` does."""

    def work(_progress: Progress, cancelled: Cancelled) -> Question | PackChange:
        try:
            return Question(_answered(partial(offered, name), cancelled))
        except StoppedError:
            return PackChange("stopped", name, name)

    return work


def fetching(offer: Offer, doing: Doing) -> Work[PackChange]:
    """The work that makes a pack of a model on the hub; raises as `fetched` and `import_model`."""

    def work(progress: Progress, cancelled: Cancelled) -> PackChange:
        try:
            with ExitStack() as kept:
                fetch = fetched(offer, stopping(progress, cancelled))
                folder = _answered(lambda: kept.enter_context(fetch), cancelled)
                progress(0, 0)  # nobody knows how long the rest takes
                return _made(folder, offer.name, doing, cancelled)
        except StoppedError:
            return PackChange("kept", offer.name, offer.name)

    return work


def converting(folder: Path, doing: Doing) -> Work[PackChange]:
    """The work that makes a pack of a local model, or takes one in that is in a folder.

    It raises what `import_model` and `import_folder` do.
    """

    def work(_progress: Progress, cancelled: Cancelled) -> PackChange:
        try:
            if (folder / MANIFEST).is_file():
                return added(import_folder(folder))
            return _made(folder, folder.name, doing, cancelled)
        except StoppedError:
            return PackChange("stopped", folder.name, folder.name)

    return work


def _made(folder: Path, name: str, doing: Doing, cancelled: Cancelled) -> PackChange:
    def tell(line: str) -> None:
        doing.key = STEPS.get(line.partition(" ")[0], doing.key)

    doing.key = STEPS["loading"]  # the other process takes some seconds to say so
    made = import_model(folder, tell, name, cancelled=cancelled)
    if made is None:
        raise StoppedError
    return added(made)


def _answered(ask: Callable[[], T], cancelled: Cancelled) -> T:
    """What another computer says. Whoever cancels does not wait for one that is silent."""
    said: Future[T] = Future()

    def run() -> None:
        try:
            said.set_result(ask())
        except BaseException as error:
            said.set_exception(error)

    Thread(target=run, name="pairlens-hub", daemon=True).start()
    while not wait([said], _LOOK_EVERY).done:
        if cancelled():
            raise StoppedError
    return said.result()
