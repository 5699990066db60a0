"""Threads and batch size for long jobs: what did best in a short trial on this machine.

A trial is made at the start of the first long job, takes about a second, and is kept in the data
folder. What it finds is a matter of the machine, the model and what runs it: when one of these
changes, it is made again.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
from PIL import Image

from engine.encoding import PhotoEncoder, encode_in_order
from engine.paths import data_dir

log = logging.getLogger(__name__)

FILE = "pace.json"
# Photos encoded in each way: a whole number of batches of every size that is tried.
PHOTOS = 32
SIZE = (1440, 1080)
# Seconds after which no further way is tried, and that one way may take at most.
LONGEST = 1.0
LONGEST_WAY = 5.0
# How much faster than the defaults a way must be: less than that is chance in so short a trial.
LEAST_GAIN = 1.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How photos are encoded.

    Attributes:
        model_threads: that compute the image graph; 0 leaves it to ONNX Runtime, which takes one
            for each core.
        decode_threads: that read and decode photos meanwhile.
        batch_size: photos encoded at once: enough for the processor to work at full speed, few
            enough to stay in its caches.
    """

    model_threads: int = 0
    decode_threads: int = 2
    batch_size: int = 16


DEFAULT = Pace()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a trial's outcome depends on: usable cores, model id, and the device in words."""

    cores: int
    model_id: str
    device: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a trial.

    Attributes:
        rates: photos a second of each way that was tried, the defaults first.
        day: when, as YYYY-MM-DD.
    """

    facts: Facts
    pace: Pace
    rates: tuple[tuple[Pace, float], ...]
    day: str


def usable_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def kept_trial() -> Trial | None:
    """The last trial on this machine; None if there was none, or it can't be read any more."""
    try:
        values = json.loads((data_dir() / FILE).read_text(encoding="utf-8"))
        return Trial(
            Facts(**values["facts"]),
            Pace(**values["pace"]),
            tuple((Pace(**pace), float(rate)) for pace, rate in values["rates"]),
            str(values["day"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("the kept trial can't be read: %s", error)
        return None


def best_pace(facts: Facts, encoder: Callable[[Pace], PhotoEncoder]) -> Pace:
    """What did best here: as it is kept, or by a trial now. Raises nothing: then, the defaults.

    Args:
        encoder: makes an encoder that works at a pace.
    """
    try:
        kept = kept_trial()
        if kept is None or kept.facts != facts:
            kept = _trial(facts, encoder)
            _keep(kept)
        return kept.pace
    except Exception:  # a job is done without this as well
        log.warning("no trial of threads and batch could be made", exc_info=True)
        return DEFAULT


def ways(cores: int) -> list[Pace]:
    """What is tried on so many cores, the defaults first, each once."""
    half = max(1, cores // 2)
    found = [DEFAULT, Pace(0, cores), Pace(half, cores), Pace(0, cores, 8), Pace(0, cores, 32)]
    return list(dict.fromkeys(found))


def _trial(facts: Facts, encoder: Callable[[Pace], PhotoEncoder]) -> Trial:
    begin = time.perf_counter()
    rates: dict[Pace, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "trial.jpg"
        _made_up_photo().save(photo, quality=88)
        # Twice, because the first run of all is a slow one.
        alone = max(_rate(encoder(DEFAULT), photo, 1) for _ in range(2))
        if PHOTOS / alone > LONGEST_WAY:
            # So large a model keeps all cores busy whichever way it is run.
            return Trial(facts, DEFAULT, ((DEFAULT, alone),), date.today().isoformat())
        # The defaults twice, because the first run of all warms up the machine for the others.
        for pace in [DEFAULT, *ways(facts.cores)]:
            if rates and time.perf_counter() - begin > LONGEST:
                break
            rates[pace] = max(rates.get(pace, 0.0), _rate(encoder(pace), photo, PHOTOS))
    fastest = max(rates, key=lambda pace: rates[pace])
    chosen = fastest if rates[fastest] >= LEAST_GAIN * rates[DEFAULT] else DEFAULT
    log.info("threads and batch: %s, of %s photos a second on %s", chosen, rates, facts)
    return Trial(facts, chosen, tuple(rates.items()), date.today().isoformat())


def _rate(encoder: PhotoEncoder, photo: Path, count: int) -> float:
    start = time.perf_counter()
    for _ in encode_in_order(encoder, [photo] * count):
        pass
    return count / (time.perf_counter() - start)


def _made_up_photo() -> Image.Image:
    """Coarse shapes with fine grain, so that decoding has as much to do as with a camera's."""
    rng = np.random.default_rng(0)
    shapes = Image.fromarray(rng.integers(0, 256, (18, 24, 3), dtype=np.uint8))
    wide = np.asarray(shapes.resize(SIZE, Image.Resampling.BICUBIC), dtype=np.int16)
    grain = rng.integers(-10, 11, (SIZE[1], SIZE[0], 1), dtype=np.int16)
    return Image.fromarray(np.clip(wide + grain, 0, 255).astype(np.uint8))


def _keep(trial: Trial) -> None:
    (data_dir() / FILE).write_text(json.dumps(asdict(trial), indent=2), encoding="utf-8")
