"""What PairLens finds on this computer, what is missing, and the command that mends it.

Nothing heavy is imported: packages are looked up, not loaded, so that the doctor still works where
one of them can't be.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from engine import __version__, paths
from engine.device import choose_device
from engine.errors import DeviceMissing, OutputUnwritable, PackError
from engine.installed import used
from engine.pace import DEFAULT, Pace, kept_trial
from engine.pack import open_pack, read_manifest
from engine.types import DeviceChoice

OLDEST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 500_000_000
PACK_UNREADABLE = f"Make the folder readable, or name another in {paths.PACK_VARIABLE}."

# distribution -> the module that has to be there
BASE_PACKAGES = {
    "gradio": "gradio",
    "fastapi": "fastapi",
    "uvicorn": "uvicorn",
    "pywebview": "webview",
    "onnxruntime": "onnxruntime",
    "lapx": "lap",
    "tokenizers": "tokenizers",
    "numpy": "numpy",
    "pillow": "PIL",
    "pillow-heif": "pillow_heif",
    "packaging": "packaging",
    "platformdirs": "platformdirs",
    "tqdm": "tqdm",
    "watchfiles": "watchfiles",
}
LINUX_PACKAGES = {"QtPy": "qtpy", "PySide6_Addons": "PySide6", "PySide6_WebEngine": "PySide6"}

# shared library -> Debian's package of it; what Qt and its web engine can't start without
LINUX_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libXcomposite.so.1": "libxcomposite1",
    "libXdamage.so.1": "libxdamage1",
    "libXrandr.so.2": "libxrandr2",
    "libXtst.so.6": "libxtst6",
    "libasound.so.2": "libasound2",
    "libdbus-1.so.3": "libdbus-1-3",
    "libdrm.so.2": "libdrm2",
    "libfontconfig.so.1": "libfontconfig1",
    "libgbm.so.1": "libgbm1",
    "libnss3.so": "libnss3",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-dri3.so.0": "libxcb-dri3-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbfile.so.1": "libxkbfile1",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what was looked at, in a word or two.
        ok: False where PairLens, or a part of it, will not work because of this.
        value: what was found.
        remedy: what mends it, a command where there is one; None where all is well.
    """

    name: str
    ok: bool
    value: str
    remedy: str | None = None


def examine(choice: DeviceChoice = DeviceChoice.AUTO) -> list[Finding]:
    """Look at everything PairLens needs. Raises nothing: what fails becomes a finding.

    Args:
        choice: the device that was asked for.
    """
    return [
        *_program(),
        *(_package(name, module) for name, module in packages_needed().items()),
        _device(choice),
        _pace(),
        _model_pack(),
        *_folders(),
        *_window(),
    ]


def _is_frozen() -> bool:
    return bool(getattr(sys, "frozen", False))


def _program() -> Iterator[Finding]:
    where = Path(sys.executable).parent if _is_frozen() else Path(__file__).resolve().parent.parent
    yield Finding("PairLens", True, f"{__version__} in {where}")
    enough = sys.version_info[:2] >= OLDEST_PYTHON
    oldest = ".".join(map(str, OLDEST_PYTHON))
    yield Finding(
        "Python",
        enough,
        f"{platform.python_version()} at {sys.executable}",
        None if enough else f"Install Python {oldest} or newer, then run: make run",
    )
    yield Finding("System", True, f"{platform.platform()}, {os.cpu_count() or 1} processor cores")


def packages_needed() -> dict[str, str]:
    """Distributions that the program needs on this system, each with a module of it."""
    return BASE_PACKAGES | (LINUX_PACKAGES if sys.platform == "linux" else {})


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _package(distribution: str, module: str) -> Finding:
    remedy = _install(distribution)
    version = _version(distribution)
    if version is None:
        return Finding(distribution, False, "not installed", remedy)
    if find_spec(module) is None:
        return Finding(distribution, False, f"{version}, but its files are gone", remedy)
    return Finding(distribution, True, version)


def _install(distribution: str) -> str:
    if _is_frozen():
        return "Install PairLens again."
    return f'"{sys.executable}" -m pip install --force-reinstall {distribution}'


def _device(choice: DeviceChoice) -> Finding:
    try:
        folder = used(read_manifest)[1].folder
    except (PackError, OSError):  # the pack's own finding says so
        folder = paths.shipped_pack_dir()
    try:
        device = choose_device(choice, folder)
    except DeviceMissing as error:
        return Finding("Device", False, f"no CUDA: {error.fields['reason']}", str(error))
    where = "CUDA through torch" if device.is_cuda else "CPU through ONNX Runtime"
    return Finding("Device", True, f"{where}: {device.why}")


def _pace() -> Finding:
    name = "Threads and batch"
    try:
        trial = kept_trial()
    except OutputUnwritable:  # the data folder's own finding says so
        trial = None
    if trial is None:
        later = "the first index or batch tries what is fastest here"
        return Finding(name, True, f"{_pace_words(DEFAULT)}: the defaults; {later}")
    rates = dict(trial.rates)
    if len(rates) == 1:
        why = "the defaults, since this machine was too slow or busy to try others"
    elif trial.pace == DEFAULT:
        why = "the defaults, and nothing else was clearly faster"
    else:
        why = f"{rates[trial.pace] / rates[DEFAULT]:.2f} x as fast as the defaults"
    about = f"{len(rates)} tried on {trial.day} on {trial.facts.device}"
    return Finding(
        name,
        True,
        f"{_pace_words(trial.pace)}: {why}, of {about} with {trial.facts.cores} cores; tried again "
        "when these or the model change",
    )


def _pace_words(pace: Pace) -> str:
    model = pace.model_threads or "as many as cores"
    return (
        f"threads: {model} for the model, {pace.decode_threads} for decoding; "
        f"{pace.batch_size} photos at once"
    )


def _model_pack() -> Finding:
    try:
        pack, now = used(open_pack)
    except PackError as error:
        return Finding("Model pack", False, str(error.fields["path"]), str(error))
    except OSError as error:
        return Finding("Model pack", False, f"it can't be read: {error}", PACK_UNREADABLE)
    value = (
        f"{pack.manifest.name} {pack.manifest.version} in {now.folder}, as {now.why.value}; "
        f"every checksum is right. {pack.manifest.notice}"
    )
    if now.replaced is not None:
        return Finding("Model pack", False, value, str(now.replaced))
    return Finding("Model pack", True, value)


def _folders() -> Iterator[Finding]:
    for name, find in (
        ("Data folder", paths.data_dir),
        ("Cache folder", paths.cache_dir),
        ("Log folder", paths.log_dir),
    ):
        yield _folder(name, find)


def _folder(name: str, find: Callable[[], Path]) -> Finding:
    elsewhere = f"Make it writable, or name another place in {paths.HOME_VARIABLE}."
    try:
        folder = find()
        free = shutil.disk_usage(folder).free
    except OutputUnwritable as error:
        return Finding(name, False, f"can't be made: {error.fields['reason']}", elsewhere)
    except OSError as error:
        return Finding(name, False, f"can't be read: {error}", elsewhere)
    value = f"{folder}, {free / 1e9:.1f} GB free"
    if not os.access(folder, os.W_OK):
        return Finding(name, False, f"{value}, not writable", elsewhere)
    if free < LEAST_FREE_BYTES:
        return Finding(
            name, False, value, f"Free some space, or name another place in {paths.HOME_VARIABLE}."
        )
    return Finding(name, True, value)


def _window() -> Iterator[Finding]:
    """What the native window needs; the page can be served without any of it."""
    if sys.platform != "linux":
        system = "WebKit" if sys.platform == "darwin" else "WebView2"
        yield Finding("Window", True, f"the system's {system}")
        return
    screen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    yield Finding("Screen", True, screen or "none: PairLens serves its page and prints the address")
    yield _system_libraries(ctypes.CDLL)


def _system_libraries(load: Callable[[str], object]) -> Finding:
    missing = [name for name in LINUX_LIBRARIES if not _loads(name, load)]
    if not missing:
        return Finding("System libraries", True, f"all {len(LINUX_LIBRARIES)} that Qt needs")
    return Finding("System libraries", False, f"missing: {', '.join(missing)}", _mend(missing))


def _loads(name: str, load: Callable[[str], object]) -> bool:
    try:
        load(name)
    except OSError:
        return False
    return True


def _mend(libraries: Sequence[str]) -> str:
    if shutil.which("apt-get"):
        return "sudo apt-get install " + " ".join(LINUX_LIBRARIES[name] for name in libraries)
    if shutil.which("dnf"):
        return "sudo dnf install " + " ".join(f"'{name}()(64bit)'" for name in libraries)
    return "Install the packages of your system that hold these files."
