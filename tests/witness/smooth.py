"""The convex problem of a cell by SciPy.

Once every state is within the ambiguity radius, rho is the maximum and a linear program (HiGHS)
decides. Without ambiguity rho is a log-sum-exp of t alone. In between, SLSQP works on (t, ln m)
with exact gradients from several starts, the program's solution among them; the best is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import linprog, minimize
from scipy.special import logsumexp

from witness.book import Floats
from witness.cell import CellProblem
from witness.risk import rho


def solve(problem: CellProblem) -> tuple[Floats, float]:
    """The best t found, and rho_a there by the witness's own evaluation."""
    candidates = [_minimax(problem)]
    if problem.free and problem.omega < -math.log(problem.q.min()):
        starts = [np.full(len(problem.free), 0.5), candidates[0]]
        for start in starts:
            candidates.append(_descend(problem, start))
            candidates.append(_descend(problem, candidates[-1]))
    values = [
        float(rho(problem.losses(t), problem.q, problem.a, problem.omega).value) for t in candidates
    ]
    best = int(np.argmin(values))
    return candidates[best], values[best]


def _minimax(problem: CellProblem) -> Floats:
    """argmin of max_i (b + A't)_i."""
    n, states = problem.A.shape
    solution = linprog(
        np.r_[np.zeros(n), 1.0],
        A_ub=np.c_[problem.A.T, -np.ones(states)],
        b_ub=-problem.b,
        bounds=[(0, 1)] * n + [(None, None)],
        method="highs",
    )
    return np.clip(solution.x[:n], 0, 1)


def _descend(problem: CellProblem, start: Floats) -> Floats:
    """SLSQP from ``start``."""
    n, a, q = len(problem.free), problem.a, problem.q
    at_start = rho(problem.losses(start), q, a, problem.omega)
    shift = float(at_start.value)
    scale = max(float(np.ptp(problem.b + start @ problem.A)), 1e-3)

    def risk(x: Floats) -> tuple[float, Floats]:
        """V and its gradient, as in witness.barrier, with m = scale exp(x_n)."""
        exponents = np.minimum(a * (problem.b + x[:n] @ problem.A - shift), 300.0)
        z, slope = np.expm1(exponents) / a, np.exp(exponents)
        if problem.omega == 0:
            return float(q @ z), problem.A @ (q * slope)
        m = scale * math.exp(min(x[n], 300.0))
        mean = q @ z
        inner = float(logsumexp((z - mean) / m, b=q))
        p = q * np.exp((z - mean) / m - inner)
        value = mean + m * (inner + problem.omega)
        in_m = value - mean - p @ (z - mean)
        return float(value), np.r_[problem.A @ (p * slope), in_m]

    return _slsqp(risk, start, problem.omega, n)


def _slsqp(
    risk: Callable[[Floats], tuple[float, Floats]], start: Floats, omega: float, n: int
) -> Floats:
    x0 = start if omega == 0 else np.r_[start, 0.0]
    bounds = [(0.0, 1.0)] * n + ([] if omega == 0 else [(-28.0, 25.0)])
    options = {"maxiter": 500, "ftol": 1e-16}
    solution = minimize(risk, x0, jac=True, bounds=bounds, method="SLSQP", options=options)
    return np.clip(solution.x[:n], 0, 1)
