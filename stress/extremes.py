"""Extreme books, cleared and judged one by one; a table by family.

Each book is cleared by branch and bound and verified. Of those with few cells the enumeration
must agree: neither search may find a clearing that is better than the other's bound, whatever its
status. Every tenth clearing is proved by a certificate, which is checked. The exit code is 1 if
anything failed: a figure, a bound, a proof, a clearing worth less than no trade, or a status that
claims more than the gap allows.
"""

from __future__ import annotations

import argparse
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.table import Column, Table

import kpm_fast as kpm

from . import families

_CELLS = 3_000  # enumerated up to here
_CERTIFIED = 10  # one of so many
_NODES = 300
_TIE = 1e-10  # of the scale: what clearings that are equally good may differ by
_EPS = float(np.finfo(np.float64).eps)


@dataclass
class Tally:
    """What came of the books of one family."""

    books: int = 0
    optimal: int = 0
    inaccurate: int = 0
    stopped: int = 0
    proofs: int = 0
    enumerated: int = 0
    worst: float = 0.0  # gap of an optimal clearing over what it may be
    failures: list[str] = field(default_factory=list)


def judge(book: families.Book, label: str, tally: Tally, *, certified: bool) -> None:
    """Clear a book in every way that is affordable, and note what does not hold."""
    market, orders = book
    tally.books += 1

    def fail(reason: object) -> None:
        tally.failures.append(f"{label}: {reason}")

    result = kpm.clear(market, orders, threads=1, node_limit=_NODES)
    checked = result.verify()
    if not checked:
        fail([check.name for check in checked.failed])
    loss = result.no_trade_equivalent - result.certainty_equivalent
    if not loss <= _TIE * result.scale + _rounding(result):
        fail(f"{result.status}, worth {loss:g} less than no trade")
    allowed = result.tolerance * result.scale
    if result.status is kpm.Status.OPTIMAL:
        tally.optimal += 1
        tally.worst = max(tally.worst, result.gap / allowed)
        if not result.gap <= allowed:
            fail(f"optimal with a gap of {result.gap:g}, allowed {allowed:g}")
    elif result.status is kpm.Status.INACCURATE:
        tally.inaccurate += 1
    else:
        tally.stopped += 1
    if certified:
        tally.proofs += 1
        proven = kpm.clear(market, orders, threads=1, node_limit=_NODES, certificate=True)
        proof = kpm.check_certificate(market, orders, proven)
        if not proof:
            fail([check.name for check in proof.failed])
        _compare(result, proven, fail)
    if result.stats.cells <= _CELLS:
        tally.enumerated += 1
        _compare(result, kpm.clear(market, orders, "enumerate", threads=1), fail)


def _rounding(result: kpm.Result) -> float:
    """What figures of the book's size may be off by, money."""
    market, orders = result.market, result.orders
    largest = np.abs(market.payoffs).max(axis=1)[orders.claim_index(market)]
    money = float(np.abs(market.inventory).max() + largest @ orders.quantity)
    return (128 - 4 * math.log(market.prior.min())) * _EPS * money + 1e-11 * result.scale


def _compare(one: kpm.Result, other: kpm.Result, fail: Callable[[object], None]) -> None:
    market = one.market
    rounding = _rounding(one)
    # Prices of an inaccurate clearing may be off by 1e-5 of their range: worth more than any.
    exact = 1e-12 * np.ptp(market.payoffs, axis=1) + 8 * _EPS * np.abs(market.payoffs).max(axis=1)
    for better, bounded in ((one, other), (other, one)):
        if np.any(np.abs(market.payoffs @ better.state_prices - better.claim_prices) > exact):
            continue
        excess = better.certainty_equivalent - bounded.upper_bound
        if not excess <= rounding:
            fail(f"{better.status} is {excess:g} above the bound of {bounded.status}")


def survey(books: int, seed: int) -> dict[str, Tally]:
    """Judge so many books, as many of each family."""
    tallies: dict[str, Tally] = {}
    for index in range(books):
        family = families.FAMILIES[index % len(families.FAMILIES)]
        name = family.__name__
        draw = np.random.default_rng([seed, zlib.crc32(name.encode()), index])
        tally = tallies.setdefault(name, Tally())
        certified = index // len(families.FAMILIES) % _CERTIFIED == 0
        label = f"{name}, --seed {seed} --only {index}"
        try:
            judge(family(draw), label, tally, certified=certified)
        except Exception as error:  # whatever escapes is a failure of this book, not of the survey
            tally.failures.append(f"{label}: {type(error).__name__}: {error}")
    return tallies


def book_of(seed: int, index: int) -> families.Book:
    """The book that a failure names."""
    family = families.FAMILIES[index % len(families.FAMILIES)]
    return family(np.random.default_rng([seed, zlib.crc32(family.__name__.encode()), index]))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--books", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="INDEX", help="print one book and its clearing")


def run(options: argparse.Namespace) -> int:
    console = Console(width=110, highlight=False)
    if options.only is not None:
        market, orders = book_of(options.seed, options.only)
        result = kpm.clear(market, orders, threads=1, node_limit=_NODES)
        console.print(market, market.payoffs, market.prior, market.inventory, orders.columns())
        console.print(result, result.verify(), sep="\n")
        return 0
    tallies = survey(options.books, options.seed)
    table = Table("family", *(_right(name) for name in _COLUMNS), box=None)
    total = Tally()
    for name, tally in tallies.items():
        _add_row(table, name, tally)
        for item in ("books", "optimal", "inaccurate", "stopped", "proofs", "enumerated"):
            setattr(total, item, getattr(total, item) + getattr(tally, item))
        total.worst = max(total.worst, tally.worst)
        total.failures += tally.failures
    _add_row(table, "all", total)
    console.print(table)
    console.print(
        "\nto tolerance: status optimal, gap within 1e-8 of the notional, every figure verified. "
        "inaccurate: says so by\nits status. stopped: at 300 nodes. worst gap: of an optimal "
        "clearing, in tolerances. certificates, enumerations:\nhow many were checked, compared."
    )
    for failure in total.failures:
        console.print(f"FAILED {failure}")
    return 1 if total.failures else 0


_COLUMNS = (
    "books",
    "to tolerance",
    "inaccurate",
    "stopped",
    "worst gap",
    "certificates",
    "enumerations",
    "failures",
)


def _right(name: str) -> Column:
    return Column(name, justify="right")


def _add_row(table: Table, name: str, tally: Tally) -> None:
    table.add_row(
        name.replace("_", " "),
        f"{tally.books:,}",
        f"{100 * tally.optimal / max(tally.books, 1):.2f} %",
        f"{tally.inaccurate:,}",
        f"{tally.stopped:,}",
        f"{tally.worst:.2f}",
        f"{tally.proofs:,}",
        f"{tally.enumerated:,}",
        f"{len(tally.failures):,}",
    )
