"""The cells that the cell benchmark solves: fixed seeds, feasible, every kind of piece."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

import kpm_fast as kpm
from kpm_fast import paper, sample

from .accuracy import CellData

FAMILIES = ("simulation A", "N = K = 5", "race card")
_FREE_STEPS = 1  # a cell without a step leaves nothing to optimise but a linear programme


def benchmark_cells(per_family: int, seed: int = 2015) -> list[CellData]:
    """``per_family`` cells of each family."""
    generator = np.random.default_rng(seed)
    sources = (_simulation_a(), _random_books(generator), _race_cards())
    chosen: list[CellData] = []
    for family, books in zip(FAMILIES, sources, strict=True):
        chosen += itertools.islice(_cells(family, books, generator), per_family)
    return chosen


def _cells(
    family: str,
    books: Iterator[tuple[kpm.Market, kpm.Orders]],
    generator: np.random.Generator,
) -> Iterator[CellData]:
    """Four feasible cells a book: at the prices of a random xi, some of them moved to a limit."""
    for market, orders in books:
        stairs = kpm.staircases(market, orders)
        found = 0
        for _ in range(200):
            prices = market.payoffs @ generator.dirichlet(4 * market.prior * len(market.prior))
            cell = np.array(
                [
                    _piece(stair, price, generator)
                    for stair, price in zip(stairs, prices, strict=True)
                ]
            )
            if (cell % 2).sum() < _FREE_STEPS:
                continue
            if kpm.solve_cell(market, orders, cell).status is not kpm.Status.OPTIMAL:
                continue
            pieces = np.array([stair[piece] for stair, piece in zip(stairs, cell, strict=True)])
            span = np.ptp(market.payoffs, axis=1)[orders.claim_index(market)]
            yield CellData(family, market, orders, cell, pieces, float(span @ orders.quantity))
            found += 1
            if found == 4:
                break


def _piece(stair: np.ndarray, price: float, generator: np.random.Generator) -> int:
    """The flat piece at ``price``, or in two cases out of five a step next to it."""
    flats = np.flatnonzero((stair[:, 0] <= price) & (price <= stair[:, 1]))
    piece = int(flats[flats % 2 == 0][0])
    if generator.random() < 0.4 and len(stair) > 1:
        piece += int(generator.choice([step for step in (-1, 1) if 0 <= piece + step < len(stair)]))
    return piece


def _simulation_a() -> Iterator[tuple[kpm.Market, kpm.Orders]]:
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


def _random_books(generator: np.random.Generator) -> Iterator[tuple[kpm.Market, kpm.Orders]]:
    """Five claims of mixed kinds on five states, five orders each, both sides."""
    level = np.arange(5.0)
    payoffs = np.array(
        [level == 0, level >= 2, (level >= 1) & (level <= 3), np.maximum(level - 2, 0), level == 4],
        dtype=float,
    )
    while True:
        claim = np.repeat(np.arange(5), 5)
        middle = payoffs @ generator.dirichlet(np.full(5, 5.0))
        price = middle[claim] * generator.uniform(0.7, 1.3, claim.size)
        yield (
            kpm.Market(
                payoffs,
                generator.dirichlet(np.full(5, 5.0)),
                risk_aversion=0.05,
                ambiguity=float(generator.uniform(0.05, 0.5)),
            ),
            kpm.Orders(
                claim,
                generator.choice([1, -1], claim.size),
                price.round(3),
                generator.integers(1, 10, claim.size).astype(float),
            ),
        )


def _race_cards() -> Iterator[tuple[kpm.Market, kpm.Orders]]:
    """Generated race cards of six runners, two levels a side."""
    for seed in itertools.count(1):
        market, orders = sample.race_card(runners=6, levels=2, seed=seed, ambiguity=0.05)
        scale = float(orders.quantity.sum())
        yield market.replace(risk_aversion=1.0 / scale), orders
