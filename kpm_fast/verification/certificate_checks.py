"""Checking the proof of a clearing in plain NumPy: no solver, and no code shared with one.

docs/certificate.md derives what is computed here and justifies every allowance.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Floats, Ints, exact_sum
from ..errors import InputError
from ..model.book_types import check_book
from ..model.certificate import Certificate, DualCertificate
from ..model.maker_model import maker_model
from ..model.market import Market
from ..model.orders import Orders
from ..model.outcome import Outcome
from .checks import Check, Verification
from .dual_checks import Figures, at_stake, cost, divergence, dual_figures

_Three = tuple[Floats, Floats, Floats]
_Corners = list[_Three]


@np.errstate(all="ignore")  # a tampered result may overflow; its checks then fail
def check_certificate(market: Market, orders: Orders, result: Outcome) -> Verification:
    """Check that a result clears the book, and that its certificate proves that none is better.

    Returns a :class:`Verification`; raises :class:`InputError` if there is no certificate.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    >>> orders = kpm.Orders([0], "buy", [0.6], [10])
    >>> result = kpm.clear(market, orders, certificate=True)
    >>> bool(kpm.check_certificate(market, orders, result))
    True
    """
    check_book(market, orders)
    if not isinstance(result, Outcome):
        raise InputError(f"must be a Result, got {type(result).__name__}", field="result")
    proof = result.certificate
    if proof is None:
        raise InputError("is missing: clear with certificate=True", field="certificate")
    P, w, model = market.payoffs, market.inventory, maker_model(market)
    (K, N), claim = P.shape, orders.claim_index(market)
    fills, price, xi = result.fills, result.claim_prices, result.state_prices
    if [array.shape for array in (fills, price, xi)] != [(len(orders),), (K,), (N,)]:
        return Verification((Check("arrays fit the book", 1, 0),))
    dual, by_limit = isinstance(proof, DualCertificate), result.rule == "pay_as_bid"
    if dual is (result.rule == "maker_optimal"):
        return Verification((Check("certificate is of the kind that the rule has", 1, 0),))

    # Rounding of sums over N and K (relative), of prices, of money.
    eps, span, size = 2.0**-52, np.ptp(P, axis=1), np.abs(P).max(axis=1)
    least = np.log(np.min(model.get("prior", 1.0)))
    sums, traded = float(4 * (N + K + 32 - least) * eps), np.bincount(claim, np.abs(fills), K)
    slack = 1e-12 * span + 8 * eps * size
    notional = float(span @ traded) or _smaller_half(P, orders, claim)
    money = 1e-11 * notional + sums * float(size @ traded + np.abs(w).max() + at_stake(model))
    upper, wanted = result.upper_bound, result.tolerance * notional + money
    if isinstance(proof, DualCertificate):
        proven = dual_figures(market, orders, proof, upper, sums, money)
    else:
        proven = _leaf_figures(market, orders, proof, upper, sums, money, wanted)
    if len(proven) > 1:
        margin, off_price = orders.side * (orders.price - price[claim]), np.abs(P @ xi - price)
        low = np.where(margin > slack[claim], orders.quantity, 0.0)
        high = np.where(margin < -slack[claim], 0.0, orders.quantity)
        broken = ~((fills >= low) & (fills <= high))
        loss = (P - price[:, None]).T @ np.bincount(claim, orders.side * fills, K) - w
        limit = np.clip(orders.price, P.min(axis=1)[claim], P.max(axis=1)[claim])
        premium = exact_sum(orders.side * (limit - price[claim]) * fills) if dual else 0.0
        value, stated = -cost(model, loss), result.certainty_equivalent
        stated -= premium if by_limit else 0.0
        allowed = wanted if result.status == "optimal" else np.inf
        improper = np.maximum(-xi.min(), np.abs(xi.sum() - 1))
        proven += [
            ("state prices: non-negative, summing to 1", improper, 4 * eps * N**0.5),
            ("claim prices = payoffs @ state prices, in money", (off_price - slack).max(), 0),
            ("orders obey the limit order logic", broken.sum(), 0),
            ("certainty equivalent of the fills, in money", abs(value - stated), money),
            ("value of the fills, in money", abs(value + premium - result.objective), money),
            (
                "value of the fills at most upper bound, in money",
                value + premium - upper,
                money,
            ),
            ("gap of an optimal result, in money", result.gap, allowed),
        ]
    return Verification(tuple(Check(name, float(x), float(most)) for name, x, most in proven))


def _leaf_figures(
    market: Market,
    orders: Orders,
    proof: Certificate,
    upper: float,
    sums: float,
    money: float,
    wanted: float,
) -> Figures:
    """Return what a tree of leaves proves; one figure alone if it does not fit the book."""
    P, q, omega = market.payoffs, market.prior, market.ambiguity
    (K, N), claim, into = P.shape, orders.claim_index(market), proof.merged_into
    if (len(proof), *proof.first.shape[1:], *proof.worst_case.shape[1:]) != (
        len(proof) or -1,
        K,
        N,
    ):
        return [("arrays fit the book", 1, 0)]
    stray = (into < 0) | (into >= K)
    if (stray | (into[np.where(stray, 0, into)] != into)).any():
        return [("claims merged into claims that are not merged", 1, 0)]
    off, turn = _merges(P, into)
    if not off.max() <= 1e-13:
        return [("merged claims have equal payoffs, in ranges", off.max(), 1e-13)]
    corners = [_corners(P, orders, claim, np.flatnonzero(into == k), k, turn) for k in range(K)]
    off = np.array([off[into == k].max(initial=0.0) for k in range(K)])  # of each staircase
    end = np.array([len(price) - 2 for price, *_ in corners])
    outside = (proof.first < 0) | (proof.last < proof.first) | (proof.last > end)
    if outside.any():
        return [("runs stay on their staircases", outside.sum(), 0)]

    spent = divergence(proof.worst_case, q).max()
    bound, reach, worth = _bounds(market, corners, proof, off)
    span, finite = np.ptp(P, axis=1), proof.bound != -np.inf
    vague = np.abs(proof.multipliers) @ (span * (sums + 3 * off))
    blur = vague + sums * worth
    short = np.where(proof.bound >= bound, 0.0, (bound - proof.bound) / (money + blur))
    vectors = np.vstack([proof.worst_case, proof.marginal_state_prices])
    improper = np.maximum((-vectors).max(), np.abs(vectors.sum(axis=1) - 1).max())
    blurred = (proof.bound + blur)[finite].max(initial=-np.inf)
    return [
        ("leaves tile all cells", not _tile(corners, proof), 0),
        ("probability vectors: non-negative, summing to 1", improper, 4 * 2.0**-52 * N**0.5),
        ("worst cases within the ambiguity, nats", spent - omega, 1e-9 * omega + 1e-18),
        ("bounds at least what they follow from, in roundings", short[finite].max(initial=0), 1),
        ("leaves without a bound are out of reach", (~finite & ~(reach < -vague)).sum(), 0),
        ("bounds at most the upper bound, in money", proof.bound.max() - upper, money),
        ("bounds with their rounding at most upper bound, in money", blurred - upper, wanted),
    ]


def _merges(P: Floats, into: Ints) -> tuple[Floats, Ints]:
    """Return the distance of claims from their merged ones, in ranges, and -1 for complements."""
    span = np.ptp(P, axis=1)[:, None]
    share = (P - P.min(axis=1)[:, None]) / np.where(span > 0, span, np.nan)  # not of a constant
    apart = np.abs(np.stack([share, 1 - share]) - share[into]).max(axis=2)
    off = np.where(into == np.arange(len(P)), 0.0, np.nan_to_num(apart.min(axis=0), nan=np.inf))
    return off, np.where(apart[1] < apart[0], -1, 1)


def _corners(P: Floats, orders: Orders, claim: Ints, members: Ints, k: int, turn: Ints) -> _Three:
    """Return price (above the least payoff), demand and volume at the corners of one staircase.

    Piece j joins corners j and j + 1. A limit passed on the way up is a buy lost or a sell gained.
    Limits of claims merged into k are included, in shares and at prices of k. A complement's sides
    are exchanged: a bid for it is an offer of k.
    """
    steps, ends, unit = [np.empty((3, 0))], np.zeros(2), np.ptp(P[k]) or 1.0
    for m in members:
        own, low, high = orders[(claim == m) & (orders.quantity > 0)], P[m].min(), P[m].max()
        bid, price, size = own.side > 0, own.price, own.quantity * ((high - low or 1.0) / unit)
        inside = (price > low) & (price < high) | (price == low) & (low == high)
        limit, at = _limits(price[inside], 1e-13 * (high - low))
        sides = [np.bincount(at, size[inside] * x[inside], len(limit)) for x in (bid, ~bid)]
        always = [size[x & ~inside].sum() for x in (bid & (price >= high), ~bid & (price <= low))]
        step = np.stack([(limit - low) / (high - low or 1.0), *sides])
        step = step if turn[m] > 0 else np.stack([1 - step[0], *step[:0:-1]])[:, ::-1]
        while (same := np.flatnonzero(step[0, 1:] <= step[0, :-1])).size:  # distinct before scaling
            step[0, same + 1] = np.nextafter(step[0, same], np.inf)
        steps.append(step)
        ends += always[:: turn[m]]
    price, at = np.unique((every := np.hstack(steps))[0], return_inverse=True)
    bids, offers = (np.bincount(at, column, len(price)) for column in every[1:])
    # Bids are summed from the top, offers from the bottom: what is not filled is in neither.
    bought = np.append(np.cumsum(bids[::-1])[::-1], 0.0) + ends[0]
    sold = np.append(0.0, np.cumsum(offers)) + ends[1]
    price = np.repeat([0.0, *price * unit, np.ptp(P[k])], 2)[1:-1]
    return price, np.repeat(bought - sold, 2), np.repeat(bought + sold, 2)


def _limits(price: Floats, width: float) -> tuple[Floats, Ints]:
    """Return the distinct limits, ascending, and each price's index: one within ``width``."""
    limit, at = np.unique(price, return_inverse=True)
    first, begun = np.ones(len(limit), dtype=bool), -np.inf
    for j in range(len(limit)) if (np.diff(limit) <= width).any() else ():
        first[j] = limit[j] - begun > width
        begun = limit[j] if first[j] else begun
    return limit[first], (np.cumsum(first) - 1)[at]


def _smaller_half(P: Floats, orders: Orders, claim: Ints) -> float:
    """Return the scale where nothing trades: the notional of the smaller half of the levels.

    A level is what is bid or offered for a claim at one limit, if some price fills it; orders that
    every price fills are one level.
    """
    low, high = P.min(axis=1)[claim], P.max(axis=1)[claim]
    bid = orders.side > 0
    price = np.clip(orders.price, low, high)
    alive = (low < high) & (orders.quantity > 0) & np.where(bid, price > low, price < high)
    for k, (least, most) in enumerate(zip(P.min(axis=1), P.max(axis=1), strict=True)):
        own = np.flatnonzero((claim == k) & alive & (price > least) & (price < most))
        limit, at = _limits(price[own], 1e-13 * (most - least))
        price[own] = limit[at]
    keys = np.stack([claim, bid, price])[:, alive]
    _, level = np.unique(keys, axis=1, return_inverse=True)
    notional = np.sort(np.bincount(level.ravel(), ((high - low) * orders.quantity)[alive]))
    return float(notional[: max(1, len(notional) // 2)].sum()) or 1.0


def _tile(corners: _Corners, proof: Certificate) -> bool:
    """Whether the leaves cover each cell once; mistaken with probability (K / 2**31)**4 at most.

    Pieces weigh random numbers, cells the product of their pieces; the leaves' weights add up to
    that of all cells, as polynomials, if and only if each cell is counted once.
    """
    prime, random, whole = 2**31 - 1, np.random.default_rng(), np.ones(4, dtype=np.int64)
    covered = np.ones((len(proof), 4), dtype=np.int64)  # holds a product of two residues
    for k, (price, *_) in enumerate(corners):
        below = random.integers(prime, size=(len(price), 4))  # weight of all pieces before this
        runs = below[proof.last[:, k] + 1] - below[proof.first[:, k]]
        covered = covered * (runs % prime) % prime
        whole = whole * ((below[-1] - below[0]) % prime) % prime
    return bool((covered.sum(axis=0) % prime == whole).all())


def _bounds(market: Market, corners: _Corners, proof: Certificate, off: Floats) -> _Three:
    """Return each leaf's Donsker-Varadhan bound and reach, and the notional in its terms.

    A negative reach shows that no prices are in the leaf. Differences between merged claims may
    enter limits, prices and values, so they count three times for all that trades.
    """
    p, g, multipliers = proof.worst_case, proof.marginal_state_prices, proof.multipliers
    q, spent = market.prior, divergence(p, market.prior)[:, None]
    keep = np.where(spent > (1 + 1e-12) * market.ambiguity, market.ambiguity / spent, 1.0)
    p = np.where(keep < 1, keep * p + (1 - keep) * q, p)  # into the ball, which is convex
    P = market.payoffs - market.payoffs.min(axis=1)[:, None]  # prices in corners are above it too
    reach = (-multipliers @ P).max(axis=1)
    bound = reach + g @ market.inventory + divergence(g, p) / market.risk_aversion
    notional = np.zeros(len(proof))
    for k, (price, demand, volume) in enumerate(corners):
        first, last, factor = proof.first[:, k], proof.last[:, k], multipliers[:, k]
        reach = reach + np.maximum(factor * price[first], factor * price[last + 1])
        weights = np.column_stack([np.ones(len(g)), -(g @ P[k]), factor])
        terms = np.stack([price * demand + 3 * off[k] * P[k].max() * volume, demand, price])
        order = np.lexsort((last, first))  # leaves with the same run side by side
        turns = np.diff(first[order]) | np.diff(last[order])
        for rows in np.split(order, np.flatnonzero(turns) + 1):
            run = terms[:, first[rows[0]] : last[rows[0]] + 2]
            for part in np.array_split(rows, 1 + rows.size * run.shape[1] // 2**22):
                values = weights[part] @ run
                best = np.argmax(values, axis=1)
                bound[part] += values[np.arange(len(part)), best]
                notional[part] += np.abs(run[1, best]) * P[k].max()
    return bound, reach, notional
