"""A cell as a smooth program with linear constraints, for ``scipy.optimize.minimize``.

In the symbols of ``conic``: minimise the objective (25) itself, with z = (exp(a l) - 1) / a,

    m Omega + m ln sum_i q_i exp(z_i / m) - f.xi      over  xi, t, m

with exact gradients. Omega = 0 needs no m, and for Omega = infinity, where the objective has a
kink, a variable above all losses takes its place.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.optimize import Bounds, minimize
from scipy.special import logsumexp

from kpm_fast.arrays import Floats

from .accuracy import CellData
from .conic import ConicCell, ConicForm

_LEAST = 1e-10  # of m, in units of the notional
_LARGEST_EXPONENT = 600.0


class ScipyCell:
    """A cell, its objective with gradient, and its constraints."""

    NAME: ClassVar[str] = "SciPy SLSQP"

    def __init__(self, data: CellData, tolerance: float) -> None:
        cell = self.cell = ConicCell.of(data)
        self.states, self.n = data.market.prior.size, cell.free.size
        self.prior, self.omega = data.market.prior, data.market.ambiguity
        self.tolerance = tolerance
        states, n = self.states, self.n
        extra = 0 if self.omega == 0 else 1
        form = ConicForm.of(cell)
        rows = form.matrix.toarray()[:, : states + n]
        rows = np.hstack([rows, np.zeros((rows.shape[0], extra))])
        equal, right = rows[: form.equalities], form.right
        # Of the inequalities, those on prices alone: the rest are bounds, or belong to cones.
        first = form.equalities + states
        last = form.equalities + form.inequalities
        prices = [
            row
            for row in range(first, last)
            if np.count_nonzero(rows[row, :states]) and not np.count_nonzero(rows[row, states:])
        ]
        less, limit = rows[prices], right[prices]
        lower = np.zeros(states + n + extra)
        upper = np.ones(states + n + extra)
        if extra:
            top = np.isinf(self.omega)
            lower[-1], upper[-1] = (-np.inf, np.inf) if top else (_LEAST, np.inf)
            if top:
                losses = np.hstack([np.zeros((states, states)), cell.A.T, -np.ones((states, 1))])
                less, limit = np.vstack([less, losses]), np.r_[limit, -cell.b]
        self.equal, self.equal_right = equal, right[: form.equalities]
        self.less, self.less_right = less, limit
        self.bounds = Bounds(lower, upper)
        self.start = np.r_[np.full(states, 1 / states), np.full(n, 0.5)]
        if extra:
            self.start = np.r_[self.start, 0.0 if np.isinf(self.omega) else 0.1]

    def objective(self, x: Floats) -> tuple[float, Floats]:
        """Its value and its gradient."""
        cell, states, n = self.cell, self.states, self.n
        gradient = np.zeros(x.size)
        gradient[:states] = -cell.f
        value = -float(cell.f @ x[:states])
        if np.isinf(self.omega):
            gradient[-1] = 1.0
            return value + float(x[-1]), gradient
        losses = cell.b + x[states : states + n] @ cell.A
        exponent = np.minimum(cell.a * losses, _LARGEST_EXPONENT)
        z, slope = np.expm1(exponent) / cell.a, np.exp(exponent)
        if self.omega == 0:
            p = self.prior
            value += float(p @ z)
        else:
            m = float(x[-1])
            log_weights = np.log(self.prior) + z / m
            log_mean = float(logsumexp(log_weights))
            p = np.exp(log_weights - log_mean)
            value += m * (self.omega + log_mean)
            gradient[-1] = self.omega + log_mean - float(p @ z) / m
        gradient[states : states + n] = cell.A @ (p * slope)
        return value, gradient

    def solve(self) -> Any:
        options: dict[str, Any] = {"ftol": self.tolerance, "maxiter": 1000}
        constraints: Any = [
            {
                "type": "eq",
                "fun": lambda x: self.equal @ x - self.equal_right,
                "jac": lambda x: self.equal,
            }
        ]
        if self.less.size:
            constraints.append(
                {
                    "type": "ineq",
                    "fun": lambda x: self.less_right - self.less @ x,
                    "jac": lambda x: -self.less,
                }
            )
        return minimize(
            self.objective,
            self.start,
            jac=True,
            bounds=self.bounds,
            constraints=constraints,
            method="SLSQP",
            options=options,
        )

    def point(self, solution: Any) -> tuple[Floats, Floats] | None:
        x = np.asarray(solution.x)
        if not np.isfinite(x).all():
            return None
        return self.cell.point(x[: self.states], x[self.states : self.states + self.n])
