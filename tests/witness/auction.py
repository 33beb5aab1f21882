"""The convex rules by CVXPY: the dual in state prices, with every maker's C* as a cone program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

ACCURATE = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}


def dual_value(model: dict[str, Any], payoffs: Any, inventory: Any, orders: Any) -> float:
    """Minimise  sum quantity (limit - P.g)^+ + g.w + C*(g)  over the simplex.

    ``orders`` has rows claim, side, limit, quantity. For the utility maker, whose C* is not
    separable, the primal is maximised instead.
    """
    cp = pytest.importorskip("cvxpy")  # not where wheels are tested
    claim, side, limit, quantity = (np.asarray(column) for column in orders)
    if model["kind"] == "utility":
        return _utility_primal(cp, model, payoffs, inventory, orders)
    n_states = payoffs.shape[1]
    g = cp.Variable(n_states, nonneg=True)
    constraints = [cp.sum(g) == 1]
    if len(claim):
        gain = cp.multiply(side, limit - payoffs[claim] @ g)
        orders_worth = quantity @ cp.pos(gain)
    else:
        orders_worth = 0.0
    conjugate: Any = 0.0
    kind = model["kind"]
    if kind == "knightian" and np.isfinite(model["ambiguity"]):
        prior = model["prior"]
        if model["ambiguity"] == 0:
            conjugate = cp.sum(cp.rel_entr(g, prior)) / model["risk_aversion"]
        else:
            p = cp.Variable(n_states, nonneg=True)
            constraints += [cp.sum(p) == 1, cp.sum(cp.rel_entr(p, prior)) <= model["ambiguity"]]
            conjugate = cp.sum(cp.rel_entr(g, p)) / model["risk_aversion"]
    elif kind == "starting_orders":
        delta = model["delta"]
        conjugate = -delta @ cp.log(g) + float(delta @ np.log(delta) - delta.sum())
    elif kind == "polytope":
        weight = cp.Variable(len(model["priors"]), nonneg=True)
        mixture = model["priors"].T @ weight
        constraints.append(cp.sum(weight) == 1)
        if model["risk_aversion"] == 0:
            constraints.append(g == mixture)
        else:
            conjugate = cp.sum(cp.rel_entr(g, mixture)) / model["risk_aversion"]
    elif kind == "quadratic":
        conjugate = model["c"] * cp.sum_squares(g - model["prior"])
    problem = cp.Problem(cp.Minimize(orders_worth + g @ inventory + conjugate), constraints)
    return float(problem.solve(solver=cp.CLARABEL, **ACCURATE))


def _utility_primal(
    cp: Any, model: dict[str, Any], payoffs: Any, inventory: Any, orders: Any
) -> float:
    claim, side, limit, quantity = (np.asarray(column) for column in orders)
    fills = cp.Variable(len(claim), nonneg=True) if len(claim) else np.zeros(0)
    cost = cp.Variable()
    sold = payoffs[claim] * side[:, None]  # (J, N)
    losses = sold.T @ fills - inventory if len(claim) else -inventory
    wealth = model["wealth"]
    constraints = [model["prior"] @ cp.log((wealth + cost - losses) / wealth) >= 0]
    if len(claim):
        constraints.append(fills <= quantity)
    revenue = (side * limit) @ fills if len(claim) else 0.0
    problem = cp.Problem(cp.Maximize(revenue - cost), constraints)
    return float(problem.solve(solver=cp.CLARABEL, **ACCURATE))
