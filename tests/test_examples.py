"""The examples run, on small inputs, and print what they promise."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import kpm_fast as kpm
from programs import run_program

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
MARKETS = {
    "race_card.py": "The prices add up to 1.000000",
    "football.py": "Home, Draw and Away: 1.000000000000",
    "option_smile.py": "Proven optimal",
    "payrolls.py": "ambiguity 0.08:   2220 shares trade, the maker can lose   0.00",
    "podium.py": "wins 1.000000, places 2.000000",
    "dead_heat.py": "add up to 1.0",
}


def run(name: str, folder: Path, *arguments: str) -> str:
    """Run an example by its file, so that processes it starts find it again."""
    shutil.copytree(EXAMPLES, folder / "examples")
    program = (
        "import subprocess, sys; "
        "sys.exit(subprocess.run([sys.executable, *sys.argv[1:]]).returncode)"
    )
    script = folder / "examples" / name
    return run_program(program, script, *arguments, cwd=folder)


@pytest.mark.unsanitized
def test_an_operator_hands_a_report_to_the_auditor(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    said = run("report_for_an_auditor.py", tmp_path, "out.html")
    assert "not read: trader" in said
    assert "Proven optimal" in said
    assert "A1: bought" in said
    assert "The proof holds" in (tmp_path / "out.html").read_text("utf-8")


@pytest.mark.unsanitized
@pytest.mark.parametrize("executor", ["processes", "threads", "loky", "dask"])
def test_many_books_have_the_same_bits_on_any_executor(executor: str, tmp_path: Path) -> None:
    module = {"loky": "joblib", "dask": "distributed"}.get(executor)
    if module:
        pytest.importorskip(module)
    words = ["--books", "90", "--executor", executor, "--resume", str(tmp_path / "finished")]
    said = run("ten_thousand_books.py", tmp_path, *words)
    assert f"90 books by {executor}: 90 optimal" in said
    assert "same bits" in said
    assert (tmp_path / "finished").is_file()


@pytest.mark.unsanitized
def test_a_researcher_draws_figures_of_own_data(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    said = run("figures_of_own_data.py", tmp_path, "out")
    assert "Proven optimal" in said
    for name in ("expected.pdf", "worst.pdf", "one_maker.pdf"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"%PDF")
    assert kpm.load_result(tmp_path / "out" / "clearing.kpm").verify()


@pytest.mark.unsanitized
def test_a_researcher_has_another_table(tmp_path: Path) -> None:
    """With other strikes, and offers that cross the bids."""
    pytest.importorskip("matplotlib")
    table = tmp_path / "own.csv"
    table.write_text("strike,limit,contracts\n10,3,5\n12.5,2,-4\n10,2.5,-3\n15,0.5,2\n")
    said = run("figures_of_own_data.py", tmp_path, "out", str(table))
    assert "own.csv: Orders(4 orders: 2 buys, 2 sells)" in said
    result = kpm.load_result(tmp_path / "out" / "clearing.kpm")
    assert result.market.claims == ("10", "12.5", "15")
    assert result.orders.quantity.tolist() == [5, 4, 3, 2]


@pytest.fixture(scope="module")
def every_rule(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the example of every maker and rule prints, and its figure."""
    pytest.importorskip("matplotlib")
    tmp_path = tmp_path_factory.mktemp("every_rule")
    return run("every_rule.py", tmp_path, "figure.png"), tmp_path / "figure.png"


@pytest.mark.unsanitized
def test_every_maker_and_rule(every_rule: tuple[str, Path]) -> None:
    """Two books, quotes for claims without orders, trades that add up, and a figure."""
    said, figure = every_rule
    for text in ("pay_as_bid", "competitive"):
        assert said.count(text) == 14, text
    for text in ("not the favourite", "trades paid"):
        assert said.count(text) == 7, text
    assert (said.count("maker_optimal"), said.count("pdca")) == (4, 2)
    assert "-0.00 " not in said
    assert figure.read_bytes().startswith(b"\x89PNG")


@pytest.mark.unsanitized
def test_the_tables_of_every_rule_need_no_matplotlib(tmp_path: Path) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ImportError('none here')\n")
    program = (
        "import runpy, sys; sys.path.insert(0, sys.argv[1]); "
        "runpy.run_path(sys.argv[2], run_name='__main__')"
    )
    said = run_program(program, tmp_path, EXAMPLES / "every_rule.py", cwd=tmp_path)
    assert said.count("competitive") == 14
    assert said.endswith("The figure needs matplotlib.\n")


@pytest.mark.unsanitized
def test_the_page_of_mechanisms_has_the_numbers_of_the_example(
    every_rule: tuple[str, Path],
) -> None:
    page = (EXAMPLES.parent / "docs" / "mechanisms.md").read_text("utf-8")
    said, _ = every_rule
    printed = re.findall(r"(\S.*?\S)  +(\w+) +(.*) +[\d.]+\n", said.partition("(50 shares)")[0])
    rows = [
        [name, f"`{rule}`", *figures.replace(" %", "").split()] for name, rule, figures in printed
    ]
    assert len(rows) == 34
    for row in rows:
        assert f"| {' | '.join(row)} |" in page  # all but the time, which no two runs share


@pytest.mark.unsanitized
@pytest.mark.parametrize("name", MARKETS)
def test_a_market_of_each_kind(name: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert MARKETS[name] in run(f"markets/{name}", tmp_path)


def test_no_example_is_forgotten() -> None:
    """Each is run here by name, and no other."""
    ran = re.findall(r'run\("(\w+\.py)", tmp_path', Path(__file__).read_text("utf-8"))
    assert set(ran) == {path.name for path in EXAMPLES.glob("*.py")}
    assert set(MARKETS) == {path.name for path in (EXAMPLES / "markets").glob("*.py")}


def test_every_thumbnail_exists() -> None:
    texts = [path.read_text("utf-8") for path in EXAMPLES.rglob("*.py")]
    named = [n for t in texts for n in re.findall(r'sphinx_gallery_thumbnail_path = "(.+)"', t)]
    assert len(named) > 1
    for name in named:
        assert (EXAMPLES.parent / "docs" / name).is_file(), name
