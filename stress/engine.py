"""A great many commands to engines, against a dictionary of orders and cold clearings.

A market of one to six claims lives for some thousand commands. Its orders are kept a second time in
a dictionary, whose sequence is the priority. Every so many commands the book of the engine must be
that of the dictionary, its hash that of a new engine with the same book, and its clearing that of
``kpm_fast.clear`` for the same orders, bit for bit. From time to time the engine is restored from a
snapshot, or replaced by a new one that is restored from it.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

import kpm_fast as kpm

from .figures import differences

_LIFE = 5_000  # commands that a market sees
_RESTORED = 500  # commands from one snapshot to the next, about
_SIZES = (8, 40, 200)  # orders that a book tends to

Row = tuple[str, str, float, float]  # claim, side, price, quantity


@dataclass
class Tally:
    """What came of a run."""

    commands: int = 0
    clearings: int = 0
    different: list[str] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--commands", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, default=10, help="commands from clearing to clearing")
    parser.add_argument("--seed", type=int, default=1)


def run(options: argparse.Namespace) -> int:
    start = time.perf_counter()
    tally = Tally()
    draw = np.random.default_rng(options.seed)
    while tally.commands < options.commands:
        _one_market(draw, min(_LIFE, options.commands - tally.commands), options.every, tally)
    print(
        f"{tally.commands:,} commands, {tally.clearings:,} clearings: "
        f"{time.perf_counter() - start:.0f} s, seed {options.seed}"
    )
    print(*(tally.different[:20] or ["books, hashes and clearings: the same bits"]), sep="\n")
    return 1 if tally.different else 0


def _market(draw: Generator) -> kpm.Market:
    states = int(draw.integers(2, 7))
    if draw.random() < 0.4:
        payoffs = np.eye(states)
    else:
        claims = int(draw.integers(1, 7))
        payoffs = draw.integers(0, 3, (claims, states)).astype(float)
        payoffs[:, 0] = 0.0
        payoffs[:, 1] = 1.0
    return kpm.Market(
        payoffs,
        draw.dirichlet(np.full(states, 3.0)),
        inventory=draw.choice([0.0, 10.0]) * draw.random(states),
        risk_aversion=float(10.0 ** draw.uniform(-3.5, -0.5)),
        ambiguity=float(draw.choice([0.0, 0.01, 0.1, 0.5])),
        normalize=True,
    )


def _one_market(draw: Generator, commands: int, every: int, tally: Tally) -> None:
    market = _market(draw)
    engine = kpm.Engine(market)
    book: dict[str, Row] = {}
    size = int(draw.choice(_SIZES))
    whole = draw.random() < 0.5  # shares
    kept = engine.snapshot(), dict(book)

    def price() -> float:
        return float(draw.choice([draw.integers(0, 41) / 20, draw.random(), np.inf, -np.inf],
                                 p=[0.8, 0.16, 0.02, 0.02]))  # fmt: skip

    def quantity() -> float:
        return float(draw.integers(0, 100)) if whole else float(np.round(draw.gamma(2, 20), 2))

    for command in range(commands):
        kind = draw.random()
        if not book or kind < (0.5 if len(book) < size else 0.25):
            row = (
                str(draw.choice(market.claims)),
                str(draw.choice(["buy", "sell"])),
                price(),
                quantity(),
            )
            book[engine.add(*row)] = row
        else:
            name = list(book)[int(draw.integers(len(book)))]
            claim, side, limit, shares = book[name]
            if kind < 0.6:
                engine.cancel(name)
                del book[name]
            elif kind < 0.75:
                left = float(np.floor(shares * draw.random()))
                engine.reduce(name, left)
                book[name] = (claim, side, limit, left)
            else:
                other = limit if draw.random() < 0.5 else price()
                amount = quantity()
                engine.replace(name, other, amount)
                if other != limit or amount > shares:
                    del book[name]
                book[name] = (claim, side, other, amount)
        tally.commands += 1
        if draw.random() < 1 / _RESTORED:
            if draw.random() < 0.5:
                kept = engine.snapshot(), dict(book)
            else:
                if draw.random() < 0.5:
                    engine = kpm.Engine(market)
                engine.restore(kept[0])
                book = dict(kept[1])
        if command % every == 0:
            _compare(market, engine, book, tally)


def _compare(market: kpm.Market, engine: kpm.Engine, book: dict[str, Row], tally: Tally) -> None:
    claim, side, price, quantity = zip(*book.values(), strict=True) if book else ([], [], [], [])
    orders = kpm.Orders(claim, side, price, quantity, order_id=list(book))
    if len(orders) and orders != engine.orders:
        tally.different.append(f"after {tally.commands} commands: the book")
    if tally.clearings % 50 == 0 and kpm.Engine(market, orders).state_hash != engine.state_hash:
        tally.different.append(f"after {tally.commands} commands: the hash")
    result = engine.clear(threads=1)
    cold = kpm.clear(market, orders, threads=1)
    tally.clearings += 1
    wrong = differences(result, cold)
    if wrong:
        tally.different.append(f"after {tally.commands} commands: {', '.join(wrong)}")
