"""Every maker: against CVXPY and Clarabel on the same problem, on a million orders, and its quotes.

The first table: claims on some of ten states, orders around fair prices in steps of a thousandth.
Under the convex rules the peers maximise what ``clear`` does, written as cones by hand
(``maker_programs.py``), one variable for all orders at a limit. (8) is not convex: there a peer
solves only the best cell, and its time is EXTRAPOLATED: that of the cell times the number of nodes
that ``clear`` searched.
CVXPY's first call builds and canonicalises; its re-solve gives new values to parameters. Clarabel,
called directly, is set up before, keeps its order of elimination and memory, and is without
presolve, scaling, decomposition and refinement. All are asked for 1e-8 of the notional. The
agreement is the distance of Clarabel's optimum from the published one, relative to the notional.
Times are medians of interleaved rounds; ``clear`` is called from Python with orders and market
already built.

The second table clears the same orders by every maker under ``competitive`` and by the Knightian
maker under ``maker_optimal``, in turns; the third is the time of both sides' quotes in the core.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np

import kpm_fast as kpm
from kpm_fast.arrays import Floats
from kpm_fast.model.maker_model import rules_of

from . import books
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
from .quoting import PAYOFFS, payoffs, quote_seconds
from .quoting import STATES as QUOTED_STATES
from .rounds import interleave, one_core
from .section import Row, Section, range_text, time_text, times_text
from .verified import verified

TITLE = "Makers and rules"
TARGET = 30.0  # times faster than Clarabel called directly
CALL = 100e-6  # seconds, of a call of ten claims and 300 orders
MILLION = 1.5  # times what maker_optimal takes
BLOCK, SHARE = 1e-3, 50e-6  # seconds, of a thousand claims' quotes
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


def makers(prior: Floats, depth: float = 100.0) -> dict[str, kpm.Maker]:
    """One of each kind, of about the same depth, money."""
    states = len(prior)
    others = np.random.default_rng(17).dirichlet(np.full(states, 3.0), 3)
    return {
        "Knightian": kpm.KnightianMaker(prior, 1.0 / depth, 0.05),
        "LMSR": kpm.LMSR(depth, prior),
        "starting orders": kpm.StartingOrders(depth * prior),
        "worst state": kpm.WorstStateMaker(states),
        "polytope": kpm.PolytopeMaker([prior, *others], 1.0 / depth),
        "log utility": kpm.UtilityMaker(prior, 10.0 * depth),
        "quadratic": kpm.QuadraticMaker(prior, 2.0 * depth),
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
    convex = [row for row in rows if row["rule"] != "maker_optimal"]
    search = [row for row in rows if row["rule"] == "maker_optimal"]
    for text, part, reason in (
        (
            "a convex rule",
            convex,
            "Both sides are interior-point methods of about as many iterations, and the peer is "
            "set up before; here each call reads and sorts its orders, and fills every one, which "
            "the peers leave out.",
        ),
        (
            "(8), a node a cell",
            search,
            "The peer is told the best cell and is charged one cell a node. The search solves "
            "relaxations, which have more variables than a cell, and the cells that they lead to; "
            "it goes on after the proof until one answer is left.",
        ),
    ):
        direct = [row[f"{DIRECT} / clear times"] for row in part]
        section.aim(
            f"{TARGET:g} times faster than Clarabel called directly: {text}",
            range_text(direct, times_text),
            min(direct) >= TARGET,
            reason,
        )
    _aim_at_calls(section, [row for row in convex if row["orders"] == 300])
    gaps = [row["agreement gap"] for row in rows]
    section.aim(
        "the same optimum to 1e-6 of the notional",
        range_text(gaps, "{:.1e}".format),
        max(gaps) <= 1e-6,
        "Clarabel without refinement has no more digits there.",
    )
    for searched, group, part in (
        (False, "One convex program", convex),
        (True, "(8), a node a cell", search),
    ):
        for peer in (FIRST, AGAIN, DIRECT):
            ratios = [row[f"{peer} / clear times"] for row in part]
            section.against(group, peer, ratios, estimated=searched)
    return section


def million(quick: bool) -> Section:
    """A million orders: every maker under ``competitive`` beside ``maker_optimal``."""
    count = 10_000 if quick else 1_000_000
    section = Section(f"{count:,} orders by every maker")
    mixed, orders, prior = book(count)
    market, others = books.arrow_debreu(count)
    depth = 1.0 / market.risk_aversion
    with one_core():
        for name, payoff, own, kept in (
            ("5 states, a claim on each", market.payoffs, others, makers(market.prior, depth)),
            ("10 states, 10 claims", mixed, orders, makers(prior)),
        ):
            markets = {each: kpm.Market(payoff, maker=maker) for each, maker in kept.items()}
            tasks = {
                each: functools.partial(kpm.clear, of, own, rule="competitive", threads=1)
                for each, of in markets.items()
            }
            best = functools.partial(kpm.clear, markets["Knightian"], own, threads=1)
            seconds = interleave({**tasks, "maker_optimal": best}, 3 if quick else 5)
            for each, clear in {**tasks, "maker_optimal": best}.items():
                result = verified(clear(), f"{name}, {each}")
                section.rows.append(
                    {
                        "claims": name,
                        "maker": "Knightian" if clear is best else each,
                        "rule": result.rule,
                        "clear / maker_optimal times": float(
                            np.median(seconds[each] / seconds["maker_optimal"])
                        ),
                        "clear time": float(np.median(seconds[each])),
                        "status": str(result.status),
                        "gap": max(result.relative_gap, 0.0),
                        "iterations": result.stats.iterations,
                    }
                )
    convex = [row for row in section.rows if row["rule"] == "competitive"]
    ratios = [row["clear / maker_optimal times"] for row in convex]
    slow = max(convex, key=lambda row: row["clear / maker_optimal times"])
    section.aim(
        f"every maker within {MILLION:g} times what maker_optimal takes",
        range_text(ratios, times_text),
        max(ratios) <= MILLION,
        f"{slow['maker']}, {slow['claims']}: {slow['iterations']} iterations.",
    )
    open_ = [row for row in convex if row["status"] != "optimal"]
    section.aim(
        "every one proved optimal",
        f"{len(convex) - len(open_)} of {len(convex)}",
        not open_,
        "; ".join(
            f"{row['maker']}, {row['claims']}: {row['status']}, {row['gap']:.1e} of the notional "
            f"below its bound after {row['iterations']} iterations"
            for row in open_
        ),
    )
    return section


def quotes(quick: bool) -> Section:
    """Both sides' quotes of a thousand claims on a hundred states, by maker and payoffs."""
    section = Section("Quotes by maker: both sides, 1,000 claims on 100 states, in the core")
    generator = np.random.default_rng(16)
    prior = generator.dirichlet(np.full(QUOTED_STATES, 2.0)) + 1e-3
    inventory = 30.0 * generator.normal(size=QUOTED_STATES)
    claims = {kind: payoffs(kind, generator) for kind in PAYOFFS}
    calls = 5 if quick else 50
    with one_core():
        for name, maker in makers(prior / prior.sum()).items():
            held = maker.replace(inventory=inventory)
            for kind, payoff in claims.items():
                row: Row = {"maker": name, "payoffs": kind}
                for where, at in (("with an inventory", held), ("constant wealth", maker)):
                    row[f"a share, {where} time"] = quote_seconds(at, payoff, None, calls)
                    row[f"blocks of 10, {where} time"] = quote_seconds(at, payoff, 10.0, calls)
                section.rows.append(row)
    digital = [row for row in section.rows if row["payoffs"] == PAYOFFS[0]]
    for text, where, limit, reason in (
        (
            "blocks of 10",
            "with an inventory",
            BLOCK,
            "every block takes a pass or more over all states, with a division, a logarithm or an "
            "exponential for each",
        ),
        ("a share", "with an inventory", SHARE, "a claim takes a dot product"),
        (
            "a share",
            "constant wealth",
            SHARE,
            "all states tie, and a maker with a ball of priors finds two roots for every claim",
        ),
    ):
        column = f"{text}, {where} time"
        missed = {row["maker"]: row[column] for row in digital if row[column] > limit}
        each = ", ".join(
            f"{name} {time_text(took / (2 * len(claims[PAYOFFS[0]])))}"
            for name, took in missed.items()
        )
        section.aim(
            f"{text}, claims of 0 and 1, {where}: within {time_text(limit)}",
            ", ".join(f"{row['maker']} {time_text(row[column])}" for row in digital),
            not missed,
            f"A quote of one side takes, on average: {each}. There {reason}.",
        )
    return section


SECTIONS = {"rules": rules, "million": million, "quotes": quotes}


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
    row["nodes"] = nodes
    row["iterations"] = result.stats.iterations
    row["Clarabel iterations"] = iterations
    row["agreement gap"] = agreement
    return row


def _aim_at_calls(section: Section, rows: list[Row]) -> None:
    """The time of a call of ten mixed claims and 300 orders, by maker."""
    worst: dict[str, float] = {}
    for row in rows:
        if "Arrow-Debreu" not in row["maker"]:
            worst[row["maker"]] = max(row["clear time"], worst.get(row["maker"], 0.0))
    section.aim(
        f"10 claims, 300 orders within {time_text(CALL)} under the convex rules",
        ", ".join(f"{name} {time_text(took)}" for name, took in worst.items()),
        max(worst.values()) <= CALL,
        "Iterations take most of the call; the rest reads and sorts the orders, and fills them.",
    )
