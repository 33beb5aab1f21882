"""A cell (27) as an exponential cone programme: for Clarabel directly, and in CVXPY.

In units of the notional, with a = alpha * notional, free fills low + (high - low) t, losses
l = b + A't less the constant that makes max b = 0, and the revenue of fixed demand r = f.xi:

    minimise  m Omega + s - r   over  xi on the simplex, t in [0, 1]^n, m, s, z, v
    prices of the fixed claims in their ranges, of the free claims at their limits
    (z_i - s, m, v_i) in K_exp,  q.v <= m             m ln sum_i q_i exp(z_i / m) <= s
    (a l_i, 1, 1 + a z_i) in K_exp                    (exp(a l_i) - 1) / a <= z_i

which is (27) with the objective (25), in certainty equivalents. Omega is finite. Where it is zero
the worst case is the prior: q.z <= s takes the place of m, v and the first cones (Clarabel only).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import clarabel
import cvxpy as cp
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .accuracy import CellData, Floats


@dataclass(frozen=True)
class ConicCell:
    """A cell in the form of the module's text."""

    data: CellData
    a: float
    free: NDArray[np.intp]  # indices of the claims with free fills
    A: Floats  # (n, N)
    b: Floats  # (N,)
    f: Floats  # (N,)

    @classmethod
    def of(cls, data: CellData) -> ConicCell:
        market, pieces = data.market, data.pieces
        width = pieces[:, 3] - pieces[:, 2]
        free = np.flatnonzero(data.steps & (width > 0))
        paid = np.where(data.steps, pieces[:, 0], 0.0)
        losses = pieces[:, 2] @ (market.payoffs - paid[:, None]) - market.inventory
        return cls(
            data=data,
            a=market.risk_aversion * data.notional,
            free=free,
            A=(market.payoffs[free] - paid[free, None]) * (width[free, None] / data.notional),
            b=(losses - losses.max()) / data.notional,
            f=data.fixed_revenue / data.notional,
        )

    def point(self, xi: Floats, t: Floats) -> tuple[Floats, Floats]:
        """State prices and net demand in the book's own units."""
        pieces = self.data.pieces
        y = pieces[:, 2].copy()
        y[self.free] += np.clip(t, 0, 1) * (pieces[self.free, 3] - pieces[self.free, 2])
        return np.asarray(xi), y


class ClarabelCell:
    """Matrices in Clarabel's own form, A x + s = b with s in the cones, built once."""

    def __init__(self, cell: ConicCell, tolerance: float) -> None:
        self.cell = cell
        market, pieces = cell.data.market, cell.data.pieces
        states, n = market.prior.size, cell.free.size
        # x = (xi, t, s, z, m, v), the last two where there is ambiguity
        self.states, self.n = states, n
        ambiguous = market.ambiguity > 0
        columns = 3 * states + n + 2 if ambiguous else 2 * states + n + 1
        s, z, m, v = states + n, states + n + 1, 2 * states + n + 1, 2 * states + n + 2
        rows: list[tuple[Floats, float]] = []

        def row(*entries: tuple[Any, Any], right: float = 0.0) -> None:
            line = np.zeros(columns)
            for where, value in entries:
                line[where] = value
            rows.append((line, right))

        xi = np.arange(states)
        row((xi, 1.0), right=1.0)
        for k in np.flatnonzero(cell.data.steps):
            row((xi, market.payoffs[k]), right=float(pieces[k, 0]))
        equalities = len(rows)
        for i in range(states):
            row((i, -1.0))
        for k in np.flatnonzero(~cell.data.steps):
            row((xi, market.payoffs[k]), right=float(pieces[k, 1]))
            row((xi, -market.payoffs[k]), right=-float(pieces[k, 0]))
        for fill in range(states, states + n):
            row((fill, -1.0))
            row((fill, 1.0), right=1.0)
        if ambiguous:
            row((v + xi, market.prior), (m, -1.0))
        else:
            row((z + xi, market.prior), (s, -1.0))
        inequalities = len(rows) - equalities
        for i in range(states if ambiguous else 0):
            row((z + i, -1.0), (s, 1.0))
            row((m, -1.0))
            row((v + i, -1.0))
        fills = states + np.arange(n)
        for i in range(states):
            row((fills, -cell.a * cell.A[:, i]), right=cell.a * float(cell.b[i]))
            row(right=1.0)
            row((z + i, -cell.a), right=1.0)
        self.objective = np.zeros(columns)
        self.objective[:states] = -cell.f
        self.objective[s] = 1.0
        if ambiguous:
            self.objective[m] = market.ambiguity
        self.quadratic = sparse.csc_matrix((columns, columns))
        self.matrix = sparse.csc_matrix(np.array([line for line, _ in rows]))
        self.right = np.array([right for _, right in rows])
        self.cones = [
            clarabel.ZeroConeT(equalities),
            clarabel.NonnegativeConeT(inequalities),
            *(clarabel.ExponentialConeT() for _ in range(states + ambiguous * states)),
        ]
        self.settings = clarabel.DefaultSettings()
        self.settings.verbose = False
        self.settings.tol_gap_abs = self.settings.tol_gap_rel = tolerance
        self.settings.tol_feas = tolerance

    def solve(self) -> Any:
        """Set-up and solve: what the benchmark times."""
        solver = clarabel.DefaultSolver(
            self.quadratic, self.objective, self.matrix, self.right, self.cones, self.settings
        )
        return solver.solve()

    def point(self, solution: Any) -> tuple[Floats, Floats]:
        x = np.array(solution.x)
        return self.cell.point(x[: self.states], x[self.states : self.states + self.n])


class CvxpyCell:
    """The same programme in CVXPY, with parameters (DPP) for what differs between cells."""

    def __init__(self, cell: ConicCell, tolerance: float) -> None:
        self.cell, self.tolerance = cell, tolerance
        market = cell.data.market
        claims, states = market.payoffs.shape
        n, one = cell.free.size, np.ones(states)
        self.xi, self.t = cp.Variable(states, nonneg=True), cp.Variable(n)
        z, v, m, s = cp.Variable(states), cp.Variable(states), cp.Variable(), cp.Variable()
        self.f, self.low, self.high = (
            cp.Parameter(states),
            cp.Parameter(claims),
            cp.Parameter(claims),
        )
        self.A, self.b = cp.Parameter((n, states)), cp.Parameter(states)
        prices = market.payoffs @ self.xi
        losses = self.A.T @ self.t + self.b  # parameters carry the factor a
        constraints = [
            cp.sum(self.xi) == 1,
            prices >= self.low,
            prices <= self.high,
            self.t >= 0,
            self.t <= 1,
            market.prior @ v <= m,
            cp.ExpCone(z - s, m * one, v),
            cp.ExpCone(losses, one, 1 + cell.a * z),
        ]
        revenue = self.f @ self.xi
        self.problem = cp.Problem(cp.Minimize(m * market.ambiguity + s - revenue), constraints)
        self.assign()

    def assign(self) -> None:
        """Gives the parameters the values of the cell."""
        cell = self.cell
        self.f.value, self.b.value = cell.f, cell.a * cell.b
        self.A.value = cell.a * cell.A
        self.low.value, self.high.value = cell.data.pieces[:, 0], cell.data.pieces[:, 1]

    def solve(self) -> None:
        self.problem.solve(
            solver=cp.CLARABEL,
            tol_gap_abs=self.tolerance,
            tol_gap_rel=self.tolerance,
            tol_feas=self.tolerance,
        )

    def point(self) -> tuple[Floats, Floats]:
        return self.cell.point(np.asarray(self.xi.value), np.asarray(self.t.value))
