"""The paper's enumeration (28) with another solver for the cells: measured, or estimated.

A peer has to solve every cell that state prices reach. It is told which these are, except for the
paper's book, where it also has to find out about the others. If such cells are few, all are solved;
if they are many, a uniform random sample. Where there are too many to list, cells are drawn claim
by claim, uniformly among the pieces that the claims before leave reachable, and the time of each is
weighted by the product of the numbers of choices: Knuth's estimate of a tree (1975), which is
unbiased.
"""

from __future__ import annotations

import itertools
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linprog

import kpm_fast as kpm
from kpm_fast.arrays import Floats

from .accuracy import CellData, bound_at, error
from .books import Book
from .conic import ConicCell
from .own_cell import CoreCell
from .solver_process import SolverProcess

if TYPE_CHECKING:
    from .conic_solvers import ClarabelCell

TOLERANCE = 1e-8  # of the notional, asked of the solver for each cell
ACCURACY = 1e-6  # of the notional: what an answer has to reach for its time to count
BOUND = 1e-10  # the tolerance at which this package makes the bounds of that
_EDGE = 1e-12  # of a price range: slack against the rounding of linear programs


@dataclass(frozen=True)
class Cells:
    """Cells to be solved, and how many each of them stands for."""

    cells: list[CellData]
    weights: Floats  # their mean times the number drawn is the number of reachable cells
    reachable: float  # cells that state prices reach; an estimate where they were not listed
    listed: bool
    complete: bool


@dataclass(frozen=True)
class Sweep:
    """What a solver needs for all reachable cells."""

    seconds: float
    deviation: float  # standard error of the estimate; 0 where all were solved
    solved: float  # share of the cells that reach the accuracy
    best: float  # the greatest certainty equivalent among them, money
    multiple: float = math.nan  # of what was timed in turns with it


def reachable_cells(
    book: Book, count: int, all_limit: int, list_limit: int, seed: int = 28
) -> Cells:
    """The cells that state prices reach: all of at most ``all_limit``, or ``count`` of more.

    Books of more than ``list_limit`` cells, reachable or not, do not have them listed.
    """
    generator = np.random.default_rng([seed, count])
    pieces = [len(stair) for stair in kpm.staircases(*book)]
    if math.prod(pieces) <= list_limit:
        found, _ = _listed(book, pieces)
        chosen = found
        if len(found) > max(count, all_limit):
            rows = generator.choice(len(found), count, replace=False)
            chosen = [found[row] for row in rows]
        weights = np.full(len(chosen), len(found) / len(chosen))
        cells = [CellData.of("sweep", *book, cell) for cell in chosen]
        return Cells(cells, weights, float(len(found)), True, len(chosen) == len(found))
    drawn = [draw_cell(book, generator) for _ in range(count)]
    choices = np.array([weight for _, weight in drawn])
    cells = [CellData.of("sweep", *book, cell) for cell, _ in drawn]
    return Cells(cells, choices / count, float(choices.mean()), False, False)


def unreachable_cells(book: Book) -> list[CellData]:
    """The other cells of a small book: a solver that is not told has to find out about each."""
    _, missed = _listed(book, [len(stair) for stair in kpm.staircases(*book)])
    return [CellData.of("sweep", *book, cell) for cell in missed]


def _listed(book: Book, pieces: list[int]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Every cell: those that state prices reach, and the others."""
    found: list[np.ndarray] = []
    missed: list[np.ndarray] = []
    for combination in itertools.product(*map(range, pieces)):
        cell = np.array(combination)
        # A loose tolerance: only whether the cell is reachable is asked.
        status = kpm.solve_cell(*book, cell, tolerance=0.5).status
        (missed if status is kpm.Status.INFEASIBLE else found).append(cell)
    return found, missed


def draw_cell(book: Book, generator: np.random.Generator) -> tuple[np.ndarray, float]:
    """A reachable cell, drawn claim by claim, and the product of the numbers of choices."""
    market, orders = book
    payoffs, weight = market.payoffs, 1.0
    cell = np.empty(len(payoffs), dtype=np.int64)
    low, high = payoffs.min(axis=1), payoffs.max(axis=1)
    for k, stair in enumerate(kpm.staircases(market, orders)):
        least, most = _price_range(payoffs[: k + 1], low[:k], high[:k])
        slack = _EDGE * (payoffs[k].max() - payoffs[k].min())
        choices = np.flatnonzero((stair[:, 1] >= least - slack) & (stair[:, 0] <= most + slack))
        cell[k] = generator.choice(choices)
        low[k], high[k] = stair[cell[k], :2]
        weight *= len(choices)
    return cell, weight


def _price_range(payoffs: Floats, low: Floats, high: Floats) -> tuple[float, float]:
    """The prices of the last claim while the prices of those before are in their ranges."""
    target, before = payoffs[-1], payoffs[:-1]
    if not len(before):
        return float(target.min()), float(target.max())
    ends = []
    for sign in (1.0, -1.0):
        solution = linprog(
            sign * target,
            A_ub=np.r_[before, -before],
            b_ub=np.r_[high, -low] + 1e-10,
            A_eq=np.ones((1, target.size)),
            b_eq=[1.0],
            bounds=(0, 1),
            method="highs",
        )
        if solution.status != 0:
            raise RuntimeError(f"no state prices in a cell that was reachable: {solution.message}")
        ends.append(sign * float(solution.fun))
    return ends[0], ends[1]


Answer = tuple[float, tuple[Floats, Floats] | None]  # seconds, point


def sweep(cells: Cells, solver: SolverProcess) -> Sweep:
    """Solve the cells one after the other in a solver's process; then check, and scale up."""
    return checked(cells, solver.ask("solve_all", cells.cells, TOLERANCE))


def sweep_in_turns(
    cells: Cells, solvers: Mapping[str, SolverProcess], base: Callable[[], float], rounds: int
) -> dict[str, Sweep]:
    """The same by several solvers, a part of the cells each round, and in multiples of a base.

    The base is timed before and after every part. A machine that is slower for a while makes both
    slower, and their ratio stays.
    """
    names, count = list(solvers), len(cells.cells)
    answers: dict[str, list[Answer]] = {name: [(math.nan, None)] * count for name in names}
    bases = {name: np.empty(count) for name in names}
    for turn in range(min(rounds, count)):
        first = turn % len(names)
        part = cells.cells[turn::rounds]
        for name in names[first:] + names[:first]:
            before = base()
            answers[name][turn::rounds] = solvers[name].ask("solve_all", part, TOLERANCE)
            bases[name][turn::rounds] = (before + base()) / 2
    return {name: checked(cells, answers[name], bases[name]) for name in names}


def checked(cells: Cells, answers: Sequence[Answer], bases: Floats | None = None) -> Sweep:
    """Sum up answers for the cells, each measured by a bound that trusts no solver."""
    fine, best = [], -math.inf
    for data, (_, point) in zip(cells.cells, answers, strict=True):
        core = CoreCell(data, BOUND)
        solution = core.solution()
        bound = core.bound(solution)
        if point is not None:  # where this package's own bound is loose
            bound = min(bound, bound_at(data, point[1], solution["multipliers"]))
        good = error(data, point, bound) <= ACCURACY
        fine.append(good)
        if good:
            best = max(best, solution["certainty_equivalent"])
    seconds = np.array([took for took, _ in answers])
    whole = summed(seconds, np.array(fine), cells, best)
    if bases is None:
        return whole
    return replace(whole, multiple=summed(seconds / bases, np.array(fine), cells, best).seconds)


def summed(seconds: Floats, fine: np.ndarray, cells: Cells, best: float) -> Sweep:
    """Of times and weights: the sum that they stand for, where a failed cell has no time.

    A failed cell is counted with the average of the others.
    """
    if not fine.any():
        return Sweep(math.nan, math.nan, 0.0, best)
    parts = np.where(fine, seconds, seconds[fine].mean()) * cells.weights
    count = len(parts)
    deviation = 0.0 if cells.complete else float(math.sqrt(count) * parts.std(ddof=1))
    return Sweep(float(parts.sum()), deviation, float(fine.mean()), best)


def refused(cells: list[CellData], solver: SolverProcess) -> tuple[float, float]:
    """Seconds in which a solver finds each of these cells infeasible, and the share it does.

    The others are counted with the average of those, or with nothing if there are none.
    """
    answers = solver.ask("refuse_all", cells, TOLERANCE)
    seconds = [took for took, infeasible in answers if infeasible]
    share = len(seconds) / len(cells)
    return (sum(seconds) / share, share) if seconds else (0.0, 0.0)


PEERS = {
    "Clarabel": "cell_sweep:ClarabelSweep",
    "Clarabel, tuned": "cell_sweep:KeptClarabelSweep",
    "CVXPY": "cell_sweep:CvxpySweep",
}
"""Where the solvers are: each gets a process, and nobody loads another's library."""


class ClarabelSweep:
    """Clarabel called directly; its matrices are built before the timer starts."""

    def solve_all(self, cells: Sequence[CellData], tolerance: float) -> list[Answer]:
        return [
            (took, task.point(solution)) for took, task, solution in self._solved(cells, tolerance)
        ]

    def refuse_all(self, cells: Sequence[CellData], tolerance: float) -> list[tuple[float, bool]]:
        """Seconds, and whether the cell was found to be infeasible."""
        return [
            (took, task.infeasible(solution))
            for took, task, solution in self._solved(cells, tolerance)
        ]

    def _solved(
        self, cells: Sequence[CellData], tolerance: float
    ) -> Iterator[tuple[float, ClarabelCell, Any]]:
        from .conic_solvers import ClarabelCell

        ClarabelCell(cells[0], tolerance).solve()  # loads what it loads once
        for data in cells:
            task = ClarabelCell(data, tolerance)
            start = time.perf_counter()
            solution = task.solve()
            yield time.perf_counter() - start, task, solution


class KeptClarabelSweep(ClarabelSweep):
    """Clarabel tuned, and one solver for all cells whose matrices have the same zeros.

    It is set up, and warmed by a first solve, before the timer starts: what counts is giving it a
    cell's numbers and solving that.
    """

    def _solved(
        self, cells: Sequence[CellData], tolerance: float
    ) -> Iterator[tuple[float, ClarabelCell, Any]]:
        from .conic import ConicForm
        from .conic_solvers import KeptClarabelCell

        kept: dict[tuple[Any, ...], KeptClarabelCell] = {}
        for data in cells:
            cell = ConicCell.of(data)
            form = ConicForm.of(cell)
            task = kept.get(form.structure)
            if task is None:
                kept[form.structure] = task = KeptClarabelCell(data, tolerance)
                task.solve()
            task.take(cell, form)
            start = time.perf_counter()
            solution = task.solve()
            yield time.perf_counter() - start, task, solution


class CvxpySweep:
    """One CVXPY problem for the whole book, canonicalised before; cells are new parameters."""

    def solve_all(self, cells: Sequence[CellData], tolerance: float) -> list[Answer]:
        from .cvxpy_cell import CvxpyCell

        warnings.simplefilter("ignore")  # that an answer may be inaccurate is measured instead
        first = (data for data in cells if not ConicCell.of(data).neutral)
        task = CvxpyCell(next(first, cells[0]), tolerance)
        task.solve()
        answers: list[Answer] = []
        for data in cells:
            task.take(ConicCell.of(data))
            start = time.perf_counter()
            task.solve()
            answers.append((time.perf_counter() - start, task.point()))
        return answers
