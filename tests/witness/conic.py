"""The convex problem of a cell as an exponential cone program, by CVXPY and Clarabel.

minimise  m Omega + s  over t in [0, 1]^n, m, s, z, v:
    (z_i - s, m, v_i) in K_exp,  q.v <= m               m ln sum q exp(z/m) <= s
    (a l_i, 1, 1 + a z_i) in K_exp,  l = b + A't        expm1(a l)/a <= z

The last cone resolves z to eps/a only, so for small a it is replaced by l + a l^2 / 2 <= z (a
second-order cone), whose error is a^2 l^3 / 6. Between the two there are a for which neither is
accurate: see ``suits``.
"""

from __future__ import annotations

import numpy as np
import pytest

from witness.book import Floats
from witness.cell import CellProblem
from witness.risk import rho

SMALL, LARGE = 1e-5, 10.0  # below: quadratic; above: beyond what the cone resolves


def suits(problem: CellProblem) -> bool:
    """Whether double precision lets this form reach about 1e-9."""
    if 0 < problem.omega < 1e-4:  # m of the order of 1/sqrt(Omega): z/m loses its digits
        return False
    size = float(np.ptp(problem.b)) + float(np.abs(problem.A).sum(axis=0).max(initial=0))
    quadratic = problem.a * max(size, 1.0) ** 2 <= SMALL and size < 100
    return quadratic or (problem.a >= 0.05 and problem.a * size <= LARGE)


def solve(problem: CellProblem) -> tuple[Floats, float]:
    """t, and rho_a there by the witness's own evaluation."""
    # No wheel of it for a free-threaded Python yet; required elsewhere, so nothing skips there.
    cp = pytest.importorskip("cvxpy")
    n, states = problem.A.shape
    a, q = problem.a, problem.q
    t = cp.Variable(n) if n else np.zeros(0)
    z, v = cp.Variable(states), cp.Variable(states)
    m, s = cp.Variable(nonneg=True), cp.Variable()
    losses = problem.b + (problem.A.T @ t if n else 0.0)
    one = np.ones(states)
    constraints = [t >= 0, t <= 1] if n else []
    if problem.omega == np.inf:
        constraints += [z <= s, m == 0]
        objective = s
    elif problem.omega == 0:
        objective = q @ z
    else:
        constraints += [cp.ExpCone(z - s, m * one, v), q @ v <= m]
        objective = m * problem.omega + s
    if a <= SMALL:
        constraints.append(losses + (a / 2) * cp.square(losses) <= z)
    else:
        constraints.append(cp.ExpCone(a * losses, one, 1 + a * z))
    program = cp.Problem(cp.Minimize(objective), constraints)
    program.solve(
        solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12, max_iter=500
    )
    found = np.zeros(0) if n == 0 else np.clip(np.asarray(t.value, dtype=float), 0, 1)
    return found, float(rho(problem.losses(found), q, a, problem.omega).value)
