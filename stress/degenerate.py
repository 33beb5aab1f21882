"""Degenerate books, each cleared in many ways that must give one answer.

Every book is cleared as it is; with its orders, its claims, its states, and all of these in another
order; without presolve; with a certificate; with two threads; and, if it has few cells, by
enumeration. Fills and state prices must agree, up to a symmetry of the book where it has one. With
``--rule`` the books have every maker in turn and are cleared by a convex rule, in another order
only. The table says in how many books each way led to another answer; the exit code is 1 if any
did.
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np
from rich.console import Console
from rich.table import Column, Table

import kpm_fast as kpm
from kpm_fast import _core
from kpm_fast.model.rules import RULES

from . import degenerate_books
from .families import Book
from .same_answer import Answer, Renaming, difference

MAKER_OPTIMAL = "maker_optimal"
_CELLS = 3_000  # enumerated up to here
WAYS = (
    "orders",
    "claims",
    "states",
    "all three",
    "no presolve",
    "certificate",
    "threads",
    "enumerate",
)


@dataclass
class Tally:
    """What came of the books of one family: of each way, how often it led elsewhere."""

    books: int = 0
    different: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def answers(
    book: Book, draw: np.random.Generator, rule: str
) -> Iterator[tuple[str, Callable[[], Answer]]]:
    """Each way to clear the book, its answer in the book's own numbering."""
    market, orders = book
    kept = tuple(np.arange(count) for count in (*market.payoffs.shape, len(orders)))
    moved = tuple(draw.permutation(count) for count in (*market.payoffs.shape, len(orders)))
    for way, which in zip(WAYS, ((2,), (0,), (1,), (0, 1, 2)), strict=False):
        renaming = Renaming(*(moved[n] if n in which else kept[n] for n in range(3)))

        def renamed(renaming: Renaming = renaming) -> Answer:
            return renaming.undo(Answer.of(kpm.clear(*renaming.apply(book), threads=1, rule=rule)))

        yield way, renamed

    if rule != MAKER_OPTIMAL:
        return

    def cleared(method: str = "auto", **options: Any) -> Callable[[], Answer]:
        options.setdefault("threads", 1)
        return lambda: Answer.of(kpm.clear(market, orders, method, **options))

    yield "no presolve", cleared(presolve=False)
    yield "certificate", cleared(certificate=True)
    yield "threads", cleared(threads=2)
    pieces = [len(steps) for steps in kpm.staircases(market, orders)]
    if np.prod(np.array(pieces, dtype=float)) <= _CELLS:
        yield "enumerate", cleared("enumerate")


def judge(book: Book, draw: np.random.Generator, rule: str = MAKER_OPTIMAL) -> dict[str, str]:
    """Of each way that leads to another answer, what is different."""
    clear: Callable[..., Any] = _core.clear

    def at_once(*arguments: Any) -> Any:
        *book, settings, progress, stop = arguments
        return clear(*book, settings.at_once(), progress, stop)

    with mock.patch.object(_core, "clear", at_once):
        result = kpm.clear(*book, threads=1, rule=rule)
        base = Answer.of(result)
        found = {way: difference(book, base, answer()) for way, answer in answers(book, draw, rule)}
    if not result.verify():
        found["verify"] = str([check.name for check in result.verify().failed])
    return {way: what for way, what in found.items() if what}


def book_of(seed: int, index: int, rule: str = MAKER_OPTIMAL) -> tuple[str, Book]:
    """The family and the book that a failure names."""
    turn, of_family = divmod(index, len(degenerate_books.FAMILIES))
    family = degenerate_books.FAMILIES[of_family]
    name = family.__name__
    draw = np.random.default_rng([seed, zlib.crc32(name.encode()), index])
    market, orders = family(draw).book()
    if rule != MAKER_OPTIMAL:
        makers = ("orders",) if rule == "pdca" else degenerate_books.MAKERS
        maker = degenerate_books.maker(draw, makers[turn % len(makers)], market, orders)
        market = market.replace(maker=maker)
    return name, (market, orders)


def survey(books: int, seed: int, rule: str = MAKER_OPTIMAL) -> dict[str, Tally]:
    """Judge so many books, as many of each family."""
    tallies: dict[str, Tally] = {}
    for index in range(books):
        name, book = book_of(seed, index, rule)
        tally = tallies.setdefault(name, Tally())
        tally.books += 1
        label = f"{name}, --rule {rule} --seed {seed} --only {index}"
        try:
            found = judge(book, np.random.default_rng([seed, index]), rule)
        except Exception as error:  # whatever escapes is a failure of this book, not of the survey
            found = {"error": f"{type(error).__name__}: {error}"}
        tally.different.update(found.keys())
        if found:
            what = "; ".join(f"{way}: {text}" for way, text in found.items())
            tally.failures.append(f"{label}: {what}")
    return tallies


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--books", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rule", choices=RULES, default=MAKER_OPTIMAL)
    parser.add_argument("--only", type=int, metavar="INDEX", help="print one book and its clearing")


def run(options: argparse.Namespace) -> int:
    console = Console(width=140, highlight=False)
    if options.only is not None:
        _, (market, orders) = book_of(options.seed, options.only, options.rule)
        result = kpm.clear(market, orders, threads=1, rule=options.rule)
        console.print(market, market.payoffs, market.maker, market.inventory, orders.columns())
        console.print(result, result.verify(), sep="\n")
        return 0
    tallies = survey(options.books, options.seed, options.rule)
    ways = [*WAYS, "verify", "error"]
    table = Table("family", *(Column(name, justify="right") for name in ("books", *ways)), box=None)
    total = Tally()
    for name, tally in tallies.items():
        _add_row(table, name, tally, ways)
        total.books += tally.books
        total.different += tally.different
        total.failures += tally.failures
    _add_row(table, "all", total, ways)
    console.print(table)
    console.print(f"\n{len(total.failures):,} of {total.books:,} books have more than one answer.")
    for failure in total.failures:
        console.print(f"FAILED {failure}")
    return 1 if total.failures else 0


def _add_row(table: Table, name: str, tally: Tally, ways: list[str]) -> None:
    counts = (f"{tally.different[way]:,}" for way in ways)
    table.add_row(name.replace("_", " "), f"{tally.books:,}", *counts)
