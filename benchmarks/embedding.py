"""The C library inside other programs: what a clearing and an event cost, by caller.

Callers in C are compiled by the system's compiler against the header and the library that are
installed; each times its own calls, in one process and on one core, in turn: calls that are not
counted warm the caches, and the next one counts. The engine's time is that of an event, which takes
a tenth of an order away or gives it back, and of the clearing after it, which starts from the one
before where it can (*warm*). *Above C* is the median of a caller's time above that of the cold call
in C in the same turn.

Events are cancels, new orders and new limits, each for an order or a limit drawn among all in the
book, so that what they touch is in no cache. Their times include reading the clock.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import kpm_fast as kpm
from kpm_fast import sample

from .books import Book, arrow_debreu, random_claims, simulation_a
from .embedding_callers import CannotBuildError, CCaller, Timer, compiler_text, python_timer
from .rounds import interleave_timed, one_core, percentiles
from .section import Row, Section, range_text, time_text
from .verified import verified

TITLE = "Inside other programs"
C = "C, cold"
MOST_OF_EVENT = 1e-6  # at the 99th percentile
TOLERANCE = 1e-8
CALLS = 4  # of each caller in a round, the last of which counts
BOOKS: dict[str, Callable[[], Book]] = {
    "the paper's five bids": lambda: simulation_a(0.4),
    "the race card of examples/": sample.example_race_card,
    "5 Arrow-Debreu claims, 1,000 orders": lambda: arrow_debreu(1000),
}
RANKS = ("p50 time", "p99 time", "max time")  # of what is late
LATE = 1e-4  # seconds after a time limit
LIMITED = (  # states and claims, orders, seed, limits
    (10, 100, 1, (1e-3, 3e-3)),
    (20, 2000, 4, (1e-3, 3e-3, 1e-2, 5e-2)),
    (50, 5000, 4, (1e-2, 5e-2)),
)
CLAIMS, ORDERS = 5, 10**6  # of the book that events come to
TICKS = (50, 1000)  # limits of a claim


def in_c(measure: Callable[[CCaller, bool], Section]) -> Callable[[bool], Section]:
    """A section that needs callers in C, which are built for it."""

    def section(quick: bool) -> Section:
        with tempfile.TemporaryDirectory() as scratch, one_core():
            try:
                caller = CCaller(Path(scratch))
            except CannotBuildError as error:
                return Section("Callers in C", skipped=str(error))
            return measure(caller, quick)

    return section


@in_c
def clearings(caller: CCaller, quick: bool) -> Section:
    """The table of clearings, by book and caller."""
    part = Section("A clearing, by caller")
    rounds = 200 if quick else 4000
    shares: dict[str, float] = {}
    for name, make in BOOKS.items():
        book = make()
        answer = verified(kpm.clear(*book, tolerance=TOLERANCE, threads=1), name)
        warm, cold = (caller.book(book, TOLERANCE) for _ in range(2))
        timers = {
            C: warm.timer("cold"),
            "C, engine, warm": warm.timer("engine"),
            "C, engine, cold": cold.timer("engine_cold"),
            "Python, cold": python_timer(book, kpm.Status.OPTIMAL, tolerance=TOLERANCE),
        }
        timers[C]()
        if warm.value() != answer.certainty_equivalent:
            raise RuntimeError("C has another answer than Python")
        seconds = interleave_timed({of: _last(timer) for of, timer in timers.items()}, rounds)
        for task, times in seconds.items():
            more = float(np.median(times - seconds[C]))
            row: Row = {"book": name, "caller": task, "above C time": more}
            part.rows.append(row | percentiles(times))
        shares[name] = warm.warm() / (CALLS * (rounds + 1))
        warm.close()
        cold.close()
    part.notes.append(
        "Of the engine's clearings were warm: "
        + "; ".join(f"{name} {share:.0%}" for name, share in shares.items())
        + f". Callers in C: {compiler_text()}."
    )
    return part


def _last(timer: Timer) -> Timer:
    """The last of ``CALLS``: an event, what undoes it, and another come before."""
    return lambda: [timer() for _ in range(CALLS)][-1]


@in_c
def events(caller: CCaller, quick: bool) -> Section:
    """The table of events in a large book."""
    orders, count = (10**5, 20_000) if quick else (ORDERS, 200_000)
    part = Section(f"Events in C, in a book of {orders:,} orders for {CLAIMS} claims")
    slowest: list[float] = []
    for large_pages in (True, False):
        for ticks in (*TICKS, orders // CLAIMS):
            spent, seconds = caller.events(
                CLAIMS, orders, ticks, large_pages=large_pages, events=count
            )
            row: Row = {
                "pages": "2 MB" if large_pages else "4 KB",
                "limits of a claim": ticks,
                "events a second": int(3 * count / spent),
            }
            for kind, times in zip(("cancel", "add", "replace"), seconds, strict=True):
                found = percentiles(times)
                row |= {f"{kind}, {rank}": found[rank] for rank in ("p50 time", "p99 time")}
                if ticks in TICKS:
                    slowest.append(found["p99 time"])
            part.rows.append(row | {"most time": float(seconds.max())})
    part.notes.append(
        "Events per second: one core that does nothing else, with the time to draw them and to "
        f"read the clock. {compiler_text()}."
    )
    part.aim(
        f"an event within {time_text(MOST_OF_EVENT)} (p99), up to {TICKS[-1]:,} limits a claim",
        range_text(slowest, time_text),
        max(slowest) <= MOST_OF_EVENT,
        "An event touches the entry of an id, an order and what that is linked to, of orders drawn "
        "at random: nothing touched them lately. The share of the time that takes is not measured.",
    )
    return part


@in_c
def deadlines(caller: CCaller, quick: bool) -> Section:
    """The table of time limits: how late a clearing comes back, by book and limit."""
    part = Section("How late a clearing comes back, in C and in Python")
    late: list[float] = []
    rounds = 20 if quick else 400
    least = rounds // 4
    for size, orders, seed, limits in LIMITED:
        book = random_claims(size, size, orders, seed, stake=10.0)
        mine = caller.book(book, TOLERANCE)
        first = min(mine.timer("limited", 0.0)() for _ in range(5))
        for limit in limits:
            timers = {
                "C": mine.timer("limited", limit),
                "Python": python_timer(book, kpm.Status.TIME_LIMIT, time_limit=limit),
            }
            name = f"{size} claims, {orders:,} orders"
            row: Row = {"book": name, "limit time": limit, "least time": first}
            for who, found in interleave_timed(timers, rounds).items():
                times = found[np.isfinite(found)]
                if times.size >= least:  # a percentile of a few is that of one
                    taken = percentiles(times - limit)
                    row |= {f"{who}, {rank}": taken[rank] for rank in RANKS}
            if f"C, {RANKS[0]}" in row:
                part.rows.append(row)
                late.append(row["C, p99 time"])
        mine.close()
    part.notes.append(
        f"Of the limits tried, those that struck at least {least} of {rounds} calls. "
        "Least: the time of a clearing with a limit of zero, which no limit can undercut. Time in "
        "which another program had the core counts as late. Negative: before the limit."
    )
    part.aim(
        f"within {time_text(LATE)} of the limit (p99, C)",
        range_text(late, time_text) if late else "no limit struck often enough",
        max(late, default=math.inf) <= LATE,
        "A clearing looks at the clock between its steps, and after the limit has struck publishes "
        "the best found: that is finished. And a core that others use comes back only after their "
        "share of time.",
    )
    return part


SECTIONS = {"clearings": clearings, "events": events, "deadlines": deadlines}
