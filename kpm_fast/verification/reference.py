"""The mathematics of a clearing in plain NumPy, for checking results.

Nothing here is shared with the compiled core: other formulas where there is a choice, no
tolerances, no speed. Money, shares and symbols as in :class:`kpm_fast.Result`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, Ints

__all__ = [
    "cell_bound",
    "divergence",
    "expected_fills",
    "limit_ranks",
    "log_mean_exp",
    "projection_excess",
    "staircase",
    "worst_case_risk",
]


#: Payoffs, in shares of a claim's range, that differ by less are the same but for rounding.
_SAME_PAYOFF = 5e-13


# -- staircases ---------------------------------------------------------------------------------


def limit_ranks(payoff: Floats, price: Floats) -> tuple[Floats, Ints]:
    """Rank the limits of one claim.

    Returns
    -------
    limits : ndarray, shape (n,)
        The distinct limits within the claim's payoff range, ascending.
    ranks : ndarray of int64
        Position of each order's limit in ``limits``; -1 below the range, n above it.
    """
    low, high = payoff.min(), payoff.max()
    limits = np.unique(price[(price >= low) & (price <= high)])
    ranks = np.searchsorted(limits, price).astype(np.int64)
    ranks[price < low] = -1
    ranks[price > high] = len(limits)
    return limits, ranks


def staircase(payoff: Floats, side: NDArray[np.int8], price: Floats, quantity: Floats) -> Floats:
    """Return the net-demand staircase of one claim, as :func:`kpm_fast.staircases` has it."""
    live = quantity > 0
    limits, ranks = limit_ranks(payoff, price[live])
    n = len(limits)
    buys = np.where(side[live] > 0, quantity[live], 0.0)
    sells = np.where(side[live] < 0, quantity[live], 0.0)
    # demand[m] holds between limits m - 1 and m: buys of rank >= m less sells of rank < m.
    buy_sums = np.bincount(ranks + 1, weights=buys, minlength=n + 2)
    sell_sums = np.bincount(ranks + 1, weights=sells, minlength=n + 2)
    demand = np.cumsum(buy_sums[::-1])[::-1][1:] - np.cumsum(sell_sums)[:-1]
    edges = np.concatenate([[payoff.min()], limits, [payoff.max()]])
    steps = np.empty((2 * n + 1, 4))
    steps[0::2] = np.column_stack([edges[:-1], edges[1:], demand, demand])
    steps[1::2] = np.column_stack([limits, limits, demand[1:], demand[:-1]])
    return steps


def expected_fills(
    ranks: Ints,
    piece: int,
    net_demand: float,
    side: NDArray[np.int8],
    quantity: Floats,
    priority: Floats | None,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the fills of one claim's orders that its piece and net demand imply.

    Parameters
    ----------
    ranks : ndarray of int64
        From :func:`limit_ranks`.
    piece : int
        2 m for the flat piece below limit m, 2 m + 1 for the step at limit m.
    net_demand : float
        y of the claim.
    side, quantity : ndarray
        Of the claim's orders, in book order.
    priority : ndarray, optional
        Smaller is served first; None shares pro rata.

    Returns
    -------
    fills : ndarray
    tied : ndarray of bool
        Orders at the clearing price. The fills of all others are 0 or the quantity, exactly.
    """
    step, is_step = divmod(piece, 2)
    tied = (ranks == step) & (is_step == 1) & (quantity > 0)
    inside = np.where(side > 0, ranks >= step, ranks < step) & ~tied
    fills = np.where(inside, quantity, 0.0)
    buys, sells = tied & (side > 0), tied & (side < 0)
    strict = fills[side > 0].sum() - fills[side < 0].sum()
    # Matched volume grows until one side of the limit is exhausted.
    open_demand = net_demand - strict
    buy_total, sell_total = quantity[buys].sum(), quantity[sells].sum()
    bought = min(buy_total, sell_total + open_demand)
    _share(fills, buys, quantity, bought, buy_total, priority)
    _share(fills, sells, quantity, bought - open_demand, sell_total, priority)
    return fills, tied


def _share(
    fills: Floats,
    rows: NDArray[np.bool_],
    quantity: Floats,
    volume: float,
    total: float,
    priority: Floats | None,
) -> None:
    """Give ``volume`` shares to the orders in ``rows``, which want ``total``."""
    if total <= 0:
        return
    volume = min(max(volume, 0.0), total)
    if priority is None:
        fills[rows] = quantity[rows] * (volume / total)
        return
    queue = np.flatnonzero(rows)
    queue = queue[np.argsort(priority[queue], kind="stable")]
    served = np.cumsum(quantity[queue])
    fills[queue] = np.clip(volume - (served - quantity[queue]), 0.0, quantity[queue])


# -- risk ---------------------------------------------------------------------------------------


def _entropy_term(d: Floats) -> Floats:
    """Return (1 + d) ln(1 + d) - d, which is >= 0, for |d| < 0.1, without cancellation."""
    series = np.zeros_like(d)
    for power in range(18, 1, -1):  # sum of (-d)^n / (n (n - 1)) from n = 2, by Horner
        series = 1.0 / (power * (power - 1)) - d * series
    return d * d * series


def divergence(p: Floats, q: Floats) -> float:
    """Return KL(p|q) as sum of p ln(p/q) - p + q, whose terms are all >= 0.

    For probability vectors that is the usual divergence, yet accurate to the last digits when
    p is close to q.
    """
    with np.errstate(all="ignore"):
        near = np.abs(p - q) < 0.1 * q
        ratio = np.where(near, (p - q) / np.where(q > 0, q, 1.0), 0.0)
        logs = np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0)
        terms = np.where(near, q * _entropy_term(ratio), logs - p + q)
    return float(terms.sum())


def worst_case_risk(
    loss: Floats, prior: Floats, risk_aversion: float, ambiguity: float
) -> tuple[float, float]:
    """Return rho(L) = (1/alpha) ln max {E_p exp(alpha L) : KL(p|q) <= Omega}, and its slope.

    Returns
    -------
    rho : float
        Money.
    slope : float
        d rho / d Omega, money per nat: 0 where the worst states alone count, infinite at
        Omega = 0, and 0 for a constant loss.

    Notes
    -----
    The maximiser is p(t) ~ q exp(t u) with u the utility loss exp(alpha L), shifted and scaled
    to [-1, 0]. KL(p(t)|q) grows with t, so t is found by bisection; only differences of L ever
    enter an exponential.
    """
    top = float(loss.max())
    exponent = risk_aversion * (loss - top)
    disutility = np.expm1(exponent)  # in [-1, 0]
    spread = -float(disutility.min())
    if spread == 0:
        return top, 0.0
    if ambiguity == 0:
        return top + log_mean_exp(prior, exponent) / risk_aversion, math.inf
    if ambiguity >= -np.log(prior[disutility == 0].sum()):
        return top, 0.0
    u = disutility / spread
    tilt = _tilt_for(u, prior, ambiguity)
    log_mean = log_mean_exp(prior * np.exp(_log_ratio(u, prior, tilt)), exponent)
    return (
        top + log_mean / risk_aversion,
        spread / (tilt * risk_aversion * float(np.exp(log_mean))),
    )


def log_mean_exp(p: Floats, exponent: Floats) -> float:
    """Return ln E_p exp(exponent) for exponents <= 0, accurate also where it is close to 0."""
    mean = float(p @ np.expm1(exponent))
    return float(np.log1p(mean) if mean > -0.5 else np.log(p @ np.exp(exponent)))


def _log_ratio(u: Floats, prior: Floats, tilt: float) -> Floats:
    """Return ln(p(t) / q) for p(t) ~ q exp(t u)."""
    return tilt * u - log_mean_exp(prior, tilt * u)


def _tilt_for(u: Floats, prior: Floats, ambiguity: float) -> float:
    """Return the t > 0 with KL(p(t)|q) = Omega."""

    def excess(tilt: float) -> float:
        log_ratio = _log_ratio(u, prior, tilt)
        deviation = np.expm1(log_ratio)
        small = np.abs(log_ratio) < 0.05
        near = _entropy_term(np.where(small, deviation, 0.0))
        terms = np.where(small, near, (1 + deviation) * log_ratio - deviation)
        return float(prior @ terms) - ambiguity

    variance = float(prior @ np.square(u - prior @ u))
    low = high = math.sqrt(2 * ambiguity / variance) if variance > 0 else 1.0
    while excess(high) < 0 and high < 1e300:
        low, high = high, 2 * high
    while excess(low) > 0 and low > 1e-300:
        low, high = low / 2, low
    for _ in range(64):
        middle = 0.5 * (low + high)
        if excess(middle) < 0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


# -- optimality -----------------------------------------------------------------------------------


def cell_bound(
    payoffs: Floats,
    inventory: Floats,
    risk_aversion: float,
    pieces: Floats,
    worst_case: Floats,
    marginal: Floats,
    multipliers: Floats,
) -> float:
    """Return an upper bound on the certainty equivalent of every clearing in one cell.

    For any p with KL(p|q) <= Omega, any probability vector g and any lambda, by the
    Donsker-Varadhan inequality,

        sum_k max over corners of (pi y - (P_k.g) y + lambda_k pi)
            + max_i(-sum_k lambda_k P_ki) + g.w + KL(g|p)/alpha.

    ``pieces`` holds price_low, price_high, demand_low, demand_high of each claim's piece, whose
    corners are the corners of its box: one of the two ranges is a point.
    """
    value = payoffs @ marginal
    corners = [
        price * demand - value * demand + multipliers * price
        for price, demand in (
            (pieces[:, 0], pieces[:, 2]),
            (pieces[:, 1], pieces[:, 2]),
            (pieces[:, 0], pieces[:, 3]),
            (pieces[:, 1], pieces[:, 3]),
        )
    ]
    return float(
        np.max(corners, axis=0).sum()
        + np.max(-(multipliers @ payoffs))
        + marginal @ inventory
        + divergence(marginal, worst_case) / risk_aversion
    )


def _independent(rows: Floats) -> Floats:
    """Return a basis of the span of ``rows``, of which all entries lie in [0, 1].

    By elimination with the largest pivot first: rows that differ by 1e-12 have a difference with
    all its digits, which weighted or orthonormal rows would not. Less than that is rounding.
    """
    rest = rows.copy()
    basis = []
    for _ in range(min(rest.shape)):
        row, column = np.unravel_index(np.abs(rest).argmax(), rest.shape)
        pivot = rest[row] / rest[row, column]
        if abs(rest[row, column]) <= _SAME_PAYOFF:
            break
        basis.append(pivot)
        rest -= np.outer(rest[:, column], pivot)
        rest[:, column] = 0.0
    return np.array(basis)


def projection_excess(state_prices: Floats, prior: Floats, payoffs: Floats) -> float:
    """Return about how much closer to the prior, in nats, state prices could be.

    The vector with given claim prices closest to the prior in KL(xi|q) has ln(xi/q) in the span
    of the payoff vectors and the constant, on its support. What is left of ln(xi/q) outside that
    span measures, to second order, the divergence that could be saved.
    """
    support = state_prices > 0
    weight = np.sqrt(state_prices[support])
    log_ratio = np.log(state_prices[support] / prior[support])
    # Above their least payoff, or a claim that pays a million or a millionth more is a constant.
    above = payoffs - payoffs.min(axis=1)[:, None]
    spans = above.max(axis=1)
    shares = above[spans > 0][:, support] / spans[spans > 0, None]
    basis = _independent(np.vstack([np.ones(int(support.sum())), shares])) * weight
    target = weight * log_ratio
    rest = target - basis.T @ np.linalg.lstsq(basis.T, target, rcond=None)[0]
    return 0.5 * float(rest @ rest)
