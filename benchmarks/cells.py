"""The cells that the cell benchmark solves: fixed seeds, feasible, every kind of piece.

A family is a stream of books; of each, up to four cells are taken: at the claim prices of random
state prices, some claims moved to a limit beside it. The second half of the families is hard for
exponential cones. *a* is risk aversion times notional.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

import kpm_fast as kpm
from kpm_fast import sample
from kpm_fast.paper import simulations as paper

from .accuracy import CellData
from .books import Book, with_stake

_TRIES = 200  # for four cells of a book
_CELLS_A_BOOK = 4
_CLOSE = 1e-7  # of the limits in near-degenerate books

Books = Iterator[Book]


def benchmark_cells(per_family: int, seed: int = 2015) -> list[CellData]:
    """``per_family`` cells of each family."""
    chosen: list[CellData] = []
    for number, (family, books) in enumerate(FAMILIES.items()):
        generator = np.random.default_rng([seed, number])
        cells = (cell for book in books(generator) for cell in _cells_of(family, *book, generator))
        chosen += itertools.islice(cells, per_family)
    return chosen


def _cells_of(
    family: str, market: kpm.Market, orders: kpm.Orders, generator: np.random.Generator
) -> Iterator[CellData]:
    """Feasible cells with a step: without one there is only a linear program to solve."""
    stairs = kpm.staircases(market, orders)
    found = 0
    for _ in range(_TRIES):
        prices = market.payoffs @ generator.dirichlet(4 * market.prior * len(market.prior))
        pieces = [
            _piece(stair, price, generator) for stair, price in zip(stairs, prices, strict=True)
        ]
        cell = np.array(pieces)
        if not (cell % 2).any():
            continue
        solution = kpm.solve_cell(market, orders, cell)
        if solution.status is kpm.Status.INFEASIBLE:
            continue
        if family == KINK:
            market = market.replace(ambiguity=_kink(market, orders, cell))
        yield CellData.of(family, market, orders, cell)
        found += 1
        if found == _CELLS_A_BOOK:
            return


def _piece(stair: np.ndarray, price: float, generator: np.random.Generator) -> int:
    """The flat piece at ``price``, or in two cases out of five a step next to it."""
    flats = np.flatnonzero((stair[:, 0] <= price) & (price <= stair[:, 1]))
    piece = int(flats[flats % 2 == 0][0])
    if generator.random() < 0.4 and len(stair) > 1:
        piece += int(generator.choice([step for step in (-1, 1) if 0 <= piece + step < len(stair)]))
    return piece


def _kink(market: kpm.Market, orders: kpm.Orders, cell: np.ndarray) -> float:
    """The Omega at which the worst case of a cell's optimum is its worst state alone.

    The optimum moves with Omega, so this looks a few times where it has moved to.
    """
    for _ in range(5):
        solution = kpm.solve_cell(market, orders, cell)
        losses = solution.net_demand @ market.payoffs - market.inventory
        worst = losses >= losses.max() - 1e-9 * max(1.0, np.ptp(losses))
        market = market.replace(ambiguity=float(-np.log(market.prior[worst].sum())))
    return float(market.ambiguity)


def _simulation_a(generator: np.random.Generator) -> Books:
    """The paper's five bids under its three degrees of ambiguity short of the worst state."""
    quantity = np.full(paper.STATES, paper.LOT)
    orders = kpm.Orders(np.arange(paper.STATES), 1, paper.LIMIT, quantity)
    for ambiguity in itertools.cycle((0.2, 0.4, 1.0)):
        yield (
            kpm.Market(
                np.eye(paper.STATES),
                paper.exponential_prior(),
                risk_aversion=paper.RISK_AVERSION,
                ambiguity=ambiguity,
            ),
            orders,
        )


def _mixed_payoffs() -> np.ndarray:
    """Five kinds of claims on five states."""
    level = np.arange(5.0)
    return np.array(
        [level == 0, level >= 2, (level >= 1) & (level <= 3), np.maximum(level - 2, 0), level == 4],
        dtype=float,
    )


def _mixed(generator: np.random.Generator) -> Books:
    """Five claims of mixed kinds on five states, five orders each, both sides."""
    payoffs = _mixed_payoffs()
    while True:
        claim = np.repeat(np.arange(5), 5)
        middle = payoffs @ generator.dirichlet(np.full(5, 5.0))
        price = middle[claim] * generator.uniform(0.7, 1.3, claim.size)
        market = kpm.Market(
            payoffs,
            generator.dirichlet(np.full(5, 5.0)),
            risk_aversion=0.05,
            ambiguity=float(generator.uniform(0.05, 0.5)),
        )
        side, quantity = generator.choice([1, -1], claim.size), generator.integers(1, 10, 25)
        yield market, kpm.Orders(claim, side, price.round(3), quantity.astype(float))


def _race_cards(generator: np.random.Generator) -> Books:
    """Generated race cards of six runners, two levels per side, stake 1."""
    for seed in itertools.count(1):
        yield with_stake(sample.race_card(runners=6, levels=2, seed=seed, ambiguity=0.05), 1.0)


def _example(generator: np.random.Generator) -> Books:
    """The race card of ``examples/``."""
    return itertools.repeat(sample.example_race_card())


def _staked(stake: float) -> Callable[[np.random.Generator], Books]:
    def books(generator: np.random.Generator) -> Books:
        for book in _mixed(generator):
            yield with_stake(book, stake)

    return books


def _ambiguous(ambiguity: float) -> Callable[[np.random.Generator], Books]:
    def books(generator: np.random.Generator) -> Books:
        for market, orders in _mixed(generator):
            yield market.replace(ambiguity=ambiguity), orders

    return books


def _near_degenerate(generator: np.random.Generator) -> Books:
    """Two claims that differ by a millionth of a third, and limits a ten-millionth apart.

    At the prior, in a book whose limits all lie close to the prices that it gives.
    """
    payoffs = _mixed_payoffs()
    payoffs[4] = payoffs[0] + 1e-6 * payoffs[3]
    for market, orders in _mixed(generator):
        claim = np.asarray(orders.claim)
        offset = 1 + _CLOSE * generator.integers(-5, 6, claim.size)
        prices = payoffs @ market.prior
        yield (
            kpm.Market(payoffs, market.prior, risk_aversion=0.05, ambiguity=market.ambiguity),
            kpm.Orders(claim, orders.side, prices[claim] * offset, orders.quantity),
        )


def _huge_inventory(generator: np.random.Generator) -> Books:
    """alpha |w| up to 5,000."""
    for market, orders in _mixed(generator):
        inventory = generator.uniform(-5000, 5000, 5) / market.risk_aversion
        yield market.replace(inventory=inventory), orders


KINK = "Omega at the kink"
FAMILIES: dict[str, Callable[[np.random.Generator], Books]] = {
    "simulation A": _simulation_a,
    "N = K = 5": _mixed,
    "race cards": _race_cards,
    "example race card": _example,
    "Omega = 0": _ambiguous(0.0),
    "Omega = inf": _ambiguous(np.inf),
    KINK: _mixed,
    "a = 1e-5": _staked(1e-5),
    "a = 1e-8": _staked(1e-8),
    "a = 1e-12": _staked(1e-12),
    "near-degenerate": _near_degenerate,
    "huge inventory": _huge_inventory,
}
"""Every family with the generator of its books."""
