"""How good a solution of a cell is, without trusting any solver.

A point of the cell proves a lower bound, its own certainty equivalent; a distribution p in the
ball and a probability vector g prove an upper bound (Donsker and Varadhan). What a solver's point
lacks to the upper bound is at least its error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.special import logsumexp, rel_entr

import kpm_fast as kpm

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CellData:
    """A cell with all that solvers need to know about it, in plain arrays."""

    label: str
    market: kpm.Market
    orders: kpm.Orders
    cell: NDArray[np.int64]  # (K,)
    pieces: Floats  # (K, 4) price_low, price_high, demand_low, demand_high
    notional: float  # money

    @property
    def steps(self) -> NDArray[np.bool_]:
        """(K,) the claims at a fixed price."""
        return np.asarray(self.cell % 2 == 1)

    @property
    def fixed_revenue(self) -> Floats:
        """(N,) what the claims of fixed demand earn per unit of each state price."""
        demand = np.where(self.steps, 0.0, self.pieces[:, 2])
        return np.asarray(demand @ self.market.payoffs)


def certainty_equivalent(data: CellData, state_prices: Floats, net_demand: Floats) -> float:
    """Of a point, moved into the cell first: fills are clipped and free prices priced by xi."""
    market, pieces = data.market, data.pieces
    y = np.clip(net_demand, pieces[:, 2], pieces[:, 3])
    xi = np.maximum(state_prices, 0.0)
    xi = xi / xi.sum()
    prices = np.clip(market.payoffs @ xi, pieces[:, 0], pieces[:, 1])
    losses = y @ market.payoffs - market.inventory
    return float(prices @ y) - risk(market, losses)


def risk(market: kpm.Market, losses: Floats) -> float:
    """rho(losses), by bisection on the tilt of the worst case."""
    p = worst_case(market, losses)
    top = losses.max()
    growth = float(p @ np.expm1(market.risk_aversion * (losses - top)))
    return float(top + np.log1p(growth) / market.risk_aversion)


def worst_case(market: kpm.Market, losses: Floats) -> Floats:
    q, omega = market.prior, market.ambiguity
    z = np.expm1(market.risk_aversion * (losses - losses.max())) / market.risk_aversion
    span = float(np.ptp(z))
    if omega == 0 or span == 0:
        return np.asarray(q)
    worst = z == z.max()
    if omega >= -np.log(q[worst].sum()):
        return np.asarray(np.where(worst, q, 0.0) / q[worst].sum())

    def tilted(strength: float) -> Floats:
        exponent = z * (strength / span) + np.log(q)
        return np.asarray(np.exp(exponent - logsumexp(exponent)))

    low, high = 0.0, 1.0
    while rel_entr(tilted(high), q).sum() < omega:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        inside = rel_entr(tilted(middle), q).sum() < omega
        low, high = (middle, high) if inside else (low, middle)
    return tilted(low)


def upper_bound(data: CellData, worst: Floats, marginal: Floats) -> float:
    """On the certainty equivalent of every point of the cell, from any two distributions."""
    market, pieces, steps = data.market, data.pieces, data.steps
    if rel_entr(worst, market.prior).sum() > market.ambiguity * (1 + 1e-9) + 1e-12:
        raise ValueError(f"{data.label}: the worst case is outside the ball")
    g = marginal / marginal.sum()
    margin = np.where(steps, pieces[:, 0], 0.0) - market.payoffs @ g
    best = np.maximum(margin * pieces[:, 2], margin * pieces[:, 3])
    penalty = float(rel_entr(g, worst).sum()) / market.risk_aversion
    return _price_programme(data) + float(best.sum() + g @ market.inventory) + penalty


def _price_programme(data: CellData) -> float:
    """The greatest revenue from the claims of fixed demand: a linear programme in xi."""
    payoffs, pieces, steps = data.market.payoffs, data.pieces, data.steps
    flats = ~steps
    weight = data.fixed_revenue
    size = float(np.abs(weight).max()) or 1.0
    solution = linprog(
        -weight / size,
        A_ub=np.r_[payoffs[flats], -payoffs[flats]] if flats.any() else None,
        b_ub=np.r_[pieces[flats, 1], -pieces[flats, 0]] if flats.any() else None,
        A_eq=np.r_[payoffs[steps], np.ones((1, payoffs.shape[1]))],
        b_eq=np.r_[pieces[steps, 0], 1.0],
        bounds=(0, 1),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if solution.status != 0:
        raise ValueError(f"{data.label}: the cell has no state prices")
    return float(-solution.fun * size)
