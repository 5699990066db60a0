"""Asking for a new version: who is asked, when, and what is made of the answer."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from desktop import releases
from desktop.releases import NotAnsweredError, newest
from engine import __version__
from tests.fixtures.browser import choose_view, open_page
from tests.fixtures.feed import PAGE, Feed, named_in_metadata, release, running
from tests.fixtures.program import served


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def feed() -> Iterator[Feed]:
    with running(Feed()) as at:
        yield at


@pytest.mark.parametrize(
    ("version", "newer"), [("v99.1", True), ("99rc1", True), (__version__, False), ("0.0.1", False)]
)
def test_versions_are_told_apart(feed: Feed, version: str, newer: bool) -> None:
    feed.answer = release(version)
    found = newest(feed.address)
    assert found.is_newer == newer
    assert found.page == PAGE


def test_nothing_is_sent_but_the_question(feed: Feed) -> None:
    feed.answer = release("1")
    newest(feed.address)
    (sent,) = feed.asked
    assert sent["User-Agent"] == "PairLens"
    assert set(sent) == {"Accept-Encoding", "Host", "User-Agent", "Accept", "Connection"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"no json", "Expecting value"),
        (b"[]", "does not say which version"),
        (b'{"tag_name": "newest", "html_url": "https://x"}', "does not say which version"),
        (b'{"tag_name": "1"}', "does not say which version"),
        (release("1", "http://example.org"), "not secure"),
        (release("1", "javascript:alert(1)"), "not secure"),
        (b" " * (releases.MOST + 1), "too great a length"),
    ],
)
def test_an_answer_that_makes_no_sense_is_none(feed: Feed, answer: bytes, reason: str) -> None:
    feed.answer = answer
    with pytest.raises(NotAnsweredError, match=reason):
        newest(feed.address)


def test_nobody_is_asked_by_a_way_that_is_not_secure(feed: Feed) -> None:
    with pytest.raises(NotAnsweredError, match="not secure"):
        newest("http://example.org/latest")
    feed.elsewhere = "http://example.org/latest"
    with pytest.raises(NotAnsweredError, match="not secure"):
        newest(feed.address)


def test_a_place_that_refuses_or_is_not_there_is_said_so(feed: Feed) -> None:
    feed.status = 404
    with pytest.raises(NotAnsweredError, match="it answers 404"):
        newest(feed.address)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(NotAnsweredError, match="refused"):
            newest(nobody)


def test_the_place_stands_in_the_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = named_in_metadata(tmp_path, "https://example.org/latest")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    assert releases.address() == "https://example.org/latest"
    assert releases.host_of("https://example.org/latest") == "example.org"


def test_a_build_that_names_no_place_says_so_and_offers_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    assert releases.address() is None
    with served(tmp_path) as program:
        page = open_page(browser, program)
        choose_view(page, "settings")
        expect(page.locator("#about")).to_contain_text("does not know where newer versions are")
        expect(page.get_by_role("button", name="Check for a new version")).to_have_count(0)
        page.context.close()


def test_the_place_is_asked_only_after_a_click_that_names_it(
    browser: Browser, tmp_path: Path, feed: Feed
) -> None:
    meta = named_in_metadata(tmp_path / "meta", feed.address)
    paths = os.pathsep.join(filter(None, [str(meta), os.environ.get("PYTHONPATH")]))
    with served(tmp_path / "home", PYTHONPATH=paths) as program:
        page = open_page(browser, program)
        choose_view(page, "settings")
        check = page.get_by_role("button", name="Check for a new version")
        check.click()
        ask = page.locator("#pl-ask")
        expect(ask).to_contain_text("127.0.0.1 will be asked which version")
        ask.get_by_role("button", name="Leave it as it is").click()
        assert feed.asked == []

        said = page.locator("#about-newer-said")
        for answer, words in (
            (release("v99.0"), f"PairLens 99.0 is there. Get it here: {PAGE}"),
            (release(__version__), f"There is nothing newer than PairLens {__version__}."),
            (b"", "127.0.0.1 could not be asked"),
        ):
            feed.answer = answer
            check.click()
            ask.get_by_role("button", name="Ask 127.0.0.1").click()
            expect(said).to_contain_text(words)
        assert len(feed.asked) == 3
        page.context.close()
