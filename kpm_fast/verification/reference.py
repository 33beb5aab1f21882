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
    "ClaimBook",
    "cell_bound",
    "divergence",
    "expected_fills",
    "giant",
    "limit_ranks",
    "log_mean_exp",
    "projection_excess",
    "scale",
    "smaller_half",
    "staircase",
    "worst_case_risk",
    "worst_case_slopes",
]

_EPS = float(np.finfo(np.float64).eps)
_LARGEST_EXPONENT = 700.0  # whose power is a double

#: Payoffs, as shares of a claim's range, that differ by less are equal up to rounding.
_SAME_PAYOFF = 5e-13

#: Limits, as shares of a claim's range, that differ by no more are equal up to rounding.
_SAME_LIMIT = 1e-13


# -- staircases ---------------------------------------------------------------------------------


def limit_ranks(payoff: Floats, price: Floats) -> tuple[Floats, Ints]:
    """Rank the limits of one claim.

    Limits at an end of the payoff range are beyond it: a bid at the least payoff is never filled,
    an offer at it always is, and the reverse at the greatest. A constant claim has one price, and
    limits at it count. Limits that differ only by rounding are one: from the lowest on, all within
    1e-13 of the payoff range above it.

    Returns
    -------
    limits : ndarray, shape (n,)
        The distinct limits within the claim's payoff range, ascending; of limits that count as one,
        the lowest.
    ranks : ndarray of int64
        Position of each order's limit in ``limits``; -1 below the range, n above it.
    """
    low, high = payoff.min(), payoff.max()
    below, above = (price < low, price > high) if low == high else (price <= low, price >= high)
    inside = np.flatnonzero(~(below | above))
    ranks = np.full(len(price), -1, dtype=np.int64)
    order = inside[np.argsort(price[inside], kind="stable")]
    ascending = price[order]
    first = _begin(ascending, _SAME_LIMIT * (high - low))
    limits = ascending[first]
    ranks[order] = np.cumsum(first) - 1
    ranks[above] = len(limits)
    return limits, ranks


def _begin(ascending: Floats, width: float) -> NDArray[np.bool_]:
    """Return where a group begins, of ascending numbers at most ``width`` above its first."""
    first = np.ones(len(ascending), dtype=bool)
    np.greater(np.diff(ascending), width, out=first[1:])
    begins = np.flatnonzero(first)
    ends = np.append(begins[1:], len(ascending))
    for begin, end in zip(begins, ends, strict=True) if len(begins) < len(ascending) else ():
        # A chain of close neighbours may be wider than a group.
        while ascending[end - 1] - ascending[begin] > width:
            begin += np.searchsorted(ascending[begin:end] - ascending[begin], width, "right")
            first[begin] = True
    return first


class ClaimBook:
    """The orders of one claim: their limits, and the quantities bid and offered at each.

    Attributes
    ----------
    limits : ndarray, shape (n,)
        The distinct limits strictly within the payoff range, ascending.
    ranks : ndarray of int64
        As in :func:`limit_ranks`; -2 for orders of zero quantity.
    bids, offers : ndarray, shape (n + 2,)
        Quantity at each limit, by rank + 1: first below the range, last above it.
    """

    def __init__(
        self, payoff: Floats, side: NDArray[np.int8], price: Floats, quantity: Floats
    ) -> None:
        self.low, self.high = float(payoff.min()), float(payoff.max())
        live = quantity > 0
        if live.all():
            self.limits, self.ranks = limit_ranks(payoff, price)
        else:
            self.limits, ranks = limit_ranks(payoff, price[live])
            self.ranks = np.full(len(price), -2, dtype=np.int64)
            self.ranks[live] = ranks
        size, place, bid = len(self.limits) + 2, np.maximum(self.ranks, -1) + 1, side > 0
        self.bids = np.bincount(place, weights=np.where(bid, quantity, 0.0), minlength=size)
        self.offers = np.bincount(place, weights=np.where(bid, 0.0, quantity), minlength=size)

    @property
    def pieces(self) -> int:
        """The number of pieces of the staircase."""
        return 2 * len(self.limits) + 1

    def levels(self) -> Floats:
        """Return the quantities at a limit and side that some price fills."""
        levels = np.concatenate([self.bids[1:], self.offers[:-1]])
        return levels[levels > 0]

    def piece(self, index: int) -> tuple[float, float, float, float]:
        """Return price_low, price_high, demand_low, demand_high of one piece."""
        m, is_step = divmod(index, 2)
        above, below = self.bids[m + 1 + is_step :].sum(), self.offers[: m + 1].sum()
        if is_step:
            limit = float(self.limits[m])
            bids, offers = self.bids[m + 1], self.offers[m + 1]
            return limit, limit, float(above - (below + offers)), float(above + bids - below)
        low = self.limits[m - 1] if m > 0 else self.low
        high = self.limits[m] if m < len(self.limits) else self.high
        return float(low), float(high), float(above - below), float(above - below)

    def staircase(self) -> Floats:
        """Return price_low, price_high, demand_low, demand_high of each piece."""
        # Between limits m - 1 and m hold the bids of rank >= m less the offers of rank < m.
        demand = np.cumsum(self.bids[::-1])[::-1][1:] - np.cumsum(self.offers)[:-1]
        edges = np.concatenate([[self.low], self.limits, [self.high]])
        steps = np.empty((self.pieces, 4))
        steps[0::2, 0], steps[0::2, 1] = edges[:-1], edges[1:]
        steps[1::2, 0] = steps[1::2, 1] = self.limits
        steps[0::2, 2] = steps[0::2, 3] = demand
        steps[1::2, 2], steps[1::2, 3] = demand[1:], demand[:-1]
        return steps


def staircase(payoff: Floats, side: NDArray[np.int8], price: Floats, quantity: Floats) -> Floats:
    """Return the net-demand staircase of one claim, as :func:`kpm_fast.staircases` returns it."""
    return ClaimBook(payoff, side, price, quantity).staircase()


def smaller_half(notional: Floats) -> float:
    """Return the sum of the smaller half of notionals, at least one; 1 if there are none."""
    if not notional.size:
        return 1.0
    return float(np.sort(notional)[: max(1, notional.size // 2)].sum())


def scale(span: Floats, traded: Floats, books: list[ClaimBook]) -> float:
    """Return the scale of tolerances, money: payoff range times quantity over all that trades.

    If nothing trades, over the smaller half of the quantities at a limit.
    """
    notional = float(span @ traded)
    if notional > 0:
        return notional
    return smaller_half(_notional(span, books))


def giant(span: Floats, books: list[ClaimBook], own: float) -> float:
    """Return the notional from which on a quantity dwarfs its book, or the maker's own money."""
    notional = np.sort(_notional(span, books))
    dwarfs = 64.0 * notional.size * notional[(notional.size - 1) // 2] if notional.size else 1.0
    return float(min(dwarfs, 1e6 * own))


def _notional(span: Floats, books: list[ClaimBook]) -> Floats:
    """Return payoff range times quantity of each limit and side that some price fills, if any."""
    levels = [size * book.levels() for size, book in zip(span, books, strict=True)]
    everything = np.concatenate([[0.0], *levels])
    return everything[everything > 0]


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
        Smaller is filled first; None allocates pro rata.

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
    """Fill ``volume`` shares of the orders in ``rows``, whose quantities sum to ``total``."""
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
        d rho / d Omega, money per nat: 0 where only the worst states count, infinite at
        Omega = 0, and 0 for a constant loss.

    Notes
    -----
    The maximiser is p(t) ~ q exp(t u) with u the utility loss exp(alpha L), scaled to a range of
    one, from that of the likeliest state: in a ball that next to no mass can leave, the
    differences among likely states count, however little these lose beside a rare one. KL(p(t)|q)
    grows with t at the rate t Var_p(t) u, so t is found by Newton's method between bounds; only
    differences of L ever enter an exponential.
    """
    rho, slopes = worst_case_slopes(loss, prior, risk_aversion, (ambiguity,))
    return rho, slopes[0]


def worst_case_slopes(
    loss: Floats, prior: Floats, risk_aversion: float, ambiguities: tuple[float, ...]
) -> tuple[float, list[float]]:
    """Return rho at the first ambiguity, and the slope of :func:`worst_case_risk` at each.

    Neighbouring ambiguities cost little more than one.
    """
    top = float(loss.max())
    exponent = risk_aversion * (loss - top)
    disutility = np.expm1(exponent)  # in [-1, 0]
    spread = -float(disutility.min())
    if spread == 0:
        return top, [0.0 for _ in ambiguities]
    worst = _kink(prior, disutility)
    u = _above(exponent, int(prior.argmax())) / spread
    tilt = 0.0
    rhos, slopes = [math.nan] * len(ambiguities), [math.nan] * len(ambiguities)
    # Ascending: next to the ambiguity of a set of states that all but tie for the worst, the tilts
    # of neighbours are decades apart, and rounding hides the way back from the farther one.
    for at in sorted(range(len(ambiguities)), key=ambiguities.__getitem__):
        ambiguity = ambiguities[at]
        if ambiguity == 0:
            value, slopes[at] = log_mean_exp(prior, exponent), math.inf
        elif ambiguity >= worst:
            value, slopes[at] = 0.0, 0.0
        else:
            tilt = _tilt_for(u, prior, ambiguity, tilt)
            value = log_mean_exp(prior * np.exp(_log_ratio(u, prior, tilt)), exponent)
            slopes[at] = spread / (tilt * risk_aversion * math.exp(value))
        rhos[at] = top + value / risk_aversion
    return rhos[0], slopes


def kink(loss: Floats, prior: Floats, risk_aversion: float) -> float:
    """Return the ambiguity from which on only the worst states count, in nats."""
    return _kink(prior, np.expm1(risk_aversion * (loss - float(loss.max()))))


def _kink(prior: Floats, disutility: Floats) -> float:
    # By what is not among the worst states where that is little: the others' sum rounds to one.
    rest = float(prior[disutility < 0].sum())
    return -math.log1p(-rest) if rest < 0.5 else -float(np.log(prior[disutility == 0].sum()))


def _above(exponent: Floats, origin: int) -> Floats:
    """Return exp(exponent) less that of one entry, without cancellation; exponents <= 0."""
    apart = exponent - exponent[origin]
    larger = np.exp(np.maximum(exponent, exponent[origin]))
    above: Floats = np.sign(apart) * larger * -np.expm1(-np.abs(apart))
    return above


def log_mean_exp(p: Floats, exponent: Floats) -> float:
    """Return ln E_p exp(exponent), accurate also where it is close to 0."""
    mean = float(p @ np.expm1(exponent))
    return float(np.log1p(mean) if mean > -0.5 else np.log(p @ np.exp(exponent)))


def _log_ratio(u: Floats, prior: Floats, tilt: float) -> Floats:
    """Return ln(p(t) / q) for p(t) ~ q exp(t u)."""
    exponent = tilt * u
    top = max(float(exponent.max()), 0.0)
    if top < _LARGEST_EXPONENT:  # rare states hardly matter, and nor does the rounding of others
        return exponent - log_mean_exp(prior, exponent)
    return (exponent - top) - log_mean_exp(prior, exponent - top)


def _tilt_for(u: Floats, prior: Floats, ambiguity: float, near: float = 0.0) -> float:
    """Return the t > 0 with KL(p(t)|q) = Omega; a good first guess saves half of the steps."""

    def excess(tilt: float) -> tuple[float, float]:
        """Return by how much KL(p(t)|q) exceeds Omega, and its slope."""
        log_ratio = _log_ratio(u, prior, tilt)
        deviation = np.expm1(log_ratio)
        small = np.abs(log_ratio) < 0.05
        terms = (1 + deviation) * log_ratio - deviation
        if small.any():
            terms = np.where(small, _entropy_term(np.where(small, deviation, 0.0)), terms)
        weight = prior * (1 + deviation)
        apart = u - u[int(weight.argmax())]  # the mass of one state may be rounding of another's
        centred = apart - weight @ apart
        return float(prior @ terms) - ambiguity, tilt * float(weight @ (centred * centred))

    variance = float(prior @ np.square(u - prior @ u))
    start = math.sqrt(2 * ambiguity / variance) if variance > 0 else 1.0
    tilt = near if near > 0 else min(max(start, 1e-300), 1e300)
    low, high = 0.0, math.inf
    for _ in range(400):
        over, slope = excess(tilt)
        if over < 0:
            low = tilt
        else:
            high = tilt
        # ln KL is nearly linear in ln t, from t^2 / 2 Var u on: Newton's method for those.
        entropy, step = over + ambiguity, 0.0
        rate = tilt * slope  # may fall below all doubles
        if rate > 0 and entropy > 0:
            step = math.log(ambiguity / entropy) * entropy / rate
        following = tilt * math.exp(min(max(step, -2.0), 2.0))
        if abs(following - tilt) <= 2 * _EPS * tilt and step != 0:
            return following
        if not low < following < high:
            following = 2 * low if high == math.inf else high / 2 if low == 0 else (low + high) / 2
        if following in (tilt, low, high) or not 1e-300 < following < 1e300:
            return tilt
        tilt = following
    return tilt


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
    if not support.any() or not np.isfinite(state_prices).all():  # no probabilities
        return math.inf
    weight = np.sqrt(state_prices[support])
    log_ratio = np.log(state_prices[support] / prior[support])
    # Above the least payoff: a claim that pays 1e6 or 1e6 + 1e-6 would otherwise look constant.
    above = payoffs - payoffs.min(axis=1)[:, None]
    spans = above.max(axis=1)
    shares = above[spans > 0][:, support] / spans[spans > 0, None]
    basis = _independent(np.vstack([np.ones(int(support.sum())), shares])) * weight
    target = weight * log_ratio
    rest = target - basis.T @ np.linalg.lstsq(basis.T, target, rcond=None)[0]
    return 0.5 * float(rest @ rest)
