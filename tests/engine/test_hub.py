"""Fetching a model from a hub, which in these tests is on this computer."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import cli
from engine.errors import (
    HubModelClosed,
    HubModelUnusable,
    HubUnreachable,
    PacksBusy,
)
from engine.hub import drop_unfinished, fetched, look_up, unfinished_size
from engine.paths import cache_dir, packs_dir
from tests.fixtures.hub import NAME, REVISION, Hub, running

WEIGHTS = bytes(range(256)) * 20_000
WANTED = {
    "config.json": b'{"model_type": "clip"}',
    "preprocessor_config.json": b"{}",
    "tokenizer.json": b'{"version": "1.0"}',
    "README.md": b"---\nlicense: mit\n---\n",
    "model.safetensors": WEIGHTS,
}
OTHERS = {
    ".gitattributes": b"",
    "pytorch_model.bin": b"pickle",
    "modeling_clip.py": b"print()",
    "open_clip_model.safetensors": WEIGHTS,
    "onnx/model.onnx": b"graph",
    "weights.pt": b"pickle",
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running(Hub({**OTHERS, **WANTED})) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        # A proxy of the machine that runs the tests would be asked for this computer.
        monkeypatch.setenv("no_proxy", "*")
        # As the window sets it: asking by name goes before it.
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        yield made


def fetch() -> dict[str, bytes]:
    """What is in the folder."""
    with fetched(look_up(NAME)) as folder:
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def kept() -> list[str]:
    """What is left in the cache of models."""
    place = cache_dir() / "hub"
    return sorted(
        path.name for path in place.rglob("*") if path.is_file() and path.suffix != ".lock"
    )


def test_only_what_converting_needs_is_fetched_and_it_goes_afterwards(hub: Hub) -> None:
    offer = look_up(NAME)
    assert (offer.revision, offer.licence, offer.host) == (REVISION, "mit", "127.0.0.1")
    assert offer.size == sum(map(len, WANTED.values()))
    told: list[tuple[int, int]] = []
    with fetched(offer, lambda done, total: told.append((done, total))) as folder:
        assert folder.name == "tiny-clip"
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == WANTED
    assert set(hub.fetched()) == set(WANTED)
    assert told[-1] == (5, 5)
    assert told == sorted(told)
    assert kept() == []


def test_weights_in_parts_are_fetched_with_their_list(hub: Hub) -> None:
    del hub.files["model.safetensors"]
    parts = {
        "model-00001-of-00002.safetensors": b"first",
        "model-00002-of-00002.safetensors": b"second",
        "model.safetensors.index.json": b"{}",
    }
    hub.files |= parts
    assert {name: content for name, content in fetch().items() if name in parts} == parts


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_what_differs_from_its_checksum_is_not_kept(hub: Hub, name: str) -> None:
    entry = next(each for each in hub.answer()["siblings"] if each["rfilename"] == name)
    wrong = "0" * 64
    hub.claims[name] = (
        {"lfs": {**entry["lfs"], "sha256": wrong}} if "lfs" in entry else {"blobId": wrong[:40]}
    )
    with pytest.raises(HubModelUnusable, match=f"{name} has another checksum"):
        fetch()
    assert not {name, f"{name}.part"} & set(kept())


def test_a_file_that_is_longer_than_listed_is_not_kept(hub: Hub) -> None:
    hub.claims["model.safetensors"] = {"size": len(WEIGHTS) - 1}
    with pytest.raises(HubModelUnusable, match=r"model.safetensors is longer"):
        fetch()
    assert not any("safetensors" in name for name in kept())


@pytest.mark.parametrize(
    ("name", "claim", "said"),
    [
        ("model.safetensors", {"size": 9_000_000_000}, "9.0 GB"),
        ("tokenizer.json", {"size": 65_000_000}, "tokenizer.json has 65 MB"),
        ("tokenizer.json", {"size": -1}, "how large tokenizer.json is"),
        ("tokenizer.json", {"blobId": None}, "no checksum for tokenizer.json"),
        ("model.safetensors", {"lfs": {"sha256": "abc"}}, "no checksum for model.safetensors"),
    ],
)
def test_a_listing_that_can_not_be_trusted_is_refused_before_anything_is_fetched(
    hub: Hub, name: str, claim: dict[str, Any], said: str
) -> None:
    hub.claims[name] = claim
    with pytest.raises(HubModelUnusable, match=said):
        fetch()
    assert hub.fetched() == []


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        ({"sha": "../../etc"}, "which version"),
        ({"siblings": None}, "which files"),
        ({"siblings": [{"rfilename": 3}, "config.json"]}, r"no config\.json"),
        ({"cardData": {"x": "y" * (1 << 20)}}, "larger than"),
    ],
)
def test_an_answer_of_another_make_is_refused(hub: Hub, listing: dict[str, Any], said: str) -> None:
    hub.listing = listing
    with pytest.raises(HubModelUnusable, match=said):
        look_up(NAME)


def test_weights_that_could_hold_programs_are_not_taken(hub: Hub) -> None:
    del hub.files["model.safetensors"], hub.files["open_clip_model.safetensors"]
    with pytest.raises(HubModelUnusable, match="no weights as safetensors"):
        fetch()
    assert hub.fetched() == []


def test_a_file_that_is_listed_but_missing_is_named(hub: Hub) -> None:
    hub.refused["/config.json"] = 404
    with pytest.raises(HubModelUnusable, match=r"config\.json is listed, but not there"):
        fetch()


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"/{NAME}", 401), (f"/{NAME}", 403), (f"/{NAME}", 404), ("/model.safetensors", 403)],
)
def test_a_model_that_is_not_open_to_all_is_refused_with_what_to_do(
    hub: Hub, path: str, status: int
) -> None:
    hub.refused[path] = status
    with pytest.raises(HubModelClosed, match="import the folder"):
        fetch()


def test_a_gated_model_is_known_by_its_listing(hub: Hub) -> None:
    hub.listing = {"gated": "auto"}
    with pytest.raises(HubModelClosed):
        look_up(NAME)
    assert hub.fetched() == []


def test_a_server_in_trouble_and_no_server_are_both_said(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.refused[f"/{NAME}"] = 503
    with pytest.raises(HubUnreachable, match="it answers 503"):
        look_up(NAME)
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(HubUnreachable, match="refused"):
            look_up(NAME)
    monkeypatch.setenv("HF_ENDPOINT", "huggingface.co")
    with pytest.raises(HubModelUnusable):
        look_up(NAME)


@pytest.mark.parametrize("ranges", [True, False], ids=["a part", "all of it again"])
def test_what_was_cut_off_goes_on_where_it_stopped(hub: Hub, ranges: bool) -> None:
    hub.cut = 3_000_000
    with pytest.raises(HubUnreachable, match="cut off"):
        fetch()
    assert "model.safetensors.part" in kept()
    hub.cut, hub.ranges = None, ranges
    hub.asked.clear()

    assert fetch() == WANTED

    assert hub.fetched() == ["model.safetensors"]  # the others are there
    (asked,) = [asked for path, asked in hub.asked if path.startswith("/cdn/")]
    assert asked is not None
    assert int(asked.removeprefix("bytes=").rstrip("-")) > 0


def test_what_was_left_is_dropped_when_another_model_is_fetched(hub: Hub) -> None:
    hub.cut = 10
    with pytest.raises(HubUnreachable):
        fetch()
    hub.cut, hub.listing = None, {"sha": "f" * 40}
    with pytest.raises(HubModelUnusable, match="listed, but not there"):
        fetch()  # this server knows no such version
    assert "model.safetensors.part" not in kept()


class Stop(Exception):
    """Raised by whoever has had enough."""


def test_what_is_stopped_goes_on_where_it_was_and_what_is_whole_is_not_fetched_again(
    hub: Hub,
) -> None:
    offer = look_up(NAME)

    def stop(done: int, total: int) -> None:
        if done > 2:
            raise Stop

    with pytest.raises(Stop), fetched(offer, stop):
        pass
    assert "model.safetensors.part" in kept()
    with pytest.raises(Stop), fetched(offer):  # while a pack is made of it
        raise Stop
    assert set(kept()) == set(WANTED)
    hub.asked.clear()
    assert fetch() == WANTED
    assert hub.fetched() == []
    assert kept() == []


def test_what_was_left_can_be_dropped_but_not_while_it_is_being_fetched(hub: Hub) -> None:
    assert unfinished_size() == 0
    drop_unfinished()
    offer = look_up(NAME)
    with fetched(offer), pytest.raises(PacksBusy):
        drop_unfinished()
    with pytest.raises(Stop), fetched(offer):
        raise Stop
    assert unfinished_size() == offer.size
    drop_unfinished()
    assert unfinished_size() == 0
    assert kept() == []


@pytest.mark.parametrize("elsewhere", ["ftp://127.0.0.1/weights", "file:///etc/hostname"])
def test_no_other_way_is_taken_to_a_file(hub: Hub, elsewhere: str) -> None:
    hub.elsewhere = elsewhere
    with pytest.raises(HubModelUnusable, match="not secure"):
        fetch()


def test_one_fetches_at_a_time(hub: Hub) -> None:
    offer = look_up(NAME)
    with fetched(offer), pytest.raises(PacksBusy), fetched(offer):
        pass


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ({"license": "mit\x1b[31m\n\u202e"}, "mit[31m"),
        ({"license": "other", "license_name": "own-terms"}, "own-terms"),
        ({"license": ["mit", 3, "apache-2.0"]}, "mit, apache-2.0"),
        ({"license": "x" * 5000}, "x" * 100),
        ({}, ""),
        (None, ""),
    ],
)
def test_a_licence_is_one_line_of_plain_text(hub: Hub, card: Any, licence: str) -> None:
    hub.card = card
    assert look_up(NAME).licence == licence


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def pairlens_import(*words: str) -> int:
    return cli.main(["models", "import", NAME, *words])


def test_nothing_is_asked_of_a_hub_without_the_flag(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pairlens_import() == 2
    assert f"pairlens models import {NAME} --download" in capsys.readouterr().err
    assert hub.asked == []


@pytest.mark.parametrize("typed", [None, "\n", "n\n", "no\n", ""])
def test_nothing_is_fetched_without_a_yes(
    hub: Hub, typed: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n") if typed is None else Terminal(typed))
    assert pairlens_import("--download") == 2
    said = capsys.readouterr().err
    assert f"{NAME} is on 127.0.0.1: 5 MB in 5 files." in said
    assert "licence: mit." in said
    assert ("nobody to ask" in said) == (typed is None)
    assert hub.fetched() == []


@pytest.mark.parametrize(("words", "typed"), [(["--yes"], ""), ([], "y\n")])
def test_after_a_yes_the_folder_is_converted(
    hub: Hub,
    words: list[str],
    typed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert pairlens_import("--download", *words) == 2
    assert set(hub.fetched()) == set(WANTED)
    # The files are no model that could be converted.
    assert "tiny-clip: " in capsys.readouterr().err
    assert kept() == []
    assert not any(path.is_dir() for path in packs_dir().iterdir())


def test_a_folder_goes_before_a_name(hub: Hub, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / NAME).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert pairlens_import("--download", "--yes") == 2
    assert hub.asked == []
