"""What makers add to the proof of a clearing: by a convex rule, weak duality at some state prices.

docs/certificate.md derives what is computed here. A cost is never below C(L) but for rounding:
minima are taken over a grid, of which every point would do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Floats, exact_sum
from ..model.certificate import DualCertificate
from ..model.maker_model import maker_model
from ..model.market import Market
from ..model.orders import Orders

__all__ = ["Figures", "at_stake", "cost", "divergence", "dual_figures"]

Figures = list[tuple[str, float, float]]  # of checks: name, figure, the most allowed
_EPS = 2.0**-52


def dual_figures(
    market: Market, orders: Orders, proof: DualCertificate, upper: float, sums: float, money: float
) -> Figures:
    """Return what the prices prove; one figure alone if they do not fit the book and its maker."""
    P, model, claim = market.payoffs, maker_model(market), orders.claim_index(market)
    states, vectors = P.shape[1], (proof.state_prices, proof.worst_case, proof.weights)
    wanted = (states, states * (model["kind"] == "knightian"), len(model.get("priors", ())))
    if tuple(map(len, vectors)) != wanted:
        return [("arrays fit the book and its maker", 1, 0)]
    improper = max(max(-p.min(), abs(exact_sum(p) - 1)) for p in vectors if len(p))
    g, p, beyond, vague = _in_the_set(model, proof, money)
    low, size = P.min(axis=1), np.abs(P).max(axis=1)[claim]
    limit = np.clip(orders.price, low[claim], P.max(axis=1)[claim])
    gain = orders.side * (limit - (low + (P - low[:, None]) @ g)[claim])
    bound = exact_sum(orders.quantity * np.maximum(gain, 0)) + _conjugate(model, g, p)
    # A price that misses a limit by its rounding counts for the whole order.
    open_ = float((orders.quantity * size)[gain > -(1e-12 + 8 * _EPS) * size].sum())
    above = bound + float(g @ market.inventory) - upper
    return [
        ("probability vectors: non-negative, summing to 1", improper, 4 * _EPS * states**0.5),
        ("prior is one of the maker's, in allowances", beyond, 1),
        ("bound at most the upper bound, in money", above, money + sums * open_ + vague),
    ]


def _in_the_set(
    model: dict[str, Any], proof: DualCertificate, money: float
) -> tuple[Floats, Floats, float, float]:
    """Return prices and a prior that bound, how far those stated are off, and the prior's rounding.

    A prior outside the ball is moved into it: the allowance costs the proof nothing. A polytope's
    is its mixture, which is rounded; so are the state prices where that blurs more than the money.
    """
    g, p, kind = proof.state_prices, proof.worst_case, model["kind"]
    if kind == "knightian":
        q, omega = model["prior"], model["ambiguity"]
        over = max(float(divergence(p, q)) - omega, 0.0)
        if over > 1e-12 * omega:
            p = q + (p - q) * (omega / (over + omega))
        return g, p, over / (1e-9 * omega + 1e-18), 0.0
    if kind == "polytope":
        p = proof.weights @ model["priors"]
        p = p / p.sum()
        alpha = model["risk_aversion"]
        if alpha == 0:
            return p, p, float(np.abs(g - p).max()) / 1e-9, 0.0
        vague = 16 * _EPS * float(np.abs(g - p).sum() + 16 * _EPS) / alpha
        return (g, p, 0.0, vague) if vague <= money else (p, p, 0.0, 0.0)
    return g, p, 0.0, 0.0


def at_stake(model: dict[str, Any]) -> float:
    """Return money that the maker has at stake whatever is traded."""
    if "delta" in model:
        ends = np.array([model["delta"].min(), model["delta"].sum()])
        return float(ends[1] * (1 + np.abs(np.log(ends)).sum()))
    return float(model.get("wealth", 0.0) + model.get("c", 0.0))


def divergence(p: Floats, q: Floats) -> Floats:
    """Return KL(p|q) of each row: sum of p ln(p/q) - (p - q), exact near p = q too."""
    log = np.where(np.abs(p - q) < q / 2, np.log1p((p - q) / q), np.log(p) - np.log(q))
    return np.asarray((np.where(p > 0, p * log, 0.0) - (p - q)).sum(axis=-1))


def _conjugate(model: dict[str, Any], g: Floats, p: Floats) -> float:
    """Return C*(g), where the maker has a set of priors at most, by a prior p of it."""
    kind = model["kind"]
    if "risk_aversion" in model:
        return float(divergence(g, p) / model["risk_aversion"]) if model["risk_aversion"] else 0.0
    if kind == "starting_orders":
        total = model["delta"].sum()
        return float(total * (divergence(model["delta"] / total, g) + np.log(total) - 1))
    if kind == "utility":
        return float(-model["wealth"] * np.expm1(-divergence(model["prior"], g)))
    if kind == "quadratic":
        return float(model["c"] * np.square(g - model["prior"]).sum())
    if kind == "worst_state":
        return 0.0
    raise ValueError(kind)


def cost(model: dict[str, Any], loss: Floats) -> float:
    """Return C(L) of docs/makers.md."""
    kind, top, pi = model["kind"], float(loss.max()), model.get("prior", loss)
    if kind == "knightian":
        return _risk(loss, pi, model["risk_aversion"], model["ambiguity"])
    if kind == "polytope":
        return _worst_of(loss, model["priors"], model["risk_aversion"])
    if kind == "starting_orders":
        delta = model["delta"]

        def value(x: Floats) -> Floats:  # at x = ln(t - max L)
            return np.asarray(np.exp(x) - np.log(np.exp(x)[:, None] + (top - loss)) @ delta)

        return top + _least(value, *np.log([delta.min(), delta.sum()]))
    if kind == "utility":
        wealth = model["wealth"]

        def value(x: Floats) -> Floats:  # of C - max L, where it is enough
            left = np.maximum(wealth + x[:, None] + (top - loss), 0) / wealth
            return np.where(np.log(left) @ pi >= 0, x, np.inf)

        return top + _least(value, -wealth, 0.0)
    if kind == "quadratic":
        c = model["c"]

        def value(x: Floats) -> Floats:  # at x, the multiplier of the prices' sum
            s = loss - top - x[:, None]
            gain = np.where(2 * c * pi + s > 0, (pi + s / (4 * c)) * s, -c * pi * pi)
            return np.asarray(x + gain.sum(axis=1))

        return top + _least(value, -2 * c, 2 * c)
    if kind == "worst_state":
        return top
    raise ValueError(kind)


def _log_mean(q: Floats, x: Floats) -> Floats:
    """Return ln E_q exp(x) of each row, by the formula that is exact there."""
    mean, full = (q * np.expm1(x)).sum(axis=-1), (q * np.exp(x)).sum(axis=-1)
    return np.asarray(np.where(mean > -0.5, np.log1p(mean), np.log(full)))


def _worst_of(loss: Floats, priors: Floats, alpha: float) -> float:
    """Return the greatest (1/alpha) ln E_p exp(alpha L), E_p L at alpha = 0, of some priors."""
    worst = np.where(priors > 0, loss, -np.inf).max(axis=1)  # where the prior allows it
    below = np.minimum(loss - worst[:, None], 0)
    mean = _log_mean(priors, alpha * below) / alpha if alpha else (priors * below).sum(axis=1)
    return float((worst + mean).max())


def _risk(loss: Floats, q: Floats, alpha: float, omega: float) -> float:
    """Return rho(L) = (1/alpha) ln min over mu of (25), on a grid of ln mu that is refined."""
    fall = alpha * (loss - loss.max())
    forms = np.stack([np.expm1(fall), np.exp(fall)])[:, None]

    def value(x: Floats) -> Floats:
        mu = np.exp(x)
        less, full = mu * (omega + _log_mean(q, forms / mu[:, None]))
        # (25) / exp(alpha max L), less 1 and in full: each where it is more exact.
        return np.asarray(np.where(less > -0.5, np.log1p(less), np.log(full)))

    middle = np.log(-np.expm1(fall.min()) or 1.0)
    least = _least(value, middle - 80.0, middle + 80.0)
    return float(loss.max() + min(least, 0.0) / alpha)  # the largest loss at mu = 0


def _least(function: Callable[[Floats], Floats], low: float, high: float) -> float:
    """Return the least value of a convex function on a grid that is refined around it."""
    for _ in range(12):
        x = np.linspace(low, high, 65)
        value = function(x)
        best = int(np.argmin(value))
        low, high = x[max(best - 1, 0)], x[min(best + 1, 64)]
    return float(value[best])
