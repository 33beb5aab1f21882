"""The paper's enumeration (28) in plain Python: all feasible cells solved, the best kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from witness import barrier
from witness.book import Book, Floats, Piece, staircase
from witness.cell import CellProblem, Infeasible, best_prices, cell_problem
from witness.risk import precise

CERTAIN = 1e-10  # of the notional: a coarser certificate is worked out again in thirty digits


@dataclass(frozen=True, eq=False)
class Clearing:
    certainty_equivalent: float  # money
    upper_bound: float  # money: no clearing has more
    pieces: tuple[Piece, ...]
    state_prices: Floats
    net_demand: Floats
    cells: int
    feasible: int


def clear(book: Book, ends: bool = False) -> Clearing:
    """The global optimum of problem (8); with ``ends`` also over limits at the ends of payoffs."""
    stairs = [staircase(book, k, ends) for k in range(book.claims)]
    cells = 1
    for stair in stairs:
        cells *= len(stair)
    solved = [(cell, *solve_cell(cell)) for cell in feasible_cells(book, stairs)]
    best, value, solution = max(solved, key=lambda entry: entry[1])
    bound = max(cell.certainty_equivalent(found.bound) for cell, _, found in solved)
    return Clearing(
        certainty_equivalent=value,
        upper_bound=float(bound),
        pieces=best.pieces,
        state_prices=best.state_prices,
        net_demand=best.demand(solution.t),
        cells=cells,
        feasible=len(solved),
    )


def solve_cell(cell: CellProblem) -> tuple[float, barrier.Solution]:
    """The certainty equivalent of a cell in money, certified to CERTAIN."""
    found = barrier.solve(cell)
    if not found.gap <= CERTAIN:
        found = barrier.solve(cell, precise(30), tolerance=1e-12)
    return float(cell.certainty_equivalent(found.value)), found


def feasible_cells(book: Book, stairs: list[list[Piece]]) -> Iterator[CellProblem]:
    """Claim by claim, leaving a branch as soon as no state prices reach it."""

    def walk(chosen: tuple[Piece, ...]) -> Iterator[CellProblem]:
        try:
            if len(chosen) == book.claims:
                yield cell_problem(book, chosen)
                return
            best_prices(book, chosen)
        except Infeasible:
            return
        for piece in stairs[len(chosen)]:
            yield from walk((*chosen, piece))

    return walk(())
