"""Another's model becomes a model pack: by training's converter, in a process of its own.

Converting needs torch and its kin, which the program itself never imports.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from engine.errors import ModelNeedsSource, ModelNeedsTraining, ModelUnusable
from engine.pack_install import Imported, import_folder

# Run in the folder of PairLens's source, it makes what converting needs.
INSTALL_TRAINING = 'python -m pip install -c constraints.txt -e ".[train]"'
_NEEDED = ("torch", "transformers", "onnx", "onnxscript", "optimum", "safetensors", "sentencepiece")

Tell = Callable[[str], None]


def is_model(folder: Path) -> bool:
    """Whether a folder looks like a model as the Hugging Face hub has them."""
    return (folder / "config.json").is_file()


def check_needed(source: object) -> None:
    """Raise ModelNeedsSource or ModelNeedsTraining, about ``source``, if it can't be converted."""
    if getattr(sys, "frozen", False):
        raise ModelNeedsSource(path=source)
    missing = [module for module in _NEEDED if find_spec(module) is None]
    if missing:
        raise ModelNeedsTraining(path=source, missing=", ".join(missing), command=INSTALL_TRAINING)


def import_model(
    folder: Path, tell: Tell, name: str | None = None, precision: str = "int8"
) -> Imported:
    """Make a pack of a model's folder and import it.

    Args:
        tell: is given a line whenever something new begins.
        name: what the pack is to be called; the folder's name if it is left out.
        precision: of the graphs, "int8" or "fp32".

    Raises:
        ModelNeedsSource: this PairLens was installed as a program.
        ModelNeedsTraining: what converting needs is not installed.
        ModelUnusable: no pack can be made of it.
        PackFileUnusable, SpaceMissing, PackNotStored, PacksBusy: as `import_folder` does.
    """
    check_needed(folder)
    with tempfile.TemporaryDirectory(prefix="pairlens-") as scratch:
        _convert(folder.resolve(), Path(scratch), name or folder.resolve().name, precision, tell)
        return import_folder(Path(scratch))


def _convert(folder: Path, out: Path, name: str, precision: str, tell: Tell) -> None:
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
    ):
        try:
            for line in process.stdout or ():
                tell(line.rstrip())
        except BaseException:
            process.kill()
            raise
        code = process.wait()
        if code:
            complaints.seek(0)
            # What was refused is said in one line; what failed ends with the error.
            lines = complaints.read().strip().splitlines() or [f"converting it ended with {code}"]
            raise ModelUnusable(path=folder, reason=lines[-1].strip().rstrip("."))
