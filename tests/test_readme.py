"""Code in the documentation runs, and prints what the pages say."""

from __future__ import annotations

import contextlib
import csv
import inspect
import io
import re
import shlex
import shutil
from pathlib import Path

import pytest

import kpm_fast as kpm
from kpm_fast.cli import command as cli

pytestmark = pytest.mark.unsanitized

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "examples" / "README.md", *sorted(ROOT.glob("docs/*.md"))]


def blocks(page: Path, *languages: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return [text for language, text in found if language in languages]


def commands(page: Path) -> list[list[str]]:
    """The kpm-fast commands in the code blocks of a page."""
    lines = [line for text in blocks(page, "", "sh") for line in text.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [shlex.split(part)[1:] for part in parts if part.startswith("kpm-fast ")]


def test_the_example_prints_what_the_readme_says() -> None:
    (code,) = blocks(ROOT / "README.md", "python")
    (expected,) = blocks(ROOT / "README.md", "text")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == expected


@pytest.mark.parametrize(
    "name",
    [
        "ambiguity.md",
        "embedding.md",
        "engine.md",
        "makers.md",
        "mechanisms.md",
        "pictures.md",
        "reference.md",
        "scaling.md",
        "tutorial.md",
    ],
)
def test_examples_of_pages_print_what_they_say(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page's blocks of Python run as one program, whose output is its blocks of text."""
    if name == "pictures.md":
        pytest.importorskip("matplotlib")
    if name == "embedding.md":
        pytest.importorskip("numba")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / name
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile("\n".join(blocks(page, "python")), name, "exec"), {})
    assert printed.getvalue() == "".join(blocks(page, "text"))


def test_the_tutorial_s_folder_clears_as_its_python_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files that the page shows, the command below them, and the fill that Python printed."""
    page = ROOT / "docs" / "tutorial.md"
    (tmp_path / "match").mkdir()
    files = {"claim": "claims.csv", "state": "states.csv", "ref": "orders.csv"}
    for text in (text for text in blocks(page, "") if text.partition(",")[0] in files):
        (tmp_path / "match" / files.pop(text.partition(",")[0])).write_text(text, "utf-8")
    assert not files
    (maker,) = blocks(page, "json")
    (tmp_path / "match" / "market.json").write_text(maker, "utf-8")
    monkeypatch.chdir(tmp_path)
    (command,) = blocks(page, "bash")
    with contextlib.redirect_stdout(io.StringIO()):
        assert cli.main(shlex.split(command.replace("\\\n", " "))[1:]) == 0
    with (tmp_path / "results" / "orders.csv").open(encoding="utf-8", newline="") as file:
        eve, fay = csv.DictReader(file)
    (said,) = (text for text in blocks(page, "text") if text.startswith("eve: "))
    assert said.startswith(f"eve: bought {float(eve['fill']):.6g} of 10 'draw' at 0.33;")
    assert float(fay["fill"]) == 5.0


def test_the_example_is_short() -> None:
    (code,) = blocks(ROOT / "README.md", "python")
    assert len([line for line in code.splitlines() if line]) <= 13


def test_the_readme_has_the_two_commands() -> None:
    first, second = blocks(ROOT / "README.md", "sh")
    assert first == "pip install . && kpm-fast clear examples/race_card\n"
    assert second == "pip install -e '.[test]' && python -m pytest -n auto\n"
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (extra,) = re.findall(r"^test = \[(.*?)^\]", project, re.DOTALL | re.MULTILINE)
    for needed in ("pytest", "pytest-xdist"):  # the latter takes -n
        assert re.search(rf'"{needed}[>"]', extra), needed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    for words in commands(page):
        with contextlib.redirect_stdout(io.StringIO()):
            assert cli.main(words) == 0, words


def test_every_public_name_is_on_a_page() -> None:
    """Not only in the generated reference: functions, classes, their methods and properties."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    names = set(kpm.__all__) | set(kpm.plot.__all__)
    for item in map(vars(kpm).get, kpm.__all__):
        if inspect.isclass(item):
            own = [kind for kind in item.__mro__ if kind.__module__.startswith("kpm_fast")]
            names |= {
                name
                for kind in own
                for name, value in vars(kind).items()
                if not (name.startswith("_") or isinstance(value, kpm.Status))
            }
    rare = {"__version__", "located"}  # the latter is for readers of other files
    assert [name for name in sorted(names - rare) if not re.search(rf"\b{name}\b", text)] == []


def test_some_commands_are_found() -> None:
    assert sum(len(commands(page)) for page in PAGES) >= 5


def test_theory_names_files_that_exist() -> None:
    named = re.findall(
        r"`((?:csrc|kpm_fast)/[\w/.]+)`", (ROOT / "docs" / "theory.md").read_text("utf-8")
    )
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.M)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, target
