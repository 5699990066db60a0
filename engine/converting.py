"""Another's model becomes a model pack: by training's converter, in a process of its own.

Converting needs torch and its kin, which the program itself never imports.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread

from engine.errors import ModelNeedsSource, ModelNeedsTraining, ModelUnusable, PackNotAPack
from engine.hub import Offer, look_up
from engine.pack_install import Imported, import_folder
from engine.types import Cancelled, never_cancelled

# Run in the folder of PairLens's source, it makes what converting needs.
INSTALL_TRAINING = 'python -m pip install -c constraints.txt -e ".[train]"'
_NEEDED = ("torch", "transformers", "onnx", "onnxscript", "optimum", "safetensors", "sentencepiece")

# Seconds between two looks at whether it is still wanted.
_LOOK_EVERY = 0.2

Tell = Callable[[str], None]


def check_needed(source: object) -> None:
    """Raise ModelNeedsSource or ModelNeedsTraining, about ``source``, if it can't be converted."""
    if getattr(sys, "frozen", False):
        raise ModelNeedsSource(path=source)
    missing = [module for module in _NEEDED if find_spec(module) is None]
    if missing:
        raise ModelNeedsTraining(path=source, missing=", ".join(missing), command=INSTALL_TRAINING)


def offered(name: str) -> Offer:
    """Ask the hub about a model, if a pack could be made of it here; fetches no file.

    Raises ModelNeedsSource or ModelNeedsTraining, and then nobody was asked; and as
    `engine.hub.look_up`.
    """
    check_needed(name)
    return look_up(name)


def import_model(
    folder: Path,
    tell: Tell,
    name: str | None = None,
    precision: str = "int8",
    cancelled: Cancelled = never_cancelled,
) -> Imported | None:
    """Make a pack of a model's folder and import it; None once ``cancelled``, and nothing is left.

    Args:
        tell: is given a line whenever something new begins.
        name: what the pack is to be called; the folder's name if it is left out.
        precision: of the graphs, "int8" or "fp32".

    Raises:
        PackNotAPack: this is no model as the Hugging Face hub has them.
        ModelNeedsSource: this PairLens was installed as a program.
        ModelNeedsTraining: what converting needs is not installed.
        ModelUnusable: no pack can be made of it.
        PackFileUnusable, SpaceMissing, PackNotStored, PacksBusy: as `import_folder` does.
    """
    if not (folder / "config.json").is_file():
        raise PackNotAPack(path=folder)
    check_needed(folder)
    with tempfile.TemporaryDirectory(prefix="pairlens-") as scratch:
        called = name or folder.resolve().name
        _convert(folder.resolve(), Path(scratch), called, precision, tell, cancelled)
        return None if cancelled() else import_folder(Path(scratch))


def _convert(
    folder: Path, out: Path, name: str, precision: str, tell: Tell, cancelled: Cancelled
) -> None:
    command = [
        sys.executable, "-m", "engine.training.convert", str(folder), str(out),
        f"--name={name}", f"--precision={precision}",
    ]  # fmt: skip
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
        _killed_once(cancelled, process),
    ):
        try:
            for line in process.stdout or ():
                tell(line.rstrip())
        except BaseException:
            process.kill()
            raise
        code = process.wait()
        if code and not cancelled():
            complaints.seek(0)
            # What was refused is said in one line; what failed ends with the error.
            lines = complaints.read().strip().splitlines() or [f"converting it ended with {code}"]
            raise ModelUnusable(path=folder, reason=lines[-1].strip().rstrip("."))


@contextmanager
def _killed_once(cancelled: Cancelled, process: subprocess.Popen[str]) -> Iterator[None]:
    """Watch a process, which says nothing for minutes, until the end of the block."""
    over = Event()

    def watch() -> None:
        while not over.wait(_LOOK_EVERY):
            if cancelled():
                process.kill()
                return

    watching = Thread(target=watch, name="pairlens-convert", daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
