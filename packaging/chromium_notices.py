"""Make licence_texts/Chromium.txt.xz: the notices of what Chromium, in Qt WebEngine, is made of.

    python packaging/chromium_notices.py resources.pak copyright

The wheel of Qt WebEngine brings none of them, and Qt leaves out Chromium's own page of credits. So
they are taken from two others, of versions as near as can be had: the page of credits in Debian's
chromium, and the file "copyright" of Debian's qt6-webengine, which also names what Debian's
chromium takes from the system. Run by hand when Qt WebEngine changes its Chromium; the build only
unpacks.
"""

from __future__ import annotations

import gzip
import html
import lzma
import re
import struct
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import brotli

NOTICES = Path(__file__).resolve().parent / "licence_texts" / "Chromium.txt.xz"
PRODUCT = re.compile(
    r'<span class="title">(?P<name>.*?)</span>\s*<span class="homepage"><a href="(?P<home>.*?)">'
    r".*?<pre>(?P<text>.*?)</pre>",
    re.DOTALL,
)
# What was given to it the last time.
CREDITS = "Debian's chromium 150.0.7871.100-1~deb12u1"
LISTED = "Debian's qt6-webengine 6.11.2+dfsg-4"
HEADER = f"""\
What Chromium, the web engine in Qt WebEngine, is made of
=========================================================

The copyright notices and licences of the parts that Chromium takes from others. Two lists, since
none comes with the very version that is in the program: Chromium's own page of credits, as it is in
{CREDITS}, and below it the list for the source of
{LISTED}. Not everything listed is part of every build.
"""
LINE = "=" * 78


def resources(pak: bytes) -> Iterator[bytes]:
    """Every resource of a .pak file (version 5), unpacked.

    Raises:
        ValueError: it is of another version.
    """
    version, _encoding, count, _aliases = struct.unpack("<IB3xHH", pak[:12])
    if version != 5:
        raise ValueError(f"a .pak file of version {version}; this reads version 5")
    places = [struct.unpack("<HI", pak[at : at + 6])[1] for at in range(12, 18 + 6 * count, 6)]
    for start, end in pairwise(places):
        packed = pak[start:end]
        if packed.startswith(b"\x1e\x9b"):
            # Two bytes to know it by, and six for its length.
            yield brotli.decompress(packed[8:])
        elif packed.startswith(b"\x1f\x8b"):
            yield gzip.decompress(packed)
        else:
            yield packed


def credited(pak: bytes) -> list[tuple[str, str, str]]:
    """(name, home page, text) of all that the page of credits lists.

    Raises:
        ValueError: there is no such page.
    """
    for resource in resources(pak):
        if b"<title>Credits</title>" in resource:
            page = resource.decode("utf-8")
            found = [
                (html.unescape(one["name"]), one["home"], html.unescape(one["text"]).strip())
                for one in PRODUCT.finditer(page)
            ]
            if len(found) == page.count('<div class="product">'):
                return found
            raise ValueError("the page of credits has another form than this reads")
    raise ValueError("no page of credits is in it")


def written(parts: list[tuple[str, str, str]], listed: str) -> str:
    """The whole text; what is the same word for word is there once."""
    lines = [HEADER]
    first: dict[str, str] = {}
    for name, home, text in parts:
        said = text
        if first.setdefault(text, name) != name:
            said = f"The text is the one given with {first[text]}."
        lines += [LINE, name, home, LINE, "", said, ""]
    lines += [LINE, f"The list of {LISTED}", LINE, "", listed]
    return "\n".join(lines)


def main() -> None:
    """Write it anew from a resources.pak and a file "copyright"."""
    pak, listed = (Path(name) for name in sys.argv[1:])
    text = written(credited(pak.read_bytes()), listed.read_text(encoding="utf-8"))
    NOTICES.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    sys.stdout.write(f"{NOTICES}: {len(text) / 1e6:.1f} MB, packed {NOTICES.stat().st_size}\n")


if __name__ == "__main__":
    main()
