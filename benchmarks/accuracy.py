"""How good a solution of a cell is, without trusting any solver.

A point of the cell proves a lower bound, its own certainty equivalent; distributions p in the
ball and g, and multipliers, prove an upper bound (Donsker and Varadhan). All of it is computed by
``kpm_fast.verification.reference``, the plain NumPy that ``result.verify()`` uses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import kpm_fast as kpm
from kpm_fast.arrays import Floats, Ints
from kpm_fast.verification import reference


@dataclass(frozen=True)
class CellData:
    """A cell with all that solvers need to know about it, in plain arrays."""

    label: str
    market: kpm.Market
    orders: kpm.Orders
    cell: Ints  # (K,)
    pieces: Floats  # (K, 4) price_low, price_high, demand_low, demand_high
    notional: float  # money

    @classmethod
    def of(cls, label: str, market: kpm.Market, orders: kpm.Orders, cell: Ints) -> CellData:
        stairs = kpm.staircases(market, orders)
        pieces = np.array([stair[piece] for stair, piece in zip(stairs, cell, strict=True)])
        span = np.ptp(market.payoffs, axis=1)[orders.claim_index(market)]
        return cls(label, market, orders, cell, pieces, float(span @ orders.quantity))

    @property
    def steps(self) -> NDArray[np.bool_]:
        """(K,) the claims at a fixed price."""
        return np.asarray(self.cell % 2 == 1)

    @property
    def fixed_revenue(self) -> Floats:
        """(N,) what the claims of fixed demand earn per unit of each state price."""
        demand = np.where(self.steps, 0.0, self.pieces[:, 2])
        return np.asarray(demand @ self.market.payoffs)


def error(data: CellData, point: tuple[Floats, Floats] | None, bound: float) -> float:
    """How far a point is from solving the cell; infinite for None.

    The larger of what its certainty equivalent differs from the bound by, relative to the notional,
    and of how far its state prices are from the simplex and its claims' prices from the cell,
    relative to the claims' payoffs. A point outside the cell can be worth more than any inside.
    """
    if point is None or not all(np.isfinite(part).all() for part in point):
        return np.inf
    market, pieces = data.market, data.pieces
    xi, demand = point
    y = np.clip(demand, pieces[:, 2], pieces[:, 3])
    prices = market.payoffs @ xi
    inside = np.clip(prices, pieces[:, 0], pieces[:, 1])
    span = np.ptp(market.payoffs, axis=1)
    off = np.divide(np.abs(prices - inside), span, out=np.zeros_like(span), where=span > 0)
    violation = max(float(off.max()), abs(float(xi.sum()) - 1), -float(xi.min()))
    risk, _ = reference.worst_case_risk(
        y @ market.payoffs - market.inventory, market.prior, market.risk_aversion, market.ambiguity
    )
    value = float(inside @ y) - risk
    return max(abs(bound - value) / data.notional, violation)


def upper_bound(data: CellData, worst: Floats, marginal: Floats, multipliers: Floats) -> float:
    """On the certainty equivalent of every point of the cell, wherever the three came from."""
    market = data.market
    return reference.cell_bound(
        market.payoffs,
        market.inventory,
        market.risk_aversion,
        data.pieces,
        _in_ball(worst / worst.sum(), market.prior, market.ambiguity),
        marginal / marginal.sum(),
        multipliers,
    )


def bound_at(data: CellData, demand: Floats, multipliers: Floats) -> float:
    """The bound from the worst case and the marginal state prices of a net demand."""
    market = data.market
    losses = demand @ market.payoffs - market.inventory
    exponent = market.risk_aversion * (losses - losses.max())
    worst = worst_case(np.expm1(exponent), market.prior, market.ambiguity)
    return upper_bound(data, worst, worst * np.exp(exponent), multipliers)


def worst_case(u: Floats, prior: Floats, ambiguity: float) -> Floats:
    """A distribution in the ball, the worst for utility losses u up to rounding."""
    q, omega = prior, ambiguity
    spread = float(u.max() - u.min())
    if omega == 0 or spread == 0:
        return q
    top = u == u.max()
    if omega >= -math.log(q[top].sum()):
        return np.asarray(np.where(top, q, 0.0) / q[top].sum())
    v = (u - u.max()) / spread

    def tilted(strength: float) -> tuple[Floats, float, float]:
        """p, its divergence from q and the slope of that."""
        weights = q * np.exp(strength * v)
        total = float(weights.sum())
        p = weights / total
        mean = float(p @ v)
        return p, strength * mean - math.log(total), strength * float(p @ (v - mean) ** 2)

    low, high, strength = 0.0, math.inf, 1.0
    inside: Floats = q
    for _ in range(100):
        p, divergence, slope = tilted(strength)
        if divergence <= omega:
            low, inside = strength, p
            if divergence >= omega * (1 - 1e-12):
                break
        else:
            high = strength
        step = strength + (omega * (1 - 5e-13) - divergence) / slope if slope > 0 else math.inf
        if not low < step < high:
            step = 2 * strength if high == math.inf else (low + high) / 2
        if step == strength:
            break
        strength = step
    return inside


def _in_ball(p: Floats, prior: Floats, ambiguity: float) -> Floats:
    """p, moved towards the prior as far as rounding has left it outside the ball."""
    divergence = reference.divergence(p, prior)
    if divergence <= ambiguity:
        return p
    return np.asarray(prior + (ambiguity / divergence) * (p - prior))
