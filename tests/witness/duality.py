"""The convex rules' duality gap in forty digits, at the fills and prices that were published.

For every maker, by the cost and the conjugate of docs/makers.md.
"""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
from scipy.optimize import nnls

from witness.risk import precise, rho

FORTY = mpmath.MPContext()
FORTY.dps = 40
Vector = np.ndarray  # of forty-digit numbers


def exact(values: Any) -> Vector:
    return np.array([FORTY.mpf(float(value)) for value in np.ravel(values)]).reshape(
        np.shape(values)
    )


def distribution(values: Any) -> Vector:
    return exact(values) / exact(values).sum()


def divergence(p: Vector, q: Vector) -> Any:
    return FORTY.fsum(a * FORTY.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def bisect(low: Any, high: Any, below: Any) -> Any:
    for _ in range(160):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return high


def cost(model: dict[str, Any], losses: Vector) -> Any:
    kind, top = model["kind"], max(losses)
    if kind == "worst_state":
        return top
    if kind == "polytope":
        alpha = FORTY.mpf(model["risk_aversion"])
        priors = [distribution(prior) for prior in model["priors"]]
        if alpha == 0:
            return max(prior @ losses for prior in priors)
        means = (prior @ [FORTY.exp(alpha * (x - top)) for x in losses] for prior in priors)
        return top + FORTY.log(max(means)) / alpha
    if kind == "starting_orders":
        delta = exact(model["delta"])
        below = top - losses
        u = bisect(FORTY.mpf(0), delta.sum(), lambda u: u == 0 or sum(delta / (u + below)) > 1)
        return top + u - delta @ [FORTY.log(u + x) for x in below]
    prior = distribution(model["prior"])
    if kind == "knightian":
        alpha, omega = model["risk_aversion"], model["ambiguity"]
        return FORTY.mpf(rho(losses, prior, alpha, omega, precise(FORTY.dps)).value)
    if kind == "utility":
        wealth = FORTY.mpf(model["wealth"])

        def is_ruin(c: Any) -> bool:
            left = [(wealth + c - x) / wealth for x in losses]
            return min(left) <= 0 or prior @ [FORTY.log(x) for x in left] < 0

        return bisect(top - wealth, top, is_ruin)
    c = FORTY.mpf(model["c"])
    shifted = prior + losses / (2 * c)  # projected onto the simplex
    level = bisect(min(shifted) - 1, max(shifted), lambda x: sum(np.maximum(shifted - x, 0)) > 1)
    g = np.maximum(shifted - level, 0)
    return g @ losses - c * ((g - prior) ** 2).sum()


def mixture(priors: Any, p: Any) -> Vector:
    """The polytope's member that doubles cannot tell from p."""
    weights, _ = nnls(np.vstack([priors.T, np.ones(len(priors))]), np.append(p, 1.0))
    return distribution(weights) @ np.array([distribution(prior) for prior in priors])


def within(p: Vector, q: Vector, omega: Any) -> Vector:
    """The member of the ball that doubles cannot tell from p: moved towards q, if it is outside."""
    spent = divergence(p, q)
    return p if spent <= omega else q + (p - q) * omega / spent


def tilted(g: Vector, p: Vector, model: dict[str, Any]) -> tuple[Vector, Any]:
    g = np.where(p > 0, g, FORTY.mpf(0))
    g = g / g.sum()
    return g, divergence(g, p) / FORTY.mpf(model["risk_aversion"])


def conjugate(model: dict[str, Any], g: Vector, worst_case: Any) -> tuple[Vector, Any]:
    """C* from above, and the prices at which: the nearest that are possible."""
    kind = model["kind"]
    if kind == "worst_state":
        return g, FORTY.mpf(0)
    if kind == "polytope":
        if model["risk_aversion"] == 0:
            return mixture(model["priors"], g.astype(float)), FORTY.mpf(0)
        return tilted(g, mixture(model["priors"], worst_case), model)
    if kind == "starting_orders":
        delta = exact(model["delta"])
        return g, delta @ [FORTY.log(d / x) for d, x in zip(delta, g, strict=True)] - delta.sum()
    prior = distribution(model["prior"])
    if kind == "knightian":
        omega = FORTY.mpf(model["ambiguity"])
        if omega >= -FORTY.log(min(prior)):
            return g, FORTY.mpf(0)  # every g is in the ball
        return tilted(g, within(distribution(worst_case), prior, omega), model)
    if kind == "utility":
        wealth = FORTY.mpf(model["wealth"])
        return g, wealth * (1 - FORTY.exp(-divergence(prior, g)))
    return g, FORTY.mpf(model["c"]) * ((g - prior) ** 2).sum()


def bounds(result: Any, model: dict[str, Any], inventory: Any) -> tuple[Any, Any]:
    """What the published fills are worth, and the most that any can be by the published prices."""
    payoffs, wealth = exact(result.market.payoffs)[result.orders.claim], exact(inventory)
    side = exact(result.orders.side)
    limits, fills = exact(result.limits), exact(result.fills)
    worth = side @ (limits * fills) if len(fills) else FORTY.mpf(0)
    losses = (side * fills) @ payoffs - wealth if len(fills) else -wealth
    g, penalty = conjugate(model, distribution(result.state_prices), result.worst_case)
    most = penalty + g @ wealth
    for s, limit, payoff, quantity in zip(
        side, limits, payoffs, exact(result.orders.quantity), strict=True
    ):
        most += quantity * max(s * (limit - payoff @ g), 0)
    return worth - cost(model, losses), most
