"""One cell (27): a linear program in the state prices, a convex problem in the fills of the steps.

Revenue is linear in a cell, so it splits into sum_k y_k P_k.xi over the claims whose demand is
fixed, and the fixed price times y over those whose demand is free. Free demand is written
low + (high - low) t with t in [0, 1], and money in units of the notional, which leaves

    minimise  rho_a(b + A't)  over  t in [0, 1]^n,      a = alpha * notional.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog

from witness.book import Book, Floats, Piece


class Infeasible(Exception):
    """No state prices reach the cell."""


@dataclass(frozen=True, eq=False)
class CellProblem:
    q: Floats  # (N,)
    a: float  # alpha in units of 1 / unit
    omega: float
    A: Floats  # (n, N) what a full step costs in each state, in units
    b: Floats  # (N,) losses at t = 0, in units, less the constant
    constant: float  # money
    revenue: float  # money: the linear program's value, from the claims of fixed demand
    unit: float  # money
    pieces: tuple[Piece, ...]
    free: tuple[int, ...]  # the claims that t fills
    state_prices: Floats  # (N,) one optimal xi

    def certainty_equivalent(self, scaled_risk: Any) -> Any:
        """Money, from rho_a(b + A't)."""
        return self.revenue - self.constant - self.unit * scaled_risk

    def losses(self, t: Sequence[Any]) -> list[Any]:
        """b + A't in the arithmetic of ``t``."""
        return [
            sum((tk * float(self.A[k, i]) for k, tk in enumerate(t)), float(self.b[i]))
            for i in range(self.q.size)
        ]

    def demand(self, t: Sequence[Any]) -> Floats:
        y = np.array([piece.demand_low for piece in self.pieces])
        for k, tk in zip(self.free, t, strict=True):
            piece = self.pieces[k]
            y[k] += float(tk) * (piece.demand_high - piece.demand_low)
        return y


def best_prices(book: Book, pieces: Sequence[Piece]) -> tuple[float, Floats]:
    """The greatest revenue from the claims of fixed demand, and state prices that reach it."""
    weight = np.zeros(book.states)
    equal, target, less, bound = [np.ones(book.states)], [1.0], [], []
    for payoff, piece in zip(book.payoffs, pieces, strict=False):  # trailing claims may be missing
        if piece.is_step:
            equal.append(payoff)
            target.append(piece.price_low)
        else:
            less += [payoff, -payoff]
            bound += [piece.price_high, -piece.price_low]
            weight += piece.demand_low * payoff
    size = float(np.abs(weight).max()) or 1.0
    finite = np.isfinite(bound)
    solution = linprog(
        -weight / size,
        A_ub=np.array(less)[finite] if finite.any() else None,
        b_ub=np.array(bound)[finite] if finite.any() else None,
        A_eq=np.array(equal),
        b_eq=np.array(target),
        bounds=(0, 1),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if solution.status == 2:
        raise Infeasible
    if solution.status != 0:
        raise RuntimeError(solution.message)
    return float(weight @ solution.x), np.asarray(solution.x)


def cell_problem(book: Book, pieces: Sequence[Piece]) -> CellProblem:
    """Splits a cell, or raises Infeasible."""
    revenue, prices = best_prices(book, pieces)
    unit = book.notional
    losses = -book.inventory.astype(float)
    rows, free = [], []
    for k, (payoff, piece) in enumerate(zip(book.payoffs, pieces, strict=True)):
        losses = losses + payoff * piece.demand_low
        if piece.is_step:
            losses = losses - piece.price_low * piece.demand_low
            width = piece.demand_high - piece.demand_low
            cost = (payoff - piece.price_low) * (width / unit)
            if cost.any():  # otherwise its fill changes nothing
                rows.append(cost)
                free.append(k)
    constant = float(losses.max())
    return CellProblem(
        q=book.prior,
        a=book.risk_aversion * unit,
        omega=book.ambiguity,
        A=np.array(rows).reshape(len(rows), book.states),
        b=(losses - constant) / unit,
        constant=constant,
        revenue=revenue,
        unit=unit,
        pieces=tuple(pieces),
        free=tuple(free),
        state_prices=prices,
    )
