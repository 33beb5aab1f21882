"""A few books that stand for what is cleared: for profiles, and to guard against regressions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kpm_fast import sample

from . import books


@dataclass(frozen=True)
class Case:
    """A book, built when asked for, and the gap to prove."""

    title: str
    book: Callable[[], books.Book]
    tolerance: float = 1e-6


def _race_card() -> books.Book:
    market, orders = sample.race_card(runners=14, levels=8, seed=1, ambiguity=0.05)
    return books.with_stake((market, orders), 1.0)


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
}
