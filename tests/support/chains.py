"""Option chains like recorded ones: strikes on a grid with holes, payoffs printed with ten digits.

Put-call parity and butterflies over equal strikes then hold to 1e-10 only, so that claims depend
on each other nearly, but not quite; and limits on a coarse grid of ticks meet parity exactly.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

import kpm_fast as kpm

_TICK = 0.0005


def option_chain(
    seed: int,
    strikes: int,
    *,
    puts: bool = True,
    depth: int = 2,
    digits: int | None = 10,
    inventory: float = 0.0,
    spread: int = 3,
    risk_aversion: float = 1e-3,
    ambiguity: float = 0.01,
) -> tuple[kpm.Market, kpm.Orders]:
    """Return calls, and puts, at each strike but the outer two, which are states only.

    States are the strikes and two far levels. Payoffs are shares of the last strike, rounded to so
    many significant digits (None: not at all); the prior is log-normal, no state below 1e-10.
    Limits lie up to ``spread`` ticks around fair values under a slightly different volatility.
    ``inventory`` is the most the maker holds in a state, as a share of the notional.
    """
    draws = np.random.default_rng(seed)
    step = 5.0
    grid = 100.0 + step * np.arange(-(strikes // 2), strikes - strikes // 2)
    grid = grid[grid > 0.0]
    kept = np.ones(len(grid), dtype=bool)
    kept[1:-1] = draws.random(len(grid) - 2) > 0.15
    grid = grid[kept]
    levels = np.concatenate([[0.3 * grid[0]], grid, [2.5 * grid[-1]]])
    width = draws.uniform(0.3, 1.0) * (grid[-1] - grid[0]) / 100.0 / 4.0

    def chances(sd: float, mean: float) -> np.ndarray:
        law = NormalDist(mean, sd)
        edges = np.log(0.5 * (levels[1:] + levels[:-1]) / 100.0)
        below = np.array([0.0, *(law.cdf(edge) for edge in edges), 1.0])
        weights = np.maximum(np.diff(below), 1e-10)
        return weights / weights.sum()

    prior = chances(width, -0.5 * width**2)
    crowd = chances(width * draws.uniform(0.9, 1.15), draws.normal(0.0, 0.1) * width)
    unit = grid[-1]
    payoffs, labels = [], []
    for strike in grid:
        call = np.maximum(levels - strike, 0.0) / unit
        put = np.maximum(strike - levels, 0.0) / unit
        for name, payoff in (("call", call), ("put", put))[: 2 if puts else 1]:
            if payoff.max() > 0.0:
                payoffs.append(payoff)
                labels.append(f"{name} {strike:g}")
    rows = np.array(payoffs)
    if digits is not None:
        rows = np.array([[float(f"{value:.{digits}g}") for value in row] for row in rows])
    claim, side, price, quantity = [], [], [], []
    for label, row in zip(labels, rows, strict=True):
        fair = float(row @ crowd)
        for sign in (1, -1):
            for _ in range(int(draws.integers(1, depth + 1))):
                away = int(draws.integers(-1, spread + 1))
                limit = round((fair / _TICK) - sign * away) * _TICK
                if limit > 0.0:
                    claim.append(label)
                    side.append(sign)
                    price.append(limit)
                    quantity.append(float(draws.choice([1.0, round(draws.lognormal(2.0, 1.5), 2)])))
    notional = sum(
        size * (rows[labels.index(name)].max() - rows[labels.index(name)].min())
        for name, size in zip(claim, quantity, strict=True)
    )
    held = inventory * notional * draws.uniform(0.0, 1.0, len(levels))
    market = kpm.Market(
        rows,
        prior,
        inventory=held if inventory else None,
        risk_aversion=risk_aversion,
        ambiguity=ambiguity,
        claims=labels,
    )
    return market, kpm.Orders(claim, side, price, quantity)


def price_error(market: kpm.Market, result: kpm.Result) -> float:
    """The largest difference between payoffs @ state prices and claim prices, per payoff range."""
    spans = np.ptp(market.payoffs, axis=1)
    misses = np.abs(_exact_prices(market, result.state_prices) - result.claim_prices)
    return float((misses / spans).max())


def _exact_prices(market: kpm.Market, state_prices: np.ndarray) -> np.ndarray:
    return np.array([math.fsum(row * state_prices) for row in market.payoffs], dtype=float)
