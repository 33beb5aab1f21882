"""Each aim for speed beside what is measured now: met, or missed with the reason.

One row per question. Times are the best of a few calls on one thread unless stated otherwise, each
after the answer passed ``result.verify()``; a clearing that is not proved by ``--time-limit``
counts as missed, with the gap it reached. ``before`` is what was measured when the aim was set, on
another machine and on books of the same kind, not the same books.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import kpm_fast as kpm
from kpm_fast import _core

from . import books, cell, paper_book
from .rounds import interleave, one_core, timed
from .section import Section, time_text
from .verified import verified

TIME_LIMIT = 60.0
CALLS = 5  # of which the best counts, where a clearing is brief
BRIEF = 1.0  # seconds
SINGLE_NODES = 4  # that a search takes one at a time
WIDE_ITERATION = 0.5e-3  # seconds: a factor of 46 of the 23 ms when the aim was set


@dataclass(frozen=True)
class Measured:
    """The result of a measurement: a text, whether the aim is met, and the reason if not."""

    text: str
    met: bool | None  # None: nothing to measure with
    reason: str = ""  # if it is not met


@dataclass(frozen=True)
class Limits:
    """The options of the command."""

    seconds: float  # for each clearing
    against: Path | None = None  # a built checkout, for the recorded books
    quick: bool = False  # of what other chapters measure


@dataclass(frozen=True)
class Question:
    """A row: what is asked, what it was, what it should be, and how it is measured."""

    text: str
    before: str
    reach: str
    measure: Callable[[Limits], Measured]
    one_core: bool = True


def _best(book: books.Book, gap: float, limits: Limits) -> tuple[kpm.Result, float]:
    """A clearing to a proven gap, and the seconds of the fastest of a few."""
    clear = functools.partial(kpm.clear, *book, tolerance=gap, threads=1, time_limit=limits.seconds)
    result = verified(clear(), "reach")
    seconds = result.stats.seconds["total"]
    if seconds < BRIEF:
        seconds = min(seconds, *(timed(clear) for _ in range(CALLS - 1)))
    return result, seconds


def _within(seconds: float, book: books.Book, gap: float, limits: Limits) -> Measured:
    """Whether a book is proved to a gap in so many seconds."""
    result, took = _best(book, gap, limits)
    left = max(result.gap, 0.0) / books.notional(*book)
    stats = result.stats
    where = f"{stats.nodes:,} nodes, {stats.iterations:,} iterations"
    if result.status is kpm.Status.OPTIMAL:
        each = time_text(took / max(stats.iterations, 1))
        return Measured(
            f"{time_text(took)} ({where})", took <= seconds, f"{each} an iteration, {where}"
        )
    root = (stats.root_bound - result.certainty_equivalent) / books.notional(*book)
    return Measured(
        f"{result.status}, gap {left:.1e} after {time_text(took)} ({where})",
        False,
        f"the tree: the first bound is {root:.1e} too high, {stats.nodes:,} nodes left {left:.1e}",
    )


def of_chapter(measure: Callable[[bool], Section], words: str) -> Callable[[Limits], Measured]:
    """The result of another chapter's target with this text."""

    def measured(limits: Limits) -> Measured:
        section = measure(limits.quick)
        if section.skipped:
            return Measured(section.skipped, None)
        (target,) = (one for one in section.targets if words in one.text)
        return Measured(target.measured, target.met, target.reason)

    return measured


def million_orders(limits: Limits) -> Measured:
    """Nanoseconds an order of a million Arrow-Debreu orders."""
    book = books.arrow_debreu(10**6)
    result, took = _best(book, 1e-6, limits)
    spent = result.stats.seconds
    each = 1e9 * took / len(book[1])
    parts = ", ".join(
        f"{name} {1e9 * spent[name] / len(book[1]):.0f}" for name in ("compile", "search", "select")
    )
    return Measured(
        f"{each:.0f} ns", each <= 25, f"ns an order: {parts}, the rest reads and checks columns"
    )


def fifty(limits: Limits) -> Measured:
    """The slowest of three books of 50 random claims to a gap of 1e-3."""
    found = [
        _within(40e-3, books.random_claims(50, 50, 5000, seed, stake=1.0), 1e-3, limits)
        for seed in range(3)
    ]
    missed = [one for one in found if not one.met]
    return missed[0] if missed else found[0]


def arrow_debreu_200(limits: Limits) -> Measured:
    return _within(50e-3, books.arrow_debreu(2000, states=200), 1e-6, limits)


def chain_300(limits: Limits) -> Measured:
    return _within(0.5, books.option_chain(300, 150, 3000), 1e-6, limits)


def _with_inventory(
    states: int, claims: int, orders: int, coarse: float, fine: float, limits: Limits
) -> Measured:
    """A chain whose maker holds up to 10 % of the notional in a state, to 1e-5 and to 1e-6."""
    book = books.option_chain(states, claims // 2, orders, inventory=0.1)
    first = _within(coarse, book, 1e-5, limits)
    if not first.met:
        return Measured(f"1e-5: {first.text}", False, first.reason)
    second = _within(fine, book, 1e-6, limits)
    return Measured(f"1e-5: {first.text}; 1e-6: {second.text}", second.met, second.reason)


def chain_with_inventory_62(limits: Limits) -> Measured:
    return _with_inventory(62, 120, 667, 1.0, 20.0, limits)


def chain_with_inventory_82(limits: Limits) -> Measured:
    return _with_inventory(82, 160, 900, 5.0, 60.0, limits)


def chain_with_inventory_117(limits: Limits) -> Measured:
    return _with_inventory(117, 230, 460, 5.0, 60.0, limits)


def digitals(limits: Limits) -> Measured:
    return _within(1.0, books.digitals(1000, 100, 1000), 1e-6, limits)


def eighty(limits: Limits) -> Measured:
    return _within(60.0, books.random_claims(80, 80, 800, 0, stake=1.0), 1e-6, limits)


def more_claims_than_states(limits: Limits) -> Measured:
    """Milliseconds an iteration of 300 claims on 20 states, to a gap of 1e-3."""
    book = books.random_claims(20, 300, 3000, 0, stake=1.0)
    result, took = _best(book, 1e-3, limits)
    each = took / result.stats.iterations
    return Measured(
        f"{time_text(each)} an iteration ({time_text(took)}, {result.status})",
        each <= WIDE_ITERATION,
        "factors of the states' size; what is left is products of 300 x 20 matrices",
    )


def python_outside(limits: Limits) -> Measured:
    """Microseconds that a call of a small book spends outside the core, and its validation."""
    market, orders = books.simulation_a(0.4)
    clear = functools.partial(kpm.clear, market, orders, threads=1, time_limit=limits.seconds)
    verified(clear(), "the paper's book")
    outside = []
    for _ in range(2000):
        start = time.perf_counter()
        result = clear()
        outside.append(time.perf_counter() - start - result.stats.seconds["total"])
    columns = (orders.claim, orders.side, orders.price, orders.quantity)
    payoffs, prior = np.array(market.payoffs), np.array(market.prior)
    seconds = interleave(
        {
            "market": functools.partial(kpm.Market, payoffs, prior),
            "orders": functools.partial(kpm.Orders, *columns),
        },
        200,
    )
    call = float(np.median(outside))
    checks = float(np.median(seconds["market"]) + np.median(seconds["orders"]))
    return Measured(
        f"{time_text(call)} + {time_text(checks)}",
        call <= 8e-6 and checks <= 10e-6,
        "Market() and Orders() copy, check and freeze every column; the call builds a Result",
    )


def _quoting(quantity: float | None, held: float, within: float, reason: str) -> Measured:
    """Both sides for 1,000 claims of 0 and 1 on 100 states, in the core alone."""
    rng = np.random.default_rng(0)
    prior = rng.dirichlet(np.full(100, 2.0)) + 1e-3
    maker = kpm.KnightianMaker(prior / prior.sum(), 0.01, 0.05, held * rng.normal(size=100))
    payoffs = (rng.random((1000, 100)) < 0.5).astype(float)
    sizes = np.zeros((1000, 0)) if quantity is None else np.full((1000, 1), quantity)
    quote = functools.partial(_core.maker_quotes, maker._model(), -maker.inventory, payoffs, sizes)
    took = min(timed(quote) for _ in range(100))
    return Measured(time_text(took), took <= within, reason)


def quoted_blocks(limits: Limits) -> Measured:
    reason = "a row of powers for every state that the claim pays on, and both sides' tilts"
    return _quoting(10.0, 30.0, 1e-3, reason)


def quoted_shares(limits: Limits) -> Measured:
    return _quoting(None, 30.0, 50e-6, "a dot product of 100 states a claim")


def quoted_shares_at_a_kink(limits: Limits) -> Measured:
    reason = "a pass for the mass, and both roots: four logarithms, a dozen divisions"
    return _quoting(None, 0.0, 50e-6, reason)


def two_threads(limits: Limits) -> Measured:
    """The speed-up of two threads over one."""
    book = books.random_claims(20, 20, 2000, 0, stake=10.0)
    calls = {
        str(threads): functools.partial(
            kpm.clear, *book, tolerance=1e-6, threads=threads, time_limit=limits.seconds
        )
        for threads in (1, 2)
    }
    verified(calls["2"](), "two threads")
    first = functools.partial(calls["1"], node_limit=SINGLE_NODES)
    seconds = interleave({**calls, "first": first}, 9)
    ratio = float(np.median(seconds["1"] / seconds["2"]))
    alone = float(np.median(seconds["first"] / seconds["1"]))
    return Measured(
        f"{ratio:.2f} times",
        ratio >= 1.8,
        f"the first {SINGLE_NODES} nodes, one at a time, and what goes before the search are "
        f"{alone:.0%}: at best {2 / (1 + alone):.2f} times",
    )


_CLEAR_RECORDED = """
import json, sys, time
from pathlib import Path
import kpm_fast as kpm
from benchmarks import books
took = []
for case in books.recorded(Path(sys.argv[1])):
    best = 1e9
    for _ in range(int(sys.argv[2])):
        start = time.perf_counter()
        kpm.clear(*case.book, tolerance=1e-6, threads=1)
        best = min(best, time.perf_counter() - start)
    took.append(best)
print(json.dumps(took))
"""


def _recorded_times(checkout: Path, folder: Path) -> np.ndarray:
    command = [sys.executable, "-c", _CLEAR_RECORDED, str(folder), "3"]
    done = subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True)
    return np.array(json.loads(done.stdout))


def recorded(limits: Limits) -> Measured:
    """The recorded books' summed time over that of another checkout."""
    folder = books.data_folder()
    if folder is None:
        return Measured("the recorded books are not here (KPM_SHARED_DATA)", None)
    here = _recorded_times(Path(__file__).resolve().parents[1], folder)
    if limits.against is None:
        return Measured(f"{time_text(here.sum())}; --against CHECKOUT compares", None)
    there = _recorded_times(limits.against, folder)
    ratio, worst = here.sum() / there.sum(), (here / there).max()
    return Measured(
        f"{ratio:.2f} times, the slowest book {worst:.2f} times",
        bool(ratio <= 0.5 and worst <= 1.0),
        f"{(here > there).mean():.0%} of the books are slower (docs/branch-and-bound.md)",
    )


QUESTIONS: dict[str, Question] = {
    "band": Question(
        "paper's book, alpha 1 to 10^4, Omega 0 to 1, worst over one PIQP update and solve",
        "5.9 to 17",
        "1.5",
        of_chapter(paper_book.band, "PIQP"),
        one_core=False,
    ),
    "tuned": Question(
        "its cells with Clarabel tuned and kept, over the clearing, worst Omega",
        "534",
        ">= 1,500",
        of_chapter(paper_book.paper_book, "Clarabel tuned"),
        one_core=False,
    ),
    "cell": Question(
        "one cell: Clarabel tuned, over the core",
        "20",
        ">= 30",
        of_chapter(cell.solvers, "Clarabel, tuned"),
        one_core=False,
    ),
    "recorded": Question("recorded books, summed time", "1", "<= 0.5, none slower", recorded),
    "million": Question("10^6 Arrow-Debreu orders, an order", "76 ns", "25 ns", million_orders),
    "fifty": Question("N = K = 50, J = 5,000 to 1e-3", "100 ms", "40 ms", fifty),
    "arrow-debreu": Question("Arrow-Debreu, N = K = 200", "7.6 s", "50 ms", arrow_debreu_200),
    "chain": Question("option chain, 300 x 300", "21 s, inaccurate", "500 ms", chain_300),
    "inventory-62": Question(
        "chain with inventory, 62 x 120 x 667",
        "1e-6 in 100 s",
        "1e-5 in 1 s, 1e-6 in 20 s",
        chain_with_inventory_62,
    ),
    "inventory-82": Question(
        "the same, 82 x 160 x 900",
        "0 of 5 in 60 s",
        "1e-5 in 5 s, 1e-6 in 60 s",
        chain_with_inventory_82,
    ),
    "inventory-117": Question(
        "the same, 117 x 230 x 460",
        "24 s to never",
        "1e-5 in 5 s, 1e-6 in 60 s",
        chain_with_inventory_117,
    ),
    "digitals": Question("1,000 states, 100 digitals", "3 to 17 s", "1 s", digitals),
    "eighty": Question("random 0/1 claims, N = K = 80", "unproved", "60 s", eighty),
    "wide": Question(
        "20 states, 300 claims: an iteration",
        "23 ms",
        f"{time_text(WIDE_ITERATION)} (46 times)",
        more_claims_than_states,
    ),
    "python": Question(
        "Python for a small book: call + validation", "15 + 45 µs", "8 + 10 µs", python_outside
    ),
    "blocks": Question(
        "two-sided quotes, 1,000 x 100, blocks of 10 at an inventory",
        "2.8 ms",
        "1 ms",
        quoted_blocks,
    ),
    "shares": Question("the same, the next share", "", "50 µs", quoted_shares),
    "kink": Question(
        "the same at constant wealth, a kink", "2.6 ms", "50 µs", quoted_shares_at_a_kink
    ),
    "threads": Question(
        "two threads, whole search", "1.4 to 1.6", "1.8", two_threads, one_core=False
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", nargs="+", metavar="ROW", help=f"rows to measure: {', '.join(QUESTIONS)}"
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        default=TIME_LIMIT,
        metavar="S",
        help=f"seconds for each clearing ({TIME_LIMIT:g})",
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds of the peers")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="CHECKOUT",
        help="a built checkout of another commit, for the recorded books",
    )


def run(options: argparse.Namespace) -> int:
    console = Console(width=None if Console().is_terminal else 160)
    names = options.only or list(QUESTIONS)
    unknown = [name for name in names if name not in QUESTIONS]
    if unknown:
        console.print(f"error: no row {', '.join(unknown)}; rows are {', '.join(QUESTIONS)}")
        return 2
    table = Table(box=SIMPLE_HEAD)
    for heading in ("row", "before", "reach", "now", "met, or why not"):
        table.add_column(heading, overflow="fold")
    limits = Limits(options.time_limit, options.against, options.quick)
    for name in names:
        question = QUESTIONS[name]
        with one_core() if question.one_core else nullcontext():
            found = question.measure(limits)
        verdict = {True: "met", False: found.reason, None: "not measured"}[found.met]
        table.add_row(question.text, question.before, question.reach, found.text, verdict)
    console.print(table)
    return 0
