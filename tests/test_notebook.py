"""The notebook of the tutorial runs in a kernel, and says what the page says."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
nbformat: Any = pytest.importorskip("nbformat")

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """docs/notebook.py, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("notebook_tool", DOCS / "notebook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "tutorial.md").read_text("utf-8")


def test_the_notebook_is_that_of_the_page(tool: ModuleType, page: str) -> None:
    """``python docs/notebook.py`` writes it anew."""
    stored = nbformat.read(DOCS / "tutorial.ipynb", as_version=4)
    nbformat.validate(stored)
    made = tool.notebook_of(page)
    assert [(c.cell_type, c.source) for c in stored.cells] == [
        (c.cell_type, c.source) for c in made.cells
    ]
    assert all(cell.outputs is not None for cell in stored.cells if cell.cell_type == "code")


@pytest.fixture
def _stdin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty input: IPython asks for the encoding of the one it finds, which may be closed."""
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        yield


@pytest.mark.unsanitized
@pytest.mark.usefixtures("_stdin")
def test_it_runs_and_prints_what_the_page_shows(tool: ModuleType, page: str) -> None:
    pytest.importorskip("matplotlib")
    stored = nbformat.read(DOCS / "tutorial.ipynb", as_version=4)
    done = tool.executed(tool.notebook_of(page))
    code = [cell for cell in done.cells if cell.cell_type == "code"]
    kept = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [tool.printed(cell) for cell in code] == [tool.printed(cell) for cell in kept]
    parts = tool.cells_of(page)
    shown = [
        parts[place + 1][1]
        if parts[place + 1 : place + 2] and parts[place + 1][0] == "text"
        else ""
        for place, (kind, _) in enumerate(parts)
        if kind == "python"
    ]
    assert [tool.printed(cell) for cell in code] == shown
    rich = [output.data for cell in code for output in cell.outputs if "data" in output]
    assert any("text/html" in data for data in rich)  # the result as a table
    assert any("image/png" in data for data in rich)  # and as a picture
