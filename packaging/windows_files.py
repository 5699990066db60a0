"""What the Windows build is given besides the program: its icon and what its properties show."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

SIDES = (16, 24, 32, 48, 64, 128, 256)

VERSION = """\
VSVersionInfo(
  ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3F, flags=0x0, OS=0x40004,
    fileType=0x1, subtype=0x0, date=(0, 0)),
  kids=[
    StringFileInfo([StringTable("040904B0", [
      StringStruct("CompanyName", "The PairLens authors"),
      StringStruct("FileDescription", "PairLens"),
      StringStruct("FileVersion", "{version}"),
      StringStruct("InternalName", "pairlens"),
      StringStruct("LegalCopyright", "The PairLens authors, Apache License 2.0"),
      StringStruct("OriginalFilename", "pairlens.exe"),
      StringStruct("ProductName", "PairLens"),
      StringStruct("ProductVersion", "{version}")])]),
    VarFileInfo([VarStruct("Translation", [0x0409, 1200])])
  ]
)
"""


def write_icon(pictures: Path, target: Path) -> str:
    """One .ico of the PNGs in ``pictures``, each size made from the next larger one there is."""
    images = {
        int(match[1]): Image.open(path).convert("RGBA")
        for path in pictures.glob("pairlens-*.png")
        if (match := re.search(r"-(\d+)\.png$", path.name))
    }
    layers = []
    for side in SIDES:
        source = images[min(one for one in images if one >= side)]
        layers.append(source.resize((side, side), Image.Resampling.LANCZOS))
    target.parent.mkdir(parents=True, exist_ok=True)
    layers[-1].save(
        target, sizes=[(side, side) for side in SIDES], append_images=layers[:-1], format="ICO"
    )
    return str(target)


def numbers(version: str) -> tuple[int, int, int, int]:
    """Windows wants four numbers: those of the version, and zeros."""
    found = [int(one) for one in re.findall(r"\d+", version)[:3]]
    first, second, third = (*found, 0, 0, 0)[:3]
    return first, second, third, 0


def write_version(version: str, target: Path) -> str:
    """The file that PyInstaller takes the program's properties from."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(VERSION.format(version=version, numbers=numbers(version)), encoding="utf-8")
    return str(target)
