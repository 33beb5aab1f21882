"""``kpm-fast paper``: section 5 of the paper as tables and figures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..files.atomic_files import staged_files
from ..files.tables import write_csv
from ..paper.figures import write_paper
from ..paper.simulations import LIMIT, LOT, STATES, Simulation, in_lots, simulation_a, simulation_b
from ..plots.style import require_matplotlib
from .tables import PipeAwareConsole

__all__ = ["add_parser", "run"]


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
        require_matplotlib()  # before anything is written
    console = PipeAwareConsole()
    simulations = (simulation_a(), simulation_b())
    for simulation in simulations:
        _print_simulation(console, simulation)
    if output is not None:
        paths = [*_write_tables(output, simulations), *write_paper(output, *simulations)]
        console.print(f"{len(paths)} files written to {output}", highlight=False)
    return 0 if all(simulation.met for simulation in simulations) else 1


def _print_simulation(console: Console, simulation: Simulation) -> None:
    console.print(f"[bold]Simulation {simulation.name}[/]: {simulation.title}", highlight=False)
    quantities = ", ".join(in_lots(bid.quantity) for bid in simulation.book)
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
        fills = [in_lots(fill) for fill in each.fills]
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
