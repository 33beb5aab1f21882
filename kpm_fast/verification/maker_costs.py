"""The makers' costs and their conjugates in plain NumPy; nothing is shared with the core."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Floats
from .reference import divergence, log_mean_exp, worst_case_risk

__all__ = ["conjugate_bound", "cost", "mixture_weights", "supported"]

_EPS = float(np.finfo(np.float64).eps)
_LARGE = 1e8
_RAREST = 1e-250


def cost(model: dict[str, Any], losses: Floats) -> float:
    """Return C(L) of a maker given by its parameters (docs/makers.md)."""
    kind, top = model["kind"], float(losses.max())
    below = top - losses  # >= 0
    if kind == "knightian":
        return worst_case_risk(losses, model["prior"], model["risk_aversion"], model["ambiguity"])[
            0
        ]
    if kind == "worst_state":
        return top
    if kind == "starting_orders":
        delta = model["delta"]
        # t - max L is positive, and at most the sum of all starting orders.
        slack = _root(lambda u: 1.0 - float(np.sum(delta / (u + below))), 0.0, float(delta.sum()))
        return top + slack - float(delta @ np.log(slack + below))
    if kind == "polytope":
        alpha = model["risk_aversion"]
        costs = []
        for prior in model["priors"]:
            worst = float(losses[prior > 0].max())
            deviation = np.where(prior > 0, losses - worst, 0.0)
            mean = float(prior @ deviation)
            costs.append(
                worst + (log_mean_exp(prior, alpha * deviation) / alpha if alpha > 0 else mean)
            )
        return max(costs)
    if kind == "utility":
        wealth, prior = float(model["wealth"]), model["prior"]
        slack = _root(
            lambda u: float(prior @ np.log(np.maximum(u + below, 1e-300) / wealth)), 0.0, wealth
        )
        gain = top + (slack - wealth)
        # Newton's method, relative to the wealth: bisection loses the digits of a small cost. Where
        # little of the wealth is left, or it is lost in the losses' rounding, there are none.
        if slack > 0.1 * wealth and float(np.abs(losses).max()) < _LARGE * wealth:
            for _ in range(3):
                ratio = (gain - losses) / wealth
                gain -= float(prior @ np.log1p(ratio)) * wealth / float(prior @ (1 / (1 + ratio)))
        return float(gain)
    prior, c = model["prior"], float(model["c"])
    level = _root(
        lambda t: 1.0 - float(np.maximum(prior - (below + t) / (2 * c), 0).sum()),
        -2 * c,
        2 * c,
    )
    g = np.maximum(prior - (below + level) / (2 * c), 0)
    g /= g.sum()
    return top - float(g @ below) - c * float(np.square(g - prior).sum())


def conjugate_bound(model: dict[str, Any], g: Floats, worst_case: Floats) -> float:
    """Return C*(g), or an upper bound from a worst case; infinite if the maker excludes that."""
    kind = model["kind"]
    if kind == "knightian":
        return _knightian_conjugate(model, g, worst_case)
    if kind == "worst_state":
        return 0.0
    if kind == "starting_orders":
        delta = model["delta"]
        total = float(delta.sum())
        # -sum delta ln g + sum delta ln delta - sum delta, by a divergence without cancellation.
        return total * divergence(delta / total, g) + total * math.log(total) - total
    if kind == "polytope":
        return _polytope_conjugate(model, g, worst_case)
    if kind == "utility":
        return -float(model["wealth"]) * math.expm1(-divergence(model["prior"], g))
    return float(model["c"]) * float(np.square(g - model["prior"]).sum())


def _knightian_conjugate(model: dict[str, Any], g: Floats, worst_case: Floats) -> float:
    prior, omega = model["prior"], model["ambiguity"]
    if omega >= -math.log(prior.min()):
        return 0.0
    if divergence(worst_case, prior) > omega * (1 + 1e-9) + 1e-18:
        return math.inf
    return divergence(g, worst_case) / float(model["risk_aversion"])


def _polytope_conjugate(model: dict[str, Any], g: Floats, worst_case: Floats) -> float:
    priors, alpha = model["priors"], model["risk_aversion"]
    wanted = worst_case if alpha > 0 else g
    mixture = mixture_weights(priors, wanted) @ priors
    mixture /= mixture.sum()
    off = np.abs(mixture - wanted)
    if not float(off.max()) <= 1e-9:
        return math.inf  # no mixture of the vertices
    if alpha == 0:
        return 0.0
    rounded = bool(np.all(off <= 1e-12 * wanted))  # the prior itself, then: its digits are better
    return divergence(g, wanted if rounded else mixture) / float(alpha)


def supported(
    model: dict[str, Any], g: Floats, worst_case: Floats, blur: float
) -> tuple[Floats, float]:
    """Return g and C*(g), or the mixture and 0 where rounding of KL(g|p)/alpha exceeds blur."""
    if model["kind"] == "polytope" and model["risk_aversion"] > 0:
        off = float(np.abs(g - worst_case).sum()) + 16 * _EPS
        mixture = mixture_weights(model["priors"], worst_case) @ model["priors"]
        mixture /= mixture.sum()
        near = float(np.abs(mixture - worst_case).max()) <= 1e-9
        if near and 16 * _EPS * off / float(model["risk_aversion"]) > blur:
            return mixture, 0.0
    return g, conjugate_bound(model, g, worst_case)


def mixture_weights(priors: Floats, wanted: Floats) -> Floats:
    """Return the weights of the vertices whose mixture is nearest to a prior in relative terms.

    A state with a small probability may have a large price: what makes the prior there counts as
    much as elsewhere.
    """
    with np.errstate(under="ignore"):
        unit = np.maximum(wanted, _RAREST)
        columns = (priors / unit).T
        largest = columns.max(axis=0)
        columns = columns / largest
        length = np.sqrt(np.square(columns).sum(axis=0))
        weights = _nonnegative_least_squares(columns / length, wanted / unit)
        weights = weights / (largest * length)
        return np.asarray(weights / weights.sum())


def _nonnegative_least_squares(rows: Floats, wanted: Floats) -> Floats:
    """Return x >= 0 with rows @ x nearest to what is wanted, by Lawson and Hanson.

    Columns that hardly differ pull by no more than the square of that, so rounding alone may make a
    pull negative: a column is left out only once it has been tried.
    """
    count = rows.shape[1]
    x = np.zeros(count)
    passive = np.zeros(count, dtype=bool)
    tried = np.zeros(count, dtype=bool)
    best, least = x, math.inf
    for _ in range(5 * count + 10):
        left = wanted - rows @ x
        if (off := float(np.abs(left).max())) < least:
            best, least = x, off
        pull = rows.T @ left
        pull[passive | tried] = -np.inf
        if not float(pull.max()) > -count * _EPS or least <= 2.0**-53:
            break
        entering = int(np.argmax(pull))
        passive[entering] = tried[entering] = True
        before = x
        while True:
            trial = np.zeros(count)
            trial[passive] = np.linalg.lstsq(rows[:, passive], wanted, rcond=None)[0]
            falling = passive & (trial <= 0)
            if not falling.any():
                break
            step = np.min(x[falling] / (x[falling] - trial[falling]))
            x = x + step * (trial - x)
            passive &= x > 0
            x[~passive] = 0.0
            if not passive.any():
                break
        x = trial
        if np.any(x != before):
            tried[:] = False
    return np.maximum(best, 0.0)


def _root(rises: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function that never falls crosses zero, by bisection."""
    for _ in range(1100):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        if rises(middle) < 0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
