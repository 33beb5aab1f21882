"""The paper's enumeration (28) of a small book with Clarabel for the cells.

A peer is told which cells state prices reach, and solves each of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import kpm_fast as kpm
from kpm_fast.arrays import Floats

from .accuracy import CellData, bound_at, error
from .books import Book
from .conic import ConicCell, ConicForm
from .own_cell import CoreCell
from .rounds import answered
from .solver_process import SolverProcess

if TYPE_CHECKING:
    from .conic_solvers import KeptClarabelCell

TOLERANCE = 1e-8  # of the notional, asked of the solver for each cell
ACCURACY = 1e-6  # of the notional: what an answer has to reach for its time to count
BOUND = 1e-10  # the tolerance at which this package makes the bounds of that

Answer = tuple[float, tuple[Floats, Floats] | None]  # seconds, point


@dataclass(frozen=True)
class Sweep:
    """What a solver needs for all reachable cells."""

    seconds: float
    solved: float  # share of the cells that reach the accuracy
    best: float  # the greatest certainty equivalent among them, money


def reachable_cells(book: Book) -> list[CellData]:
    """Every cell that state prices reach."""
    cells = (
        np.array(pieces)
        for pieces in itertools.product(*(range(len(stair)) for stair in kpm.staircases(*book)))
    )
    # A loose tolerance: only whether the cell is reachable is asked.
    return [
        CellData.of("sweep", *book, cell)
        for cell in cells
        if kpm.solve_cell(*book, cell, tolerance=0.5).status is not kpm.Status.INFEASIBLE
    ]


def sweep(cells: Sequence[CellData], solver: SolverProcess) -> Sweep:
    """Solve the cells in a solver's process; then check by a bound that trusts no solver.

    A failed cell counts with the average time of the others.
    """
    answers: list[Answer] = solver.ask("solve_all", cells, TOLERANCE)
    seconds, best = [], -math.inf
    for data, (took, point) in zip(cells, answers, strict=True):
        core = CoreCell(data, BOUND)
        solution = core.solution()
        bound = core.bound(solution)
        if point is not None:  # where this package's own bound is loose
            bound = min(bound, bound_at(data, point[1], solution["multipliers"]))
        if error(data, point, bound) <= ACCURACY:
            seconds.append(took)
            best = max(best, solution["certainty_equivalent"])
    mean = float(np.mean(seconds)) if seconds else math.nan
    return Sweep(mean * len(cells), len(seconds) / len(cells), best)


class ClarabelSweep:
    """Clarabel called directly; its matrices are built before the timer starts."""

    def solve_all(self, cells: Sequence[CellData], tolerance: float) -> list[Answer]:
        from .conic_solvers import ClarabelCell

        ClarabelCell(cells[0], tolerance).solve()  # loads what it loads once
        return [_answer(ClarabelCell(data, tolerance)) for data in cells]


class KeptClarabelSweep:
    """Clarabel tuned, and one solver for all cells whose matrices have the same zeros.

    It is set up, and warmed by a first solve, before the timer starts: what counts is giving it a
    cell's numbers and solving that.
    """

    def solve_all(self, cells: Sequence[CellData], tolerance: float) -> list[Answer]:
        from .conic_solvers import KeptClarabelCell

        kept: dict[tuple[Any, ...], KeptClarabelCell] = {}
        programs = []  # all are made before the first is timed: making one takes the caches
        for data in cells:
            cell = ConicCell.of(data)
            form = ConicForm.of(cell)
            if form.structure not in kept:
                kept[form.structure] = KeptClarabelCell(data, tolerance)
                kept[form.structure].solve()
            programs.append((kept[form.structure], cell, form))
        answers = []
        for solver, cell, form in programs:
            solver.take(cell, form)
            answers.append(_answer(solver))
        return answers


def _answer(task: Any) -> Answer:
    solution, seconds = answered(task.solve)
    return seconds, task.point(solution)
