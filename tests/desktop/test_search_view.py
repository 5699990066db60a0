"""What the Search view shows when, and keeps in memory of the library searched last."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from desktop.ui.search import SearchView
from desktop.workbench import Search, Workbench
from engine.errors import FolderMissing
from engine.index import Library, index_folder
from engine.paths import libraries_dir
from engine.query import Query
from tests.fixtures.coloured import coloured_photo
from tests.fixtures.fake_matcher import FakeMatcher
from tests.fixtures.workbench import workbench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    made = workbench(tmp_path)
    made.matcher.start()
    yield made
    made.keeper.close()
    made.jobs.close()


@pytest.fixture
def view(bench: Workbench) -> SearchView:
    with gr.Blocks():
        return SearchView(bench, bench.translator())


def folder_of(place: Path, *colours: str) -> Path:
    for colour in colours:
        coloured_photo(place / f"{colour}.png", colour)
    index_folder(place, FakeMatcher())
    return place


def found(view: SearchView, bench: Workbench, folder: Path) -> list[str]:
    """Photos that fit "red", by a search as the window makes it."""
    view._run(Search(str(folder), folder, None, Query("red", folder=folder), 20))
    assert bench.search is not None
    assert bench.search.result is not None
    return [hit.photo.stem for hit in bench.search.result.results]


def in_memory(bench: Workbench, folder: Path) -> weakref.ref[np.ndarray]:
    """Embeddings that are kept of a library."""
    library = Library.find(folder, bench.resident)
    assert library is not None
    model = bench.matcher.get().model_id
    with closing(library), closing(library.snapshot(None, model)) as snapshot:
        kept = bench.resident.embeddings(snapshot, bench.resident.rows(snapshot, model))
        return weakref.ref(kept.pieces[0])


def test_the_end_of_an_indexing_is_shown_once_so_that_no_late_look_undoes_what_came_since(
    view: SearchView, bench: Workbench, tmp_path: Path
) -> None:
    folder = tmp_path / "trip"
    coloured_photo(folder / "red.png", "red")
    view._run(Search(str(folder), folder, None, Query("red", folder=folder), 20))
    job = bench.keeper.asked
    assert job is not None
    job.wait()
    shown = view._follow(0)
    assert "red.png" in shown[view._gallery]

    view._no_answer(FolderMissing(path=tmp_path / "gone"))
    late = view._follow(shown[view._told])

    assert set(late) == {view._timer}
    assert bench.search is None


def test_the_next_search_finds_the_embeddings_in_memory(
    view: SearchView, bench: Workbench, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path / "trip", "red", "blue")
    first = found(view, bench, folder)
    # Behind the back of the program, which counts what it changes.
    (file,) = libraries_dir().glob("*.sqlite")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE features SET embedding = zeroblob(length(embedding))")

    assert found(view, bench, folder) == first
    bench.resident.clear()
    assert found(view, bench, folder) == []


def test_what_was_indexed_in_between_is_found(
    view: SearchView, bench: Workbench, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path / "trip", "blue")
    assert found(view, bench, folder) == []

    folder_of(folder, "red")

    assert found(view, bench, folder)[0] == "red"


def test_the_memory_of_a_library_is_free_when_another_is_searched(
    view: SearchView, bench: Workbench, tmp_path: Path
) -> None:
    one, two = (folder_of(tmp_path / name, "red") for name in ("one", "two"))
    found(view, bench, one)
    kept = in_memory(bench, one)
    assert kept() is not None

    found(view, bench, two)

    assert kept() is None


def test_the_memory_of_a_deleted_library_is_free(
    view: SearchView, bench: Workbench, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path / "trip", "red")
    found(view, bench, folder)
    kept = in_memory(bench, folder)

    view._delete("trip", "trip")

    assert kept() is None
    assert not list(libraries_dir().glob("*.sqlite"))
