"""Where and how precisely training computes, chosen once and said in the log."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

log = logging.getLogger(__name__)

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Compute:
    """A device, whether its bfloat16 is fast, and whether modules are compiled for it."""

    device: torch.device
    half: bool
    compiled: bool

    def autocast(self) -> torch.autocast:
        """Context in which matrix products and convolutions run in bfloat16 if that is fast."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half)

    def compile(self, module: M) -> M:
        """The module with its element-wise steps fused, sharing weights with ``module``."""
        if not self.compiled:
            return module
        made: M = torch.compile(module)  # type: ignore[assignment]
        return made


def choose_compute() -> Compute:
    """A CUDA card if there is one, else the processor.

    bfloat16 on a processor pays only where it multiplies tiles in hardware (AMX): elsewhere it was
    measured many times slower than float32. Compiling needs a C++ compiler on a processor.
    """
    if torch.cuda.is_available():
        log.info("training on %s, in bfloat16", torch.cuda.get_device_name())
        return Compute(torch.device("cuda"), half=True, compiled=True)
    half = bool(torch.cpu.get_capabilities().get("amx_bf16", False))
    compiled = shutil.which("g++") is not None
    log.info(
        "training on the processor, %d threads: no CUDA card; %s; %s",
        torch.get_num_threads(),
        "bfloat16, since it has AMX" if half else "float32, since it has no AMX",
        "compiled" if compiled else "not compiled, since there is no g++",
    )
    return Compute(torch.device("cpu"), half, compiled)
