"""What the views work with, put together in one place and passed in."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from desktop.features import FeatureMemory
from desktop.i18n import Translator, pick_language
from desktop.jobs import Job, JobRunner
from desktop.keeper import Keeper
from desktop.moves import Moves
from desktop.settings import Settings
from desktop.thumbnails import Thumbnails
from engine.resident import Resident
from engine.types import DeviceChoice

if TYPE_CHECKING:
    from desktop.making import Question
    from desktop.packs import Doing, Imports, PackChange
    from engine.actions import ActionReport
    from engine.cost import Cost
    from engine.errors import PairLensError
    from engine.explain import Explanation
    from engine.matcher import Matcher
    from engine.query import Query
    from engine.results import About, Row
    from engine.types import SearchResult


class LazyMatcher:
    """A matcher that is loaded in the background, and can be exchanged for another.

    Args:
        load: loads that of the pack in a folder, or of the one in use where there is None.
    """

    def __init__(self, load: Callable[[Path | None], Matcher]) -> None:
        self._load = load
        self._future: Future[Matcher] = Future()

    def start(self) -> None:
        """Begin to load; to be called once."""
        threading.Thread(target=self._run, name="pairlens-model", daemon=True).start()

    def get(self) -> Matcher:
        """The matcher, waited for.

        Raises:
            PackError: the model pack can't be used.
        """
        return self._future.result()

    def wait(self) -> None:
        """Return when `get` would at once, or raise."""
        wait([self._future])

    def switch(self, pack: Path) -> None:
        """Let the pack in this folder answer from now on; what is under way keeps the one it has.

        Raises:
            PackError: it can't be used, and the one before goes on answering.
            DeviceMissing: the device that was asked for at the start can't run it.
        """
        loaded: Future[Matcher] = Future()
        loaded.set_result(self._load(pack))
        self._future = loaded

    def _run(self) -> None:
        try:
            self._future.set_result(self._load(None))
        except BaseException as error:
            self._future.set_exception(error)


class FileLabels(NamedTuple):
    """The labels that a file gave to captions, by caption; and what the file is called."""

    file: str
    labels: Mapping[str, str]


class BatchForm(NamedTuple):
    """What the boxes of the Batch view held when something was last asked of it."""

    folder: str
    captions: str
    labels: FileLabels | None
    pairs: str
    beside: bool
    mode: str
    threshold: str
    percent: float
    alarms: int
    exact: bool


@dataclass(slots=True)
class Outlook:
    """What a batch will take, told by its thread as soon as it is known; None before, and where it
    is no more than usual."""

    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class BatchResults:
    """What a batch job leaves: its rows, fewer photos than asked for if it was cancelled.

    Attributes:
        name: tells this result from others.
        lines: by filter and order, what `desktop.ui.batch_table` has sorted once.
    """

    rows: list[Row]
    about: About
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    lines: dict[tuple[str, str], list[list[Row]]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Saved:
    """What a job that writes results leaves: the file, unless it was cancelled."""

    path: Path
    whole: bool


@dataclass(frozen=True, slots=True)
class Search:
    """A search as it was asked for last, and what it found once it could be done.

    Attributes:
        where: what was typed: a folder, or the name of a library.
        folder: the folder that means, None where it is a library.
        library: the name of the library where it is one.
        top: how many photos are wanted.
    """

    where: str
    folder: Path | None
    library: str | None
    query: Query
    top: int
    result: SearchResult | None = None


@dataclass(frozen=True, slots=True)
class ActionJob:
    """Photos being copied or moved, or an action being undone; ``into`` is None when undoing."""

    verb: Literal["copy", "move", "undo"]
    into: Path | None
    job: Job[ActionReport]


@dataclass(frozen=True, slots=True)
class Why:
    """A pair that somebody asked about, and the job that explains it.

    Attributes:
        threshold: match probability from which it matches where it was asked about, if it had one.
    """

    photo: Path
    caption: str
    threshold: float | None
    job: Job[Explanation]


@dataclass(frozen=True, slots=True)
class PackJob:
    """A model pack being made, imported, chosen, checked or removed; or the hub being asked.

    Attributes:
        can_cancel: whether ending it early leaves everything as it was.
    """

    doing: Doing
    job: Job[PackChange | Question | Imports]
    can_cancel: bool = False


@dataclass
class Workbench:
    """The collaborators of all views, and the jobs that outlive a reload of the page.

    ``resident`` keeps in memory what the next search in the library searched last needs of it, and
    ``features`` what the Match view needs to answer while somebody types. Files are written, pairs
    explained, and model packs imported and exchanged, by runners of their own: they need not wait
    for hours of indexing. ``device`` is what was to run the model when the program started.
    """

    matcher: LazyMatcher
    jobs: JobRunner
    keeper: Keeper
    thumbnails: Thumbnails
    moves: Moves
    settings: Settings
    device: DeviceChoice
    translators: dict[str, Translator]
    system_language: str | None
    uploads: Path
    exports: Path
    log_file: Path
    # Where what an earlier process noted as it crashed can be read, until that was told.
    crash: Path | None = None
    # Paths that the program was given where there is no window to bring them, until the page has
    # them.
    given: list[str] = field(default_factory=list)
    writers: JobRunner = field(default_factory=JobRunner)
    batch_form: BatchForm | None = None
    # Why what the form asks for was not begun; the job is an earlier one's then.
    batch_refusal: PairLensError | None = None
    explainers: JobRunner = field(default_factory=JobRunner)
    packers: JobRunner = field(default_factory=JobRunner)
    features: FeatureMemory = field(default_factory=FeatureMemory)
    batch_job: Job[BatchResults] | None = None
    batch_outlook: Outlook = field(default_factory=Outlook)
    save_job: Job[Saved] | None = None
    why: Why | None = None
    pack_job: PackJob | None = None
    search: Search | None = None
    resident: Resident = field(default_factory=Resident)
    # What runs or ran last, by the place on the page that it was started from.
    action_jobs: dict[str, ActionJob] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether there is work under way that closing the program would end."""
        return self.jobs.busy or self.writers.busy or self.packers.busy

    def language(self) -> str:
        """The language in use: the chosen one, else the system's, else English."""
        wanted = self.settings.choices.language or self.system_language
        return pick_language(wanted, list(self.translators))

    def translator(self) -> Translator:
        """Speaks the language in use."""
        return self.translators[self.language()]
