"""Books as the bytes that ``core/book.hpp`` reads, for seeds and for findings."""

from __future__ import annotations

import struct

import numpy as np

import kpm_fast as kpm

#: What the format can hold.
MOST_STATES, MOST_CLAIMS, MOST_ORDERS = 8, 6, 48
_RAW = b"\xff"  # a double follows


def fits(market: kpm.Market, orders: kpm.Orders) -> bool:
    """Whether a book is small enough for the format."""
    n_claims, n_states = market.payoffs.shape
    return n_states <= MOST_STATES and n_claims <= MOST_CLAIMS and len(orders) <= MOST_ORDERS


def encode(
    market: kpm.Market, orders: kpm.Orders, *, options: int = 0, node_limit: int = 64
) -> bytes:
    """Write a book with all its numbers as they are; ``options`` as in ``core/book.hpp``."""
    if not fits(market, orders):
        raise ValueError(f"too large for the format: {market}, {len(orders)} orders")
    n_claims, n_states = market.payoffs.shape
    sizes = bytes([options, n_states - 1, n_claims - 1, len(orders), node_limit - 1])
    maker = [
        market.risk_aversion,
        market.ambiguity,
        *market.prior,
        *market.inventory,
        *market.payoffs.ravel(),
    ]
    book = bytearray(sizes) + b"".join(map(_number, maker))
    times = np.zeros(len(orders)) if orders.time is None else orders.time
    for claim, side, price, quantity, time in zip(
        orders.claim_index(market), orders.side, orders.price, orders.quantity, times, strict=True
    ):
        book += bytes([int(claim), int(side < 0)]) + b"".join(map(_number, (price, quantity, time)))
    return bytes(book) + bytes(n_claims)


def _number(value: float) -> bytes:
    return _RAW + struct.pack("<d", value)
