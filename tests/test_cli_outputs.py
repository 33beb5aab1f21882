"""The kpm-fast command writes what it is told to, and over nothing that it reads."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

import kpm_fast as kpm
from command_line import MARKET, ORDERS, run
from kpm_fast.cli import command as cli
from programs import kpm_fast_command, run_command

pytestmark = pytest.mark.unsanitized


@pytest.fixture
def book(tmp_path: Path) -> Path:
    kpm.write_book(tmp_path / "book", MARKET, ORDERS)
    return tmp_path / "book"


@pytest.mark.parametrize("command", ["report", "sweep", "quotes", "plot", "sweep --plot"])
@pytest.mark.parametrize("kind", ["table", "link", "single file", "inventory"])
def test_no_command_replaces_its_input(
    book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, kind: str
) -> None:
    name, option = [*command.split(), "--output"][:2]
    drawn = command in ("plot", "sweep --plot")
    if drawn:
        pytest.importorskip("matplotlib")
    source, options = book, []
    if kind == "single file":
        source = source_file = tmp_path / ("book.png" if drawn else "book.csv")
        kpm.write_book(tmp_path / "book.csv", MARKET, ORDERS)
        (tmp_path / "book.csv").rename(source)
    elif kind == "inventory":
        source_file = tmp_path / ("wealth.svg" if drawn else "wealth.csv")
        source_file.write_text("state,inventory\nH,0\nD,0\nA,1\n")
        options = ["--inventory", source_file]
    else:
        source_file = book / "orders.csv"
    target = source_file
    if kind == "link" or (drawn and kind == "table"):
        target = tmp_path / ("link.svg" if drawn else "link")
        target.symlink_to(source_file)
    before = source_file.read_bytes()
    assert run(name, source, option, target, *options) == cli.EXIT_INPUT
    printed, err = capsys.readouterr()
    assert printed == ""
    assert err.startswith(f"kpm-fast: {option}: ")
    assert f"would overwrite {source_file}, an input" in err
    assert source_file.read_bytes() == before


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zip", ".zst"])
@pytest.mark.parametrize(
    ("command", "option", "name", "words"),
    [
        ("clear", "--save", "orders.csv*", "would overwrite"),
        ("clear", "--json", "claims.csv*", "would overwrite"),
        ("sweep", "--output", "states.csv*", "would overwrite"),
        ("clear", "--output", "", "would become part of the book"),
        ("clear", "--save", "orders.csv", "would become part of the book"),
        ("clear", "--json", "market.json", "would become part of the book"),
        ("quotes", "--output", "claims.csv", "would become part of the book"),
    ],
)
def test_no_command_writes_into_a_compressed_book(
    book: Path,
    capsys: pytest.CaptureFixture[str],
    suffix: str,
    command: str,
    option: str,
    name: str,
    words: str,
) -> None:
    """Neither over a table nor beside it, where the new file would be read in its place."""
    (book / "market.json").unlink()
    for table in ("claims.csv", "states.csv", "orders.csv"):
        (book / table).rename(book / f"{table}{suffix}")  # refused before anything is read
    before = {path.name: path.read_bytes() for path in book.iterdir()}
    assert run(command, book, option, book / name.replace("*", suffix)) == cli.EXIT_INPUT
    err = capsys.readouterr().err
    assert err.startswith(f"kpm-fast: {option}: ")
    assert words in err
    assert {path.name: path.read_bytes() for path in book.iterdir()} == before


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_results_replace_no_other_book(
    book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    """Their names are those of its tables; earlier results are replaced."""
    other = tmp_path / "other"
    kpm.write_book(other, MARKET, ORDERS)
    (other / "claims.csv").rename(other / f"claims.csv{suffix}")
    before = {path.name: path.read_bytes() for path in other.iterdir()}
    assert run("clear", book, "--output", other) == cli.EXIT_INPUT
    assert f"--output: {other} holds a book (claims.csv{suffix} and no" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in other.iterdir()} == before
    for _ in range(2):
        assert run("clear", book, "--output", tmp_path / "out") == 0
    (tmp_path / "out" / "result.json").unlink()
    (tmp_path / "out" / "UNFINISHED").touch()
    assert run("clear", book, "--output", tmp_path / "out") == 0


def test_a_table_of_priors_is_an_input(
    book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    priors = tmp_path / "priors.csv"
    priors.write_text("state,one\nH,0.3\nD,0.3\nA,0.4\n")
    maker = f"polytope:priors={priors}"
    assert run("quotes", book, "--maker", maker, "--output", priors) == cli.EXIT_INPUT
    assert f"would overwrite {priors}, an input" in capsys.readouterr().err
    assert run("quotes", book, "--maker", maker, "--output", tmp_path / "quotes.csv") == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["clear", "--save", "a", "--json", "a"], "--json: a is what --save writes, too"),
        (
            ["clear", "--output", "out", "--json", "out/../out/result.json"],
            "--json: out/../out/result.json is what --output writes, too",
        ),
        (["sweep", "--plot", "a", "--output", "a.svg"], "--output: a.svg is what --plot writes"),
    ],
)
def test_two_outputs_are_two_files(
    book: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments[0], book, *arguments[1:]) == cli.EXIT_INPUT
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [book]


def test_one_device_may_take_two_outputs(book: Path, tmp_path: Path) -> None:
    nowhere = Path(os.devnull)
    assert run("clear", book, "--quiet", "--json", nowhere, "--save", nowhere) == 0
    assert run("clear", book, "--quiet", "--output", tmp_path / "out", "--json", nowhere) == 0


def test_a_path_that_no_file_can_have_is_no_input(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("quotes", book, "--output", "a\0b") == cli.EXIT_INPUT
    assert "must have no null character" in capsys.readouterr().err


@pytest.mark.parametrize("stem", ["v1.2", "v1.2.png", "v1.2.SVG"])
def test_pictures_keep_the_points_of_their_name(book: Path, tmp_path: Path, stem: str) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "out"
    assert run("plot", book, "--output", out / stem) == 0
    assert sorted(path.name for path in out.iterdir()) == ["v1.2.png", "v1.2.svg"]
    assert run("plot", book, "--output", out / stem, "--picture", "book", "fills") == 0
    names = [f"v1.2{end}.{kind}" for end in ("", "-book", "-fills") for kind in ("png", "svg")]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)


@pytest.mark.parametrize("stem", [".", "/", ".."])
def test_pictures_need_a_name(book: Path, capsys: pytest.CaptureFixture[str], stem: str) -> None:
    pytest.importorskip("matplotlib")
    assert run("plot", book, "--output", stem) == cli.EXIT_INPUT
    assert "must name a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        *((command, "") for command in ("clear", "quotes", "sweep", "advise", "plot", "report")),
        ("verify", ""),
        ("clear", "BOOK", "--output", ""),
        ("clear", "BOOK", "--save", ""),
        ("clear", "BOOK", "--json", ""),
        ("report", "BOOK", "--output", ""),
        ("sweep", "BOOK", "--output", ""),
        ("sweep", "BOOK", "--plot", ""),
        ("quotes", "BOOK", "--output", ""),
        ("sample", "race-card", "--output", ""),
    ],
)
def test_a_path_is_not_empty(
    book: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    """As it is in a script whose variable is not set; it would be the current folder."""
    here = tmp_path / "here"
    shutil.copytree(book, here)
    monkeypatch.chdir(here)
    before = {path: path.read_bytes() for path in here.iterdir()}
    with pytest.raises(SystemExit) as caught:
        run(*(book if word == "BOOK" else word for word in arguments))
    assert caught.value.code == cli.EXIT_INPUT
    assert "must name a file" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in here.iterdir()} == before


@pytest.mark.parametrize("command", ["clear", "quotes", "advise", "sweep"])
def test_a_terminal_of_no_width_counts_as_unknown(
    book: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(command, book) == 0
    usual = _without_figures(capsys.readouterr().out)
    monkeypatch.setenv("COLUMNS", "0")
    assert run(command, book) == 0
    assert _without_figures(capsys.readouterr().out) == usual != ""


def _without_figures(text: str) -> str:
    """Lines but for figures and space around them: some are times, in units of their own."""
    lines = re.sub(r"[\d.e-]+( [µm]?s\b)?", "#", text).splitlines()
    return "\n".join(" ".join(line.split()) for line in lines)


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("clear --save c.kpm --output d --json r.json", ["c.kpm", "d/result.json", "r.json"]),
        ("sweep --ambiguity 0,0.1 --output s.csv --plot s", ["s.csv", "s.png", "s.svg"]),
        ("plot --picture book,fills --output p", ["p-book.svg", "p-fills.svg"]),
        ("quotes --output q.csv", ["q.csv"]),
        ("report --output r.html", ["r.html"]),
        (
            "experiments calibration,shading --quick --output e",
            ["e/calibration.csv", "e/shading.svg"],
        ),
        ("paper --output p", ["p/statements.csv", "p/figure_1.svg", "p/figure_6.svg"]),
    ],
)
def test_files_are_written_though_nobody_reads_what_is_printed(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, files: list[str]
) -> None:
    """As in ``kpm-fast clear BOOK --save FILE | head -1``."""
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    name, *options = command.split()
    folder = [] if name in ("experiments", "paper") else [book]
    reader, writer = os.pipe()
    os.close(reader)
    done = run_command(kpm_fast_command(name, *folder, *options), stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (cli.EXIT_CLOSED_PIPE, "")
    assert all((tmp_path / file).stat().st_size > 0 for file in files)
