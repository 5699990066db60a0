"""Models of other kinds in the Models view: from a folder, and from a hub on this computer."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from desktop.i18n import load_translators
from desktop.ui.other_models import OtherModels
from engine import converting
from engine.paths import resources_dir, shipped_pack_dir
from tests.fixtures.browser import box, choose_view, open_page, open_section
from tests.fixtures.foreign import make_clip
from tests.fixtures.hub import NAME, REVISION, Hub, running
from tests.fixtures.program import Served, served


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def server() -> Iterator[Hub]:
    with running(Hub({})) as made:
        yield made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def variables(hub: Hub) -> dict[str, str]:
    pack = str(shipped_pack_dir())
    return {"FAKE_MATCHER_PACK": pack, "HF_ENDPOINT": hub.address, "no_proxy": "*"}


@pytest.fixture(scope="module")
def program(home: Path, server: Hub) -> Iterator[Served]:
    with served(home, **variables(server)) as running:
        yield running


@pytest.fixture
def hub(server: Hub, clip: Path) -> Hub:
    """One that has the model, and has not been asked for anything."""
    server.files = {path.name: path.read_bytes() for path in clip.iterdir()}
    server.listing, server.card = {}, {"license": "mit"}
    server.asked.clear()
    return server


@pytest.fixture
def page(page: Page, hub: Hub, home: Path) -> Iterator[Page]:
    """On the section, open; what a test made goes with it."""
    choose_view(page, "models")
    open_section(page, "models-other")
    yield page
    hub.flowing.set()
    shutil.rmtree(home / "data" / "models", ignore_errors=True)


def status(page: Page) -> Locator:
    return page.locator("#models-status")


def question(page: Page) -> Locator:
    return status(page).locator(".pl-choice")


def ask_about(page: Page, name: str) -> None:
    page.fill(box(page, "models-typed"), name)
    page.click("#models-ask-hub")


def convert(page: Page, folder: Path) -> None:
    page.fill(box(page, "models-typed"), str(folder))
    page.click("#models-convert")


def children(process: int) -> set[int]:
    """The processes that a process has started and that still run."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state != "Z":
                parents[int(folder.name)] = int(parent)
    return {child for child, parent in parents.items() if parent == process}


def test_nobody_is_asked_for_anything_before_the_button_that_names_the_hub(
    page: Page, hub: Hub
) -> None:
    expect(page.locator("#models-ask-hub")).to_have_text("Ask 127.0.0.1 about the name")
    page.fill(box(page, "models-typed"), NAME)
    page.press(box(page, "models-typed"), "Enter")
    said = page.locator("#models-remark .pl-notice")
    expect(said).to_contain_text(f"{NAME}: there is no such folder")
    expect(said).to_contain_text("press “Ask 127.0.0.1 about the name”")
    ask_about(page, "a folder/of mine/")
    expect(said).to_contain_text("this is not the name of a model")
    page.reload()
    page.wait_for_selector("html[data-resumed]")
    assert hub.asked == []


def test_the_question_names_host_size_and_licence_and_a_no_fetches_nothing(
    page: Page, hub: Hub
) -> None:
    ask_about(page, NAME)
    size = sum(map(len, hub.files.values())) / 1e6
    expect(question(page)).to_contain_text(
        f"{NAME} is on 127.0.0.1: {size:,.0f} MB in {len(hub.files)} files."
        "Its page gives this licence: mit."
    )
    assert [path for path, _ in hub.asked] == [f"/api/models/{NAME}"]
    page.get_by_role("button", name="Don't fetch it").click()
    expect(question(page)).to_have_count(0)
    hub.card = {}
    ask_about(page, NAME)
    expect(question(page)).to_contain_text("Its page gives no licence")
    page.get_by_role("button", name="Don't fetch it").click()
    expect(question(page)).to_have_count(0)
    assert hub.fetched() == []


def test_no_event_fetches_what_no_question_on_show_is_about(page: Page, hub: Hub) -> None:
    def fetch(token: str) -> None:
        with page.expect_response(lambda answer: "/gradio_api/" in answer.url):
            page.evaluate(
                """(token) => {
                  window.pairlens.asked = { ask: "models-ask", do: "fetch", token };
                  document.querySelector("#models-ask").click();
                }""",
                token,
            )

    fetch("")
    ask_about(page, NAME)
    expect(question(page)).to_be_visible()
    seen = page.locator("[data-do=fetch]").get_attribute("data-token")
    assert seen
    fetch("0" * len(seen))
    expect(question(page)).to_be_visible()
    page.get_by_role("button", name="Don't fetch it").click()
    expect(question(page)).to_have_count(0)
    fetch(seen)  # it was answered
    assert hub.fetched() == []


def test_what_was_asked_about_is_fetched_and_becomes_a_pack_that_can_be_used(
    page: Page, hub: Hub, home: Path
) -> None:
    ask_about(page, NAME)
    expect(question(page)).to_be_visible()
    hub.listing = {"sha": "f" * 40}  # something else is uploaded meanwhile
    page.get_by_role("button", name="Fetch it", exact=True).click()
    expect(status(page)).to_contain_text("Making a model pack of someone/tiny-clip: ")
    expect(status(page)).to_contain_text("comparing it with the original", timeout=120_000)
    expect(status(page)).to_contain_text("was added. It is not in use yet.", timeout=120_000)
    expect(status(page)).to_contain_text("its percentages are an order, not probabilities")
    large = [path for path, _ in hub.asked if "/resolve/" in path]
    assert large
    assert all(f"/resolve/{REVISION}/" in path for path in large)
    assert not list((home / "cache" / "hub").rglob("*.safetensors*"))
    row = page.locator("#models-list li").filter(has_text=NAME)
    expect(row.locator(".pl-chip")).to_have_text(["Uncalibrated"])
    status(page).get_by_role("button", name="Use it").click()
    expect(row.locator(".pl-chip").first).to_have_text("In use")


def test_fetching_can_be_cancelled_while_the_hub_is_silent_and_goes_on_from_there(
    page: Page, hub: Hub, home: Path
) -> None:
    hub.flowing.clear()
    ask_about(page, NAME)
    page.get_by_role("button", name="Fetch it", exact=True).click()
    expect(status(page)).to_contain_text(f"Fetching {NAME} from 127.0.0.1: ")
    part = home / "cache" / "hub" / REVISION / "tiny-clip" / "model.safetensors.part"
    while not (part.exists() and part.stat().st_size):
        time.sleep(0.1)
    page.locator("#models-list [data-do=check]").click()
    expect(page.locator("#models-remark .pl-notice")).to_contain_text(
        "only one thing is done here at a time"
    )
    page.click("#models-cancel")
    expect(status(page)).to_contain_text("What was fetched is kept")
    expect(page.locator("#models-cancel")).to_be_hidden()
    assert part.exists()


def test_making_a_pack_of_a_folder_can_be_cancelled_and_leaves_nothing(
    page: Page, program: Served, clip: Path, home: Path
) -> None:
    convert(page, clip)
    expect(status(page)).to_contain_text("Making a model pack of tiny: reading the model…")
    page.click("#models-cancel")
    expect(status(page)).to_contain_text("Cancelled: tiny was not added.")
    assert children(program.process.pid) == set()
    expect(page.locator("#models-list li")).to_have_count(1)
    (clip.parent / "nothing").mkdir(exist_ok=True)
    convert(page, clip.parent / "nothing")
    expect(status(page).locator(".pl-notice")).to_contain_text("nor that of a model")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_the_end_of_the_program_ends_the_process_that_makes_a_pack(
    browser: Browser, hub: Hub, clip: Path, tmp_path: Path
) -> None:
    with served(tmp_path / "home", **variables(hub)) as program:
        page = open_page(browser, program)
        choose_view(page, "models")
        open_section(page, "models-other")
        convert(page, clip)
        expect(status(page)).to_contain_text("Making a model pack of tiny")
        begun = children(program.process.pid)
        assert begun
        program.process.send_signal(signal.SIGTERM)
        program.process.wait(30)
        page.context.close()
    assert [child for child in begun if Path(f"/proc/{child}").exists()] == []


def test_where_it_can_not_be_done_the_section_says_what_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    t = load_translators(resources_dir() / "locales")["en"]

    def said() -> str:
        with gr.Blocks() as blocks:
            section = OtherModels(t)
        assert not section.possible
        assert not [one for one in blocks.blocks.values() if isinstance(one, gr.Textbox)]
        return str(next(one.value for one in blocks.blocks.values() if isinstance(one, gr.HTML)))

    monkeypatch.setattr(converting, "_NEEDED", ("torch", "no_such_library"))
    assert "no_such_library is missing" in said()
    assert "pip install" in said()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert "its docs/models.md says how" in said()
