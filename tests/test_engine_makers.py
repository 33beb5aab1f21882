"""An engine keeps the book of any maker, and clears it by the rules that the maker has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import assert_same_bits
from kpm_fast.model.maker_model import rules_of
from makers import EXAMPLES, PRIOR
from strategies import examples

pytestmark = pytest.mark.cross_section

PAYOFFS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
CLAIMS = ("home", "draw", "either")


def market_of(maker: kpm.Maker) -> kpm.Market:
    return kpm.Market(PAYOFFS, claims=CLAIMS, maker=maker)


@pytest.mark.parametrize("name", EXAMPLES)
@given(
    orders=st.lists(
        st.tuples(
            st.sampled_from(CLAIMS),
            st.sampled_from(["buy", "sell"]),
            st.integers(1, 99).map(lambda cents: cents / 100),
            st.integers(1, 50).map(float),
            st.integers(0, 5),
        ),
        min_size=1,
        max_size=8,
    ),
)
@examples(20)
def test_a_clearing_is_that_of_the_orders(
    name: str, orders: list[tuple[str, str, float, float, int]]
) -> None:
    market = market_of(EXAMPLES[name])
    rules = rules_of(market)
    engine = kpm.Engine(market)
    for *order, place in orders:  # a clearing between events, of any rule: staircases are kept
        last = engine.add(*order)
        rule = rules[place % len(rules)]
        assert_same_bits(engine.clear(rule=rule), kpm.clear(market, engine.orders, rule=rule))
    engine.reduce(last, engine[last].quantity / 2)
    how = {"rule": rule, "allocation": "book_order", "tolerance": 1e-7}
    assert_same_bits(engine.clear(**how), kpm.clear(market, engine.orders, **how))
    assert_same_bits(engine.clear(**how, cold=True), kpm.clear(market, engine.orders, **how))
    saved, before = engine.snapshot(), engine.state_hash
    assert kpm.Engine(market, engine.orders).state_hash == before
    engine.cancel(last)
    assert engine.state_hash != before
    engine.restore(saved)
    assert engine.state_hash == before


def test_the_maker_can_be_exchanged_for_one_of_another_kind() -> None:
    engine = kpm.Engine(market_of(EXAMPLES["knightian"]))
    engine.add("home", "buy", 0.7, 10)
    hashes = []
    for maker in (*EXAMPLES.values(), *reversed(EXAMPLES.values())):
        engine.market = market_of(maker)
        hashes.append(engine.state_hash)
        assert_same_bits(
            engine.clear(rule="competitive"),
            kpm.clear(engine.market, engine.orders, rule="competitive"),
        )
        assert engine.quotes(2.0) == maker.quotes(engine.market, 2.0)
    assert hashes == hashes[::-1]
    assert len(set(hashes)) == len(EXAMPLES)


@pytest.mark.parametrize(
    ("maker", "other"),
    [
        (kpm.StartingOrders([3.0, 2.0, 1.0]), kpm.StartingOrders([3.0, 2.0, 1.1])),
        (kpm.UtilityMaker(PRIOR, 50.0), kpm.UtilityMaker(PRIOR, 51.0)),
        (kpm.QuadraticMaker(PRIOR, 20.0), kpm.QuadraticMaker(PRIOR, 20.0, [1.0, 0.0, 0.0])),
        (kpm.WorstStateMaker(3), kpm.WorstStateMaker(3, [0.0, 0.0, 1e-9])),
    ],
)
def test_the_hash_tells_makers_apart(maker: kpm.Maker, other: kpm.Maker) -> None:
    assert kpm.Engine(market_of(maker)).state_hash != kpm.Engine(market_of(other)).state_hash


def test_a_rule_that_the_maker_does_not_have_is_refused() -> None:
    engine = kpm.Engine(market_of(EXAMPLES["utility"]))
    engine.add("home", "buy", 0.7, 10)
    with pytest.raises(kpm.InputError, match="competitive, pay_as_bid for UtilityMaker") as caught:
        engine.clear()
    assert caught.value.field == "rule"


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_market_in_other_units_and_back_leaves_the_bits_of_before(name: str) -> None:
    """Staircases and clearings that are kept are those of the market as it is."""
    market = market_of(EXAMPLES[name])
    engine = kpm.Engine(market)
    rng = np.random.default_rng(3)
    for _ in range(20):
        claim = market.claims[rng.integers(len(market.claims))]
        engine.add(claim, str(rng.choice(["buy", "sell"])), float(rng.uniform(0.1, 0.9)), 3.0)
    for rule in rules_of(market):
        before, state = engine.clear(rule=rule), engine.state_hash
        engine.market = dearer = market.replace(payoffs=market.payoffs * 2.0**10)
        assert engine.state_hash != state
        assert_same_bits(engine.clear(rule=rule), kpm.clear(dearer, engine.orders, rule=rule))
        engine.market = market
        assert engine.state_hash == state
        assert_same_bits(engine.clear(rule=rule), before)
