"""A whole book as a mixed-integer program for SCIP, in the best form that we know.

In units of the notional, certainty equivalents separate into revenue and risk:

    maximise  sum_k r_k - t     over  xi on the simplex, (pi_k, y_k, r_k) on staircase k, t
    pi_k = P_k . xi,   t >= rho(P'y - w)

- A staircase is a chain of segments between its corners: on a flat the demand is fixed, on a step
  the price, so revenue is linear along both and no product is left. It enters incrementally:
  delta_p in [0, 1] is how far segment p is gone, and a binary z_p between delta_p and delta_p+1
  says whether it is gone to its end. The relaxation is the convex hull of the staircase, as in this
  package's tree, and a branch on z_p is its split into two runs.
- rho is convex. Every p in the ball and every g give t >= g.(P'y - w) - KL(g|p) / alpha, with
  equality at the losses where they are worst: one such cut for each point of a relaxation that
  violates it, fractional ones too, by a constraint handler.
- Every xi gives a clearing: prices decide the flats. That is the rounding heuristic; besides, a
  point on the staircases with too small a t is tried with the right one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from pyscipopt import (
    SCIP_HEURTIMING,
    SCIP_PARAMSETTING,
    SCIP_RESULT,
    Conshdlr,
    Heur,
    Model,
    quicksum,
)

import kpm_fast as kpm
from kpm_fast.arrays import Floats
from kpm_fast.verification import reference

from .accuracy import worst_case
from .books import Book, offered

RISK_TOLERANCE = 3e-7  # of the notional
WORTH_A_CUT = 1e-6  # of the notional: closer cuts are nearly parallel, and upset the simplex method
FEASIBILITY = 1e-8  # SCIP's, of rows and bounds
# For books on which SCIP's simplex method breaks down when cuts pile up at a node.
ROBUST = {"separating/maxrounds": 1, "lp/scaling": 2, "lp/checkstability": False}
# Tried as well, and slower in sum over the report's books at commit eda16a8d: without presolve of
# linear programs, without the check of their stability, without any separation but our own.
LEAN = {"propagating/maxrounds": 0, "propagating/maxroundsroot": 0, "conflict/enable": False}
_STARTS = (0.0, 0.5, 1.0)  # between no trade and every claim's largest demand


@dataclass(frozen=True)
class ScipAnswer:
    """What SCIP found. Money is relative to the notional."""

    status: str
    value: float  # certainty equivalent of its point, recomputed by ``verification.reference``
    claimed: float  # what it says itself
    bound: float
    seconds: float  # building the model, set-up and solve

    @property
    def finished(self) -> bool:
        return self.status in ("optimal", "gaplimit")


class Risk:
    """rho of net demand, and the cuts that support it from below, relative to the notional.

    Net demand is in units of the claims' largest: so no coefficient is as small as a small order.
    """

    def __init__(self, market: kpm.Market, money: float, units: Floats) -> None:
        self.payoffs = market.payoffs * (units / money)[:, None]
        self.inventory = market.inventory / money
        self.prior, self.ambiguity = market.prior, market.ambiguity
        self.a = market.risk_aversion * money

    def value(self, demand: Floats) -> float:
        losses = demand @ self.payoffs - self.inventory
        return reference.worst_case_risk(losses, self.prior, self.a, self.ambiguity)[0]

    def cut(self, demand: Floats) -> tuple[Floats, float]:
        """Slopes s and constant c with rho(y) >= s.y + c for all y, tight at ``demand``."""
        losses = demand @ self.payoffs - self.inventory
        exponent = self.a * (losses - losses.max())
        p = worst_case(np.expm1(exponent), self.prior, self.ambiguity)
        weights = p * np.exp(exponent)
        g = weights / weights.sum()
        tight = float(losses.max()) + reference.log_mean_exp(p, exponent) / self.a
        return self.payoffs @ g, tight - float(g @ losses) - float(g @ self.inventory)


class _Epigraph(Conshdlr):  # type: ignore[misc]
    """The constraint t >= rho(y), by cuts."""

    def __init__(self, program: ScipBook) -> None:
        self.program = program
        self.cuts = 0

    def _excess(self, solution: Any) -> tuple[Floats, float]:
        program = self.program
        demand = np.array([self.model.getSolVal(solution, y) for y in program.y])
        return demand, program.risk.value(demand) - self.model.getSolVal(solution, program.t)

    def _separate(self, result: int, tolerance: float) -> dict[str, int]:
        demand, excess = self._excess(None)
        if excess <= tolerance:
            return {"result": result}
        slopes, constant = self.program.risk.cut(demand)
        model, self.cuts = self.model, self.cuts + 1
        row = model.createEmptyRowUnspec(f"risk{self.cuts}", lhs=constant, rhs=None)
        model.cacheRowExtensions(row)
        model.addVarToRow(row, model.getTransformedVar(self.program.t), 1.0)
        for y, slope in zip(self.program.y, slopes, strict=True):
            model.addVarToRow(row, model.getTransformedVar(y), -float(slope))
        model.flushRowExtensions(row)
        infeasible = model.addCut(row, forcecut=True)
        model.releaseRow(row)
        return {"result": SCIP_RESULT.CUTOFF if infeasible else SCIP_RESULT.SEPARATED}

    def conscheck(self, constraints: Any, solution: Any, *rest: Any) -> dict[str, int]:
        _, excess = self._excess(solution)
        fits = excess <= RISK_TOLERANCE
        return {"result": SCIP_RESULT.FEASIBLE if fits else SCIP_RESULT.INFEASIBLE}

    def conssepalp(self, constraints: Any, nusefulconss: int) -> dict[str, int]:
        return self._separate(SCIP_RESULT.DIDNOTFIND, WORTH_A_CUT)

    def consenfolp(
        self, constraints: Any, nusefulconss: int, solinfeasible: bool
    ) -> dict[str, int]:
        if not solinfeasible:
            self.program.try_raised(self.model)
        return self._separate(SCIP_RESULT.FEASIBLE, RISK_TOLERANCE)

    def consenfops(self, *rest: Any) -> dict[str, int]:
        _, excess = self._excess(None)
        fits = excess <= RISK_TOLERANCE
        return {"result": SCIP_RESULT.FEASIBLE if fits else SCIP_RESULT.SOLVELP}

    def conslock(self, constraint: Any, locktype: int, nlockspos: int, nlocksneg: int) -> None:
        both = nlockspos + nlocksneg
        self.model.addVarLocks(self.program.t, nlockspos, nlocksneg)
        for y in self.program.y:
            self.model.addVarLocks(y, both, both)


class _Rounding(Heur):  # type: ignore[misc]
    """The clearing on the flats that the relaxation's state prices imply."""

    def __init__(self, program: ScipBook) -> None:
        self.program = program

    def heurexec(self, heurtiming: int, nodeinfeasible: bool) -> dict[str, int]:
        if nodeinfeasible:
            return {"result": SCIP_RESULT.DIDNOTRUN}
        program, model = self.program, self.model
        xi = np.array([max(0.0, model.getSolVal(None, x)) for x in program.xi])
        total = float(xi.sum())
        if total <= 0:
            return {"result": SCIP_RESULT.DIDNOTRUN}
        found = program.try_point(model, self, *program.flats(xi / total))
        return {"result": SCIP_RESULT.FOUNDSOL if found else SCIP_RESULT.DIDNOTFIND}


class ScipBook:
    """A book as SCIP's model."""

    def __init__(
        self,
        book: Book,
        tolerance: float,
        time_limit: float,
        settings: Mapping[str, Any] = MappingProxyType({}),
        lean: bool = False,
    ) -> None:
        """``lean``: without presolve, propagation, conflict analysis and SCIP's own heuristics.

        They cost more than they save on these books, whose rounding heuristic is our own.
        """
        self.start = time.perf_counter()
        self.market, self.orders = market, orders = book
        self.money = offered(market, orders)
        stairs = kpm.staircases(market, orders)
        units = np.array([float(np.abs(stair[:, 2:]).max()) or 1.0 for stair in stairs])
        self.risk = Risk(market, self.money, units)
        self.chains = [
            _corners(stair, unit, self.money) for stair, unit in zip(stairs, units, strict=True)
        ]
        self.model = model = _empty_model(tolerance, time_limit, settings, lean)
        states = market.prior.size
        self.xi = [model.addVar(lb=0, ub=1) for _ in range(states)]
        model.addCons(quicksum(self.xi) == 1)
        self.y = [
            model.addVar(lb=float(chain[:, 1].min()), ub=float(chain[:, 1].max()))
            for chain in self.chains
        ]
        self.t = model.addVar(lb=self._least_risk())
        self.delta: list[list[Any]] = []
        self.z: list[list[Any]] = []
        revenue = [self._staircase(k, chain) for k, chain in enumerate(self.chains)]
        most = np.array([chain[0, 1] for chain in self.chains])
        for part in _STARTS:
            self.support(part * most)
        self.epigraph = _Epigraph(self)
        self._include_own()
        model.setObjective(quicksum(revenue) - self.t, "maximize")

    def _include_own(self) -> None:
        """The cuts, and the rounding heuristic."""
        self.model.includeConshdlr(
            self.epigraph,
            "risk",
            "epigraph of the risk measure",
            sepapriority=1,
            enfopriority=-10,
            chckpriority=-10,
            sepafreq=1,
            needscons=False,
        )
        self.model.includeHeur(
            _Rounding(self),
            "flats",
            "clearing at the relaxation's state prices",
            "Y",
            freq=1,
            timingmask=SCIP_HEURTIMING.AFTERLPNODE,
        )

    def _staircase(self, k: int, chain: Floats) -> Any:
        """Adds the chain of a claim's corners; its revenue."""
        model, segments = self.model, len(chain) - 1
        delta = [model.addVar(lb=0, ub=1) for _ in range(segments)]
        z = [model.addVar(vtype="B") for _ in range(segments - 1)]
        for p, gone in enumerate(z):
            model.addCons(gone <= delta[p])
            model.addCons(delta[p + 1] <= gone)
        steps = np.diff(chain, axis=0)
        price, demand, revenue = (
            float(chain[0, column])
            + quicksum(float(steps[p, column]) * delta[p] for p in range(segments))
            for column in range(3)
        )
        payoffs = self.market.payoffs[k]
        model.addCons(
            quicksum(float(v) * x for v, x in zip(payoffs, self.xi, strict=True)) == price
        )
        model.addCons(self.y[k] == demand)
        self.delta.append(delta)
        self.z.append(z)
        return revenue

    def support(self, demand: Floats) -> None:
        """Adds the cut at a demand as a constraint."""
        slopes, constant = self.risk.cut(demand)
        risk = quicksum(float(s) * y for s, y in zip(slopes, self.y, strict=True))
        self.model.addCons(self.t - risk >= constant)

    def _least_risk(self) -> float:
        """A bound on t: what one cut leaves over the box of demands."""
        slopes, constant = self.risk.cut(np.zeros(len(self.chains)))
        low, high = np.array([(c[:, 1].min(), c[:, 1].max()) for c in self.chains]).T
        return float(np.minimum(slopes * low, slopes * high).sum() + constant)

    def flats(self, xi: Floats) -> tuple[Floats, list[float]]:
        """State prices, and where on its chain each claim then is, in segments from its start."""
        prices = self.market.payoffs @ xi
        places = []
        for chain, price in zip(self.chains, prices, strict=True):
            p = 2 * int(np.searchsorted(chain[2:-1:2, 0], price))  # the flat that holds the price
            low, high = chain[p, 0], chain[p + 1, 0]
            places.append(p + (min(max((price - low) / (high - low), 0), 1) if high > low else 0.0))
        return xi, places

    def point(self, places: list[float]) -> Floats:
        """(K, 3) price, demand and revenue at places on the chains."""
        found = []
        for chain, place in zip(self.chains, places, strict=True):
            p = min(int(place), len(chain) - 2)
            found.append(chain[p] + (place - p) * (chain[p + 1] - chain[p]))
        return np.array(found)

    def try_point(self, model: Any, heuristic: Any, xi: Floats, places: list[float]) -> bool:
        """Offers SCIP a clearing with the t that its demand has."""
        solution = model.createOrigSol(heuristic)
        demand = self.point(places)[:, 1]
        for x, value in zip(self.xi, xi, strict=True):
            model.setSolVal(solution, x, float(value))
        for k, place in enumerate(places):
            model.setSolVal(solution, self.y[k], float(demand[k]))
            for p, delta in enumerate(self.delta[k]):
                model.setSolVal(solution, delta, min(max(place - p, 0.0), 1.0))
            for p, gone in enumerate(self.z[k]):
                model.setSolVal(solution, gone, float(place >= p + 1))
        model.setSolVal(solution, self.t, self.risk.value(demand))
        return bool(model.trySol(solution, free=True))

    def try_raised(self, model: Any) -> None:
        """Offers SCIP the relaxation's point, which is on the staircases, with the right t."""
        places = [sum(model.getSolVal(None, d) for d in delta) for delta in self.delta]
        xi = np.array([model.getSolVal(None, x) for x in self.xi])
        self.try_point(model, None, xi, places)

    def solve(self) -> ScipAnswer:
        """Solve; the time counts from the beginning of the model's construction."""
        model = self.model
        status = ""
        try:
            model.optimize()
        except Exception as error:  # what PySCIPOpt raises where SCIP gives up
            status = str(error)
        seconds = time.perf_counter() - self.start
        found = model.getNSols() > 0
        return ScipAnswer(
            status=status or model.getStatus(),
            value=self._recomputed() if found else -math.inf,
            claimed=model.getObjVal() if found else -math.inf,
            bound=model.getDualbound(),
            seconds=seconds,
        )

    def _recomputed(self) -> float:
        """The certainty equivalent of SCIP's best point, put on the staircases exactly."""
        best: Any = self.model.getBestSol()
        places = []
        for delta, z in zip(self.delta, self.z, strict=True):
            piece = round(sum(best[gone] for gone in z))
            places.append(piece + min(max(float(best[delta[piece]]), 0.0), 1.0))
        point = self.point(places)
        return float(point[:, 2].sum()) - self.risk.value(point[:, 1])


class ScipProcess:
    """What runs in SCIP's process: a book at a time."""

    def __init__(self, warm_up: Book) -> None:
        ScipBook(warm_up, 1e-3, 5.0).solve()  # loads what it loads once

    def solve(
        self, book: Book, tolerance: float, time_limit: float, settings: dict[str, Any], lean: bool
    ) -> ScipAnswer:
        return ScipBook(book, tolerance, time_limit, settings, lean).solve()


def _empty_model(
    tolerance: float, time_limit: float, settings: Mapping[str, Any], lean: bool
) -> Model:
    """A model without a book."""
    model = Model("book")
    model.hideOutput()
    model.setParam("limits/time", time_limit)
    model.setParam("limits/absgap", tolerance)
    model.setParam("limits/gap", 0.0)
    if lean:
        model.setPresolve(SCIP_PARAMSETTING.OFF)
        model.setHeuristics(SCIP_PARAMSETTING.OFF)
        model.setParams(LEAN)
    model.setParams(dict(settings))
    model.setParam("numerics/feastol", FEASIBILITY)
    model.setParam("numerics/dualfeastol", FEASIBILITY)
    return model


def _corners(stair: Floats, unit: float, money: float) -> Floats:
    """(pieces + 1, 3) price, demand in ``unit`` and relative revenue where pieces join."""
    flats = stair[0::2]
    price = np.ravel(flats[:, :2])
    demand = np.repeat(flats[:, 2], 2)
    return np.column_stack([price, demand / unit, price * demand / money])
