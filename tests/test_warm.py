"""Clearings without a search: the bits of cold ones, and what makes an engine search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import kpm_fast as kpm
from adapter import assert_same_bits

pytestmark = pytest.mark.cross_section

STATES = 8
WINNERS = kpm.Market(
    np.eye(STATES), np.full(STATES, 1 / STATES), risk_aversion=0.002, ambiguity=0.1
)
OTHERS = kpm.Market(
    [[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 0.5]],
    [0.3, 0.3, 0.2, 0.2],
    risk_aversion=0.01,
    ambiguity=0.02,
)
MARKETS = {"winners": WINNERS, "others": OTHERS}


def crowd_of(market: kpm.Market, seed: int) -> Any:
    """What the crowd values the claims at, and what draws its orders."""
    rng = np.random.default_rng(seed)
    opinion = rng.dirichlet(40 * market.prior)
    return rng, market.payoffs @ opinion


def engine_of(seed: int, orders: int = 300, market: kpm.Market = WINNERS) -> kpm.Engine:
    """Orders about the crowd's prices, many of which cross."""
    rng, fair = crowd_of(market, seed)
    engine = kpm.Engine(market)
    for claim in rng.integers(len(fair), size=orders):
        price = float(np.clip(fair[claim] * rng.lognormal(0, 0.2), 0.01, 0.99))
        side = "buy" if rng.random() < 0.5 else "sell"
        engine.add(int(claim), side, round(price, 3), float(rng.integers(1, 50)))
    return engine


def change(engine: kpm.Engine, rng: np.random.Generator) -> None:
    """One order, any."""
    orders = engine.orders
    assert orders.order_id is not None
    name = orders.order_id[int(rng.integers(len(orders)))]
    match int(rng.integers(3)):
        case 0:
            order = engine[name]
            engine.cancel(name)
            engine.add(order.claim, order.side, order.price, float(rng.integers(1, 50)))
        case 1:
            engine.reduce(name, engine[name].quantity / 2)
        case _:
            engine.replace(name, price=round(float(rng.uniform(0.02, 0.5)), 3))


def assert_cold_bits(engine: kpm.Engine, **how: Any) -> bool:
    """Whether it needed no search."""
    before = engine.warm_clearings
    result = engine.clear(threads=1, **how)
    assert_same_bits(result, kpm.clear(engine.market, engine.orders, threads=1, **how))
    assert result.verify().passed
    return engine.warm_clearings > before


@given(
    seed=st.integers(0, 2**32 - 1),
    market=st.sampled_from(sorted(MARKETS)),
    orders=st.sampled_from([10, 60, 300]),
    tolerance=st.sampled_from([1e-6, 9e-7, 1e-8, 1e-9]),
)
@example(seed=0, market="winners", orders=300, tolerance=1e-8)
def test_changes_one_by_one(seed: int, market: str, orders: int, tolerance: float) -> None:
    engine = engine_of(seed, orders, MARKETS[market])
    rng = np.random.default_rng(seed)
    for _ in range(8):
        assert_cold_bits(engine, tolerance=tolerance)
        change(engine, rng)


class WarmAgainstCold(RuleBasedStateMachine):
    """Two engines with one book: one starts from what it has, the other from nothing."""

    @initialize(seed=st.integers(0, 2**32 - 1), market=st.sampled_from(sorted(MARKETS)))
    def begin(self, seed: int, market: str) -> None:
        self.warm = engine_of(seed, 100, MARKETS[market])
        self.cold = kpm.Engine(self.warm.market, self.warm.orders)

    @rule(seed=st.integers(0, 2**32 - 1))
    def change(self, seed: int) -> None:
        for engine in (self.warm, self.cold):
            change(engine, np.random.default_rng(seed))

    @rule()
    def go_back(self) -> None:
        self.warm.restore(self.cold.snapshot())

    @rule(times=st.integers(1, 3), allocation=st.sampled_from(["pro_rata", "book_order"]))
    def clear(self, times: int, allocation: str) -> None:
        cold = self.cold.clear(cold=True, allocation=allocation, threads=1)
        assert self.cold.warm_clearings == 0
        for _ in range(times):
            assert_same_bits(self.warm.clear(allocation=allocation, threads=1), cold)


WarmAgainstCold.TestCase.settings = settings(stateful_step_count=30, deadline=None)
TestWarmAgainstCold = WarmAgainstCold.TestCase


def test_many_changes_need_no_search() -> None:
    warm = changes = 0
    for seed in range(10):
        engine = engine_of(seed)
        rng = np.random.default_rng(seed)
        for _ in range(20):
            changes += 1
            warm += assert_cold_bits(engine)
            change(engine, rng)
    assert warm >= changes // 10, warm


def warm_engine() -> kpm.Engine:
    """An engine whose book as it is needs no search once it was cleared."""
    for seed in range(100):
        engine = engine_of(seed)
        engine.clear()
        engine.clear()
        if engine.warm_clearings:
            return engine
    raise AssertionError("no such book")


def test_a_book_as_it_was_is_not_searched_again() -> None:
    engine = warm_engine()
    for _ in range(4):
        assert assert_cold_bits(engine)
    assert engine.warm_clearings == 5
    assert engine.clear().stats.relaxations == 0


def test_cold_searches() -> None:
    engine = warm_engine()
    engine.clear(cold=True)
    assert engine.warm_clearings == 1
    engine.clear()
    assert engine.warm_clearings == 2


@pytest.mark.parametrize(
    "how",
    [
        {"certificate": True},
        {"tolerance": 1e-5},
        {"node_limit": 10**6},
        {"callback": lambda progress: None},
    ],
    ids=lambda how: next(iter(how)),
)
def test_settings_that_ask_for_a_search(how: dict[str, Any]) -> None:
    assert not assert_cold_bits(warm_engine(), **how)


def test_another_market_is_searched() -> None:
    engine = warm_engine()
    engine.market = kpm.Market(WINNERS.payoffs, WINNERS.prior, claims=WINNERS.claims)
    assert not assert_cold_bits(engine)


def test_where_nobody_trades_it_is_searched() -> None:
    engine = kpm.Engine(WINNERS)
    engine.add(0, "buy", 0.01, 10)
    engine.add(1, "sell", 0.9, 10)
    assert not any(assert_cold_bits(engine) for _ in range(3))


def test_giants_are_searched() -> None:
    engine = warm_engine()
    engine.add(0, "buy", 0.5, 1e10)
    engine.add(0, "sell", 0.5, 1e10)
    assert not any(assert_cold_bits(engine) for _ in range(2))
