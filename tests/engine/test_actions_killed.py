"""Killed at every step of the work, photos are in their old or their new place, as journalled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine import action_files
from engine.action_journal import Journal, StepState
from engine.action_plan import Kind, Plan, plan_by_caption, plan_selection
from engine.actions import list_actions, run, undo
from engine.errors import ActionMissing
from engine.types import BatchRow
from tests.fixtures import drives
from tests.fixtures.acting import KINDS, files
from tests.fixtures.killing import killed_at

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to kill many times")

MOST_STEPS = 400


class World:
    """Two drives, one of them with photos, and what must be on them according to the journal."""

    def __init__(self, here: Path, other: Path) -> None:
        self.places = [here / "photos", here / "sorted", here / "photos" / "picked", other / "far"]
        self.roots = [here / "photos", here / "sorted", other]
        self.journal = here / "actions.sqlite"
        self.places[0].mkdir()
        self.tree: dict[Path, bytes] = {}
        self._states: dict[tuple[int, int], StepState] = {}
        self._contents = 0

    def put(self, path: Path) -> None:
        """What a user does: a new file, or new content in an old one."""
        self._contents += 1
        content = (f"photo {self._contents} " * 50).encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.tree[path] = content

    def delete(self, path: Path) -> None:
        """What a user does as well."""
        path.unlink()
        del self.tree[path]

    def plan(self, kind: Kind, photos: list[Path], into: Path) -> Plan:
        # By caption, so that there are folders to be made.
        rows = [
            BatchRow(path, f"caption {number % 2}", match=number % 3 > 0, rank=1)
            for number, path in enumerate(photos)
        ]
        return plan_by_caption(rows, into, kind, unmatched="rest")

    def run(self, plan: Plan) -> None:
        with Journal(self.journal) as journal:
            run(plan, journal)

    def act(self, kind: Kind, photos: list[Path], into: Path) -> None:
        self.run(self.plan(kind, photos, into))

    def undo(self, number: int | None = None) -> None:
        """Undo the last action, or the one that this number falls on."""
        with Journal(self.journal) as journal:
            actions = list_actions(journal)
            chosen = actions[number % len(actions)].id if number is not None and actions else None
            with suppress(ActionMissing):
                undo(journal, chosen)

    def check(self) -> None:
        """After a restart the disk is what the journal says, to the byte, and no more."""
        before = set(self.tree.values())
        with Journal(self.journal) as journal:
            for action in reversed(list_actions(journal)):
                assert action.unknown == 0
                for entry in journal.entries(action.id):
                    assert entry.state not in (StepState.PLANNED, StepState.BEGUN)
                    self._follow(entry.kind, entry.source, entry.target, entry.state, (
                        entry.action, entry.number,
                    ))  # fmt: skip
        found = {
            path: path.read_bytes()
            for root in self.roots if root.exists()
            for path in root.rglob("*") if path.is_file()
        }  # fmt: skip
        assert found == self.tree
        assert set(self.tree.values()) == before

    def _follow(
        self, kind: Kind, source: Path, target: Path, state: StepState, step: tuple[int, int]
    ) -> None:
        there = state is StepState.DONE
        was_there = self._states.get(step) is StepState.DONE
        self._states[step] = state
        if there and not was_there:
            assert target not in self.tree, "overwritten"
            self.tree[target] = self.tree[source] if kind == "copy" else self.tree.pop(source)
        elif was_there and not there:
            assert state is StepState.UNDONE
            content = self.tree.pop(target, None)  # a copy that was deleted counts as undone
            if kind == "move":
                assert content is not None
                assert source not in self.tree, "overwritten"
                self.tree[source] = content


@pytest.fixture(params=["one drive", "links", "two drives"])
def drive(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Where photos go: the same drive, the same without exclusive renaming, or another."""
    if request.param == "links":
        monkeypatch.setattr(action_files, "_exclusive_rename", lambda: None)
    if request.param == "two drives":
        with drives.another_drive(tmp_path) as other:
            yield other
    else:
        yield tmp_path


def world_of(tmp_path: Path, drive: Path, name: str) -> World:
    for folder in (tmp_path / name, drive / name / "drive"):
        folder.mkdir(parents=True, exist_ok=True)
    world = World(tmp_path / name, drive / name / "drive")
    for number in range(2):
        world.put(world.places[0] / f"{number}.jpg")
    return world


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_any_step_of_an_action(tmp_path: Path, drive: Path, kind: Kind) -> None:
    done_after = []
    for step in range(1, MOST_STEPS):
        world = world_of(tmp_path, drive, f"world{step}")
        before = dict(world.tree)
        photos, into = list(world.tree), world.places[3]
        killed = killed_at(step, lambda w=world, p=photos, i=into: w.act(kind, p, i))
        world.check()
        done_after.append(sum(path not in before for path in world.tree))
        while any(path not in before for path in world.tree):
            world.undo()
            world.check()
        assert world.tree == before
        assert not into.exists()
        if not killed:
            break
    else:
        pytest.fail("it never came to its end")
    # It was killed before, between and after both photos.
    assert done_after == sorted(done_after)
    assert set(done_after) == {0, 1, 2}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_any_step_of_undoing(tmp_path: Path, drive: Path, kind: Kind) -> None:
    undone_after = []
    for step in range(1, MOST_STEPS):
        world = world_of(tmp_path, drive, f"world{step}")
        before = dict(world.tree)
        world.act(kind, list(world.tree), world.places[3])
        world.check()
        killed = killed_at(step, world.undo)
        world.check()
        undone_after.append(2 - sum(path not in before for path in world.tree))
        world.undo()
        world.check()
        assert world.tree == before
        assert not world.places[3].exists()
        if not killed:
            break
    else:
        pytest.fail("it never came to its end")
    assert undone_after == sorted(undone_after)
    assert set(undone_after) == {0, 1, 2}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_while_an_interrupted_action_is_settled(
    tmp_path: Path, drive: Path, kind: Kind
) -> None:
    """The start after a kill may be killed as well, and the next one puts it right."""
    plain = world_of(tmp_path, drive, "count")
    photos = list(plain.tree)
    steps = 1
    while killed_at(steps, lambda: plain.act(kind, photos, plain.places[3])):
        plain.undo()
        steps += 1
    for first in range(8, steps, 3):
        for second in (12, 14, 15, 16, 18):
            world = world_of(tmp_path, drive, f"world{first}-{second}")
            before, given_photos = dict(world.tree), list(world.tree)
            assert killed_at(first, lambda w=world, g=given_photos: w.act(kind, g, w.places[3]))
            killed_at(second, lambda w=world: list_actions(Journal(w.journal)))
            world.check()
            while any(path not in before for path in world.tree):
                world.undo()
                world.check()
            assert world.tree == before
            shutil.rmtree(tmp_path / f"world{first}-{second}")


NUMBER = st.integers(0, 11)
KILL = st.none() | st.integers(14, 110)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(
            st.just("act"), st.sampled_from(KINDS), st.sets(NUMBER, min_size=1, max_size=3),
            st.integers(0, 3), st.none() | NUMBER, KILL,
        ),
        st.tuples(st.just("undo"), st.none() | NUMBER, KILL),
        st.tuples(st.sampled_from(["edit", "delete"]), st.integers(0, 5)),
        st.tuples(st.just("add"), st.integers(0, 3), st.sampled_from(["0.jpg", "1 (2).JPG"])),
    ),
    min_size=4, max_size=10,
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(OPERATIONS)
@example([("act", "copy", {0}, 1, None, None), ("edit", 0), ("undo", None, None)])
@example([("act", "copy", {0}, 1, None, None), ("delete", 1), ("undo", None, None)])
@example([("act", "copy", {0}, 3, 0, 40), ("act", "move", {0, 1}, 1, 1, 60), ("undo", 1, None)])
def test_whatever_happens_nothing_is_lost_or_overwritten(
    operations: list[tuple[object, ...]],
) -> None:
    """Any sequence of plans, runs, kills, undoings and what a user does in between."""
    with ExitStack() as stack:
        here = Path(stack.enter_context(TemporaryDirectory()))
        other = stack.enter_context(drives.another_drive(here))
        world = World(here, other)
        for number in range(3):
            world.put(world.places[0] / f"{number}.jpg")
        for operation in operations:
            perform(world, operation)
            world.check()
        assert not [path for root in (here, other) for path in root.rglob(".pairlens-*")]


def perform(world: World, operation: tuple[object, ...]) -> None:
    # What was put somewhere comes first, so that a user often changes just that.
    known = sorted(world.tree, key=lambda path: (path.parent == world.places[0], path))
    match operation:
        case ("act", "copy" | "move" as kind, set(chosen), int(place), intruder, kill) if known:
            photos = sorted({known[number % len(known)] for number in chosen})
            plan = world.plan(kind, photos, world.places[place])
            if isinstance(intruder, int) and plan.steps:
                world.put(plan.steps[intruder % len(plan.steps)].target)
            with_kill(kill, lambda: world.run(plan))
        case ("undo", action, kill):
            with_kill(kill, lambda: world.undo(action))
        case ("edit", int(number)) if known:
            world.put(known[number % len(known)])
        case ("delete", int(number)) if known:
            world.delete(known[number % len(known)])
        case ("add", int(place), str(name)):
            path = world.places[place] / name
            if path not in world.tree:
                world.put(path)


def with_kill(kill: object, work: Callable[[], None]) -> None:
    if isinstance(kill, int):
        killed_at(kill, work)
    else:
        work()


def test_a_plan_by_selection_is_killed_in_the_same_way(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"photo" * 1000)

    def work() -> None:
        with Journal(tmp_path / "actions.sqlite") as journal:
            run(plan_selection([photo], tmp_path / "sorted"), journal)

    step = 1
    while killed_at(step, work):
        with Journal(tmp_path / "actions.sqlite") as journal:
            done = sum(action.done for action in list_actions(journal))
            assert len(files(tmp_path / "sorted")) == done
            if done:
                undo(journal)
        step += 1
