"""Zeros of either sign are equal: books that differ in nothing else have answers of equal bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from kpm_fast.model.maker_model import rules_of
from makers import DRAWN
from stress.figures import FIGURES, bits

DERIVED = ("paid_prices", "bought", "sold", "gain", "surplus", "expected_payoff", "gap", "volume")


def signed(values: Any, negative: bool) -> Any:
    """The same values, with zeros of one sign."""
    array = np.array(values, dtype=float)
    array[array == 0.0] = -0.0 if negative else 0.0
    return array


def has_negative_zero(values: Any) -> bool:
    array = np.asarray(values, dtype=float)
    return bool((np.signbit(array) & (array == 0.0)).any())


def drawn(seed: int, name: str, negative: bool) -> tuple[kpm.Market, kpm.Orders]:
    """A small book full of zeros: in payoffs, inventory, limits and quantities."""
    rng = np.random.default_rng(seed)
    states, claims, count = (int(rng.integers(*ends)) for ends in ((1, 5), (1, 5), (0, 8)))
    payoffs = signed(rng.integers(-1, 2, (claims, states)), negative)
    inventory = signed(rng.integers(-1, 2, states) * rng.integers(0, 2), negative)
    maker = DRAWN[name](rng, states).replace(inventory=inventory)
    columns = rng.integers(0, claims, count), rng.choice([-1, 1], count)
    price, quantity = rng.integers(-2, 3, count) / 2, rng.integers(0, 3, count)
    market = kpm.Market(payoffs, maker=maker)
    return market, kpm.Orders(*columns, signed(price, negative), signed(quantity, negative))


def assert_plain(result: kpm.Result, other: kpm.Result) -> None:
    for name in (*FIGURES, *DERIVED):
        assert bits(getattr(result, name)) == bits(getattr(other, name)), name
        assert not has_negative_zero(getattr(result, name)), name
    for table in ("orders", "claims", "states"):
        for name, column in result.table(table).items():
            if column.dtype.kind == "f":
                assert bits(column) == bits(other.table(table)[name]), (table, name)
                assert not has_negative_zero(column), (table, name)


@pytest.mark.cross_section
@given(st.integers(0, 10**6), st.sampled_from([*DRAWN]))
def test_equal_books_have_answers_of_equal_bits(seed: int, name: str) -> None:
    (market, orders), (other, others) = (drawn(seed, name, negative) for negative in (False, True))
    assert market == other
    assert orders == others
    engine, twin = kpm.Engine(market, orders), kpm.Engine(other, others)
    assert engine.state_hash == twin.state_hash
    for rule in rules_of(market):
        result = kpm.clear(market, orders, rule=rule, threads=1)
        assert_plain(result, kpm.clear(other, others, rule=rule, threads=1))
        assert_plain(result, twin.clear(rule=rule, threads=1))
        batch = kpm.clear_many([(market, orders), (other, others)], rule=rule)
        for column in ("claim_prices", "state_prices", "payoff", "fills_of"):
            own, same = (getattr(batch, column)(book) for book in (0, 1))
            assert bits(own) == bits(same)
            assert not has_negative_zero(own), column
        for column in ("no_trade_equivalent", "objective", "gain", "revenue"):
            own, same = getattr(batch, column)
            assert bits(own) == bits(same)
            assert not has_negative_zero(own), column


@given(st.integers(0, 10**6), st.sampled_from([*DRAWN]))
def test_makers_of_equal_wealth_say_the_same(seed: int, name: str) -> None:
    (market, _), (other, _) = (drawn(seed, name, negative) for negative in (False, True))
    assert market.maker == other.maker
    for size in (None, 1.0):
        own, same = (m.maker.quotes(m, size) for m in (market, other))
        for side in ("bid", "ask"):
            assert bits(own[side]) == bits(same[side])
            assert not has_negative_zero(own[side])
    losses = np.zeros(len(market.states))
    for call in ("cost", "state_prices"):
        values = [
            getattr(m.maker, call)(signed(losses, n)) for m in (market, other) for n in (0, 1)
        ]
        assert len({bits(value) for value in values}) == 1
        assert not has_negative_zero(values[0])


def test_events_of_an_engine_bring_no_other_zero() -> None:
    market = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5])
    engine, twin = kpm.Engine(market), kpm.Engine(market)
    for target, zero in ((engine, 0.0), (twin, -0.0)):
        target.add("0", "buy", zero, zero, order_id="a")
        target.add("1", "sell", 0.4, 2.0, order_id="b")
        target.replace("b", price=zero)
        target.reduce("b", zero)
    assert engine.orders == twin.orders
    for name in ("price", "quantity"):
        assert bits(getattr(engine.orders, name)) == bits(getattr(twin.orders, name))
        assert not has_negative_zero(getattr(twin.orders, name))
    assert engine.snapshot() == twin.snapshot()


@pytest.mark.parametrize(
    "zero", [-0.0, np.float32(-0.0), "-0", "-0.0", b"-0e3", np.longdouble(-0.0), np.float16(-0.0)]
)
def test_a_zero_of_any_type_is_plain(zero: Any) -> None:
    for price in ([zero], (zero,), np.array([zero], dtype=object), np.array([zero])):
        assert not has_negative_zero(kpm.Orders([0], "buy", price, [1]).price)
