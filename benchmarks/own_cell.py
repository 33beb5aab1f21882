"""A cell for this package: the call of the core, and the Python function around it."""

from __future__ import annotations

import kpm_fast as kpm
from kpm_fast import _core
from kpm_fast.arrays import Floats

from .accuracy import CellData, upper_bound

MAX_ITERATIONS = 100


class CoreCell:
    """``_core.solve_cell``: staircases, interior-point method and bound, from arrays.

    Like Clarabel's, its answer becomes Python's when it is read, after the timer has stopped.
    """

    def __init__(self, data: CellData, tolerance: float) -> None:
        market, orders = data.market, data.orders
        self.data, self.tolerance = data, tolerance
        self.arguments = (
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
            tolerance,
            MAX_ITERATIONS,
        )

    def solve(self) -> _core.SolvedCell:
        return _core.solve_cell(*self.arguments)

    def solution(self) -> _core.CellSolution:
        """Solve the cell and read the answer."""
        return self.solve().to_dict()

    def point(self, solved: _core.SolvedCell) -> tuple[Floats, Floats] | None:
        solution = solved.to_dict()
        return solution["state_prices"], solution["net_demand"]

    def bound(self, solution: _core.CellSolution) -> float:
        """Of the cell, computed outside the core."""
        return upper_bound(
            self.data,
            solution["worst_case"],
            solution["marginal_state_prices"],
            solution["multipliers"],
        )


class PythonCell:
    """``kpm_fast.solve_cell``: the same with validation, and the answer as an object."""

    def __init__(self, data: CellData, tolerance: float) -> None:
        self.data, self.tolerance = data, tolerance

    def solve(self) -> kpm.CellResult:
        data = self.data
        return kpm.solve_cell(data.market, data.orders, data.cell, tolerance=self.tolerance)

    def point(self, solution: kpm.CellResult) -> tuple[Floats, Floats] | None:
        return solution.state_prices, solution.net_demand
