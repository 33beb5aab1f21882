"""Every maker: against CVXPY and Clarabel on the same problem, on a million orders, and its quotes.

The first table: claims on some of ten states, orders around fair prices in steps of a thousandth.
Under the convex rules, which have one program in common, the peers maximise what ``clear`` does,
written as cones by hand (``maker_programs.py``), one variable for all orders at a limit. (8),
``maker_optimal``, is not convex: there a peer solves only the best cell, and its time is
EXTRAPOLATED: that of the cell times the number of nodes that ``clear`` searched.
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
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import kpm_fast as kpm
from kpm_fast import _core
from kpm_fast.arrays import Floats
from kpm_fast.model.maker_model import rules_of

from . import books
from .accuracy import CellData, error
from .conic_solvers import KeptClarabelCell
from .cvxpy_cell import CvxpyCell, FreshCvxpyCell
from .maker_programs import ACCURACY, ClarabelAuction, CvxpyAuction, FreshCvxpyAuction, Program
from .rounds import interleave, one_core, ratio, timed
from .section import Row, Section, range_text, time_text, times_text
from .verified import verified

TITLE = "Makers and rules"
TARGET = 30.0  # times faster than Clarabel called directly
CALL = 100e-6  # seconds, of a call of ten claims and 300 orders
MILLION = 1.5  # times what maker_optimal takes
BLOCK, SHARE = 1e-3, 50e-6  # seconds, of a thousand claims' quotes
CLAIMS, STATES = 10, 10
MANY = (300, 10_000)  # orders
QUOTED = (1000, 100)  # claims, states
PAYOFFS = ("0 and 1", "normal")
COMPETITIVE = "competitive"
ARROW_DEBREU = "starting orders, Arrow-Debreu"
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
    """The table: a row for each maker and rule whose clearings differ."""
    section = Section("Every maker against CVXPY and Clarabel")
    with one_core(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that an answer may be inaccurate is measured instead
        for name, rule, market, orders in _programs(MANY[:1] if quick else MANY):
            section.rows.append(_row(name, rule, market, orders, 3 if quick else 25))
    convex = [row for row in section.rows if row["rule"] != "maker_optimal"]
    search = [row for row in section.rows if row["rule"] == "maker_optimal"]
    for text, part, reason in (
        ("a convex rule", convex, _why_not_thirty(convex)),
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
    few = {
        row["maker"]: row["clear time"]
        for row in convex
        if row["orders"] == MANY[0] and row["maker"] != ARROW_DEBREU
    }
    section.aim(
        f"{CLAIMS} claims, {MANY[0]} orders within {time_text(CALL)} under the convex rules",
        ", ".join(f"{name} {time_text(took)}" for name, took in few.items()),
        max(few.values()) <= CALL,
        "Iterations take most of the call; the rest reads and sorts the orders, and fills them.",
    )
    gaps = [row["agreement gap"] for row in section.rows]
    section.aim(
        "the same optimum to 1e-6 of the notional",
        range_text(gaps, "{:.1e}".format),
        max(gaps) <= 1e-6,
        "Clarabel without refinement has no more digits there.",
    )
    for peer in (FIRST, AGAIN, DIRECT):
        ratios = [row[f"{peer} / clear times"] for row in convex]
        section.against("One convex program", peer, ratios)
    return section


def _programs(sizes: Sequence[int]) -> Iterator[tuple[str, str, kpm.Market, kpm.Orders]]:
    """What is cleared: by name and rule. Convex rules have one program in common."""
    for count in sizes:
        payoffs, orders, prior = book(count)
        for name, maker in makers(prior).items():
            market = kpm.Market(payoffs, maker=maker)
            if count == sizes[0] and "maker_optimal" in rules_of(market):
                yield name, "maker_optimal", market, orders
            yield name, COMPETITIVE, market, orders
    payoffs, orders, prior = book(sizes[0], arrow_debreu=True)
    market = kpm.Market(payoffs, maker=kpm.StartingOrders(100 * prior))
    yield ARROW_DEBREU, COMPETITIVE, market, orders


def _why_not_thirty(rows: list[Row]) -> str:
    """Iterations here over Clarabel's, by size, and what else a call does."""
    parts = []
    for count in dict.fromkeys(row["orders"] for row in rows):
        own = [row for row in rows if row["orders"] == count]
        over = [row["iterations"] / row["Clarabel iterations"] for row in own]
        twice = sum(times >= 2.0 for times in over)
        parts.append(
            f"with {count:,} orders {range_text(over, '{:.1f}'.format)} times as many iterations, "
            f"twice or more for {twice} of {len(own)} makers"
        )
    return (
        f"Both sides are interior-point methods. This package takes, {'; '.join(parts)}. The peer "
        "is set up before; here each call reads and sorts its orders, and fills every one, which "
        "the peers leave out."
    )


def million(quick: bool) -> Section:
    """A million orders: every maker under ``competitive`` beside ``maker_optimal``."""
    count = 10_000 if quick else 1_000_000
    section = Section(f"{count:,} orders by every maker: 5 states, a claim on each")
    market, orders = books.arrow_debreu(count)
    tasks = {
        name: functools.partial(
            kpm.clear, kpm.Market(market.payoffs, maker=maker), orders, rule=COMPETITIVE, threads=1
        )
        for name, maker in makers(market.prior, 1.0 / market.risk_aversion).items()
    }
    tasks["maker_optimal"] = functools.partial(kpm.clear, market, orders, threads=1)
    solving = {}  # seconds, from staircases to the optimum
    with one_core():
        seconds = interleave(tasks, 3 if quick else 5)
        for name, clear in tasks.items():
            result = verified(clear(), name)
            solving[name] = result.stats.seconds["search"]
            section.rows.append(
                {
                    "maker": "Knightian" if name == "maker_optimal" else name,
                    "rule": result.rule,
                    "clear / maker_optimal times": ratio(seconds, name, "maker_optimal"),
                    "clear time": float(np.median(seconds[name])),
                    "status": str(result.status),
                    "gap": max(result.relative_gap, 0.0),
                    "iterations": result.stats.iterations,
                }
            )
    convex = [row for row in section.rows if row["rule"] == COMPETITIVE]
    ratios = [row["clear / maker_optimal times"] for row in convex]
    slow = max(convex, key=lambda row: float(row["clear / maker_optimal times"]))
    section.aim(
        f"every maker within {MILLION:g} times what maker_optimal takes",
        range_text(ratios, times_text),
        max(ratios) <= MILLION,
        f"{slow['maker']}: from staircases to the optimum {time_text(solving[slow['maker']])}, "
        f"{slow['iterations']} iterations.",
    )
    open_ = [row for row in convex if row["status"] != "optimal"]
    section.aim(
        "a million orders proved optimal by every maker",
        f"{len(convex) - len(open_)} of {len(convex)}",
        not open_,
        "; ".join(
            f"{row['maker']}: {row['status']}, {row['gap']:.1e} of the notional below its bound "
            f"after {row['iterations']} iterations"
            for row in open_
        ),
    )
    return section


def quotes(quick: bool) -> Section:
    """Both sides' quotes of a thousand claims on a hundred states, by maker and payoffs."""
    section = Section("Quotes by maker: both sides, 1,000 claims on 100 states, in the core")
    generator = np.random.default_rng(16)
    prior = generator.dirichlet(np.full(QUOTED[1], 2.0)) + 1e-3
    inventory = 30.0 * generator.normal(size=QUOTED[1])
    zero_or_one = (generator.random(QUOTED) < 0.5).astype(float)
    claims = dict(zip(PAYOFFS, (zero_or_one, generator.normal(size=QUOTED)), strict=True))
    calls = 5 if quick else 50
    with one_core():
        for name, maker in makers(prior / prior.sum()).items():
            held = maker.replace(inventory=inventory)
            row: Row = {"maker": name}
            for kind, payoff in claims.items():
                for where, at in (("with an inventory", held), ("constant wealth", maker)):
                    for text, size in (("a share", None), ("blocks of 10", 10.0)):
                        took = _quote_seconds(at, payoff, size, calls)
                        row[f"{kind}: {text}, {where} time"] = took
            section.rows.append(row)
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
        column = f"{PAYOFFS[0]}: {text}, {where} time"
        missed = {row["maker"]: row[column] for row in section.rows if row[column] > limit}
        each = ", ".join(
            f"{name} {time_text(took / (2 * len(claims[PAYOFFS[0]])))}"
            for name, took in missed.items()
        )
        section.aim(
            f"{text}, claims of 0 and 1, {where}: within {time_text(limit)}",
            ", ".join(f"{row['maker']} {time_text(row[column])}" for row in section.rows),
            not missed,
            f"A quote of one side takes, on average: {each}. There {reason}.",
        )
    return section


def _quote_seconds(maker: kpm.Maker, claims: Floats, size: float | None, calls: int) -> float:
    """Median seconds of quotes for all claims: the next share, or a block of so many."""
    sizes = np.zeros((len(claims), 0)) if size is None else np.full((len(claims), 1), size)
    quote = functools.partial(_core.maker_quotes, maker._model(), -maker.inventory, claims, sizes)
    return float(np.median([timed(quote) for _ in range(calls)]))


SECTIONS = {"rules": rules, "million": million, "quotes": quotes}


def _row(name: str, rule: str, market: kpm.Market, orders: kpm.Orders, rounds: int) -> Row:
    clear = functools.partial(kpm.clear, market, orders, rule=rule)
    result = verified(clear(), f"{name}, {rule}")
    nodes = 1
    direct: Any
    peers: tuple[Any, ...]
    if rule == "maker_optimal":
        nodes = max(result.stats.nodes, 1)
        data = CellData.of(name, market, orders, result.cell)
        direct = KeptClarabelCell(data, ACCURACY)
        peers = FreshCvxpyCell(data, ACCURACY), CvxpyCell(data, ACCURACY), direct
        solution = direct.solve()
        iterations = int(solution.iterations)
        agreement = error(data, direct.point(solution), result.certainty_equivalent)
    else:
        program = Program.of(market, orders)
        direct = ClarabelAuction(program)
        peers = FreshCvxpyAuction(program), CvxpyAuction(program), direct
        agreement = abs(direct.solve() - result.objective / program.notional)
        iterations = direct.iterations
    tasks = {peer: each.solve for peer, each in zip((FIRST, AGAIN, DIRECT), peers, strict=True)}
    seconds = interleave({"clear": clear, **tasks}, rounds)
    seconds[FIRST] = seconds[FIRST] + (nodes - 1) * seconds[AGAIN]
    seconds[AGAIN] = nodes * seconds[AGAIN]
    seconds[DIRECT] = nodes * seconds[DIRECT]
    return {
        "maker": name,
        "rule": rule,
        "orders": len(orders),
        **{f"{peer} / clear times": ratio(seconds, peer, "clear") for peer in tasks},
        "clear time": float(np.median(seconds["clear"])),
        "nodes": nodes,
        "iterations": result.stats.iterations,
        "Clarabel iterations": iterations,
        "agreement gap": agreement,
    }
