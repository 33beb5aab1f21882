"""Limits of orders and the ranges of their claims' payoffs, which no price leaves."""

from __future__ import annotations

import numpy as np

from ..arrays import Floats
from .market import Market
from .orders import Orders

__all__ = ["limits_in_reach", "note_on_limits"]


def limits_in_reach(market: Market, orders: Orders) -> Floats:
    """Return each limit within the range of its claim's payoffs, shape (J,), money per share."""
    least, most = _ranges(market, orders)
    return np.minimum(np.maximum(orders.price, least), most)  # np.clip takes twice as long


def note_on_limits(market: Market, orders: Orders) -> str:
    """Say that limits lie beyond what their claims can pay, if any do; else an empty text.

    Such a limit acts as a market order, or is never met. It is allowed, and usually a sign that
    prices are in another unit than payoffs.
    """
    least, most = _ranges(market, orders)
    room = 1e-9 * (most - least)
    price = orders.price
    beyond = np.isfinite(price) & ((price > most + room) | (price < least - room))
    count = int(np.count_nonzero(beyond))
    if not count:
        return ""
    row = int(beyond.argmax())
    claim = market.claims[int(orders.claim_index(market)[row])]
    lie = "limit lies" if count == 1 else "limits lie"
    return (
        f"{count:,} {lie} beyond what the claim can pay, as {price[row]:.6g} for {claim!r}, which "
        f"pays {least[row]:.6g} to {most[row]:.6g}: is price_unit (--price-unit) missing?"
    )


def _ranges(market: Market, orders: Orders) -> tuple[Floats, Floats]:
    """The least and the most that the claim of each order pays."""
    index = orders.claim_index(market)
    return market.payoffs.min(axis=1)[index], market.payoffs.max(axis=1)[index]
