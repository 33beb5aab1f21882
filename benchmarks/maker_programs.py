"""The convex rules as cone programs, for every maker: CVXPY with parameters, Clarabel directly.

In units of the notional, x the net fills of each limit of each claim, offers negative, and losses
l = payoffs' x - w:

    maximise  limit.x - C(l)   over  -offered <= x <= bid.

C is the least c that the maker's cones admit, which are written as cones, so that CVXPY has nothing
to reformulate and hands Clarabel what one would write by hand:

- Knightian: (a(l_i - c), 1, u_i) in K_exp, and with Omega = 0  q.u <= 1, else
  (u_i - s, m, v_i) in K_exp, q.v <= m, s + m Omega <= 1;
- starting orders: (r_i, 1, t - l_i) in K_exp, c = t - delta.r;
- worst state: l_i <= c;
- polytope: (a(l_i - c), 1, u_i) in K_exp, E_p u <= 1 for each of the priors; for a = 0, E_p l <= c;
- log utility: (r_i, 1, (m0 + c - l_i) / m0) in K_exp, pi.r >= 0;
- quadratic: l_i - t <= z_i, c = t + pi.z + z.z / 4c.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import clarabel
import cvxpy as cp
import numpy as np
from scipy import sparse

import kpm_fast as kpm
from kpm_fast.arrays import Floats

from .conic_solvers import LEAN, clarabel_settings

ACCURACY = 1e-8  # of the notional: what is asked of the peers


@dataclass(frozen=True)
class Program:
    """What a cone program needs to know of a book, in units of its notional and of one share."""

    model: dict[str, Any]
    notional: float
    payoffs: Floats  # (L, N) of each limit's claim
    limit: Floats  # (L,) money per share
    low: Floats  # (L,) minus what is offered at the limit, in notionals per money
    high: Floats  # (L,) what is bid at it
    inventory: Floats  # (N,) in notionals

    @classmethod
    def of(cls, market: kpm.Market, orders: kpm.Orders) -> Program:
        claim = orders.claim_index(market)
        notional = float(np.ptp(market.payoffs, axis=1)[claim] @ orders.quantity)
        least, most = market.payoffs.min(axis=1)[claim], market.payoffs.max(axis=1)[claim]
        limit = np.clip(orders.price, least, most)
        places, level = np.unique(np.column_stack([claim, limit]), axis=0, return_inverse=True)
        rung = places[:, 0].astype(int)
        shares = orders.quantity / notional
        bid, offered = np.zeros(len(places)), np.zeros(len(places))
        np.add.at(bid, level.ravel(), np.where(orders.side > 0, shares, 0.0))
        np.add.at(offered, level.ravel(), np.where(orders.side < 0, shares, 0.0))
        return cls(
            model=market.maker._model(),
            notional=notional,
            payoffs=market.payoffs[rung],
            limit=places[:, 1],
            low=-offered,
            high=bid,
            inventory=market.inventory / notional,
        )


class CvxpyAuction:
    """Canonicalised once: a new book gives new limits, quantities and wealth to parameters."""

    def __init__(self, program: Program) -> None:
        self.program = program
        levels, states = program.payoffs.shape
        x = cp.Variable(levels)
        self.limit = cp.Parameter(levels)
        self.low, self.high = cp.Parameter(levels), cp.Parameter(levels)
        self.inventory = cp.Parameter(states)
        losses = program.payoffs.T @ x - self.inventory
        cost, constraints = _cost(program, losses, states)
        constraints += [x >= self.low, x <= self.high]
        self.problem = cp.Problem(cp.Minimize(cost - self.limit @ x), constraints)
        self.take(program)

    def take(self, program: Program) -> None:
        self.limit.value = program.limit
        self.low.value, self.high.value = program.low, program.high
        self.inventory.value = program.inventory

    def solve(self) -> float:
        """The optimum, in notionals."""
        self.take(self.program)
        self.problem.solve(
            solver=cp.CLARABEL, tol_gap_abs=ACCURACY, tol_gap_rel=ACCURACY, tol_feas=ACCURACY
        )
        return -float(self.problem.value)


class FreshCvxpyAuction:
    """The same as in a script that clears one book: build, canonicalise, solve."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def solve(self) -> float:
        return CvxpyAuction(self.program).solve()


class ClarabelAuction:
    """Clarabel directly, tuned and warm: set up before, given numbers, and solved.

    All that these programs can do without is off, the order of elimination and all memory are
    kept. The method starts afresh for every book: it does not take a starting point.
    """

    def __init__(self, program: Program) -> None:
        problem = CvxpyAuction(program).problem
        data, _, inverse = problem.get_problem_data(cp.CLARABEL)
        self.constant = float(inverse[-1].get("offset", 0.0))
        dims = data["dims"]
        cones = [
            *([clarabel.ZeroConeT(dims.zero)] if dims.zero else []),
            *([clarabel.NonnegativeConeT(dims.nonneg)] if dims.nonneg else []),
            *(clarabel.SecondOrderConeT(size) for size in dims.soc),
            *(clarabel.ExponentialConeT() for _ in range(dims.exp)),
        ]
        self.c, self.matrix, self.right = data["c"], data["A"], data["b"]
        settings = clarabel_settings(ACCURACY, LEAN)
        quadratic = data.get("P")
        if quadratic is None:
            quadratic = np.zeros((self.c.size, self.c.size))
        upper = sparse.csc_matrix(sparse.triu(quadratic))
        self.solver = clarabel.DefaultSolver(
            upper, self.c, self.matrix, self.right, cones, settings
        )
        self.iterations = 0

    def solve(self) -> float:
        self.solver.update(q=self.c, A=self.matrix.data, b=self.right)
        solution = self.solver.solve()
        self.iterations = int(solution.iterations)
        return -float(solution.obj_val) - self.constant


def _cost(program: Program, losses: Any, states: int) -> tuple[Any, list[Any]]:
    """An expression for C and the constraints that make it so."""
    model, unit, one = program.model, program.notional, np.ones(states)
    kind = model["kind"]
    if kind == "starting_orders":
        delta = model["delta"] / unit
        t, r = cp.Variable(), cp.Variable(states)
        constant = float(delta.sum()) * np.log(unit)  # C counts money in the book's own units
        return t - delta @ r - constant, [cp.ExpCone(r, one, t - losses)]
    if kind == "quadratic":
        t, z = cp.Variable(), cp.Variable(states)
        square = cp.sum_squares(z) / (4 * model["c"] / unit)
        return t + model["prior"] @ z + square, [losses - t <= z]
    cost = cp.Variable()
    if kind == "worst_state" or (kind == "knightian" and np.isinf(model["ambiguity"])):
        return cost, [losses <= cost]
    if kind == "utility":
        wealth, r = model["wealth"] / unit, cp.Variable(states)
        left = (wealth + cost - losses) / wealth
        return cost, [cp.ExpCone(r, one, left), model["prior"] @ r >= 0]
    a = model["risk_aversion"] * unit
    if kind == "polytope" and a == 0:
        return cost, [model["priors"] @ losses <= cost]
    u = cp.Variable(states)
    constraints = [cp.ExpCone(a * (losses - cost), one, u)]
    if kind == "polytope":
        return cost, [*constraints, model["priors"] @ u <= 1]
    if model["ambiguity"] == 0:
        return cost, [*constraints, model["prior"] @ u <= 1]
    m, s, v = cp.Variable(), cp.Variable(), cp.Variable(states)
    constraints += [
        cp.ExpCone(u - s, m * one, v),
        model["prior"] @ v <= m,
        s + m * model["ambiguity"] <= 1,
    ]
    return cost, constraints
