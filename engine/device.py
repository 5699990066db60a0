"""Where the model runs: on the processor or on a CUDA card, and why there."""

from __future__ import annotations

import ctypes
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from importlib.util import find_spec
from pathlib import Path

from engine.backends import Backend
from engine.config import DualConfig, ModelConfig
from engine.deciding import BlipConfig, Config
from engine.errors import DeviceMissing
from engine.pack import WEIGHTS_FILE, Pack
from engine.types import DeviceChoice

log = logging.getLogger(__name__)


class Reason(Enum):
    """Why a device was chosen, for whoever says it in other words."""

    ASKED = auto()
    CARD_FOUND = auto()
    NO_DRIVER = auto()
    NOT_INSTALLED = auto()
    NO_WEIGHTS = auto()
    CARD_UNUSABLE = auto()


@dataclass(frozen=True, slots=True)
class Device:
    """A device, and in words for the log and the doctor why it was chosen."""

    is_cuda: bool
    reason: Reason
    why: str


def has_nvidia_driver() -> bool:
    """Whether CUDA's driver can be loaded: asked first, since torch takes seconds to import."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def choose_device(
    choice: DeviceChoice, pack: Path, has_driver: Callable[[], bool] = has_nvidia_driver
) -> Device:
    """Choose for a model pack's folder. Raises DeviceMissing: CUDA was asked for and isn't there.

    torch is imported only where everything else that CUDA needs was found.
    """
    if choice is DeviceChoice.CPU:
        return Device(False, Reason.ASKED, "the processor was asked for")
    fault = _cuda_fault(pack, has_driver)
    asked = choice is DeviceChoice.CUDA
    if fault is None:
        if asked:
            return Device(True, Reason.ASKED, "CUDA was asked for")
        return Device(True, Reason.CARD_FOUND, "there is a CUDA card, and torch")
    reason, why = fault
    if asked:
        raise DeviceMissing(reason=why)
    return Device(False, reason, why)


def open_backend(pack: Pack, choice: DeviceChoice, device: Device) -> Backend:
    """Make a pack ready on the device that was chosen.

    A card that fails is passed over for the processor, unless it was asked for: DeviceMissing then.
    Raises whatever ONNX Runtime does for a graph it can't run.
    """
    config = pack.manifest.model
    if not isinstance(config, ModelConfig):
        return open_foreign(pack.folder, config)
    if device.is_cuda:
        from engine.backends.torch import TorchBackend

        try:
            return TorchBackend(pack.folder, config, "cuda")
        except Exception as error:  # too old a driver, no memory left, weights that don't fit
            if choice is DeviceChoice.CUDA:
                raise DeviceMissing(reason=str(error)) from error
            log.warning("the processor is used, because CUDA failed: %s", error)
    from engine.backends.onnx import OnnxBackend

    return OnnxBackend(pack.folder)


def open_foreign(folder: Path, config: Config, prefix: str = "") -> Backend:
    """The models of others run on the processor; ``prefix`` is for one that is part of a pair."""
    from engine.backends.deciding import BlipBackend, ViltBackend
    from engine.backends.dual import DualBackend

    if isinstance(config, DualConfig):
        return DualBackend(folder, config)
    return (BlipBackend if isinstance(config, BlipConfig) else ViltBackend)(folder, prefix)


def _cuda_fault(pack: Path, has_driver: Callable[[], bool]) -> tuple[Reason, str] | None:
    """What keeps the pack from running on CUDA; None if nothing does."""
    if not has_driver():
        return Reason.NO_DRIVER, "no NVIDIA driver was found"
    missing = [name for name in ("torch", "safetensors") if find_spec(name) is None]
    if missing:
        why = f'{" and ".join(missing)} not installed: pip install "pairlens[cuda]"'
        return Reason.NOT_INSTALLED, why
    if not (pack / WEIGHTS_FILE).is_file():
        return Reason.NO_WEIGHTS, f"the model pack has no {WEIGHTS_FILE}"
    from engine.backends.torch import cuda_fault

    why_not = cuda_fault()
    return None if why_not is None else (Reason.CARD_UNUSABLE, why_not)
