"""Section 5 of the paper: simulations A and B, as data and as ``kpm-fast paper``.

H. Roh and Y. Ye, *Market Making with Model Uncertainty* (2015), clear five bids under five degrees
of ambiguity (simulation A, Table 3) and under two priors (simulation B, Table 5).
``docs/paper.md`` says which parameters the paper leaves out and how they were chosen.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..clearing.clear import clear
from ..cli.tables import PipeAwareConsole
from ..files.atomic_files import staged_files
from ..files.tables import write_csv
from ..model.market import Market
from ..model.orders import Orders

__all__ = [
    "TABLE_3",
    "TABLE_5",
    "Bid",
    "Run",
    "Simulation",
    "Statement",
    "ambiguity_sweep",
    "simulation_a",
    "simulation_b",
]

STATES = 5
LOT = 0.001  # shares: the unit of the paper's quantities, and of the fills it reports
LIMIT = 0.18  # money per share, of every order
EXACT = 1e-6  # lots: a fill this close to a whole number of lots is that number
RISK_AVERSION = 1.0  # the paper's value is lost; any alpha with alpha * LOT small gives the same
AMBIGUITIES_A = (0.0, 0.2, 0.4, 1.0, 2.0)
AMBIGUITY_B = 0.05  # the paper's value is lost


@dataclass(frozen=True)
class Bid:
    """A row of Table 3 or 5: a bid for the Arrow-Debreu security of one state."""

    order: int
    security: int
    price: float
    quantity: float


TABLE_3 = tuple(Bid(i, i, LIMIT, 2 * LOT if i == 1 else LOT) for i in range(1, STATES + 1))
TABLE_5 = tuple(Bid(i, i, LIMIT, LOT) for i in range(1, STATES + 1))


@dataclass(frozen=True)
class Run:
    """One clearing.

    Attributes
    ----------
    label : str
        What sets the run apart in its simulation.
    ambiguity : float
        Omega.
    prior : tuple of float
        q, by state.
    fills : tuple of float
        Shares, by order.
    state_prices : tuple of float
        By state; where the orders leave them open, those closest to the prior.
    certainty_equivalent : float
        Money.
    """

    label: str
    ambiguity: float
    prior: tuple[float, ...]
    fills: tuple[float, ...]
    state_prices: tuple[float, ...]
    certainty_equivalent: float

    @property
    def lots(self) -> tuple[int, ...]:
        """Fills to the nearest 0.001 share, the unit of the paper's figures."""
        return tuple(round(fill / LOT) for fill in self.fills)


@dataclass(frozen=True)
class Statement:
    """A result that the paper states, and whether it came out.

    Attributes
    ----------
    text : str
        What the paper states.
    met : bool
        Whether it came out, fills counted to the nearest lot.
    detail : str
        The figures that decide.
    exact : bool
        Whether it came out without rounding fills to lots.
    """

    text: str
    met: bool
    detail: str
    exact: bool = True

    @property
    def verdict(self) -> str:
        """``met``, ``met to the nearest lot`` or ``NOT MET``."""
        if not self.met:
            return "NOT MET"
        return "met" if self.exact else "met to the nearest lot"


@dataclass(frozen=True)
class Simulation:
    """A simulation of section 5: its order book, its runs, and what the paper says of them."""

    name: str
    title: str
    book: tuple[Bid, ...]
    runs: tuple[Run, ...]
    statements: tuple[Statement, ...]

    @property
    def met(self) -> bool:
        """Whether every stated result came out."""
        return all(statement.met for statement in self.statements)


def uniform_prior() -> tuple[float, ...]:
    """The prior of a maker who knows nothing."""
    return (1.0 / STATES,) * STATES


def exponential_prior() -> tuple[float, ...]:
    """Probabilities proportional to ``exp(i)`` for ``i = 1, ..., 5``; 63.6 % for state 5."""
    weights = [math.exp(i - STATES) for i in range(1, STATES + 1)]
    total = math.fsum(weights)
    return tuple(weight / total for weight in weights)


def simulation_a() -> Simulation:
    """The maker's aversion to ambiguity: Table 3 cleared at five values of Omega."""
    runs = ambiguity_sweep(AMBIGUITIES_A)
    by_ambiguity = {run.ambiguity: run for run in runs}
    small = "orders 1, 2, 3 filled, 4 and 5 declined"
    statements = [
        _fills_statement(f"Omega = {omega:g}: {small}", by_ambiguity[omega], (2, 1, 1, 0, 0))
        for omega in (0.0, 0.2)
    ]
    statements.append(
        _fills_statement(
            "Omega = 0.4: 0.001 share of security 2 filled",
            by_ambiguity[0.4],
            (None, 1, None, None, None),
        )
    )
    statements += [
        _fills_statement(f"Omega = {omega:g}: no order filled", by_ambiguity[omega], (0,) * STATES)
        for omega in (1.0, 2.0)
    ]
    title = "the maker's aversion to ambiguity"
    return Simulation("A", title, TABLE_3, runs, tuple(statements))


def simulation_b() -> Simulation:
    """The maker's prior: Table 5 cleared under the uniform and the exponential prior."""
    uniform = _run("uniform prior", TABLE_5, uniform_prior(), AMBIGUITY_B)
    exponential = _run("exponential prior", TABLE_5, exponential_prior(), AMBIGUITY_B)
    percentage = 100.0 * exponential.prior[-1]
    statements = (
        Statement(
            "exponential prior: state 5 has probability 63.6 %",
            round(percentage, 1) == 63.6,
            f"{percentage:.2f} %",
        ),
        _fills_statement("uniform prior: no order filled", uniform, (0,) * STATES),
        _fills_statement(
            "exponential prior: only orders 1, 2, 3 filled", exponential, (1, 1, 1, 0, 0)
        ),
    )
    title = "the maker's prior"
    return Simulation("B", title, TABLE_5, (uniform, exponential), statements)


def ambiguity_sweep(ambiguities: Iterable[float]) -> tuple[Run, ...]:
    """Clear Table 3 under the exponential prior at each of the given values of Omega."""
    prior = exponential_prior()
    return tuple(_run(f"Omega = {omega:g}", TABLE_3, prior, omega) for omega in ambiguities)


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the ``paper`` command to an ``argparse`` sub-parser collection."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "paper",
        help="reproduce section 5 of the paper",
        description="Reproduce simulations A and B. Exits with 0 if all stated results are met.",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="also write the tables as CSV and figures 1 to 3 as PNG and SVG",
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Carry out the parsed command: 0 if every stated result is met, else 1."""
    output: Path | None = args.output
    if output is not None:
        from . import figures

        figures.require_matplotlib()  # before anything is written
    console = PipeAwareConsole()
    simulations = (simulation_a(), simulation_b())
    for simulation in simulations:
        _print_simulation(console, simulation)
    if output is not None:
        paths = [*_write_tables(output, simulations), *figures.write_paper(output, *simulations)]
        console.print(f"{len(paths)} files written to {output}", highlight=False)
    return 0 if all(simulation.met for simulation in simulations) else 1


def _run(label: str, book: Sequence[Bid], prior: Sequence[float], ambiguity: float) -> Run:
    names = [str(i) for i in range(1, STATES + 1)]
    market = Market(
        np.eye(STATES),
        prior,
        risk_aversion=RISK_AVERSION,
        ambiguity=ambiguity,
        claims=names,
        states=names,
    )
    orders = Orders(
        claim=[str(bid.security) for bid in book],
        side=["buy"] * len(book),
        price=[bid.price for bid in book],
        quantity=[bid.quantity for bid in book],
        order_id=[str(bid.order) for bid in book],
    )
    result = clear(market, orders, method="enumerate")
    return Run(
        label=label,
        ambiguity=ambiguity,
        prior=tuple(prior),
        fills=tuple(result.fills.tolist()),
        state_prices=tuple(result.state_prices.tolist()),
        certainty_equivalent=float(result.certainty_equivalent),
    )


def _fills_statement(text: str, run: Run, expected: Sequence[int | None]) -> Statement:
    """Compare fills with the paper's, in lots; None stands for "not stated"."""
    pairs = [
        (fill / LOT, want)
        for fill, want in zip(run.fills, expected, strict=True)
        if want is not None
    ]
    return Statement(
        text,
        met=all(round(lots) == want for lots, want in pairs),
        detail=f"{', '.join(_in_lots(fill) for fill in run.fills)} lots",
        exact=all(abs(lots - want) < EXACT for lots, want in pairs),
    )


def _in_lots(fill: float) -> str:
    """A fill in units of 0.001 share; a whole number only if it is one, to the accuracy solved."""
    lots = fill / LOT
    whole = round(lots)
    return str(whole) if abs(lots - whole) < EXACT else f"{lots:.3f}"


def _print_simulation(console: Console, simulation: Simulation) -> None:
    console.print(f"[bold]Simulation {simulation.name}[/]: {simulation.title}", highlight=False)
    quantities = ", ".join(_in_lots(bid.quantity) for bid in simulation.book)
    console.print(
        f"Book: bids at {LIMIT:g} for {quantities} lots of {LOT:g} share, one for each of {STATES} "
        "Arrow-Debreu securities.\nFills are in lots; a statement is met if the fills, rounded to "
        "whole lots, are those stated.",
        highlight=False,
        soft_wrap=True,
    )
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for entry in simulation.book:
        table.add_column(f"order {entry.order}", justify="right", no_wrap=True)
    table.add_column("CE (money)", justify="right", no_wrap=True)
    for each in simulation.runs:
        fills = [_in_lots(fill) for fill in each.fills]
        table.add_row(each.label, *fills, f"{each.certainty_equivalent:.4e}")
    console.print(table)
    for statement in simulation.statements:
        style = "green" if statement.met else "bold red"
        console.print(
            f"  {statement.text} ... [{style}]{statement.verdict}[/] ({statement.detail})",
            highlight=False,
            soft_wrap=True,
        )
    console.print()


def _write_tables(folder: Path, simulations: Sequence[Simulation]) -> list[Path]:
    """Write books, runs and statements of the simulations; return the files."""
    tables: dict[str, dict[str, Any]] = {}
    for simulation, number in zip(simulations, (3, 5), strict=True):
        tables[f"table_{number}.csv"] = _book_table(simulation)
        tables[f"simulation_{simulation.name.lower()}.csv"] = _run_table(simulation)
    tables["statements.csv"] = _statement_table(simulations)
    with staged_files(folder) as open_file:
        for name, table in tables.items():
            write_csv(open_file(name), table)
    return [folder / name for name in tables]


def _book_table(simulation: Simulation) -> dict[str, Any]:
    return {
        "order": [bid.order for bid in simulation.book],
        "security": [bid.security for bid in simulation.book],
        "side": ["buy" for _ in simulation.book],
        "price": [bid.price for bid in simulation.book],
        "quantity": [bid.quantity for bid in simulation.book],
    }


def _run_table(simulation: Simulation) -> dict[str, Any]:
    runs = simulation.runs
    table: dict[str, Any] = {
        "run": [run.label for run in runs],
        "ambiguity": [run.ambiguity for run in runs],
    }
    for i in range(STATES):
        table[f"prior_{i + 1}"] = [run.prior[i] for run in runs]
    for i in range(STATES):
        table[f"fill_{i + 1}"] = [run.fills[i] for run in runs]
    for i in range(STATES):
        table[f"state_price_{i + 1}"] = [run.state_prices[i] for run in runs]
    table["certainty_equivalent"] = [run.certainty_equivalent for run in runs]
    return table


def _statement_table(simulations: Sequence[Simulation]) -> dict[str, Any]:
    pairs = [(sim.name, statement) for sim in simulations for statement in sim.statements]
    return {
        "simulation": [name for name, _ in pairs],
        "statement": [statement.text for _, statement in pairs],
        "verdict": [statement.verdict for _, statement in pairs],
        "detail": [statement.detail for _, statement in pairs],
    }
