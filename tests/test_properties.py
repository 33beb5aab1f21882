"""Invariances: equivalent books have the same clearing.

Where the transformation rounds nothing every bit is the same: for another order of the rows,
another number of threads, orders of zero quantity, and units that are powers of two. Elsewhere the
value is the same to 3e-9 of the notional or to rounding, and prices and fills are the same where no
other clearing is as good.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import rel_entr

import kpm_fast as kpm
from adapter import assert_same_bits, clear, teams_at_once
from strategies import METHODS, books, examples
from ties import is_decided, same_value
from transforms import (
    in_units,
    merged_orders,
    order_subset,
    renamed,
    split_orders,
    split_states,
    turned,
    with_orders,
)
from witness import Book


def same_trades(
    book: Book, told: Book, expected: kpm.Result, found: kpm.Result, *, in_order: bool = True
) -> bool:
    """Fills and prices of ``told`` are those expected from ``book``, if both are decided.

    Ties in value, volume and divergence from the prior are broken by the order of claims and of
    their pieces. Where the other book has another order, prices may differ if all else ties.

    Returns whether they were compared, so that a test can require it of enough books.
    """
    if not (is_decided(book) and is_decided(told)):
        return False
    unit = np.abs(told.payoffs).max(axis=1) + 1e-300
    if not in_order and np.any(np.abs(expected.claim_prices - found.claim_prices) > 1e-6 * unit):
        volume, prior = told.spans[told.claim], told.prior
        assert volume @ found.fills == pytest.approx(volume @ expected.fills, rel=1e-8)
        apart = [rel_entr(each.state_prices, prior).sum() for each in (expected, found)]
        assert apart[1] == pytest.approx(apart[0], abs=1e-8)
        return False
    np.testing.assert_allclose(found.state_prices, expected.state_prices, atol=1e-8)
    np.testing.assert_allclose(found.claim_prices / unit, expected.claim_prices / unit, atol=1e-8)
    whole = told.quantity.sum() + 1e-300
    np.testing.assert_allclose(found.fills / whole, expected.fills / whole, atol=1e-6)
    return True


def levels(book: Book) -> list[int]:
    """How many different prices each claim has, of limits and ends of its range.

    In other units, or after subtraction from a constant, rounding may merge some (1 - 1e-59 is 1):
    that is another book.
    """
    return [
        len({*book.price[book.claim == claim], payoff.min(), payoff.max()})
        for claim, payoff in enumerate(book.payoffs)
    ]


def often(decided: list[bool]) -> None:
    """Trades are compared for decided books only: enough books must be decided.

    In a third of the books lots are too small beside the wealth; in more, once cash is added.
    """
    assert sum(decided) >= max(1, len(decided) // 4)


@METHODS
@given(books(), st.randoms(use_true_random=False))
@examples(100)
@pytest.mark.cross_section
def test_the_order_of_the_book_does_not_matter(method, book, random):
    rows = np.array(random.sample(range(book.orders), book.orders), dtype=int)
    one, other = clear(book, method=method), clear(order_subset(book, rows), method=method)
    assert_same_bits(one, other, fills=rows)


@METHODS
@given(books())
@examples(40)
@pytest.mark.cross_section
@pytest.mark.threads
def test_the_number_of_threads_does_not_matter(method, book):
    with teams_at_once():
        one, other = (clear(book, method=method, threads=threads) for threads in (1, 2))
    assert_same_bits(one, other)
    # A tree has a second thread from its seventh node on, a walk of cells wherever it goes at all.
    whole_walk = method == "enumerate" and other.stats.solved > 0
    assert other.stats.threads == (2 if whole_walk or other.stats.nodes > 6 else 1)


@pytest.mark.threads
@pytest.mark.parametrize("seed", range(4))
def test_the_number_of_threads_does_not_matter_for_larger_enumerations(seed):
    generator = np.random.default_rng(seed)
    claim = np.repeat(np.arange(4), 4)
    book = Book(
        payoffs=np.vstack([np.eye(4)[:3], [1.0, 1.0, 0.0, 0.0]]),
        prior=np.full(4, 0.25),
        inventory=np.zeros(4),
        risk_aversion=0.5,
        ambiguity=[0.0, 0.1, 0.5, math.inf][seed],
        claim=claim,
        side=generator.choice([1, -1], claim.size),
        price=generator.uniform(0.1, 0.5, claim.size).round(2),
        quantity=generator.choice([1.0, 2.0, 5.0], claim.size),
    )
    with teams_at_once():
        results = [clear(book, method="enumerate", threads=threads) for threads in (1, 2, 3, 2)]
    for other in results[1:]:
        assert_same_bits(results[0], other)
    assert [result.stats.threads for result in results] == [1, 2, 3, 2]


@given(books())
@examples(80)
def test_pruning_by_bound_does_not_change_the_answer(book):
    one, other = (
        clear(book, method="enumerate", prune_bounds=prune, tolerance=1e-9)
        for prune in (True, False)
    )
    same_value(book, one.certainty_equivalent, other.certainty_equivalent)
    np.testing.assert_array_equal(one.cell, other.cell)
    np.testing.assert_allclose(one.state_prices, other.state_prices, atol=1e-9)
    np.testing.assert_allclose(one.fills, other.fills, atol=1e-9 * max(1e-9, book.quantity.sum()))


# -- orders --------------------------------------------------------------------------------------


@METHODS
@given(books(), st.data())
@examples(80)
def test_orders_may_be_split(method, book, data):
    """In halves or quarters, exact in binary: the same cell, and the same prices and fills."""
    parts = np.array([data.draw(st.sampled_from([1, 2, 4])) for _ in range(book.orders)], dtype=int)
    shares, origin = split_orders(book, parts)
    one, other = clear(book, method=method), clear(shares, method=method)
    same_value(book, one.certainty_equivalent, other.certainty_equivalent)
    np.testing.assert_array_equal(other.cell, one.cell)
    tiny = 1e-9 * (1 + book.spans.max())
    np.testing.assert_allclose(other.claim_prices, one.claim_prices, atol=tiny)
    np.testing.assert_allclose(other.state_prices, one.state_prices, atol=1e-9)
    total = np.bincount(origin, other.fills, book.orders)
    np.testing.assert_allclose(total, one.fills, atol=1e-8 * max(1e-9, book.quantity.sum()))


@METHODS
def test_orders_of_one_limit_may_be_merged(method):
    """The reverse, of parts of any size."""
    decided = []

    @given(books(max_claims=2, max_orders=9))
    @examples(60)
    def compare(book):
        merged, into = merged_orders(book)
        one, other = clear(book, method=method), clear(merged, method=method)
        same_value(book, one.certainty_equivalent, other.certainty_equivalent)
        total = np.bincount(into, one.fills, merged.orders)
        decided.append(same_trades(book, merged, dataclasses.replace(one, fills=total), other))

    compare()
    often(decided)


@METHODS
@given(books(), st.data())
@examples(60)
def test_orders_of_nothing_change_no_bit(method, book, data):
    claim = data.draw(st.integers(0, book.claims - 1))
    limit = data.draw(st.sampled_from([-1e300, -1.0, 0.25, 1.0, 1e300]))
    more = with_orders(book, claim=[claim] * 2, side=[1, -1], price=[limit] * 2, quantity=[0.0] * 2)
    one, other = clear(book, method=method), clear(more, method=method)
    np.testing.assert_array_equal(other.fills[-2:], 0.0)
    assert_same_bits(one, dataclasses.replace(other, fills=other.fills[:-2]))


# -- names, units --------------------------------------------------------------------------------


@METHODS
def test_states_and_claims_may_be_renamed(method):
    decided = []

    @given(books(), st.randoms(use_true_random=False))
    @examples(60)
    def compare(book, random):
        states = np.array(random.sample(range(book.states), book.states))
        claims = np.array(random.sample(range(book.claims), book.claims))
        other_names = renamed(book, states, claims)
        one, other = clear(book, method=method), clear(other_names, method=method)
        same_value(book, one.certainty_equivalent, other.certainty_equivalent)
        same_value(book, one.no_trade_equivalent, other.no_trade_equivalent)
        expected = dataclasses.replace(
            one, state_prices=one.state_prices[states], claim_prices=one.claim_prices[claims]
        )
        decided.append(same_trades(book, other_names, expected, other, in_order=False))

    compare()
    often(decided)


@pytest.mark.cross_section
@pytest.mark.parametrize(
    ("method", "presolve"),
    [("branch-and-bound", True), ("branch-and-bound", False), ("enumerate", True)],
)
def test_a_state_may_be_split_in_two(method, presolve):
    """Two states with equal payoffs share the one's state price in proportion to their prior."""
    decided = []

    @given(books(), st.data())
    @examples(60)
    def compare(book, data):
        shares = st.sampled_from([0.5, 0.25, 0.1, 1e-3])
        share = np.array([data.draw(shares) for _ in range(book.states)])
        told = split_states(book, share)
        one = clear(book, method=method, presolve=presolve)
        other = clear(told, method=method, presolve=presolve)
        same_value(book, one.certainty_equivalent, other.certainty_equivalent)
        same_value(book, one.no_trade_equivalent, other.no_trade_equivalent)
        halves = np.append(1 - share, share)
        expected = dataclasses.replace(one, state_prices=np.tile(one.state_prices, 2) * halves)
        decided.append(same_trades(book, told, expected, other))

    compare()
    often(decided)


@METHODS
@pytest.mark.cross_section
@pytest.mark.parametrize(
    ("money", "share"), [(2.0**20, 1.0), (2.0**-20, 1.0), (1.0, 2.0**20), (2.0**-7, 2.0**-13)]
)
def test_units_that_are_exact_change_no_bit(method, money, share):
    """Powers of two scale without rounding, so that an absolute tolerance would show."""

    @given(books())
    @examples(30)
    def compare(book):
        assume(could_trade(book))  # else scale is 1
        one, other = clear(book, method=method), clear(in_units(book, money, share), method=method)
        assert_same_bits(one, scaled_back(other, money, share))
        assert other.stats.nodes == one.stats.nodes

    compare()


def could_trade(book):
    """Whether some price fills some order, and a trade of it is worth anything."""
    least, most = book.payoffs.min(axis=1)[book.claim], book.payoffs.max(axis=1)[book.claim]
    filled = np.where(book.side > 0, book.price > least, book.price < most)
    return book.quantity[filled] @ book.spans[book.claim][filled] > 0


def scaled_back(result, money, share):
    """A result as it would be in units of which ``money`` and ``share`` make one of its own."""
    both = money * share
    per = {
        "claim_prices": money,
        "fills": share,
        "net_demand": share,
        "multipliers": share,
        **dict.fromkeys(("revenue", "payoff", "certainty_equivalent", "no_trade_equivalent"), both),
        **dict.fromkeys(("upper_bound", "ambiguity_price", "scale"), both),
    }
    return dataclasses.replace(
        result, **{name: getattr(result, name) / unit for name, unit in per.items()}
    )


@METHODS
def test_units_do_not_matter(method):
    """Of money (payoffs, limits, wealth), of shares (quantities, and with them risk aversion)."""
    decided = []

    @given(
        books(), st.sampled_from([(1e6, 1.0), (1e-6, 1.0), (1.0, 1e6), (1.0, 1e-6), (3.0, 0.01)])
    )
    @examples(100)
    def compare(book, units):
        told = in_units(book, *units)
        one, other = clear(book, method=method), clear(told, method=method)
        both = math.prod(units)
        same_value(book, one.certainty_equivalent, other.certainty_equivalent / both)
        same_value(book, one.no_trade_equivalent, other.no_trade_equivalent / both)
        if could_trade(book):
            assert other.scale == pytest.approx(one.scale * both, rel=1e-12)
        same = levels(book) == levels(told)
        decided.append(same and same_trades(told, book, scaled_back(other, *units), one))

    compare()
    often(decided)


# -- wealth, claims ------------------------------------------------------------------------------


@METHODS
def test_cash_adds_to_the_certainty_equivalent(method):
    decided = []

    @given(books(), st.sampled_from([-5.0, 0.25, 300.0]))
    @examples(60)
    def compare(book, cash):
        richer = book.with_(inventory=book.inventory + cash)
        one, other = clear(book, method=method), clear(richer, method=method)
        moved = book.with_(inventory=book.inventory + abs(cash))
        same_value(moved, one.certainty_equivalent + cash, other.certainty_equivalent)
        same_value(moved, one.no_trade_equivalent + cash, other.no_trade_equivalent)
        decided.append(same_trades(book, richer, one, other))

    compare()
    often(decided)


@METHODS
def test_a_claim_may_be_turned_around(method):
    """Selling a claim at b is buying its negative at -b, or its complement at 1 - b."""
    decided = []

    @given(books(), st.data(), st.sampled_from([0.0, 1.0, -0.5, 2.0]))
    @examples(100)
    def compare(book, data, constant):
        claim = data.draw(st.integers(0, book.claims - 1))
        other = turned(book, claim, constant)
        one, mirrored = clear(book, method=method), clear(other, method=method)
        same_value(book, one.certainty_equivalent, mirrored.certainty_equivalent)
        prices = one.claim_prices.copy()
        prices[claim] = constant - prices[claim]
        expected = dataclasses.replace(one, claim_prices=prices)
        same = levels(book) == levels(other)
        decided.append(same and same_trades(book, other, expected, mirrored, in_order=False))

    compare()
    often(decided)
