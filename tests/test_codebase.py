"""Checks of the codebase itself: what reviewers would otherwise have to remember."""

from __future__ import annotations

import ast
import inspect
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast import _core

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for folder, pattern in (
        ("kpm_fast", "**/*.py*"),
        ("csrc", "**/*.?pp"),
        ("benchmarks", "*.py"),
        ("fuzz", "**/*.?pp"),
        ("fuzz", "*.py"),
        ("stress", "*.py"),
        ("tests", "**/*.py"),
    )
    for path in (ROOT / folder).glob(pattern)
    if path.suffix in {".py", ".pyi", ".cpp", ".hpp"}
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 500
    assert max(map(len, lines), default=0) <= 100


def test_versions_agree() -> None:
    assert kpm.__version__ == version("kpm-fast")
    assert kpm.__version__ in _core.build_info().values()


def test_everything_public_exists_and_is_documented() -> None:
    for name in kpm.__all__:
        item = getattr(kpm, name)
        assert name == "__version__" or inspect.getdoc(item), name


def test_stub_and_core_have_the_same_names() -> None:
    """Functions and classes, but for the dictionaries' types."""
    tree = ast.parse((ROOT / "kpm_fast" / "_core.pyi").read_text(encoding="utf-8"))
    stated = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        or (isinstance(node, ast.ClassDef) and "TypedDict" not in map(ast.unparse, node.bases))
    }
    compiled = {
        name for name in dir(_core) if callable(getattr(_core, name)) and not name.startswith("_")
    }
    assert compiled == stated


@pytest.mark.parametrize("name", ["Clearing", "CellSolution"])
def test_the_core_returns_what_the_stub_says(name: str) -> None:
    """Every key, and no other."""
    tree = ast.parse((ROOT / "kpm_fast" / "_core.pyi").read_text(encoding="utf-8"))

    def keys(stated: str) -> set[str]:
        return next(
            {ast.unparse(item.target) for item in node.body if isinstance(item, ast.AnnAssign)}
            for node in tree.body
            if isinstance(node, ast.ClassDef) and node.name == stated
        )

    payoffs, half = np.eye(2), np.full(2, 0.5)
    book = (
        np.array([0]),
        np.array([1], dtype=np.int8),
        np.array([0.4]),
        np.array([1.0]),
    )
    market = (payoffs, half, np.zeros(2), 1.0, 0.1)
    if name == "CellSolution":
        answer = _core.solve_cell(*market, *book, np.array([1, 0]), 1e-9, 100).to_dict()
    else:
        settings = ("pro_rata", "branch-and-bound", 1e-9, 1, np.inf, 0, True, True, True)
        answer = _core.clear(*market, *book, None, *settings, None)
        assert set(answer["certificate"]) == keys("Certificate")
    assert set(answer) == keys(name)


def test_the_package_is_typed() -> None:
    folder = Path(kpm.__file__).parent
    assert (folder / "py.typed").is_file()
    assert (folder / "_core.pyi").is_file()
