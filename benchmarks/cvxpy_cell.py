"""The cone program of ``conic`` in CVXPY, with parameters (DPP) for all that cells differ in.

A book's cells share one problem: every claim has a fill t in [0, 1], of which those of flats carry
no weight, and a price low + span u with u in [0, 1], where the span of steps is zero. So nothing
has an empty interior, and a new cell gives new values to parameters and nothing else.
"""

from __future__ import annotations

from typing import Any, ClassVar

import cvxpy as cp
import numpy as np

from kpm_fast.arrays import Floats

from .accuracy import CellData
from .conic import ConicCell
from .conic_solvers import LEAN


class CvxpyCell:
    """A cell in a problem that is canonicalised once; solved by Clarabel."""

    SETTINGS: ClassVar[dict[str, Any]] = {}  # of Clarabel

    def __init__(self, data: CellData, tolerance: float, cell: ConicCell | None = None) -> None:
        self.tolerance = tolerance
        market = data.market
        claims, states = market.payoffs.shape
        self.cell = cell if cell is not None else ConicCell.of(data)
        self.neutral = self.cell.neutral
        a, one = self.cell.a, np.ones(states)
        self.xi, self.t = cp.Variable(states, nonneg=True), cp.Variable(claims)
        u, s = cp.Variable(claims), cp.Variable()
        self.f = cp.Parameter(states)
        self.low, self.span = cp.Parameter(claims), cp.Parameter(claims, nonneg=True)
        self.A, self.b = cp.Parameter((claims, states)), cp.Parameter(states)
        losses = self.A.T @ self.t + self.b
        constraints = [
            cp.sum(self.xi) == 1,
            market.payoffs @ self.xi == self.low + cp.multiply(self.span, u),
            u >= 0,
            u <= 1,
            self.t >= 0,
            self.t <= 1,
        ]
        risk: Any = s
        if np.isinf(market.ambiguity):
            constraints.append(losses <= s)
        else:
            z = cp.Variable(states)
            constraints.append(
                losses <= z if self.neutral else cp.ExpCone(a * losses, one, 1 + a * z)
            )
            if market.ambiguity == 0:
                constraints.append(market.prior @ z <= s)
            else:
                m, v = cp.Variable(), cp.Variable(states)
                constraints += [market.prior @ v <= m, cp.ExpCone(z - s, m * one, v)]
                risk = s + market.ambiguity * m
        self.problem = cp.Problem(cp.Minimize(risk - self.f @ self.xi), constraints)

    def take(self, cell: ConicCell) -> None:
        """The next cell to solve, of the same book."""
        if self.neutral and not cell.neutral:
            raise ValueError("this cell needs cones that the first one did not")
        self.cell = cell

    def solve(self) -> None:
        """New values to the parameters, and solve."""
        cell = self.cell
        A = np.zeros(self.A.shape)
        A[cell.free] = cell.A
        self.A.value, self.b.value, self.f.value = A, cell.b, cell.f
        pieces = cell.data.pieces
        self.low.value = pieces[:, 0]
        self.span.value = pieces[:, 1] - pieces[:, 0]
        try:
            self.problem.solve(
                solver=cp.CLARABEL,
                tol_gap_abs=self.tolerance,
                tol_gap_rel=self.tolerance,
                tol_feas=self.tolerance,
                **self.SETTINGS,
            )
        except cp.SolverError:  # Clarabel stopped without a point: one of its statuses
            self.xi.value = None

    def point(self, _: Any = None) -> tuple[Floats, Floats] | None:
        if self.xi.value is None or self.t.value is None:
            return None
        return self.cell.point(np.asarray(self.xi.value), np.asarray(self.t.value)[self.cell.free])


class TunedCvxpyCell(CvxpyCell):
    """The same with Clarabel's settings of ``TunedClarabelCell``."""

    SETTINGS: ClassVar[dict[str, Any]] = LEAN


class FreshCvxpyCell:
    """The same as in a script that solves one cell: build, canonicalise, solve."""

    def __init__(self, data: CellData, tolerance: float) -> None:
        self.cell, self.tolerance = ConicCell.of(data), tolerance

    def solve(self) -> CvxpyCell:
        problem = CvxpyCell(self.cell.data, self.tolerance, self.cell)
        problem.solve()
        return problem

    def point(self, solution: CvxpyCell) -> tuple[Floats, Floats] | None:
        return solution.point()
