"""Problem (8) as plain data, and its staircases straight from the limit order logic."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Piece(NamedTuple):
    """A piece of a staircase: a price range at one demand, or a demand range at one price."""

    price_low: float
    price_high: float
    demand_low: float
    demand_high: float

    @property
    def is_step(self) -> bool:
        return self.price_low == self.price_high


@dataclass(frozen=True, eq=False)
class Book:
    payoffs: Floats  # (K, N)
    prior: Floats  # (N,)
    inventory: Floats  # (N,)
    risk_aversion: float
    ambiguity: float
    claim: Ints  # (J,)
    side: Ints  # (J,) +1 buy, -1 sell
    price: Floats  # (J,)
    quantity: Floats  # (J,)

    @property
    def states(self) -> int:
        return int(self.payoffs.shape[1])

    @property
    def claims(self) -> int:
        return int(self.payoffs.shape[0])

    @property
    def orders(self) -> int:
        return int(self.claim.size)

    @property
    def spans(self) -> Floats:
        """(K,) highest minus lowest payoff."""
        return np.asarray(self.payoffs.max(axis=1) - self.payoffs.min(axis=1))

    @property
    def notional(self) -> float:
        """Money: what all orders together can move between states, or 1 if that is nothing."""
        return float(self.quantity @ self.spans[self.claim]) or 1.0

    @property
    def rounding(self) -> float:
        """Money: what double precision cannot resolve in the maker's wealth."""
        return self.rounding_of(self.quantity)

    def rounding_of(self, fills: Floats) -> float:
        """The same, of the wealth after trades of so many shares."""
        most = np.zeros(self.claims)
        np.add.at(most, self.claim, fills)
        largest = float(np.abs(self.inventory).max() + most @ np.abs(self.payoffs).max(axis=1))
        return 128 * float(np.finfo(float).eps) * largest

    def tolerance(self, relative: float) -> float:
        """Money: ``relative`` of the notional, but never finer than double precision."""
        return relative * self.notional + self.rounding

    def resolves(
        self, relative: float, scale: float | None = None, fills: Floats | None = None
    ) -> bool:
        """Whether double precision resolves ``relative`` of a scale.

        By default the scale is the notional of the book, and rounding is as if all orders traded.
        """
        rounding = self.rounding if fills is None else self.rounding_of(fills)
        return rounding < relative * (self.notional if scale is None else scale) / 10

    def with_(self, **changes: Any) -> Book:
        return replace(self, **changes)


def demand_at(book: Book, claim: int, price: float) -> tuple[float, float]:
    """The interval of net demand that the limit order logic allows at ``price``."""
    low = high = 0.0
    for j in np.flatnonzero(book.claim == claim):
        side, limit, quantity = int(book.side[j]), float(book.price[j]), float(book.quantity[j])
        if limit == price:
            low, high = low + min(side, 0) * quantity, high + max(side, 0) * quantity
        elif (limit > price) == (side > 0):
            low, high = low + side * quantity, high + side * quantity
    return low, high


def staircase(book: Book, claim: int, ends: bool = False) -> list[Piece]:
    """The pieces of one claim from the lowest price up.

    Limits beyond the claim's payoffs and orders of zero quantity make no step. Limits at an end of
    the payoffs make one only if ``ends``: steps there make no clearing better.
    """
    low, high = float(book.payoffs[claim].min()), float(book.payoffs[claim].max())
    prices = {float(x) for x in book.price[(book.claim == claim) & (book.quantity > 0)]}
    closed = ends or low == high
    limits = sorted(x for x in prices if low < x < high or (closed and x in (low, high)))
    first = limits[0] if limits else 0.5 * (low + high)
    below = demand_at(book, claim, first)[1]
    pieces = [Piece(-math.inf, limits[0] if limits else math.inf, below, below)]
    for limit, following in itertools.zip_longest(limits, limits[1:], fillvalue=math.inf):
        low, high = demand_at(book, claim, limit)
        pieces += [Piece(limit, limit, low, high), Piece(limit, following, low, low)]
    return pieces


def all_cells(book: Book) -> Iterator[tuple[Piece, ...]]:
    """Every cell of (28), feasible or not."""
    return itertools.product(*(staircase(book, k) for k in range(book.claims)))
