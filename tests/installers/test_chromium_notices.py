"""The notices of Chromium's parts, from a page of credits made up for it."""

from __future__ import annotations

import gzip
import struct

import brotli
import chromium_notices
import pytest

PRODUCT = """<div class="product">
<span class="title">{name}</span>
<span class="homepage"><a href="https://{name}.example">homepage</a></span>
<label class="show" tabindex="0"></label>
<div class="license">
<pre>{text}</pre>
</div></div>"""


def pak(*resources: bytes) -> bytes:
    head, at = struct.pack("<IB3xHH", 5, 1, len(resources), 0), 12 + 6 * (len(resources) + 1)
    for number, content in enumerate((*resources, b"")):
        head += struct.pack("<HI", number, at)
        at += len(content)
    return head + b"".join(resources)


def credits(*products: tuple[str, str]) -> bytes:
    page = "".join(PRODUCT.format(name=name, text=text) for name, text in products)
    packed = brotli.compress(f"<title>Credits</title>{page}".encode())
    return b"\x1e\x9b" + bytes(6) + packed


def test_what_the_page_of_credits_says_is_read_as_text() -> None:
    pages = (b"plain", gzip.compress(b"packed"), credits(("skia", "A &amp; B\n"), ("png", "C")))
    assert chromium_notices.credited(pak(*pages)) == [
        ("skia", "https://skia.example", "A & B"), ("png", "https://png.example", "C"),
    ]  # fmt: skip


def test_a_part_that_can_not_be_read_is_not_left_out_in_silence() -> None:
    page = (
        brotli.decompress(credits(("skia", "A"))[8:])
        + b'<div class="product">of another form</div>'
    )
    with pytest.raises(ValueError, match="another form"):
        chromium_notices.credited(pak(gzip.compress(page)))
    with pytest.raises(ValueError, match="no page of credits"):
        chromium_notices.credited(pak(b"plain"))


def test_the_same_text_is_written_once() -> None:
    text = chromium_notices.written(
        [("one", "https://one.example", "LICENCE"), ("two", "https://two.example", "LICENCE")],
        "of Debian",
    )
    assert text.count("LICENCE") == 1
    assert "The text is the one given with one." in text
    assert text.endswith("of Debian")
