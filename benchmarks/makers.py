"""Every maker and rule against CVXPY and Clarabel on the same problem, in one table.

Claims on some of ten states, orders around fair prices in steps of a thousandth. Under the convex
rules the peers maximise what ``clear`` does, written as cones by hand (``maker_programs.py``),
one variable for all orders at a limit. (8) is not convex: there a peer solves only the best cell,
and its time is EXTRAPOLATED: that of the cell times the number of nodes that ``clear`` searched.
CVXPY's first call builds and canonicalises; its re-solve gives new values to parameters. Clarabel,
called directly, is set up before, keeps its order of elimination and memory, and is without
presolve, scaling, decomposition and refinement. All are asked for 1e-8 of the notional. The
agreement is the distance of Clarabel's optimum from the published one, relative to the notional.
Times are medians of interleaved rounds; ``clear`` is called from Python with orders and market
already built.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np

import kpm_fast as kpm
from kpm_fast.clearing.auctions import rules_of

from .accuracy import CellData, error
from .conic_solvers import KeptClarabelCell
from .cvxpy_cell import CvxpyCell, FreshCvxpyCell
from .maker_programs import (
    ACCURACY,
    ClarabelAuction,
    CvxpyAuction,
    FreshCvxpyAuction,
    Program,
)
from .rounds import Floats, interleave, one_core
from .section import Row, Section, range_text, time_text, times_text
from .verified import verified

TITLE = "Makers and rules"
TARGET = 30.0  # times faster than Clarabel called directly
CLAIMS, STATES = 10, 10
FIRST, AGAIN, DIRECT = "CVXPY, first call", "CVXPY, re-solve (DPP)", "Clarabel"


def book(count: int, arrow_debreu: bool = False) -> tuple[Any, kpm.Orders, Floats]:
    """Payoffs, orders and a prior."""
    generator = np.random.default_rng(16)
    payoffs = np.eye(STATES)[:CLAIMS]
    if not arrow_debreu:
        payoffs = (generator.random((CLAIMS, STATES)) < 0.5).astype(float)
    prior = generator.dirichlet(np.full(STATES, 3.0))
    claim = generator.integers(0, CLAIMS, count)
    price = (payoffs @ prior)[claim] + 0.1 * generator.normal(size=count)
    orders = kpm.Orders(
        claim,
        generator.choice([1, -1], count),
        np.clip(price, 0.001, 0.999).round(3),
        generator.exponential(3000 / count, count).round(2) + 0.01,
    )
    return payoffs, orders, prior


def makers(prior: Floats) -> dict[str, kpm.Maker]:
    """One of each kind, of about the same depth."""
    others = np.random.default_rng(17).dirichlet(np.full(STATES, 3.0), 3)
    return {
        "Knightian": kpm.KnightianMaker(prior, 0.01, 0.05),
        "LMSR": kpm.LMSR(100.0, prior),
        "starting orders": kpm.StartingOrders(100 * prior),
        "worst state": kpm.WorstStateMaker(STATES),
        "polytope": kpm.PolytopeMaker([prior, *others], 0.01),
        "log utility": kpm.UtilityMaker(prior, 1000.0),
        "quadratic": kpm.QuadraticMaker(prior, 200.0),
    }


def rules(quick: bool) -> Section:
    """The table: a row for each maker and rule."""
    section = Section("Every maker and rule against CVXPY and Clarabel")
    rounds = 3 if quick else 25
    with one_core(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that an answer may be inaccurate is measured instead
        for count in (300,) if quick else (300, 10_000):
            payoffs, orders, prior = book(count)
            for name, maker in makers(prior).items():
                for rule in rules_of(kpm.Market(payoffs, maker=maker)):
                    if rule != "competitive" and count > 300:
                        continue
                    market = kpm.Market(payoffs, maker=maker)
                    section.rows.append(_row(name, rule, market, orders, rounds))
        payoffs, orders, prior = book(300, arrow_debreu=True)
        market = kpm.Market(payoffs, maker=kpm.StartingOrders(100 * prior))
        name = "starting orders, Arrow-Debreu"
        section.rows.append(_row(name, "competitive", market, orders, rounds))
    rows = section.rows
    section.unlisted = [f"{peer} time" for peer in (FIRST, AGAIN, DIRECT)]
    direct = [row[f"{DIRECT} / clear times"] for row in rows]
    section.aim(
        f"{TARGET:g} times faster than Clarabel called directly",
        range_text(direct, times_text),
        min(direct) >= TARGET,
        _reason(rows),
    )
    gaps = [row["agreement gap"] for row in rows]
    section.aim(
        "the same optimum to 1e-6 of the notional",
        range_text(gaps, "{:.1e}".format),
        max(gaps) <= 1e-6,
        "Clarabel without refinement has no more digits there.",
    )
    for searched, group in ((False, "One convex program"), (True, "(8), a node a cell")):
        part = [row for row in rows if (row["rule"] == "maker_optimal") == searched]
        for peer in (FIRST, AGAIN, DIRECT):
            ratios = [row[f"{peer} / clear times"] for row in part]
            section.against(group, peer, ratios, estimated=searched)
    return section


SECTIONS = {"rules": rules}


def _row(name: str, rule: str, market: kpm.Market, orders: kpm.Orders, rounds: int) -> Row:
    clear = functools.partial(kpm.clear, market, orders, rule=rule)
    result = verified(clear(), f"{name}, {rule}")
    tasks: dict[str, Any] = {"clear": clear}
    nodes = 1
    if rule == "maker_optimal":
        data = CellData.of(name, market, orders, result.cell)
        direct: Any = KeptClarabelCell(data, ACCURACY)
        tasks |= {
            FIRST: FreshCvxpyCell(data, ACCURACY).solve,
            AGAIN: CvxpyCell(data, ACCURACY).solve,
            DIRECT: direct.solve,
        }
        nodes = max(result.stats.nodes, 1)
        solution = direct.solve()
        iterations = int(solution.iterations)
        agreement = error(data, direct.point(solution), result.certainty_equivalent)
    else:
        program = Program.of(market, orders)
        direct = ClarabelAuction(program)
        tasks |= {
            FIRST: FreshCvxpyAuction(program).solve,
            AGAIN: CvxpyAuction(program).solve,
            DIRECT: direct.solve,
        }
        agreement = abs(direct.solve() - result.objective / program.notional)
        iterations = direct.iterations
    seconds = interleave(tasks, rounds)
    seconds[FIRST] = seconds[FIRST] + (nodes - 1) * seconds[AGAIN]
    seconds[AGAIN] = nodes * seconds[AGAIN]
    seconds[DIRECT] = nodes * seconds[DIRECT]
    clear_time = float(np.median(seconds["clear"]))
    row: Row = {"maker": name, "rule": rule, "orders": len(orders)}
    for peer in (FIRST, AGAIN, DIRECT):
        row[f"{peer} / clear times"] = float(np.median(seconds[peer] / seconds["clear"]))
    row["clear time"] = clear_time
    for peer in (FIRST, AGAIN, DIRECT):
        row[f"{peer} time"] = float(np.median(seconds[peer]))
    row["nodes"] = nodes
    row["iterations"] = result.stats.iterations
    row["Clarabel iterations"] = iterations
    row["agreement gap"] = agreement
    return row


def _reason(rows: list[Row]) -> str:
    """Where the time goes in the rows that miss the target."""
    missed = [row for row in rows if row[f"{DIRECT} / clear times"] < TARGET]
    if not missed:
        return ""
    theirs = [row["Clarabel iterations"] for row in missed]
    steps = [row[f"{DIRECT} time"] / row["nodes"] / row["Clarabel iterations"] for row in missed]
    own = [row["clear time"] / max(row["iterations"], 1) for row in missed]
    least = min(missed, key=lambda row: row[f"{DIRECT} / clear times"])
    own_steps = [row["iterations"] for row in missed]
    return (
        f"Missed in {len(missed)} of {len(rows)}, by most for {least['maker']} under "
        f"{least['rule']}. Both sides are interior-point methods, with "
        f"{range_text(own_steps, str)} iterations here and {range_text(theirs, str)} there. "
        f"Clarabel's take {range_text(steps, time_text)} each on a sparse matrix set up before; "
        f"here one takes {range_text(own, time_text)} with all that the call does besides: sorting "
        "the orders, choosing among optima, and fills of every order, which the peers leave out."
    )
