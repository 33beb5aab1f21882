"""Section 5 of the paper: stated results, exact optima, and the command."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import math
import os
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from csv_numbers import check_numbers
from kpm_fast.cli import paper as command
from kpm_fast.paper import simulations as paper
from kpm_fast.paper.finding import Finding
from kpm_fast.paper.urn import urn
from programs import kpm_fast_command, run_command

pytestmark = pytest.mark.unsanitized


@pytest.fixture(scope="module")
def simulation_a() -> paper.Simulation:
    return paper.simulation_a()


@pytest.fixture(scope="module")
def simulation_b() -> paper.Simulation:
    return paper.simulation_b()


def worst_case_loss(loss: np.ndarray, prior: np.ndarray, ambiguity: float) -> float:
    """max p . loss over KL(p|prior) <= ambiguity, by bisection on the tilt.

    With alpha * quantity of 1e-3 the certainty equivalent is this to a relative 1e-3.
    """
    if ambiguity == 0.0:
        return float(prior @ loss)
    worst = loss == loss.max()
    if ambiguity >= -math.log(prior[worst].sum()):
        return float(loss.max())

    def tilted(theta: float) -> np.ndarray:
        weights = prior * np.exp(theta * (loss - loss.max()))
        return weights / weights.sum()

    def divergence(theta: float) -> float:
        p = tilted(theta)
        return float(np.sum(p * np.log(np.maximum(p, 1e-300) / prior)))

    low, high = 0.0, 1.0
    while divergence(high) < ambiguity:
        high *= 2.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if divergence(middle) < ambiguity else (low, middle)
    return float(tilted(low) @ loss)


def worth(lots: np.ndarray, run: paper.Run) -> float:
    """Certainty equivalent, in lots, of selling `lots` at 0.18, to first order in alpha.

    Fills of the paper's books obey the limit order logic at a price of 0.18 whatever they are:
    every order has that limit.
    """
    revenue = paper.LIMIT * float(lots.sum())
    return revenue - worst_case_loss(lots, np.array(run.prior), run.ambiguity)


def test_books_are_tables_3_and_5(
    simulation_a: paper.Simulation, simulation_b: paper.Simulation
) -> None:
    for book, quantities in (
        (simulation_a.book, (0.002, 0.001, 0.001, 0.001, 0.001)),
        (simulation_b.book, (0.001, 0.001, 0.001, 0.001, 0.001)),
    ):
        assert [(bid.order, bid.security) for bid in book] == [(i, i) for i in range(1, 6)]
        assert {bid.price for bid in book} == {0.18}
        assert tuple(bid.quantity for bid in book) == quantities


def test_every_stated_result_is_met(
    simulation_a: paper.Simulation, simulation_b: paper.Simulation
) -> None:
    for simulation in (simulation_a, simulation_b):
        assert [each for each in simulation.statements if not each.met] == []
        assert simulation.met
    assert len(simulation_a.statements) == 5
    assert len(simulation_b.statements) == 3


def test_exponential_prior() -> None:
    prior = paper.exponential_prior()
    assert math.fsum(prior) == pytest.approx(1.0, abs=1e-15)
    assert prior[4] == pytest.approx(0.636, abs=5e-4)
    assert prior[4] / prior[0] == pytest.approx(math.exp(4.0))


def test_exact_fills_of_the_documentation(
    simulation_a: paper.Simulation, simulation_b: paper.Simulation
) -> None:
    """The table of docs/paper.md."""
    documented = (
        (2, 1, 1, 0, 0),
        (2, 1, 0.878, 0.031, 0),
        (2, 1, 0.793, 0.144, 0),
        (0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0),
    )
    for run, fills in zip(simulation_a.runs, documented, strict=True):
        assert np.array(run.fills) / paper.LOT == pytest.approx(fills, abs=1e-3), run.label
    for run, fills in zip(simulation_b.runs, ((0, 0, 0, 0, 0), (1, 1, 1, 0, 0)), strict=True):
        assert np.array(run.fills) / paper.LOT == pytest.approx(fills, abs=1e-6), run.label


def test_whole_lots_only_would_give_the_nearest_lots(simulation_a: paper.Simulation) -> None:
    sizes = [range(round(bid.quantity / paper.LOT) + 1) for bid in simulation_a.book]
    for run in simulation_a.runs:
        choices = [np.array(lots, dtype=float) for lots in product(*sizes)]
        best = max(choices, key=lambda lots: worth(lots, run))
        assert tuple(best) == run.lots, run.label


def test_no_small_change_of_the_fills_is_better(simulation_a: paper.Simulation) -> None:
    """The problem is concave, so points around the optimum are enough."""
    draws = np.random.default_rng(1)
    most = np.array([bid.quantity for bid in simulation_a.book]) / paper.LOT
    for run in simulation_a.runs:
        fills = np.array(run.fills) / paper.LOT
        best = worth(fills, run)
        for scale in (0.3, 0.03):
            for _ in range(200):
                other = np.clip(fills + scale * draws.standard_normal(5), 0.0, most)
                assert worth(other, run) <= best + 2e-3


def test_certainty_equivalents_agree_with_first_order(simulation_a: paper.Simulation) -> None:
    for run in simulation_a.runs:
        fills = np.array(run.fills) / paper.LOT
        assert run.certainty_equivalent / paper.LOT == pytest.approx(worth(fills, run), abs=1e-3)


def test_state_prices_are_a_probability_vector_that_obeys_the_limits(
    simulation_a: paper.Simulation, simulation_b: paper.Simulation
) -> None:
    for simulation in (simulation_a, simulation_b):
        for run in simulation.runs:
            assert math.fsum(run.state_prices) == pytest.approx(1.0, abs=1e-12)
            for bid, price, fill in zip(simulation.book, run.state_prices, run.fills, strict=True):
                assert price >= 0.0
                if fill < bid.quantity * (1.0 - 1e-6):
                    assert price >= paper.LIMIT - 1e-12
                if fill > bid.quantity * 1e-6:
                    assert price <= paper.LIMIT + 1e-12


def test_a_missed_statement_is_reported() -> None:
    run = paper.ambiguity_sweep([0.0])[0]
    statement = paper._fills_statement("nothing filled", run, (0, 0, 0, 0, 0))
    assert not statement.met
    assert statement.verdict == "NOT MET"
    assert statement.detail == "2, 1, 1, 0, 0 lots"


def test_a_statement_says_whether_it_took_rounding(simulation_a: paper.Simulation) -> None:
    verdicts = [statement.verdict for statement in simulation_a.statements]
    assert verdicts == ["met", "met to the nearest lot", "met", "met", "met"]


# -- command ------------------------------------------------------------------------------------


def run_paper(words: list[str]) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(words))


def test_command_prints_a_line_for_each_statement(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_paper(["paper"]) == 0
    printed = capsys.readouterr().out
    assert "2, 1, 1, 1, 1 lots" in printed
    assert "Omega = 0.2: orders 1, 2, 3 filled, 4 and 5 declined ... met to the nearest" in printed
    others = sum(len(find().statements) for find in command.FINDINGS)
    assert printed.count("... met") == 8 + others
    assert "NOT MET" not in printed


def test_command_fails_if_a_result_is_not_met(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    simulation_b: paper.Simulation,
) -> None:
    statement = paper.Statement("so it says", False, "it is not")
    missed = dataclasses.replace(simulation_b, statements=(statement,))
    monkeypatch.setattr(command, "simulation_b", lambda: missed)
    assert run_paper(["paper"]) == 1
    assert "so it says ... NOT MET (it is not)" in capsys.readouterr().out


def test_closed_pipe() -> None:
    """The reader has closed the pipe: exit code 141, as a shell expects, and no message."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = run_command(kpm_fast_command("paper"), stdout=writer)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_command_writes_tables_and_figures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    folder = tmp_path / "new"
    assert run_paper(["paper", "--output", str(folder)]) == 0
    names = ("table_3", "table_5", "simulation_a", "simulation_b", "statements")
    findings = [find() for find in command.FINDINGS]
    words = {"run", "side", "security", "part", "statement", "verdict", "detail"}
    words |= {
        name
        for each in findings
        for table in each.tables.values()
        for name, column in table.items()
        if any(isinstance(entry, str) for entry in column)
    }
    tables = {f"{name}.csv" for name in (*names, *(n for each in findings for n in each.tables))}
    stems = [f"figure_{i}" for i in (1, 2, 3)] + [n for each in findings for n in each.figures]
    figures = {f"{stem}.{kind}" for stem in stems for kind in ("png", "svg")}
    assert {"figure_4.svg", "table_2.csv"} < tables | figures
    assert {path.name for path in folder.iterdir()} == tables | figures
    check_numbers(folder, words)
    with (folder / "simulation_a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["ambiguity"]) for row in rows] == list(paper.AMBIGUITIES_A)
    assert float(rows[0]["fill_1"]) == pytest.approx(0.002, abs=1e-9)
    with (folder / "table_3.csv").open(newline="") as file:
        assert [float(row["quantity"]) for row in csv.DictReader(file)] == [0.002] + [0.001] * 4
    with (folder / "statements.csv").open(newline="") as file:
        verdicts = [row["verdict"] for row in csv.DictReader(file)]
    assert verdicts.count("met") == 7 + sum(len(each.statements) for each in findings)


def test_short_tables_of_findings_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    run_paper(["paper"])
    out = capsys.readouterr().out
    for rows in (
        r"Table 1 +\n[^A-Z]+order +quantity +security +price",
        r"5 +1 +0\.2 +0 +0\.18 +0\.002 +0\.002",  # of Table 2
        r"B +0\.1 +0\.191249",  # of 8.1
    ):
        assert re.search(rows, out), rows
    assert "theorem 2" not in out  # a table of 81 rows


def test_the_page_has_the_table_of_the_urn() -> None:
    page = (Path(__file__).parents[1] / "docs" / "paper.md").read_text("utf-8")
    table = urn().tables["section_8_1"]
    for lottery, least, ball in zip(*table.values(), strict=True):
        assert f"| {lottery} | {Fraction(least).limit_denominator(50)} | {ball:.4f} |" in page


@pytest.mark.parametrize("find", command.FINDINGS, ids=lambda find: find.__name__)
def test_every_finding_is_met(find: Callable[[], Finding]) -> None:
    finding = find()
    assert finding.statements
    for statement in finding.statements:
        assert statement.met, statement
    for table in finding.tables.values():
        assert len({len(column) for column in table.values()}) == 1
