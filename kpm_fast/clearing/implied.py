"""What quotes say about probabilities: the prior's projection on prices."""

from __future__ import annotations

import math
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _core
from ..arrays import Floats, as_floats, frozen
from ..errors import InputError
from ..model.book_types import check_book
from ..model.labels import align, named_table
from ..model.limits import limits_in_reach
from ..model.maker_model import check_knightian, is_knightian
from ..model.market import Market
from ..model.orders import Orders

__all__ = ["implied_ambiguity", "prior_from_quotes", "where_trade_stops"]


def implied_ambiguity(market: Market, orders: Orders) -> float:
    """Compute the ambiguity at which the maker stops trading with a book.

    For a maker at constant wealth and orders that do not cross this is the divergence between its
    prior and the nearest state prices at which no order is strictly inside its limit, whatever its
    risk aversion (theorem B of ``docs/theory.md``): below it trade is a gain to the maker, at or
    above it nothing is gained, though orders at their limits may be matched. A limit beyond what
    its claim can pay, as that of a market order, counts as the end of that range.

    Parameters
    ----------
    market : Market
        Claims and prior; its ambiguity and risk aversion do not affect the answer.
    orders : Orders
        The book. Orders of zero quantity do not count.

    Returns
    -------
    float
        Omega* in nats; 0 if no order is worth filling at the prior itself; infinite if orders
        cross, on one claim or across several: these trade with each other at any ambiguity.

    Raises
    ------
    InputError
        If the maker is not Knightian, or its inventory differs between states, where there is no
        such threshold.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["yes", "no"])
    >>> orders = kpm.Orders(["yes"], ["buy"], [0.6], [100])
    >>> round(kpm.implied_ambiguity(market, orders), 6)
    0.020136
    """
    check_book(market, orders)
    check_knightian(market, "whose ambiguity it is")
    inventory = market.inventory
    if inventory.min() != inventory.max():
        state = int(np.argmax(inventory != inventory[0]))
        raise InputError(
            f"must be the same in every state, got {float(inventory[0])!r} and "
            f"{float(inventory[state])!r}",
            field="inventory",
            index=market.states[state],
        )
    low, high = _no_gain_range(market, orders)
    reached, _, _, divergence = _core.project_prior(market.payoffs, market.prior, low, high)
    return float(divergence) if reached else np.inf


@overload
def prior_from_quotes(
    payoffs: NDArray[Any] | list[Any],
    bid: ArrayLike,
    ask: ArrayLike,
    prior: ArrayLike | None = None,
) -> Floats: ...
@overload
def prior_from_quotes(
    payoffs: Any, bid: ArrayLike, ask: ArrayLike, prior: ArrayLike | None = None
) -> dict[str, float]: ...
def prior_from_quotes(
    payoffs: Any, bid: ArrayLike, ask: ArrayLike, prior: ArrayLike | None = None
) -> Floats | dict[str, float]:
    """Find the probabilities closest to a prior that value every claim within its quotes.

    Among all probability vectors xi with bid <= payoffs @ xi <= ask, the one with the least KL
    divergence from ``prior`` (its information projection).

    Parameters
    ----------
    payoffs : (K, N) array_like, data frame or mapping
        Money per share, by claim and state, as for :class:`Market`.
    bid, ask : (K,) array_like, Series or mapping
        Money per share; equal for a mid price, minus and plus infinity where there is no quote.
        Labels are those of claims.
    prior : (N,) array_like, Series or mapping, optional
        Positive, sums to one. Default: uniform.

    Returns
    -------
    (N,) ndarray of float64, or dict of str to float
        Read-only, in the order of the payoffs' states; by state where these have labels, which
        :class:`Market` aligns. States that the quotes exclude have probability 0: leave them out of
        a market, or ask for less with wider quotes.

    Raises
    ------
    InputError
        If a bid exceeds its ask, or no probabilities meet all quotes (as where a bookmaker's odds
        add up to more than one); the message says how much wider all would have to be.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> kpm.prior_from_quotes([[1, 0, 0]], bid=[0.5], ask=[0.6]).round(3)
    array([0.5 , 0.25, 0.25])
    >>> payoffs = {"home": {"H": 1, "D": 0, "A": 0}, "away": {"H": 0, "D": 0, "A": 1}}
    >>> mid = {"away": 0.25, "home": 0.5}
    >>> kpm.prior_from_quotes(payoffs, mid, mid)
    {'H': 0.5, 'D': 0.25, 'A': 0.25}
    """
    entries, _, labels = named_table(payoffs)
    table = as_floats(entries, "payoffs")
    count = table.shape[1] if table.ndim == 2 else 0
    weights = np.full(count, 1.0 / max(count, 1)) if prior is None else prior
    market = Market(payoffs, weights)
    low = _quote(bid, "bid", market)
    high = _quote(ask, "ask", market)
    crossed = low > high
    if crossed.any():
        claim = int(np.argmax(crossed))
        raise InputError(
            f"must not exceed the ask, got {float(low[claim])!r} above {float(high[claim])!r}",
            field="bid",
            index=market.claims[claim],
        )
    reached, _, state_prices, _ = _core.project_prior(market.payoffs, market.prior, low, high)
    if not reached:
        raise InputError(
            "no probabilities value all claims within their quotes" + _widening(market, low, high),
            field="bid, ask",
        )
    if labels is not None:
        return dict(zip(market.states, state_prices.tolist(), strict=True))
    return frozen(np.array(state_prices))


def where_trade_stops(market: Market, orders: Orders) -> float:
    """Return the implied ambiguity, or NaN where there is none.

    The market's wealth differs between states, or its maker is not Knightian.
    """
    constant = np.ptp(market.inventory) == 0.0 and is_knightian(market)
    return implied_ambiguity(market, orders) if constant else math.nan


def _widening(market: Market, low: Floats, high: Floats) -> str:
    """Say how much wider all quotes would have to be for probabilities to meet them."""
    span = np.ptp(market.payoffs, axis=1)
    span = np.where(span > 0.0, span, np.abs(market.payoffs).max(axis=1))

    def met(share: float) -> bool:
        wider = share * span
        return bool(_core.project_prior(market.payoffs, market.prior, low - wider, high + wider)[0])

    if not met(1.0):
        return ""  # a quote lies beyond the claim's payoffs
    least, most = 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (least + most)
        least, most = (least, middle) if met(middle) else (middle, most)
    unit = 10.0 ** (math.floor(math.log10(most)) - 1)
    enough = math.ceil(most / unit - 1e-6) * unit  # two digits, rounded up
    return (
        f"; all would if wider by {100 * enough:.3g} % of the claim's payoff range on either side"
    )


def _quote(value: ArrayLike, field: str, market: Market) -> Floats:
    quote = as_floats(align(value, market.claims, field, "claim"), field)
    if quote.shape != (len(market.claims),):
        raise InputError(
            f"must have an entry for each of {len(market.claims)} claims, got shape {quote.shape}",
            field=field,
        )
    if np.isnan(quote).any():
        claim = int(np.argmax(np.isnan(quote)))
        none = "-inf" if field == "bid" else "inf"
        raise InputError(
            f"must be a number ({none} where there is no quote), got nan",
            field=field,
            index=market.claims[claim],
        )
    return quote


def _no_gain_range(market: Market, orders: Orders) -> tuple[Floats, Floats]:
    """The best bid and the best offer of every claim, within the range of its payoffs."""
    low = np.full(len(market.claims), -np.inf)
    high = np.full(len(market.claims), np.inf)
    claim = orders.claim_index(market)
    limit = limits_in_reach(market, orders)
    live = orders.quantity > 0.0
    bids, offers = live & (orders.side > 0), live & (orders.side < 0)
    np.maximum.at(low, claim[bids], limit[bids])
    np.minimum.at(high, claim[offers], limit[offers])
    return low, high
