"""``kpm-fast paper``: the paper's examples, simulations and theorems as tables and figures."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from ..files.atomic_files import staged_files
from ..files.tables import write_csv
from ..paper.examples import examples
from ..paper.figures import write_paper
from ..paper.finding import Finding
from ..paper.liquidity import aggregation, quotes
from ..paper.order_figures import order_revenue
from ..paper.pari_mutuel import corollary_1, theorem_2
from ..paper.simulations import (
    LIMIT,
    LOT,
    STATES,
    Simulation,
    Statement,
    in_lots,
    simulation_a,
    simulation_b,
)
from ..paper.urn import urn
from ..plots.style import require_matplotlib, save
from .fitted_table import print_table
from .named_path import named_path
from .tables import PipeAwareConsole

__all__ = ["FINDINGS", "add_parser", "run"]

FINDINGS: tuple[Callable[[], Finding], ...] = (
    theorem_2,
    corollary_1,
    examples,
    quotes,
    urn,
    order_revenue,
    aggregation,
)
"""What is reproduced besides the simulations, in the order it is printed."""

_SHORT = 10  # rows of a table that is printed


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the ``paper`` command to an ``argparse`` sub-parser collection."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "paper",
        help="reproduce the paper",
        description="Reproduce the simulations, examples and theorems of Roh and Ye (2015). "
        "Exits with 0 if all stated results are met.",
    )
    parser.add_argument(
        "--output",
        type=named_path,
        metavar="DIR",
        help="also write the tables as CSV and figures as PNG and SVG",
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
    findings = [find() for find in FINDINGS]
    paths: list[Path] = []  # before anything is printed: its reader may close the pipe
    if output is not None:
        paths = _write_tables(output, simulations, findings)
        paths += write_paper(output, *simulations)
        for finding in findings:
            for stem, draw in finding.figures.items():
                paths += save(draw(), output / stem)
    for simulation in simulations:
        _print_simulation(console, simulation)
    for finding in findings:
        console.print(f"[bold]{finding.title}[/]", highlight=False, soft_wrap=True)
        for stem, table in finding.tables.items():
            _print_short(console, stem, table)
        _print_statements(console, finding.statements)
    if output is not None:
        console.print(f"{len(paths)} files written to {output}", highlight=False)
    return 0 if all(sim.met for sim in simulations) and all(each.met for each in findings) else 1


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
    columns = ("", *(f"order {entry.order}" for entry in simulation.book), "CE (money)")
    rows = [
        [run.label, *map(in_lots, run.fills), f"{run.certainty_equivalent:.4e}"]
        for run in simulation.runs
    ]
    print_table(console, "", columns, rows, labels=("",), expendable=("CE (money)",))
    _print_statements(console, simulation.statements)


def _print_short(console: Console, stem: str, table: Mapping[str, Sequence[Any]]) -> None:
    """Print a table of a finding, unless it is as long as that of a figure."""
    rows = [list(map(_entry, row)) for row in zip(*table.values(), strict=True)]
    if len(rows) <= _SHORT:
        title = stem.replace("table_", "Table ") if stem.startswith("table_") else ""
        columns = [name.replace("_", " ") for name in table]
        words = [
            name
            for name, column in zip(columns, table.values(), strict=True)
            if isinstance(column[0], str)
        ]
        print_table(console, title, columns, rows, labels=words)


def _entry(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _print_statements(console: Console, statements: Sequence[Statement]) -> None:
    for statement in statements:
        style = "green" if statement.met else "bold red"
        console.print(
            f"  {statement.text} ... [{style}]{statement.verdict}[/] ({statement.detail})",
            highlight=False,
            soft_wrap=True,
        )
    console.print()


def _write_tables(
    folder: Path, simulations: Sequence[Simulation], findings: Sequence[Finding]
) -> list[Path]:
    """Write books, runs, the tables of findings and all statements; return the files."""
    tables: dict[str, Mapping[str, Sequence[Any]]] = {}
    for simulation, number in zip(simulations, (3, 5), strict=True):
        tables[f"table_{number}.csv"] = _book_table(simulation)
        tables[f"simulation_{simulation.name.lower()}.csv"] = _run_table(simulation)
    for finding in findings:
        tables |= {f"{stem}.csv": table for stem, table in finding.tables.items()}
    tables["statements.csv"] = _statement_table(simulations, findings)
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


def _statement_table(
    simulations: Sequence[Simulation], findings: Sequence[Finding]
) -> dict[str, Any]:
    parts = [(f"Simulation {sim.name}", sim.statements) for sim in simulations]
    parts += [(finding.title, finding.statements) for finding in findings]
    pairs = [(part, statement) for part, statements in parts for statement in statements]
    return {
        "part": [name for name, _ in pairs],
        "statement": [statement.text for _, statement in pairs],
        "verdict": [statement.verdict for _, statement in pairs],
        "detail": [statement.detail for _, statement in pairs],
    }
