"""A few books that stand for what is cleared: for profiles, and to guard against regressions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import kpm_fast as kpm
from kpm_fast import sample

from . import books


@dataclass(frozen=True)
class Case:
    """A book, built when asked for, and how it is cleared."""

    title: str
    book: Callable[[], books.Book]
    tolerance: float = 1e-6
    node_limit: int | None = None  # where few nodes suffice to see what there is

    def task(self) -> Callable[[], kpm.Result]:
        """A clearing on one thread."""
        book = self.book()
        options: dict[str, Any] = {"tolerance": self.tolerance, "threads": 1}
        if self.node_limit is not None:
            options["node_limit"] = self.node_limit
        return lambda: kpm.clear(*book, **options)


def _race_card() -> books.Book:
    market, orders = sample.race_card(runners=14, levels=8, seed=1, ambiguity=0.05)
    return books.with_stake((market, orders), 1.0)


def _other_opinion() -> books.Book:
    """What the slowest recorded books are: a maker of another opinion than the crowd's."""
    return books.with_stake(sample.race_card(14, seed=0, opinion=1.5, ambiguity=0.01), 0.1)


CASES = {
    "paper": Case("the paper's five bids", lambda: books.simulation_a(0.4), 1e-9),
    "race-card": Case("a race card of 14 runners", _race_card),
    "dense": Case("5 Arrow-Debreu claims, 100,000 orders", lambda: books.arrow_debreu(10**5)),
    "tree": Case(
        "20 random 0/1 claims on 20 states, 2,000 orders",
        lambda: books.random_claims(20, 20, 2000, seed=0, stake=10.0),
    ),
    "sparse": Case(
        "10 random 0/1 claims on 10 states, 100 orders",
        lambda: books.random_claims(10, 10, 100, seed=1, stake=1.0),
    ),
    # The risk is most curved here: many cells tie as far as linear supports can tell.
    "paper-hard": Case(
        "the same, alpha = 100", lambda: books.simulation_a(0.5, risk_aversion=100.0), 1e-9
    ),
    # Books whose size or payoffs the core treats in a way of its own.
    "chain": Case("an option chain, 42 x 80", lambda: books.even_chain(42, 40, 228), node_limit=8),
    "arrow-debreu": Case(
        "64 Arrow-Debreu claims", lambda: books.arrow_debreu(640, states=64), node_limit=8
    ),
    "wide": Case(
        "60 random claims on 10 states",
        lambda: books.random_claims(10, 60, 600, 0, stake=1.0),
        node_limit=2,
    ),
    "opinion": Case("a maker of another opinion", _other_opinion, node_limit=100),
}
#: Books of the aims (``aims.py``) that take seconds; a profile takes their first nodes.
LARGE = {
    "arrow-debreu-200": Case(
        "200 Arrow-Debreu claims: 8 nodes",
        lambda: books.arrow_debreu(2000, states=200),
        node_limit=8,
    ),
    "chain-300": Case(
        "an option chain, 300 x 300: first node",
        lambda: books.even_chain(300, 150, 3000),
        node_limit=1,
    ),
    "inventory": Case(
        "a chain with inventory, 62 x 120: 8 nodes",
        lambda: books.even_chain(62, 60, 667, inventory=0.1),
        node_limit=8,
    ),
    "digitals": Case(
        "1,000 states, 100 digitals: 4 nodes", lambda: books.digitals(1000, 100, 1000), node_limit=4
    ),
}
