"""What is measured for each aim of ``reach``.

Every measurement takes the aim's targets and the limits, and returns a text, whether the aim is
met, and the measured reason if it is not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import kpm_fast as kpm

from . import books
from .rounds import answered, interleave, timed
from .section import Section, Target, time_text
from .verified import root_gap, verified

CALLS = 5  # of which the median counts, where a clearing is brief
BRIEF = 1.0  # seconds
SINGLE_NODES = 6  # that a search takes one at a time
LARGEST_TREE = 4  # the seed of the five chains of 82 states that takes most nodes

# A proof to this and nothing more. Asked for less (kFineTolerance of the core) the search goes on
# after the proof, until nothing is better or as good (docs/selection.md).
PROOF = 1e-6

# The chapter that says by part of the core what the first nodes of the large books take.
PROFILE = ": [profile](benchmarks.md#where-the-time-goes)"


@dataclass(frozen=True)
class Measured:
    """The result of a measurement: a text, whether the aim is met, and the reason if not."""

    text: str
    met: bool | None  # None: nothing to measure with
    reason: str = ""  # if it is not met
    aim: str = ""  # where the aim is another chapter's


@dataclass(frozen=True)
class Limits:
    """The options of the command."""

    seconds: float  # for each clearing
    against: Path | None = None  # a built checkout, for the recorded books
    quick: bool = False  # of what other chapters measure


def _cleared(book: books.Book, gap: float | None, limits: Limits) -> tuple[kpm.Result, float]:
    """A clearing to a proven gap, of the default if None; the median seconds of a few calls."""
    asked: Any = {} if gap is None else {"tolerance": gap}
    clear = functools.partial(kpm.clear, *book, threads=1, time_limit=limits.seconds, **asked)
    result, took = answered(clear)
    verified(result, "reach")
    if took >= BRIEF:
        return result, took
    return clear(), float(np.median([timed(clear) for _ in range(CALLS)]))  # the first one was cold


def _to_the_one(seconds: float, found: Sequence[books.Book], limits: Limits) -> Measured:
    """Whether books are cleared in so many seconds: the proof to 1e-6, and the one answer."""
    proof = _within(seconds, found, PROOF, limits)
    one = _within(seconds, found, None, limits)
    text = f"proof to 1e-6: {proof.text}; the one answer: {one.text}"
    if proof.met and not one.met:
        reason = f"the proof is in time, the one answer is not: {one.reason}"
        return Measured(text, False, reason)
    return Measured(text, proof.met and one.met, proof.reason)


def _within(
    seconds: float, found: Sequence[books.Book], gap: float | None, limits: Limits
) -> Measured:
    """Whether books are proved to a gap, of the default if None, in so many seconds: the worst."""
    runs = [_cleared(book, gap, limits) for book in found[: 1 if limits.quick else None]]
    done = [result.status is kpm.Status.OPTIMAL for result, _ in runs]
    in_time = sum(proved and took <= seconds for proved, (_, took) in zip(done, runs, strict=True))
    result, took = max(
        runs,
        key=lambda run: (
            (run[0].status is not kpm.Status.OPTIMAL, run[0].relative_gap, run[1])
            if not all(done)
            else (False, 0.0, run[1])
        ),
    )
    stats, root = result.stats, root_gap(result)
    nodes = f"nodes: {stats.nodes:,}, iterations: {stats.iterations:,}"
    of = f"{in_time} of {len(runs)} in time, the slowest " if len(runs) > 1 else ""
    reason = f"the first bound is {root:.1e} of the notional too high, and "
    if all(done):
        each = time_text(took / max(stats.iterations, 1))
        text = f"{of}{time_text(took)} ({nodes})"
        reason += f"{stats.nodes:,} nodes take {each} an iteration{PROFILE}"
        return Measured(text, in_time == len(runs), reason)
    left = max(result.relative_gap, 0.0)
    text = f"{of}{result.status}, gap {left:.1e} after {time_text(took)} ({nodes})"
    return Measured(text, False, f"{reason}{stats.nodes:,} nodes left {left:.1e} of it")


def of_target(target: Target) -> Measured:
    return Measured(target.measured, target.met, target.reason, target.text)


@functools.cache
def _measured(measure: Callable[[bool], Section], quick: bool) -> Section:
    """A section, once for all its targets."""
    return measure(quick)


def of_chapter(measure: Callable[[bool], Section], words: str) -> Callable[[Limits], Measured]:
    """The result of another chapter's target with this text."""

    def measured(limits: Limits) -> Measured:
        section = _measured(measure, limits.quick)
        if section.skipped:
            return Measured(section.skipped, None)
        (target,) = (one for one in section.targets if words in one.text)
        return of_target(target)

    return measured


def million_orders(each: float, limits: Limits) -> Measured:
    """Time for each of a million Arrow-Debreu orders: of the proof, and of the one answer."""
    book = books.arrow_debreu(10**6)
    count = len(book[1])
    _, proof = _cleared(book, PROOF, limits)
    result, one = _cleared(book, None, limits)
    spent = result.stats.seconds
    parts = ", ".join(
        f"{name} {1e9 * spent[name] / count:.0f}" for name in ("compile", "search", "select")
    )
    return Measured(
        f"proof to 1e-6: {1e9 * proof / count:.0f} ns; the one answer: {1e9 * one / count:.0f} ns",
        max(proof, one) <= each * count,
        f"ns an order: {parts}, the rest reads and checks columns",
    )


def fifty(seconds: float, limits: Limits) -> Measured:
    """Three books of 50 random claims to a gap of 1e-3: the slowest."""
    found = [books.random_claims(50, 50, 5000, seed, stake=1.0) for seed in range(3)]
    return _within(seconds, found, 1e-3, limits)


def cleared(
    make: Callable[[int], books.Book], count: int = 1
) -> Callable[[float, Limits], Measured]:
    """Some books, by their seeds: the proof to 1e-6, and the one answer."""
    return lambda seconds, limits: _to_the_one(seconds, [make(at) for at in range(count)], limits)


def with_inventory(
    states: int, claims: int, orders: int, count: int = 1
) -> Callable[[float, float, Limits], Measured]:
    """Chains whose maker holds up to 10 % of the notional in a state: proofs to 1e-5 and 1e-6."""

    def measured(coarse: float, fine: float, limits: Limits) -> Measured:
        found = [
            books.even_chain(states, claims // 2, orders, inventory=0.1, seed=seed)
            for seed in range(count)
        ]
        both = {
            "1e-5": _within(coarse, found, 1e-5, limits),
            "1e-6": _within(fine, found, PROOF, limits),
        }
        missed = "; ".join(f"{gap}: {one.reason}" for gap, one in both.items() if not one.met)
        text = "; ".join(f"{gap}: {one.text}" for gap, one in both.items())
        return Measured(text, not missed, missed)

    return measured


def more_claims_than_states(each: float, limits: Limits) -> Measured:
    """Time of an iteration of 300 claims on 20 states, to a gap of 1e-3."""
    book = books.random_claims(20, 300, 3000, 0, stake=1.0)
    result, seconds = _cleared(book, 1e-3, limits)
    took = seconds / result.stats.iterations
    return Measured(
        f"{time_text(took)} an iteration ({time_text(seconds)}, {result.status})",
        took <= each,
        "factors of the states' size; what is left is products of 300 x 20 matrices",
    )


def python_outside(call: float, checks: float, limits: Limits) -> Measured:
    """Microseconds that a call of a small book spends outside the core, and its validation."""
    market, orders = books.simulation_a(0.4)
    clear = functools.partial(kpm.clear, market, orders, threads=1, time_limit=limits.seconds)
    verified(clear(), "the paper's book")
    outside = []
    for _ in range(2000):
        result, took = answered(clear)
        outside.append(took - result.stats.seconds["total"])
    columns = (orders.claim, orders.side, orders.price, orders.quantity)
    payoffs, prior = np.array(market.payoffs), np.array(market.prior)
    seconds = interleave(
        {
            "market": functools.partial(kpm.Market, payoffs, prior),
            "orders": functools.partial(kpm.Orders, *columns),
        },
        200,
    )
    around = float(np.median(outside))
    checked = float(np.median(seconds["market"]) + np.median(seconds["orders"]))
    late = {
        "the call, which makes a Result": around > call,
        "Market() and Orders(), which copy, check and freeze each column": checked > checks,
    }
    return Measured(
        f"{time_text(around)} + {time_text(checked)}",
        not any(late.values()),
        f"missed by {' and '.join(name for name, missed in late.items() if missed)}",
    )


def two_threads(times: float, limits: Limits) -> Measured:
    """The speed-up of two threads over one: in a small tree, and in a large one to 1e-6."""
    found = {
        "20 random claims": _two_threads(
            books.random_claims(20, 20, 2000, 0, stake=10.0), 9, limits
        ),
        "82 x 160 x 900": _two_threads(
            books.even_chain(82, 80, 900, inventory=0.1, seed=LARGEST_TREE),
            3,
            limits,
            tolerance=PROOF,
        ),
    }
    text = "; ".join(
        f"{name} ({one.nodes:,} nodes) {one.ratio:.2f} times" for name, one in found.items()
    )
    missed = "; ".join(
        f"{name}: the first {SINGLE_NODES} nodes, one at a time, and what goes before the search "
        f"are {one.alone:.0%}, at best {2 / (1 + one.alone):.2f} times; the next sixteen are work "
        "for two threads, which then wait for each other"
        for name, one in found.items()
        if one.ratio < times
    )
    return Measured(text, not missed, missed)


@dataclass(frozen=True)
class _Shared:
    """One search by two threads, over the same by one."""

    nodes: int
    ratio: float
    alone: float  # the share of one thread's time before two may work


def _two_threads(book: books.Book, rounds: int, limits: Limits, **asked: Any) -> _Shared:
    calls = {
        str(threads): functools.partial(
            kpm.clear, *book, threads=threads, time_limit=limits.seconds, **asked
        )
        for threads in (1, 2)
    }
    result = calls["2"]()
    verified(result, "two threads")
    first = functools.partial(calls["1"], node_limit=SINGLE_NODES)
    seconds = interleave({**calls, "first": first}, rounds)
    return _Shared(
        result.stats.nodes,
        float(np.median(seconds["1"] / seconds["2"])),
        float(np.median(seconds["first"] / seconds["1"])),
    )
