"""Background work: progress, cancel, one job at a time. Touches no user interface."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import Generic, TypeVar

from engine.types import Cancelled, Progress

log = logging.getLogger(__name__)

T = TypeVar("T")

Work = Callable[[Progress, Cancelled], T]


class State(Enum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job at one moment.

    Attributes:
        done, total: how far it has come, in whatever it counts (photos); total 0 when unknown.
        rate: of those a second; None until it can be told.
        left: seconds until the end at this rate; None until it can be told.
    """

    state: State
    done: int
    total: int
    rate: float | None
    left: float | None
    cancelling: bool
    paused: bool = False

    @property
    def has_found_work(self) -> bool:
        """Whether there is something left to do, rather than only to be looked for."""
        return self.paused or self.total > self.done


class Job(Generic[T]):
    """One piece of work. Its result and its error come back apart.

    Attributes:
        number: no two jobs of a process have the same.
        quiet: nobody asked for it, so it ends early where somebody asks for something else.
    """

    _numbers = count(1)

    def __init__(
        self, work: Work[T], quiet: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.number = next(self._numbers)
        self._work = work
        self.quiet = quiet
        self._clock = clock
        self._lock = threading.Lock()
        self._cancel = threading.Event()
        self._give_way = threading.Event()
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self._finished = threading.Event()
        self._state = State.WAITING
        self._done = 0
        self._total = 0
        self._first: tuple[float, int] | None = None
        self._last: float = 0.0
        self.result: T | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        """Do the work in the calling thread; never raises."""
        with self._lock:
            self._state = State.RUNNING
        try:
            self.result = self._work(self._progress, self._cancelled)
            end = State.DONE
        except Exception as error:
            log.warning("a job failed", exc_info=True)
            self.error = error
            end = State.FAILED
        with self._lock:
            self._state = end
        self._finished.set()

    def cancel(self) -> None:
        """Ask the work to end early, paused or not; what it has done is kept."""
        self._cancel.set()
        self._may_go_on.set()

    def give_way(self) -> None:
        """End early like `cancel`, but because of other work rather than a person's wish."""
        self._give_way.set()
        self._may_go_on.set()

    def pause(self) -> None:
        """Let the work rest between two photos until `resume`."""
        if not (self._cancel.is_set() or self._give_way.is_set()):
            self._may_go_on.clear()

    def resume(self) -> None:
        """Let paused work go on."""
        with self._lock:
            self._first = None  # or the rest would count as time that its photos took
        self._may_go_on.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Whether the job has ended, after waiting for that up to ``timeout`` seconds."""
        return self._finished.wait(timeout)

    def outcome(self) -> T:
        """The result of a job that has ended; raises what its work raised."""
        if self.error is not None:
            raise self.error
        if self.result is None:
            raise RuntimeError("the job has not ended, or was never started")
        return self.result

    @property
    def finished(self) -> bool:
        """Whether it has ended, well or not."""
        return self._finished.is_set()

    def snapshot(self) -> Snapshot:
        """Where it stands now."""
        with self._lock:
            rate = left = None
            # The clock starts at the first report: what comes before is looking for the photos.
            if self._first is not None and self._last > self._first[0]:
                rate = (self._done - self._first[1]) / (self._last - self._first[0])
                if rate > 0:
                    left = (self._total - self._done) / rate
            return Snapshot(
                self._state,
                self._done,
                self._total,
                rate,
                left,
                self._cancel.is_set(),
                not self._may_go_on.is_set(),
            )

    def _cancelled(self) -> bool:
        self._may_go_on.wait()
        return self._cancel.is_set() or self._give_way.is_set()

    def _progress(self, done: int, total: int) -> None:
        with self._lock:
            now = self._clock()
            if self._first is None:
                self._first = (now, done)
            self._last = now
            self._done, self._total = done, total


class JobRunner:
    """Runs jobs one after another in one thread, so that an index has one writer."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pairlens-job")
        self._lock = threading.Lock()
        self._open: list[Job[object]] = []

    def submit(self, work: Work[T], quiet: bool = False) -> Job[T]:
        """Queue ``work``; quiet jobs give way to all others. RuntimeError after ``close``."""
        job = Job(work, quiet)
        with self._lock:
            self._open = [known for known in self._open if not known.finished]
            if not quiet:
                for known in self._open:
                    if known.quiet:
                        known.give_way()
            self._open.append(job)  # type: ignore[arg-type]  # the runner never reads a result
        self._pool.submit(job.run)
        return job

    @property
    def busy(self) -> bool:
        """Whether there is work that somebody asked for."""
        with self._lock:
            return any(not (job.quiet or job.finished) for job in self._open)

    def close(self) -> None:
        """Cancel everything and wait until the running job has put its work away."""
        with self._lock:
            for job in self._open:
                job.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
