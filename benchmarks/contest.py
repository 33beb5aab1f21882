"""Solvers side by side on the same cells: who reaches which accuracy, and in what time.

Each solver has a process of its own (``solver_process``). In its turn a fast one first runs for a
millisecond untimed, so that caches and branch predictors are as they are in a loop over cells, for
all solvers alike; then up to five calls are timed, one by one. A tolerance means something else to
each of them, so each is asked for ever smaller ones, cell by cell, and timed with the largest that
reaches the accuracy, which ``accuracy.error`` measures outside all solvers. If none does, it has
failed and has no time.
"""

from __future__ import annotations

import gc
import importlib
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kpm_fast.arrays import Floats

from .accuracy import CellData, bound_at, error
from .own_cell import CoreCell
from .rounds import BRIEF, WARM_UP, answered, one_core, timed, warm_up
from .solver_process import SolverProcess

ACCURACY = 1e-8  # of the notional
TOLERANCES = tuple(10.0**-digits for digits in range(4, 13))
BEST = 1e-12  # the tolerance at which this package makes the bound that all are measured by
PEER = 1e-9  # and Clarabel another one
PATIENCE = 0.4  # seconds: after a call as long as this, no smaller tolerance is tried
COLLECT_EVERY = 50  # turns: garbage is collected between them, not in calls
TIMED = 5  # calls that a turn counts, of a solver that needs less than the warm-up
SOLVERS = {
    "kpm_fast, core": "own_cell:CoreCell",
    "kpm_fast.solve_cell": "own_cell:PythonCell",
    "Clarabel": "conic_solvers:ClarabelCell",
    "ECOS": "conic_solvers:EcosCell",
    "CVXPY, re-solve (DPP)": "cvxpy_cell:CvxpyCell",
    "CVXPY, first call": "cvxpy_cell:FreshCvxpyCell",
}
"""The names that the report uses, and where the solvers are: nobody loads another's library."""


class Solver:
    """What runs in a solver's process: its cells, built once, solved when asked."""

    def __init__(self, place: str) -> None:
        warnings.simplefilter("ignore")  # that an answer may be inaccurate is measured instead
        module, _, name = place.partition(":")
        self.kind = getattr(importlib.import_module(f"{__package__}.{module}"), name)
        self.built: dict[tuple[int, float], Any] = {}
        self.turns = 0
        gc.disable()

    def attempt(
        self, number: int, data: CellData, tolerance: float
    ) -> tuple[tuple[Floats, Floats] | None, float]:
        """The point found, and what the call took, cold."""
        task = self.kind(data, tolerance)
        solution, seconds = answered(task.solve)
        self.built[number, tolerance] = task
        return task.point(solution), seconds

    def seconds(self, number: int, tolerance: float) -> list[float]:
        """Timed calls of a cell that was attempted before."""
        solve = self.built[number, tolerance].solve
        self.turns += 1
        if self.turns % COLLECT_EVERY == 0:
            gc.collect()
        took = warm_up(solve)  # the process has slept while the others had their turns
        if took >= BRIEF:
            return [took]
        return [timed(solve) for _ in range(TIMED if took < WARM_UP else 1)]


@dataclass
class Standing:
    """One solver on one cell: with which tolerance it reached the accuracy, and its times."""

    tolerance: float | None = None  # None: it did not
    seconds: list[float] = field(default_factory=list)


@dataclass
class Contest:
    """All solvers on all cells."""

    cells: list[CellData]
    solvers: Sequence[str]
    standings: dict[str, list[Standing]]

    def reached(self, solver: str) -> Floats:
        """By cell, whether the solver reaches the accuracy."""
        return np.array([each.tolerance is not None for each in self.standings[solver]])

    def medians(self, solver: str) -> Floats:
        """By cell, the median of its times; NaN where it failed."""
        return np.array([np.median(each.seconds or [np.nan]) for each in self.standings[solver]])

    def pooled(self, solver: str) -> Floats:
        """All its times on the cells where it reaches the accuracy."""
        return np.array([took for each in self.standings[solver] for took in each.seconds])

    def ratios(self, solver: str, base: str) -> Floats:
        """By cell, its time divided by that of ``base``; NaN where either failed."""
        return self.medians(solver) / self.medians(base)


def hold(cells: list[CellData], rounds: int, solvers: Mapping[str, str] = SOLVERS) -> Contest:
    """Run all solvers on all cells.

    In each round every solver solves every cell once, in rotating order.
    """
    names = tuple(solvers)
    contest = Contest(cells, names, {name: [Standing() for _ in cells] for name in names})
    with one_core(), ExitStack() as stack:
        processes = {
            name: stack.enter_context(SolverProcess("contest:Solver", place))
            for name, place in solvers.items()
        }
        for number, data in enumerate(cells):
            bound = best_bound(data)
            for name, process in processes.items():
                contest.standings[name][number].tolerance = _enough(process, number, data, bound)
        for turn in range(rounds):
            first = turn % len(names)
            for number in range(len(cells)):
                for name in names[first:] + names[:first]:
                    each = contest.standings[name][number]
                    if each.tolerance is not None:
                        each.seconds += processes[name].ask("seconds", number, each.tolerance)
    return contest


def best_bound(data: CellData) -> float:
    """The lower of two bounds, so that no solver is judged by what another one misses."""
    from .conic_solvers import ClarabelCell

    core = CoreCell(data, BEST)
    solution = core.solution()
    bound = core.bound(solution)
    peer = ClarabelCell(data, PEER)
    point = peer.point(peer.solve())
    if point is None:
        return bound
    return min(bound, bound_at(data, point[1], solution["multipliers"]))


def _enough(process: SolverProcess, number: int, data: CellData, bound: float) -> float | None:
    """The largest tolerance with which a solver reaches the accuracy; None if with none."""
    for tolerance in TOLERANCES:
        point, cold = process.ask("attempt", number, data, tolerance)
        if error(data, point, bound) <= ACCURACY:
            return tolerance
        if cold > PATIENCE:
            break
    return None
