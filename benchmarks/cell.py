"""One cell (27): this package against conic solvers and CVXPY.

All get the same cells in the best form we know for them (``conic``), built before the timer starts:
times are set-up and solve. Each solver has a process of its own, all of them on the same core;
rounds are interleaved, the order rotates, and a solver that needs less than a few milliseconds is
warmed up for one before its calls are timed, one by one. Each is asked, cell by cell, for the
loosest tolerance with which its answer reaches the accuracy; the error is measured outside all
solvers, in plain NumPy, against a certified bound. A solver that does not reach the accuracy on a
cell has failed there, and its time does not count.

CVXPY's first call builds, canonicalises and solves a problem; its re-solve only gives new values to
the parameters (DPP) of a problem that was canonicalised before. Both use Clarabel. MOSEK does not
run without a licence and is left out.

This package gets the book, not the cell: its time includes compiling the orders into staircases and
finding out whether any state prices reach the cell, which the others are told. Answers of the core
and of Clarabel are converted to Python when they are read, after the timer has stopped; the others
convert theirs within their time, and so does ``kpm_fast.solve_cell``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .cells import FAMILIES, benchmark_cells
from .contest import ACCURACY, SOLVERS, Contest, hold
from .rounds import percentiles, shifted_geometric_mean
from .section import Section, time_text

TITLE = "One cell"
SHIFT = 1e-5  # seconds, of the geometric mean
CORE, PYTHON, *PEERS = SOLVERS
TARGETS = {"Clarabel, tuned": 30.0, "CVXPY, first call": 1000.0}  # times the core, median cell
TUNED = {
    "Clarabel, tuned": "conic_solvers:TunedClarabelCell",
    "Clarabel, tuned and kept": "conic_solvers:KeptClarabelCell",
    "CVXPY, re-solve, tuned": "cvxpy_cell:TunedCvxpyCell",
}


def solvers(quick: bool) -> Section:
    """The table of all solvers at the greatest accuracy."""
    cells, rounds = (benchmark_cells(1)[::3], 2) if quick else (benchmark_cells(6), 20)
    contest = hold(cells, rounds, solvers=SOLVERS | TUNED)
    part = Section(f"All solvers, to {ACCURACY:g} of the notional")
    for solver in contest.solvers:
        reached = contest.reached(solver)
        row: dict[str, Any] = {"solver": solver, "solved share": float(reached.mean())}
        part.rows.append(row)
        if not reached.any():
            continue
        by_call = contest.ratios(solver, PYTHON)
        medians = contest.medians(solver)
        row["of solve_cell times"] = float(np.nanmedian(by_call))
        row["of the core times"] = ratio = float(np.nanmedian(contest.ratios(solver, CORE)))
        row["mean time"] = shifted_geometric_mean(medians[reached], SHIFT)
        row |= percentiles(contest.pooled(solver))
        if solver in PEERS:
            part.against(TITLE, solver, by_call[np.isfinite(by_call)])
        if solver in TARGETS:
            part.aim(
                f"{TARGETS[solver]:g} times as fast as {solver}",
                f"{ratio:,.1f} times",
                ratio >= TARGETS[solver],
                why_not_thirty(contest) if solver in TUNED else "CVXPY builds the problem anew.",
            )
    part.notes.append(
        f"{len(cells)} cells of {len(FAMILIES)} families. Multiples: median over the cells that "
        "both solve. Mean: geometric, shifted by "
        f"{time_text(SHIFT)}, of the solved cells' medians. Percentiles: of all calls. Every "
        "solver runs on one thread, and but for the tuned ones with its default settings. Tuned is "
        "Clarabel, CVXPY's too, without presolve, decomposition, equilibration and iterative "
        "refinement, which these cells do not need; kept, it is set up before the timer starts and "
        "given new numbers, while this package sets up everything within its time. At commit "
        "eda16a8d CVXPY's other backends of canonicalisation and warm starts made it no faster. "
        "ECOS lets a Python caller choose nothing but tolerances and the number of iterations. a "
        "is risk aversion times notional. Where it is tiny conic solvers get the problem without "
        "risk aversion, which is the same to half the accuracy; in between, at a = 1e-5, an error "
        "of their tolerance in 1 + a z is one of the tolerance over a in the answer."
    )
    return part


def why_not_thirty(contest: Contest) -> str:
    """Which cells are easier for Clarabel."""
    ratios = contest.ratios("Clarabel, tuned", CORE)
    labels = np.array([data.label for data in contest.cells])
    solved = np.isfinite(ratios)
    own = {
        family: float(np.median(ratios[solved & (labels == family)]))
        for family in dict.fromkeys(labels[solved].tolist())
    }
    listed = ", ".join(
        f"{family} {value:.0f}" for family, value in sorted(own.items(), key=lambda item: item[1])
    )
    return (
        "Clarabel gets the smallest program that is right to the accuracy, with fewer cones where "
        "Omega or the risk aversion vanishes; the core takes so little time that the work around "
        f"its iterations counts. By family: {listed}."
    )


SECTIONS = {"solvers": solvers}
