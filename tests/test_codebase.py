"""Checks of the codebase itself: what reviewers would otherwise have to remember."""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast import _core
from kpm_fast.clearing.settings import ClearSettings

pytestmark = pytest.mark.unsanitized

ROOT = Path(__file__).resolve().parent.parent
FORMATTED = {".py", ".pyi", ".cpp", ".hpp", ".h"}
_FOLDERS = ("benchmarks", "csrc", "docs", "examples", "fuzz", "kpm_fast", "stress", "tests")
SOURCES = sorted(
    path
    for folder in _FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {*FORMATTED, ".c", ".pyx", ".pxd"}
)
SOURCES += [ROOT / "setup.py", *sorted((ROOT / ".ci").glob("*"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 500
    if path.suffix in FORMATTED and "embedding" not in path.parts:  # those are not formatted
        assert max(map(len, lines), default=0) <= 100


PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "examples/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_of_prose_stay_short(page: Path) -> None:
    """Tables, code and pictures cannot be broken."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    prose = [line for line in text.splitlines() if not line.startswith(("|", "![", "    "))]
    assert [line for line in prose if len(line) > 120] == []


def test_eigen_comes_with_the_storage_that_allocates_first() -> None:
    including = [
        path.name
        for path in SOURCES
        if path.suffix in {".cpp", ".hpp"}
        and re.search(r"#include <Eigen/(Core|Dense|Eigen)>", path.read_text(encoding="utf-8"))
    ]
    assert including == ["dense_storage.hpp"]


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
        settings = ClearSettings(certificate=True).core
        answer = _core.clear(*market, *book, None, settings, None, None)
        assert set(answer["certificate"] or ()) == keys("Certificate")
        assert set(answer["stats"].to_dict()) == keys("Statistics")
    assert set(answer) == keys(name)


def test_the_package_is_typed() -> None:
    folder = Path(kpm.__file__).parent
    assert (folder / "py.typed").is_file()
    assert (folder / "_core.pyi").is_file()


# -- dependencies --------------------------------------------------------------------------------


def layers(chain: str) -> dict[str, int]:
    """The rank of each layer of the chain in docs/architecture.md that starts with a given name."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found = re.search(rf"^{chain}\b.* < .*$", page, re.MULTILINE)
    assert found is not None, chain
    return {
        name.strip(): rank
        for rank, names in enumerate(found[0].split(" < "))
        for name in names.split(",")
    }


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, wherever in it: lazily, or for types only."""
    package = path.relative_to(ROOT).parent.parts
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {item.name for item in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            for item in node.names:
                inside = ROOT / source.replace(".", "/") / item.name
                module = inside.with_suffix(".py").exists() or (inside / "__init__.py").exists()
                found.add(f"{source}.{item.name}" if module or item.name == "_core" else source)
    return {name for name in found if name.split(".")[0] == "kpm_fast"}


def test_python_layers_know_only_those_below() -> None:
    rank = layers("errors")
    used = set()
    for path in sorted((ROOT / "kpm_fast").rglob("*.py")):
        if path == ROOT / "kpm_fast" / "__init__.py":
            continue
        layer = path.relative_to(ROOT / "kpm_fast").with_suffix("").parts[0]
        if path.name == "__main__.py":  # also that of a package within: it starts the command
            layer = "__main__"
        used.add(layer)
        for name in imports(path):
            assert name != "kpm_fast", f"{path} imports the package it is part of"
            other = name.split(".")[1]
            if other == "_core":
                assert layer in {"clearing", "engine", "model"}, path
            elif other != layer:
                assert rank[other] < rank[layer], f"{path} imports {name}"
    assert used == set(rank)


def test_python_files_import_in_no_circle() -> None:
    graph = {}
    for path in (ROOT / "kpm_fast").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        name = module.removesuffix(".__init__")
        graph[name] = imports(path) - {name}
    list(TopologicalSorter(graph).static_order())  # raises CycleError, naming the circle


def includes(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    return set(re.findall(r'^#include "([^"]+)"', text, re.MULTILINE))


def places() -> dict[tuple[str, ...], tuple[int, int]]:
    """The rank of each folder of the core, and of its sub-folders: its own files come first."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found: dict[tuple[str, ...], tuple[int, int]] = {
        (folder,): (rank, 0) for folder, rank in layers("kpm").items()
    }
    for folder, chain in re.findall(r"^(\w+)/: (.*)$", page, re.MULTILINE):
        for rank, names in enumerate(chain.split(" < "), 1):
            for name in names.split(","):
                found[folder, name.strip()] = found[(folder,)][0], rank
    return found


def test_cpp_layers_know_only_those_below() -> None:
    rank = places()
    used = {("kpm",), ("c",), ("python",)}
    for path in sorted((ROOT / "csrc" / "src").rglob("*.?pp")):
        place = path.relative_to(ROOT / "csrc" / "src").parent.parts
        used.add(place)
        for name in includes(path):
            other = tuple(name.split("/")[:-1])
            assert other == place or rank[other] < rank[place], f"{path} includes {name}"
    for face in ("c", "python"):  # of their own files, and of the core what is public
        for path in sorted((ROOT / "csrc" / face).rglob("*.?pp")):
            others = {name for name in includes(path) if not name.startswith("kpm/")}
            assert all((path.parent / name).is_file() for name in others), path
    assert used == set(rank)


def test_cpp_files_include_in_no_circle() -> None:
    """A header and its source count as one: neither may need what needs the other."""
    graph: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "csrc" / "src").rglob("*.?pp"):
        name = path.relative_to(ROOT / "csrc" / "src").with_suffix("").as_posix()
        graph[name] |= {other.rpartition(".")[0] for other in includes(path)} - {name}
    list(TopologicalSorter(graph).static_order())


def test_python_s_own_headers_are_included_by_the_binding_only() -> None:
    for path in (ROOT / "csrc" / "src").rglob("*.?pp"):
        assert "pybind11" not in path.read_text(encoding="utf-8"), path


def test_cpp_tests_draw_the_same_numbers_on_every_machine() -> None:
    """By test::Random alone: Eigen's draws are the C library's, and depend on which tests ran."""
    for path in (ROOT / "csrc" / "tests").rglob("*.?pp"):
        assert not re.search(r"::(setRandom|Random\(|rand\b)", path.read_text()), path


def test_modules_of_tests_have_one_name() -> None:
    """Under another, a module is loaded twice; any installed package may be called ``tests``.

    Nor do tests import each other: what several need is a module of ``support``, without tests.
    """
    tests, support = ROOT / "tests", ROOT / "tests" / "support"
    assert all(path.name.startswith(("test_", "conftest.")) for path in tests.glob("*.py"))
    assert not any("def test_" in path.read_text("utf-8") for path in support.glob("*.py"))
    for path in [*tests.glob("*.py"), *support.glob("*.py")]:
        found = re.findall(
            r"^\s*(?:from|import) (?:tests\b|test_|\.).*", path.read_text("utf-8"), re.M
        )
        assert found == [], path


def test_what_tests_a_wheel_imports_nothing_that_is_not_beside_it() -> None:
    """By the keys of cibuildwheel, which `.ci/wheel-tests` reads, too."""
    keys = (ROOT / "pyproject.toml").read_text("utf-8")
    sources = ast.literal_eval(re.search(r"^test-sources = (.*)$", keys, re.M)[1])
    mark = re.search(r'^test-command = ".* -m (\w+)\b', keys, re.M)[1]
    absent = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"kpm_fast", *sources}
    tested = [path for path in (ROOT / "tests").glob("*.py") if mark in path.read_text("utf-8")]
    assert len(tested) > 10
    support = [*(ROOT / "tests" / "support").glob("*.py")]
    for path in [*tested, *support]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [item.name for item in node.names] if isinstance(node, ast.Import) else []
            assert absent.isdisjoint(name.split(".")[0] for name in names), path
