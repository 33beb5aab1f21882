"""Clearings told to stop before they begin, however short they are, by every door of Python.

``test_batch_rules`` has batches; ``csrc/tests`` has the doors of C++ and C.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import assert_same_bits, market_of, orders_of
from auction_books import MAKERS, RULES, as_orders, make_maker, random_book
from strategies import METHODS, books, examples
from witness import Book


def cancelled() -> kpm.StopToken:
    stop = kpm.StopToken()
    stop.cancel()
    return stop


@pytest.mark.cross_section
@given(books())
@METHODS
def test_a_clearing_has_no_time_at_all(method: str, book: Book) -> None:
    market, orders = market_of(book), orders_of(book)
    found = kpm.clear(market, orders, method, threads=1, stop=cancelled())
    none = kpm.clear(market, orders, method, threads=1, time_limit=0.0)
    assert_same_bits(none, found, without=["status"])
    if none.status is kpm.Status.TIME_LIMIT:
        assert found.status is kpm.Status.INTERRUPTED
    else:  # proven, or all that its accuracy allows, in no time
        assert found.status is none.status


def test_a_stopped_clearing_says_so_although_it_takes_no_time() -> None:
    card = kpm.sample.example_race_card()
    for method in ("branch-and-bound", "enumerate"):
        best = kpm.clear(*card, method)
        found = kpm.clear(*card, method, stop=cancelled())
        assert best.status is kpm.Status.OPTIMAL
        assert found.status is kpm.Status.INTERRUPTED
        assert found.certainty_equivalent < best.certainty_equivalent < found.upper_bound


def auction(seed: int, name: str) -> tuple[kpm.Market, kpm.Orders]:
    rng, scale, payoffs, inventory, orders = random_book(seed)
    maker = make_maker(name, rng, scale, inventory)
    return kpm.Market(payoffs, maker=maker), as_orders(orders)


def check_auction(whole: kpm.Result, found: kpm.Result) -> None:
    """Stopped, unless there was nothing to do, with a bound that holds."""
    verification = found.verify()
    assert verification, str(verification)
    allowed = 1e-7 * whole.scale
    assert found.upper_bound >= whole.objective - allowed
    assert found.objective <= whole.upper_bound + allowed
    if found.status is not kpm.Status.INTERRUPTED:
        assert found.status is kpm.Status.OPTIMAL
        assert found.gap <= found.tolerance * found.scale


@pytest.mark.cross_section
@pytest.mark.parametrize("name", MAKERS)
@examples(40)
@given(st.integers(0, 10**6), st.sampled_from(RULES))
def test_an_auction_of_any_maker_returns_where_it_began(name: str, seed: int, rule: str) -> None:
    book = auction(seed, name)
    found = kpm.clear(*book, rule=rule, stop=cancelled())
    check_auction(kpm.clear(*book, rule=rule), found)
    assert found.stats.iterations == 0


@pytest.mark.parametrize("name", MAKERS)
def test_stopped_auctions_say_so_as_well(name: str) -> None:
    statuses = {
        kpm.clear(*auction(seed, name), rule="competitive", stop=cancelled()).status
        for seed in range(30)
    }
    assert kpm.Status.INTERRUPTED in statuses
    assert statuses <= {kpm.Status.INTERRUPTED, kpm.Status.OPTIMAL}


@pytest.mark.parametrize("rule", ["maker_optimal", "competitive", "pay_as_bid"])
def test_an_engine_says_that_it_was_stopped_cold_and_warm(rule: str) -> None:
    market, orders = kpm.sample.example_race_card()
    engine = kpm.Engine(market, orders)
    whole = kpm.clear(market, engine.orders, rule=rule, threads=1)
    options: dict[str, Any] = {"rule": rule, "threads": 1}
    for warm in (False, True):
        found = engine.clear(stop=cancelled(), **options)
        assert found.verify()
        if not warm:
            assert found.status is kpm.Status.INTERRUPTED
        assert found.upper_bound >= whole.objective - 1e-7 * whole.scale
        assert_same_bits(whole, engine.clear(**options), bound=False)
