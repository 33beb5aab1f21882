"""The books that whole clearings are measured on: fixed seeds, and the recorded ones if present.

*Stake* is risk aversion times notional: how much the whole book matters to the maker. Units of
money and shares drop out of it, so it says how curved the problem is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import kpm_fast as kpm
from kpm_fast.paper import simulations as paper

Book = tuple[kpm.Market, kpm.Orders]

AMBIGUITIES = (0.01, 0.1, 1.0)
OPINIONS = {"q": 1.0, "q^1.5": 1.5, "q^0.67": 0.67}  # the prior, as a power of the crowd's
STAKES = (0.1, 10.0)


def offered(market: kpm.Market, orders: kpm.Orders) -> float:
    """The notional of all orders, whether they trade or not: payoff range times quantity, money."""
    span = np.ptp(market.payoffs, axis=1)
    return float(span[orders.claim_index(market)] @ orders.quantity)


def with_stake(book: Book, stake: float) -> Book:
    """The book for a maker whose risk aversion gives it this stake."""
    market, orders = book
    return market.replace(risk_aversion=stake / offered(market, orders)), orders


def simulation_a(ambiguity: float, risk_aversion: float = paper.RISK_AVERSION) -> Book:
    """The paper's five bids (its Table 3) under the exponential prior."""
    orders = kpm.Orders(
        [bid.security - 1 for bid in paper.TABLE_3],
        1,
        [bid.price for bid in paper.TABLE_3],
        [bid.quantity for bid in paper.TABLE_3],
    )
    market = kpm.Market(
        np.eye(paper.STATES),
        paper.exponential_prior(),
        risk_aversion=risk_aversion,
        ambiguity=ambiguity,
    )
    return market, orders


def arrow_debreu(orders: int, states: int = 5, seed: int = 5) -> Book:
    """A claim on each state; limits with all their digits around what a crowd believes.

    No two orders share a limit, so the staircases have two pieces per order. Maker and crowd are
    the same for every number of orders. Stake 1.
    """
    prior, crowd = np.random.default_rng([seed, states]).dirichlet(np.full(states, 10.0), size=2)
    generator = np.random.default_rng([seed, states, orders])
    claim = generator.integers(0, states, orders)
    price = crowd[claim] * np.exp(0.2 * generator.standard_normal(orders))
    book = (
        kpm.Market(np.eye(states), prior, ambiguity=0.1),
        kpm.Orders(
            claim,
            generator.choice([1, -1], orders),
            price.clip(1e-4, 0.999),
            _lots(generator, orders),
        ),
    )
    return with_stake(book, 1.0)


def random_claims(
    states: int, claims: int, orders: int, seed: int, stake: float, ambiguity: float = 0.1
) -> Book:
    """Claims that pay one in a random half of the states; buyers and sellers disagree.

    The crowd's probabilities and the maker's are drawn apart, limits are in thousandths around
    the crowd's prices (log-normal, a standard deviation of 30 %), on both sides alike, so the book
    crosses deeply.
    """
    generator = np.random.default_rng([seed, states, claims, orders])
    payoffs = np.zeros((claims, states))
    for k in range(claims):
        while np.ptp(payoffs[k]) == 0:
            payoffs[k] = generator.random(states) < 0.5
    prior, crowd = generator.dirichlet(np.full(states, 4.0), size=2)
    claim = generator.integers(0, claims, orders)
    price = (payoffs @ crowd)[claim] * np.exp(0.3 * generator.standard_normal(orders))
    book = (
        kpm.Market(payoffs, prior, ambiguity=ambiguity),
        kpm.Orders(
            claim,
            generator.choice([1, -1], orders),
            price.clip(0.005, 0.995).round(3),
            _lots(generator, orders),
        ),
    )
    return with_stake(book, stake)


def even_chain(
    states: int,
    strikes: int,
    orders: int,
    *,
    inventory: float = 0.0,
    ambiguity: float = 0.01,
    seed: int = 0,
) -> Book:
    """Calls and puts on evenly spread strikes between levels of an index; stake 1.

    The crowd believes in a bell a little wider than the maker's and off its middle. Limits are in
    thousandths of the range of levels around the crowd's values, on both sides alike, so the book
    crosses. The maker holds up to ``inventory`` of the notional in a state.
    """
    generator = np.random.default_rng([seed, states, strikes, orders])
    level = np.linspace(0.0, 1.0, states)
    strike = level[np.linspace(0, states - 1, strikes + 2).round().astype(int)[1:-1]]
    calls = np.maximum(level - strike[:, None], 0.0)
    payoffs = np.vstack([calls, np.maximum(strike[:, None] - level, 0.0)])
    prior, crowd = (
        weights / weights.sum()
        for weights in (
            np.exp(-0.5 * ((level - middle) / width) ** 2) + 1e-6
            for middle, width in ((0.5, 0.12), (0.51, 0.13))
        )
    )
    claim = generator.integers(0, 2 * strikes, orders)
    side = generator.choice([1, -1], orders)
    fair = (payoffs @ crowd)[claim]
    price = (fair + 0.004 * generator.standard_normal(orders)).round(3)
    highest = payoffs.max(axis=1)[claim]
    book = (
        kpm.Market(payoffs, prior, ambiguity=ambiguity),
        kpm.Orders(claim, side, price.clip(0.0, highest.round(3)), _lots(generator, orders)),
    )
    market, found = with_stake(book, 1.0)
    if inventory > 0.0:
        held = inventory * offered(market, found) * generator.random(states)
        market = market.replace(inventory=held)
    return market, found


def digitals(states: int, claims: int, orders: int, seed: int = 0) -> Book:
    """Claims on an index being above one of some levels, the states: nested sets; stake 1."""
    generator = np.random.default_rng([seed, states, claims, orders])
    level = np.linspace(0.0, 1.0, states)
    above = np.linspace(0, states, claims + 2).round().astype(int)[1:-1]
    payoffs = (np.arange(states) >= above[:, None]).astype(float)
    prior = np.exp(-0.5 * ((level - 0.5) / 0.15) ** 2) + 1e-6
    crowd = np.exp(-0.5 * ((level - 0.52) / 0.17) ** 2) + 1e-6
    claim = generator.integers(0, claims, orders)
    price = (payoffs @ (crowd / crowd.sum()))[claim] + 0.02 * generator.standard_normal(orders)
    book = (
        kpm.Market(payoffs, prior / prior.sum(), ambiguity=0.1),
        kpm.Orders(
            claim,
            generator.choice([1, -1], orders),
            price.clip(0.001, 0.999).round(3),
            _lots(generator, orders),
        ),
    )
    return with_stake(book, 1.0)


def _lots(generator: np.random.Generator, orders: int) -> NDArray[np.float64]:
    return np.ceil(np.exp(generator.normal(2.5, 1.0, orders)))


@dataclass(frozen=True)
class Recorded:
    """A recorded book and the maker who clears it."""

    name: str
    opinion: str
    stake: float
    book: Book

    @property
    def ambiguity(self) -> float:
        return float(self.book[0].ambiguity)


def data_folder() -> Path | None:
    """The folder of the recorded books, ``KPM_SHARED_DATA``, if it exists."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("KPM_SHARED_DATA", beside))
    return folder if any(folder.glob("*/*/claims.csv")) else None


def recorded(folder: Path, every: int = 1) -> Iterator[Recorded]:
    """Each recorded book under each ambiguity, opinion and stake; or one in ``every`` of these."""
    count = 0
    for path in sorted(file.parent for file in folder.glob("*/*/claims.csv")):
        crowd, orders = kpm.read_book(path)
        for ambiguity in AMBIGUITIES:
            for opinion, power in OPINIONS.items():
                weights = crowd.prior**power
                market = crowd.replace(prior=weights / weights.sum(), ambiguity=ambiguity)
                for stake in STAKES:
                    count += 1
                    if count % every == 0:
                        book = with_stake((market, orders), stake)
                        yield Recorded(path.name, opinion, stake, book)
