"""Random books to put orders of any size into: for the parts of a complete set, or for a claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import kpm_fast as kpm

Setting = tuple[kpm.Market, Callable[[float], kpm.Orders]]


class Rows(NamedTuple):
    """Orders to which others will be added."""

    claim: np.ndarray
    side: np.ndarray
    price: np.ndarray
    quantity: np.ndarray


def draw_market(rng: np.random.Generator, payoffs: np.ndarray) -> kpm.Market:
    """A maker of everyday wealth and aversion."""
    states = payoffs.shape[1]
    return kpm.Market(
        payoffs,
        rng.dirichlet(np.full(states, 3.0)),
        inventory=rng.choice([0, 1]) * rng.normal(0, 3, states),
        risk_aversion=10.0 ** rng.uniform(-2, 0),
        ambiguity=float(rng.choice([0, 0.01, 0.1])),
    )


def draw_rows(rng: np.random.Generator, payoffs: np.ndarray) -> Rows:
    """Orders of 1 to 10 shares for all claims."""
    low, high = payoffs.min(axis=1), payoffs.max(axis=1)
    count = int(rng.integers(6, 12))
    claim = rng.integers(len(payoffs), size=count)
    side = rng.choice([1, -1], count)
    price = low[claim] + rng.uniform(0.1, 0.9, count).round(2) * (high - low)[claim]
    return Rows(claim, side, price, rng.uniform(1, 10, count).round(1))


class CompleteSet(NamedTuple):
    """A market whose first three claims are a complete set, and orders for all its claims."""

    market: kpm.Market
    share: np.ndarray  # what a share of each part pays
    rows: Rows

    def with_giants(self, side: int, limit: np.ndarray, size: np.ndarray) -> Setting:
        """Orders for the parts beside the others, ``size`` times a size to be chosen."""

        def book(giant: float) -> kpm.Orders:
            return kpm.Orders(
                [*self.rows.claim, 0, 1, 2],
                [*self.rows.side, *[side] * 3],
                [*self.rows.price, *limit],
                [*self.rows.quantity, *(giant * size / self.share)],
            )

        return self.market, book


def draw_complete_set(rng: np.random.Generator) -> CompleteSet:
    """Parts in proportions of their own, further claims, and orders of 1 to 10 shares."""
    states = int(rng.integers(3, 6))
    owner = np.concatenate([np.arange(3), rng.integers(3, size=states - 3)])
    parts = (owner == np.arange(3)[:, None]).astype(float)
    share = rng.choice([1.0, 2.0, 3.0], 3)
    others = np.floor(5 * rng.random((int(rng.integers(1, 3)), states))) / 4
    others[:, 0] = np.where(np.ptp(others, axis=1) > 0.1, others[:, 0], 2.0)
    payoffs = np.vstack([parts * share[:, None], others])
    market = draw_market(rng, payoffs)
    return CompleteSet(market, share, draw_rows(rng, payoffs))
