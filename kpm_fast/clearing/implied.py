"""What quotes say about probabilities: the prior's projection on prices."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from ..arrays import Floats, as_floats, frozen
from ..errors import InputError
from ..model.labels import align, named_table
from ..model.market import Market
from ..model.orders import Orders

__all__ = ["implied_ambiguity", "prior_from_quotes"]


def implied_ambiguity(market: Market, orders: Orders) -> float:
    """Compute the ambiguity at which the maker stops trading with a book.

    For a maker at constant wealth and orders that do not cross this is the divergence between its
    prior and the nearest state prices at which no order is strictly inside its limit, whatever its
    risk aversion (theorem B of ``docs/theory.md``): below it something trades, from it on nothing.

    Parameters
    ----------
    market : Market
        Claims and prior; its ambiguity and risk aversion have no part in the answer.
    orders : Orders
        The book. Orders of no quantity do not count.

    Returns
    -------
    float
        Omega* in nats; 0 if no order is worth filling at the prior itself; infinite if orders
        cross, on one claim or across several: these trade with each other at any ambiguity.

    Raises
    ------
    InputError
        If the inventory differs between states, where there is no such threshold.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> market = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], claims=["yes", "no"])
    >>> orders = kpm.Orders(["yes"], ["buy"], [0.6], [100])
    >>> round(kpm.implied_ambiguity(market, orders), 6)
    0.020136
    """
    inventory = market.inventory
    if inventory.min() != inventory.max():
        state = int(np.argmax(inventory != inventory[0]))
        raise InputError(
            f"must be the same in every state, got {inventory[0]:g} and {inventory[state]:g}",
            field="inventory",
            index=market.states[state],
        )
    low, high = _no_trade_range(market, orders)
    reached, _, _, divergence = _core.project_prior(market.payoffs, market.prior, low, high)
    return float(divergence) if reached else np.inf


def prior_from_quotes(
    payoffs: ArrayLike,
    bid: ArrayLike,
    ask: ArrayLike,
    prior: ArrayLike | None = None,
) -> Floats:
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
    (N,) ndarray of float64
        Read-only, in the order of the payoffs' states. States that the quotes exclude have
        probability 0.

    Raises
    ------
    InputError
        If a bid exceeds its ask, or no probabilities meet all quotes.

    Examples
    --------
    >>> import kpm_fast as kpm
    >>> kpm.prior_from_quotes([[1, 0, 0]], bid=[0.5], ask=[0.6]).round(3)
    array([0.5 , 0.25, 0.25])
    """
    table = as_floats(named_table(payoffs).entries, "payoffs")
    count = table.shape[1] if table.ndim == 2 else 0
    weights = np.full(count, 1.0 / max(count, 1)) if prior is None else prior
    market = Market(payoffs, weights)
    low = _quote(bid, "bid", market)
    high = _quote(ask, "ask", market)
    crossed = low > high
    if crossed.any():
        claim = int(np.argmax(crossed))
        raise InputError(
            f"must not exceed the ask, got {low[claim]:g} above {high[claim]:g}",
            field="bid",
            index=market.claims[claim],
        )
    reached, _, state_prices, _ = _core.project_prior(market.payoffs, market.prior, low, high)
    if not reached:
        raise InputError("no probabilities value all claims within their quotes", field="bid, ask")
    return frozen(np.array(state_prices))


def _quote(value: ArrayLike, field: str, market: Market) -> Floats:
    quote = as_floats(align(value, market.claims, field, "claim"), field)
    if quote.shape != (len(market.claims),):
        raise InputError(
            f"must have an entry for each of {len(market.claims)} claims, got shape {quote.shape}",
            field=field,
        )
    if np.isnan(quote).any():
        claim = int(np.argmax(np.isnan(quote)))
        raise InputError("must be a number, got nan", field=field, index=market.claims[claim])
    return quote


def _no_trade_range(market: Market, orders: Orders) -> tuple[Floats, Floats]:
    """The best bid and the best offer of every claim."""
    low = np.full(len(market.claims), -np.inf)
    high = np.full(len(market.claims), np.inf)
    claim = orders.claim_index(market)
    live = orders.quantity > 0.0
    bids, offers = live & (orders.side > 0), live & (orders.side < 0)
    np.maximum.at(low, claim[bids], orders.price[bids])
    np.minimum.at(high, claim[offers], orders.price[offers])
    return low, high
