"""One cell (27): this package against Clarabel called directly and against CVXPY.

All solvers get the same cells and reach the same certified accuracy, 1e-8 of the notional: the
conic solver with the loosest tolerance that does, cell by cell. A cell that one of them cannot
solve so well is left out and counted. Rounds are interleaved, the order of solvers rotates, and
everything that Clarabel needs is built outside the timer: its time is set-up and solve only.
CVXPY's first call builds, canonicalises and solves the problem; its re-solve only gives new values
to the parameters (DPP) of a problem canonicalised before.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import kpm_fast as kpm
from kpm_fast import _core

from .accuracy import CellData, Floats, certainty_equivalent, upper_bound
from .cells import FAMILIES, benchmark_cells
from .conic import ClarabelCell, ConicCell, CvxpyCell
from .distribution import percentiles, shifted_geometric_mean
from .machine import describe
from .section import Section, slug_of, time_text

TITLE = "One cell"
SHIFT = 1e-5  # seconds, of the geometric mean
REQUIRED = 1e-8  # of the notional
OURS = 1e-9  # the tolerance asked of kpm_fast
CONIC = (1e-7, 1e-8, 1e-9, 1e-10)  # what may be asked of the conic solver, loosest first
CORE, PYTHON, CLARABEL = "kpm_fast core", "kpm_fast.solve_cell", "Clarabel"
CVXPY_FIRST, CVXPY_AGAIN = "CVXPY, first call", "CVXPY, re-solve (DPP)"
SOLVERS = (CORE, PYTHON, CLARABEL, CVXPY_FIRST, CVXPY_AGAIN)
TARGETS = {CLARABEL: 30.0, CVXPY_FIRST: 1000.0}


@dataclass
class Contest:
    """One cell and what each solver did on it."""

    data: CellData
    solve: dict[str, Callable[[], Any]]
    error: dict[str, float] = field(default_factory=dict)  # of the notional, certified
    seconds: dict[str, list[float]] = field(default_factory=dict)
    interior: list[float] = field(default_factory=list)  # inside the core, by its own clock
    iterations: int = 0

    @property
    def accurate(self) -> bool:
        return max(self.error.values()) <= REQUIRED


def contest(data: CellData) -> Contest:
    """Builds every solver's input, and checks every solver's answer."""
    market, orders = data.market, data.orders
    arguments = (
        market.payoffs,
        market.prior,
        market.inventory,
        market.risk_aversion,
        market.ambiguity,
        orders.claim_index(market),
        orders.side,
        orders.price,
        orders.quantity,
        data.cell,
        OURS,
        100,
    )
    ours = _core.solve_cell(*arguments)
    bound = upper_bound(data, ours["worst_case"], ours["marginal_state_prices"])

    def error(point: tuple[Floats, Floats]) -> float:
        return (bound - certainty_equivalent(data, *point)) / data.notional

    conic = ConicCell.of(data)
    for tolerance in CONIC:
        direct = ClarabelCell(conic, tolerance)
        direct_error = error(direct.point(direct.solve()))
        if direct_error <= REQUIRED:
            break
    for tolerance in CONIC:
        again = CvxpyCell(conic, tolerance)
        again.solve()
        again_error = error(again.point())
        if again_error <= REQUIRED:
            break

    def first() -> None:
        CvxpyCell(conic, again.tolerance).solve()

    def resolve() -> None:
        again.assign()
        again.solve()

    return Contest(
        data,
        solve={
            CORE: lambda: _core.solve_cell(*arguments),
            PYTHON: lambda: kpm.solve_cell(market, orders, data.cell, tolerance=OURS),
            CLARABEL: direct.solve,
            CVXPY_FIRST: first,
            CVXPY_AGAIN: resolve,
        },
        error={
            CORE: error((ours["state_prices"], ours["net_demand"])),
            CLARABEL: direct_error,
            CVXPY_AGAIN: again_error,
        },
        iterations=ours["iterations"],
    )


def run_rounds(entries: list[Contest], rounds: int) -> None:
    """Interleaved: in each round every solver meets every cell once, in rotating order.

    Each timed call follows an untimed one of the same solver on the same cell: otherwise the
    caches hold what the solver before left there, which costs the fast ones most.
    """
    for entry in entries:
        entry.seconds = {name: [] for name in SOLVERS}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for turn in range(rounds):
            order = SOLVERS[turn % len(SOLVERS) :] + SOLVERS[: turn % len(SOLVERS)]
            for entry in entries:
                for name in order:
                    if name != CVXPY_FIRST:
                        entry.solve[name]()
                    start = time.perf_counter()
                    answer = entry.solve[name]()
                    entry.seconds[name].append(time.perf_counter() - start)
                    if name == CORE:
                        entry.interior.append(answer["seconds"])
            gc.collect()
    finally:
        if collecting:
            gc.enable()


def measure(per_family: int, rounds: int) -> tuple[list[Contest], int]:
    """The accurate contests with their times, and how many others were left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CVXPY calls an answer short of its tolerance inaccurate
        entries = [contest(data) for data in benchmark_cells(per_family)]
        accurate = [entry for entry in entries if entry.accurate]
        run_rounds(accurate, rounds)
    return accurate, len(entries) - len(accurate)


def ratios(entries: list[Contest], solver: str, base: str = CORE) -> Floats:
    """How many times longer than ``base`` a solver takes, by cell: medians over the rounds."""
    return np.array(
        [np.median(entry.seconds[solver]) / np.median(entry.seconds[base]) for entry in entries]
    )


def summary(entries: list[Contest], left_out: int) -> dict[str, Any]:
    """The report as data: ratios first."""
    groups = {"all cells": entries} | {
        family: [entry for entry in entries if entry.data.label == family] for family in FAMILIES
    }
    report: dict[str, Any] = {
        "ratio": {},
        "seconds": {},
        "targets": TARGETS,
        "cells": len(entries),
        "left_out": left_out,
        "error": {name: max(entry.error[name] for entry in entries) for name in entries[0].error},
        "iterations": float(np.median([entry.iterations for entry in entries])),
        "machine": dict(describe()),
    }
    for group, members in groups.items():
        if not members:
            continue
        report["ratio"][group] = {
            solver: quantiles(ratios(members, solver)) for solver in SOLVERS if solver != CORE
        }
        times = {
            solver: np.concatenate([entry.seconds[solver] for entry in members])
            for solver in SOLVERS
        }
        times["interior-point method"] = np.concatenate([entry.interior for entry in members])
        report["seconds"][group] = {name: quantiles(values) for name, values in times.items()}
    return report


def quantiles(values: Floats) -> dict[str, float]:
    return {"median": float(np.median(values)), "p99": float(np.quantile(values, 0.99))}


def section(quick: bool) -> Section:
    """All solvers on cells of every family."""
    part = Section("All solvers, the same cells, the same certified accuracy")
    entries, left_out = measure(*((3, 5) if quick else (20, 15)))
    if not entries:
        raise RuntimeError(f"none of the {left_out} cells was solved accurately by every solver")
    for solver in SOLVERS:
        by_cell = ratios(entries, solver, PYTHON)
        seconds = np.concatenate([entry.seconds[solver] for entry in entries])
        part.rows.append(
            {
                "solver": solver,
                "median times": float(np.median(by_cell)),
                "p10 times": float(np.quantile(by_cell, 0.1)),
                "p90 times": float(np.quantile(by_cell, 0.9)),
                "mean time": shifted_geometric_mean(
                    [np.median(entry.seconds[solver]) for entry in entries], SHIFT
                ),
                **percentiles(seconds),
                "largest gap": max(
                    (e.error[solver] for e in entries if solver in e.error), default=None
                ),
            }
        )
        if solver not in (CORE, PYTHON):
            part.against(TITLE, solver, by_cell)
            part.quote(f"cell.{slug_of(solver)}", f"{np.median(by_cell):,.0f}")
    part.quote("cell.core", time_text(float(np.median([e.seconds[CORE] for e in entries]))))
    part.quote("cell.count", f"{len(entries)}")
    part.notes += [
        f"{len(entries)} of {len(entries) + left_out} cells; the others are left out because a "
        f"solver is short of {REQUIRED:g} of the notional there.",
        f"Ratios: to {PYTHON}, over the cells. Mean: geometric, shifted by {time_text(SHIFT)}, of "
        "the cells' medians. Percentiles: of all calls.",
    ]
    return part


SECTIONS = {"solvers": section}


def print_report(report: dict[str, Any]) -> None:
    print("Times as long as the core needs, median cell (99th percentile):")
    for group, by_solver in report["ratio"].items():
        print(f"  {group}")
        for solver, value in by_solver.items():
            target = report["targets"].get(solver)
            wanted = f"   target {target:,.0f}" if target and group == "all cells" else ""
            print(f"    {solver:<24}{value['median']:>11,.1f}  ({value['p99']:,.1f}){wanted}")
    print("\nMicroseconds, median (99th percentile):")
    for group, by_solver in report["seconds"].items():
        print(f"  {group}")
        for solver, value in by_solver.items():
            print(f"    {solver:<24}{1e6 * value['median']:>11,.1f}  ({1e6 * value['p99']:,.1f})")
    print("\nLargest certified error, of the notional:")
    for solver, value in report["error"].items():
        print(f"    {solver:<24}{value:>11.1e}")
    print(
        f"\n{report['cells']} cells, {report['left_out']} left out for accuracy; "
        f"{report['iterations']:g} interior-point iterations (median)"
    )
    for label, value in report["machine"].items():
        print(f"{label}: {value}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cells", type=int, default=20, help="cells of each family (20)")
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds (15)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the report as JSON")


def run(options: argparse.Namespace) -> int:
    entries, left_out = measure(options.cells, options.rounds)
    if not entries:
        print(f"none of the {left_out} cells was solved accurately by every solver")
        return 1
    report = summary(entries, left_out)
    print_report(report)
    if options.output is not None:
        options.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0
