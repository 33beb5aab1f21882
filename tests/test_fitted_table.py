"""Whatever the terminal's width, every number that is printed has all its digits."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

import kpm_fast as kpm
from kpm_fast.cli import command
from kpm_fast.cli.fitted_table import print_table
from strategies import examples

pytestmark = pytest.mark.unsanitized

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "race_card"
WORDS = st.text("abc xyz", min_size=1, max_size=20).map(str.strip).filter(bool)
NUMBERS = st.floats(-1e9, 1e9).map(lambda number: f"{number:.6g}")


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]], list[str]]:
    """Columns (the first holds labels), rows, and what may be left out."""
    names = draw(st.lists(WORDS, min_size=2, max_size=7, unique=True))
    row = st.tuples(WORDS, *[NUMBERS] * (len(names) - 1)).map(list)
    rows = draw(st.lists(row, min_size=1, max_size=4))
    return names, rows, draw(st.permutations(names[1:]))[: draw(st.integers(0, len(names) - 2))]


HEADERS = ("a", "aa", "aaa", "a a", "aaaa", "aaaaa", "aaaaaa")


@given(tables(), st.integers(1, 120))
@examples(200)
@example((list(HEADERS), [["a", *"000000"]], ["aa"]), 42)  # one header of two words gives way
def test_no_width_breaks_a_number(
    table: tuple[list[str], list[list[str]], list[str]], width: int
) -> None:
    names, rows, expendable = table
    stream = io.StringIO()
    console = Console(file=stream, width=width)
    print_table(console, "", names, rows, labels=names[:1], expendable=expendable)
    text = stream.getvalue()
    note = re.search(r"\(no room for: (.*)\)\n", text)
    missing = [] if note is None else note[1].split(", ")
    assert missing == [name for name in names if name in missing]  # in the table's order
    assert set(missing) == set(expendable[: len(missing)])  # the least important go first
    words = text.split()
    for row in rows:
        for name, cell in zip(names[1:], row[1:], strict=True):
            assert name in missing or cell in words
    if len(missing) < len(expendable):
        # The note may be longer.
        assert max(map(len, text.partition("(no room")[0].splitlines())) <= width


@pytest.mark.parametrize("width", [20, 33, 40, 60, 79, 100, 200])
@pytest.mark.parametrize("words", [["--verify"], ["--ambiguity", "1"]])
def test_a_clearing_in_a_narrow_terminal(
    width: int,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert command.main(["clear", str(EXAMPLE), *words]) == 0
    out = capsys.readouterr().out
    result = kpm.clear(*kpm.read_book(EXAMPLE, **({"ambiguity": 1.0} if len(words) > 1 else {})))
    figures = [*result.claim_prices, *result.net_demand, *result.state_prices, *result.payoff]
    figures += [fill for fill in result.fills if fill > 0]
    for figure in figures:
        assert f"{figure + 0.0:.6g}" in out.split()
    assert f"{result.certainty_equivalent:.9g}" in out.split()
    assert ("no room for" in out) == (width < 79)


@pytest.mark.parametrize("width", [20, 40, 100])
def test_the_paper_in_a_narrow_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert command.main(["paper"]) == 0
    out = capsys.readouterr().out.split()
    assert {"0.878", "0.031", "0.793", "0.144"} <= set(out)
